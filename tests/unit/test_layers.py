"""Who may import whom (house.md 2): every import statement of geo and service, with the offending line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.sources import Import, Source, imports, sources

# A broken rule needs a reason: (importing module, imported module) -> reason. Unused ones fail.
_GENERATION = "derived rows and the generation that says which of them count change in one transaction"
_ONE_WRITE = "what a mark is joined to is verified inside the write that stores it"
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("service.crimes.store", "service.areas.models"): _GENERATION,
    ("service.places.rejoin_store", "service.areas.models"): _GENERATION,
    ("service.places.rejoin_store", "service.runs.models"): _GENERATION,
    ("service.places.store", "service.areas.models"): _ONE_WRITE,
    ("service.places.store", "service.runs.models"): _ONE_WRITE,
    ("service.places.store", "service.workshops.models"): _ONE_WRITE,
    ("service.places.schemas", "service.places.store"): "query parameters turn themselves into the filter of the store",
}
# Imports inside the functions of these modules are no cycle: the name is looked up when the work is done.
LATE: dict[str, str] = {"service.jobs.kinds": "workflows queue jobs, and a job calls the workflow it belongs to"}

WEB_FRAMEWORKS = {"fastapi", "starlette", "pydantic_settings", "sqlalchemy", "service", "uvicorn", "alembic"}
NETWORK = {"socket", "ssl", "http", "ftplib", "smtplib", "requests", "httpx", "httpx2", "aiohttp"}
CLOCK = {"time"}
# Plain vocabulary of geo: everything else below geo is analysis or drawing.
GEO_WORDS = {"geo", "geo.columns", "geo.crs", "geo.errors"}
NOT_SUBJECTS = {"store", "web", "demo"}
# What one subject shows to the others; the rest of it is its own.
OPEN_PARTS = {"workflow", "schemas"}
# Rights are asked in one place by everybody (X2), and a long function of any subject tells how far it is.
OPEN_MODULES = {
    "service.people.access", "service.people.audit", "service.people.dependencies", "service.jobs.context",
}  # fmt: skip
COMPOSERS = {"service.app", "service.cli", "service.tables", "service.main", "service.serve"}
ENTRY_PARTS = {"router", "pages", "cli"}
BELOW_ENTRY = {"models", "store", "schemas", "workflow"}
RANK = {"models": 0, "schemas": 0, "store": 1, "workflow": 2}


def part(name: str) -> str:
    """Return the last word of a dotted name: ``router`` of ``service.places.router``."""
    return name.rpartition(".")[2]


def subject(name: str) -> str | None:
    """Return the subject that a module belongs to, if any."""
    words = name.split(".")
    if words[0] != "service" or len(words) < 2 or words[1] in NOT_SUBJECTS:
        return None
    is_folder = f"service.{words[1]}" in sources() and sources()[f"service.{words[1]}"].path.name == "__init__.py"
    return words[1] if is_folder else None


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def is_entry(source: Source) -> bool:
    """Return whether the module holds routes: by its name, or because it makes an APIRouter."""
    return part(source.name) in {"router", "pages"} or "APIRouter(" in source.text


def geo_stays_alone(found: Import) -> bool:
    return top(found.source.name) == "geo" and top(found.target) in WEB_FRAMEWORKS


def geo_has_no_network(found: Import) -> bool:
    outside = top(found.target) in NETWORK or found.target in {"urllib.request", "urllib"}
    return top(found.source.name) == "geo" and outside


def geo_has_no_clock(found: Import) -> bool:
    return top(found.source.name) == "geo" and top(found.target) in CLOCK


def routes_see_no_database(found: Import) -> bool:
    return is_entry(found.source) and top(found.target) in {"sqlalchemy", "geopandas", "pandas", "folium"}


def routes_ask_the_workflow(found: Import) -> bool:
    """A route reaches neither a table nor a query, and of geo only the words and the maps."""
    if not is_entry(found.source) or top(found.target) not in {"geo", "service"}:
        return False
    if top(found.target) == "geo":
        return found.target not in GEO_WORDS and not found.target.startswith("geo.maps")
    return subject(found.target) is not None and part(found.target) in {"store", "models"}


def queries_see_no_analysis(found: Import) -> bool:
    below = {"store", "models", "schemas"}
    return (
        subject(found.source.name) is not None
        and part(found.source.name) in below
        and top(found.target) == "geo"
        and found.target not in GEO_WORDS
    )


def subjects_meet_in_workflows(found: Import) -> bool:
    mine, other = subject(found.source.name), subject(found.target)
    if other is None or mine == other or found.source.name in COMPOSERS or found.target in OPEN_MODULES:
        return False
    return part(found.target) not in OPEN_PARTS


def lower_never_sees_higher(found: Import) -> bool:
    """Models, schemas, queries and workflows never import what stands above them in their own subject."""
    mine, other = subject(found.source.name), subject(found.target)
    here, there = part(found.source.name), part(found.target)
    if mine is None or here not in RANK:
        return False
    if there in ENTRY_PARTS or found.target in COMPOSERS:
        return True
    return mine == other and RANK.get(there, 0) > RANK[here]


def foundation_knows_no_subject(found: Import) -> bool:
    """Settings, core, errors and the store stand below every subject."""
    name = found.source.name
    base = name in {"service.settings", "service.core", "service.errors"} or name.startswith("service.store")
    is_migration = name == "service.store.migrate" or name.startswith("service.store.migrations")
    target_ok = is_migration and found.target == "service.tables"
    return base and not target_ok and (subject(found.target) is not None or found.target in COMPOSERS)


def main_is_imported_by_nobody(found: Import) -> bool:
    return found.target == "service.main"


RULES: tuple[Callable[[Import], bool], ...] = (
    geo_stays_alone,
    geo_has_no_network,
    geo_has_no_clock,
    routes_see_no_database,
    routes_ask_the_workflow,
    queries_see_no_analysis,
    subjects_meet_in_workflows,
    lower_never_sees_higher,
    foundation_knows_no_subject,
    main_is_imported_by_nobody,
)


def all_imports() -> list[Import]:
    return [found for source in sources().values() for found in imports(source)]


@pytest.mark.parametrize("broken", RULES, ids=lambda rule: rule.__name__)
def test_import_rule_holds(broken: Callable[[Import], bool]) -> None:
    offending = [str(i) for i in all_imports() if broken(i) and (i.source.name, i.target) not in EXCEPTIONS]
    assert not offending, f"{broken.__name__}:\n" + "\n".join(offending)


def test_every_exception_is_still_needed() -> None:
    broken = {(i.source.name, i.target) for i in all_imports() for rule in RULES if rule(i)}
    assert set(EXCEPTIONS) <= broken


AMBIENT_NAMES = {"environ", "getenv", "getcwd"}
AMBIENT_CALLS = {"now", "utcnow", "today", "cwd", "home", "expanduser", "gettempdir"}


def ambient_reads(source: Source) -> Iterator[str]:
    """Yield each line of a module that reads the environment, the clock, a default path or an unseeded generator."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in AMBIENT_NAMES:
            yield f"{source.where(node)}: {node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            unseeded = node.func.attr == "default_rng" and not node.args and not node.keywords
            if node.func.attr in AMBIENT_CALLS or unseeded:
                yield f"{source.where(node)}: {node.func.attr}()"


def test_geo_reads_no_environment_clock_or_default_path() -> None:
    found = [line for source in sources().values() if top(source.name) == "geo" for line in ambient_reads(source)]
    assert not found, "\n".join(found)


def first_cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return the names along one cycle of a graph, or nothing."""
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for following in sorted(graph.get(name, ())):
            if cycle := visit(following, [*trail, name]):
                return cycle
        done.add(name)
        return []

    for name in sorted(graph):
        if cycle := visit(name, []):
            return cycle
    return []


def test_no_import_cycles_those_inside_functions_counted() -> None:
    graph = {
        name: {i.target for i in imports(source) if i.target in sources() and i.target != name}
        for name, source in sources().items()
        if name not in LATE
    }
    assert first_cycle(graph) == []


def test_modules_with_late_imports_have_no_others() -> None:
    for name in LATE:
        at_the_top = [node for node in sources()[name].tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        text = ast.unparse(ast.Module(at_the_top, []))
        assert "workflow" not in text


def test_first_cycle_finds_one() -> None:
    assert first_cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert first_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


MADE_UP = {
    geo_stays_alone: ("geo.join", "from service.settings import Settings"),
    geo_has_no_network: ("geo.join", "import urllib.request"),
    geo_has_no_clock: ("geo.join", "import time"),
    routes_see_no_database: ("service.places.router", "def f():\n    from sqlalchemy import select"),
    routes_ask_the_workflow: ("service.places.router", "from service.places.store import find"),
    queries_see_no_analysis: ("service.places.store", "from geo.join import assign_areas"),
    subjects_meet_in_workflows: ("service.places.workflow", "from service.areas.models import Area"),
    lower_never_sees_higher: ("service.places.store", "from service.places.workflow import create_place"),
    foundation_knows_no_subject: ("service.core", "from service.areas.models import Area"),
    main_is_imported_by_nobody: ("service.cli", "from service.main import app"),
}
KNOWN = {
    "service.areas.models", "service.places.store", "service.places.workflow", "service.settings", "service.main",
    "geo.join",
}  # fmt: skip


@pytest.mark.parametrize("broken", RULES, ids=lambda rule: rule.__name__)
def test_rule_catches_a_broken_line(broken: Callable[[Import], bool]) -> None:
    name, text = MADE_UP[broken]
    source = Source(name, Path(name.replace(".", "/") + ".py"), text, ast.parse(text))
    assert any(broken(found) for found in imports(source, KNOWN))


def test_ambient_reads_are_caught() -> None:
    text = "import os, datetime\nx = os.environ['A']\ny = datetime.date.today()\nz = rng.default_rng()\n"
    source = Source("geo.join", Path("geo/join.py"), text, ast.parse(text))
    assert {line.split(": ")[1] for line in ambient_reads(source)} == {"environ", "today()", "default_rng()"}
