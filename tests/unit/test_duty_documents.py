"""The documents of duty say what the software does: tests exist, routes are covered, pages and papers agree."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Any

import pytest
from fastapi.routing import APIRoute

from service.app import create_app
from service.duty.characteristics import questions
from service.duty.classes import CLASSES
from service.duty.words import EASY_READ
from service.settings import Settings
from service.web.templates import TEMPLATES
from tests.support.sources import ROOT
from tests.support.words import reading_age, sentences, visible_words, words_of
from tests.unit.test_reading_age import COMMON, LONGEST_SENTENCE, OLDEST

DOCS = ROOT / "docs"
DUTY = DOCS / "duty"
DOCUMENTS = (
    "README.md", "accessibility-statement.md", "appropriate-policy-document.md", "best-interests.md", "dpia.md",
    "equality-impact.md", "incident.md", "online-safety.md", "privacy-adult.md", "privacy-child.md",
    "privacy-easy-read.md", "processing-record.md", "session-plan.md",
)  # fmt: skip
# Where children are: every route that begins so needs a best-interests statement (C8).
CHILDREN = (
    *("/j", "/mark", "/receipt", "/privacy", "/sw.js", "/manifest", "/api/v1/receipts", "/api/v1/workshop"),
    *("/api/v1/open", "/api/v1/sealed", "/api/v1/words"),
)
WALL = "/wall"
ABUSERS = ("the troll", "the rival", "someone looking for a victim", "the insider", "the controlling adult")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def bullets(name: str) -> list[str]:
    """Return the list items of a document, without their emphasis."""
    return [line[2:].replace("**", "") for line in text_of(name).splitlines() if line.startswith("- ")]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@cache
def routes() -> frozenset[str]:
    """Return the paths of all routes; no store is opened."""
    app = create_app(Settings())
    return frozenset(route.path for route in _flat(app.routes))


def _flat(found: Any) -> list[APIRoute]:
    routes = []
    for one in found:
        if isinstance(one, APIRoute):
            routes.append(one)
        else:
            inner = getattr(one, "original_router", None) or getattr(one, "router", None)
            routes += _flat(getattr(inner, "routes", []))
    return routes


@pytest.mark.requirement("L1", "A6", "E1", "X11")
@pytest.mark.parametrize("name", [f"duty/{name}" for name in DOCUMENTS])
def test_document_is_there_and_nothing_in_it_is_left_to_fill_in(name: str) -> None:
    text = text_of(name)
    assert len(text.split()) > 100
    assert not re.search(r"lorem|TODO|TBC|TBD|\bXX+\b|\[insert|\[name|_{4,}|\?\?\?", text, re.IGNORECASE)


@pytest.mark.requirement("X11")
def test_every_test_that_the_documents_name_exists() -> None:
    pages = [*DUTY.glob("*.md"), DOCS / "threat-model.md", DOCS / "dependencies.md", ROOT / "SECURITY.md"]
    named = {found for page in pages for found in TEST.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 40
    missing = [
        f"{path}::{test}" for path, test in sorted(named) if not ((ROOT / path).exists() and test in names_in(path))
    ]
    assert missing == []


@pytest.mark.requirement("X11")
@pytest.mark.parametrize(
    "who", ["the troll", "the rival", "someone looking for a victim", "the insider", "the controlling adult"]
)
def test_threat_model_has_each_abuser_with_threats_controls_and_tests(who: str) -> None:
    parts = re.split(r"^## ", text_of("threat-model.md"), flags=re.MULTILINE)
    (part,) = [part for part in parts if part.splitlines()[0].lower().find(who) >= 0]
    rows = [line.split("|")[1:-1] for line in part.splitlines() if line.startswith("|")][2:]
    assert len(rows) >= 7
    for threat, control, test in rows:
        assert threat.strip()
        assert control.strip()
        assert TEST.search(test) or "**none yet**" in test, threat


@pytest.mark.requirement("X11")
def test_locks_and_signing_are_described() -> None:
    text = text_of("dependencies.md")
    for words in ("--require-hashes", "git verify-tag", "gpg --verify", "sha256sum --check", "runtime.txt"):
        assert words in text
    for lock in ROOT.glob("requirements/*.txt"):
        assert lock.name in text
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for path in re.findall(r"\]\(([\w/.-]+)\)", security):
        assert (ROOT / path).is_file(), path


def covered() -> set[str]:
    lines = [line for line in text_of("duty/best-interests.md").splitlines() if line.startswith("Routes:")]
    return {path for line in lines for path in re.findall(r"`([^`]+)`", line)}


@pytest.mark.requirement("C8")
def test_every_route_that_children_meet_has_a_best_interests_statement() -> None:
    met = {path for path in routes() if path.startswith(CHILDREN) or WALL in path}
    assert {"/mark", "/receipt", "/j/about-you", "/privacy"} <= met
    named = covered()
    where = "docs/duty/best-interests.md: write a statement, or add the route to the one it belongs to"
    assert sorted(met - named) == [], where
    assert sorted(named - routes()) == [], "docs/duty/best-interests.md names routes that are not there"


@pytest.mark.requirement("C8")
def test_every_statement_weighs() -> None:
    parts = re.split(r"^## ", text_of("duty/best-interests.md"), flags=re.MULTILINE)[1:]
    assert len(parts) >= 7
    for part in parts:
        for words in ("Routes: `", "**For them:**", "**Against them:**", "**Weighed:**"):
            assert words in part, part.splitlines()[0]


def page(template: str, **values: Any) -> str:
    return TEMPLATES.get_template(template).render(COMMON | values)


@pytest.mark.requirement("L2", "C1")
def test_child_and_adult_versions_say_public_task_and_what_consent_would_mean() -> None:
    html = page("privacy.html")
    child = " ".join(visible_words(html.split('<section id="short">')[1].split('<section id="long">')[0]))
    adult = " ".join(visible_words(html.split('<section id="long">')[1].split("<footer")[0]))
    assert "The law calls that a public task." in child
    assert "If a council did ask for your yes, then a parent would have to say yes too if you are under 13." in child
    assert "Public task (UK GDPR Article 6(1)(e)). Consent is not the basis." in adult
    assert (
        "The rules on consent under 13 (Data Protection Act 2018, section 9) would apply only if consent were" in adult
    )


@pytest.mark.requirement("L2", "C1")
def test_page_says_what_the_childs_document_says() -> None:
    said = " ".join(visible_words(page("privacy.html", is_demo=False))).replace("in Lewisham", "in your area")
    missing = [line for line in bullets("duty/privacy-child.md") if line not in said]
    assert missing == []


@pytest.mark.requirement("C1")
@pytest.mark.parametrize("name", ["privacy-child.md", "privacy-easy-read.md"])
def test_childrens_document_reads_at_nine_or_younger(name: str) -> None:
    parts = sentences(bullets(f"duty/{name}"))
    hardest = sorted(parts, key=lambda part: -reading_age([part]))[:4]
    assert reading_age(parts) <= OLDEST, hardest
    assert [part for part in parts if len(words_of(part)) > LONGEST_SENTENCE] == []


@pytest.mark.requirement("C1", "L2")
def test_easy_read_page_and_document_agree() -> None:
    assert [line for _, lines in EASY_READ for line in lines] == bullets("duty/privacy-easy-read.md")
    html = page("duty/privacy_easy_read.html", parts=EASY_READ)
    for line in bullets("duty/privacy-easy-read.md"):
        assert line in html


CHILD_PAGES: dict[str, dict[str, Any]] = {
    "duty/about_you.html": {"person": "", "questions": questions(), "homes": ()},
    "duty/about_done.html": {"kept": True},
    "duty/privacy_easy_read.html": {"parts": EASY_READ},
}


@pytest.mark.requirement("C1", "C4")
@pytest.mark.parametrize("template", sorted(CHILD_PAGES))
def test_pages_for_children_read_at_nine_or_younger(template: str) -> None:
    html = page(template, **CHILD_PAGES[template])
    main = html.split("<main")[1].split("</main>")[0]
    parts = sentences(visible_words(f"<main{main}"))
    assert reading_age(parts) <= OLDEST, sorted(parts, key=lambda part: -reading_age([part]))[:4]
    assert [part for part in parts if len(words_of(part)) > LONGEST_SENTENCE] == []
    assert "!" not in " ".join(parts)
    assert not re.search(r"\s(checked|selected)[\s>=]", main)


@pytest.mark.requirement("L6", "X12")
def test_processing_record_has_every_class_with_its_default_period() -> None:
    rows = [
        line.split("|")[1:-1] for line in text_of("duty/processing-record.md").splitlines() if line.startswith("| ")
    ]
    periods = {row[0].strip(): row[1] for row in rows if len(row) == 4}
    for one in CLASSES:
        assert one.name in periods, one.name
        if one.setting:
            assert f"{one.days(Settings())} days" in periods[one.name], one.name


@pytest.mark.requirement("A6")
def test_accessibility_statement_is_dated_with_results_and_says_what_was_not_tested() -> None:
    text = text_of("duty/accessibility-statement.md")
    assert re.search(r"Prepared \d{1,2} \w+ 20\d\d", text)
    for words in ("**Partially compliant**", "**not yet**", "axe-core", "Equality Advisory and Support Service"):
        assert words in text


@pytest.mark.requirement("E4")
def test_no_setting_turns_on_users_content_for_other_users() -> None:
    """Without one there is nothing that could be on; a setting of that kind has to be off and warn (E4)."""
    names = [name for name in Settings.model_fields if re.search("public_words|user_content|show_notes|comments", name)]
    assert names == []
    assert "no user's content is met by another user" in text_of("duty/online-safety.md")


@pytest.mark.requirement("E1")
def test_equality_document_names_groups_and_where_participation_is_read() -> None:
    text = text_of("duty/equality-impact.md")
    for words in ("disabled people", "girls", "Black and minority ethnic", "children in care", "/staff/participation"):
        assert words in text


def test_links_between_the_documents_lead_somewhere() -> None:
    for path in [*DUTY.glob("*.md"), DOCS / "threat-model.md", DOCS / "operations.md", DOCS / "dependencies.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
