"""Optional answers about a person: stored apart, linked by nothing, seen as counts only (L4, C3, C4, E1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import inspect, select, text

from service.app import create_app
from service.core import Core
from service.duty.apart import FILE, Answer, ApartBase, open_apart
from service.duty.characteristics import disclose
from service.duty.workflow import SCHEDULE, counts_of, import_residents, participation, run_retention, store_answers
from service.errors import ForbiddenError, InvalidInputError, NotFoundError, NotSignedInError
from service.people.access import DEMO, PUBLIC, Principal
from service.places.models import Place
from service.settings import Settings
from service.tables import METADATA
from tests.api.test_retention import in_days, send
from tests.conftest import bearer
from tests.support.squares import add_squares
from tests.support.workshops import OWN, phone, set_up

ABOUT = "/j/about-you"
PLANNER = Principal("planner", "planner")
PAGE = {"Accept": "text/html"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def asking(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """Run a demo that asks the optional questions, on each engine."""
    if request.param == "sqlite":
        settings: Settings = request.getfixturevalue("make_settings")("demo", characteristics_on=True)
    else:
        settings = request.getfixturevalue("postgresql_settings").model_copy(update={"characteristics_on": True})
    with TestClient(create_app(settings), headers=OWN) as client:
        add_squares(client.app.state.core)  # type: ignore[attr-defined]
        yield client


def core_of(client: TestClient) -> Core:
    found: Core = client.app.state.core  # type: ignore[attr-defined]
    return found


def rows(core: Core) -> list[Answer]:
    with open_apart(core) as store, store.read() as session:
        return list(session.scalars(select(Answer)))


def fill(core: Core, people: int, *, sessions: int = 2, **answers: str) -> None:
    for n in range(people):
        who = f"person-{n}-{sorted(answers.items())}"
        store_answers(core, workshop=f"workshop-{n % sessions}", person=who, answers=answers)


@pytest.mark.requirement("C3", "L4")
def test_nothing_is_asked_unless_the_deployment_says_so(client: TestClient, core: Core) -> None:
    _, code = set_up(core)
    device = phone(client, code)
    assert device.get(ABOUT, headers=PAGE).status_code == 404
    assert ABOUT not in device.get("/j/done", headers=PAGE).text
    assert device.post(ABOUT, data={"age_band": "13-15"}, headers=PAGE).status_code == 404
    with pytest.raises(NotFoundError):
        store_answers(core, workshop="w", person="p", answers={"age_band": "13-15"})
    assert not (core.settings.data_dir / FILE).exists()


@pytest.mark.requirement("L4", "C4")
def test_page_asks_bands_only_ticks_nothing_and_offers_skip_as_large(asking: TestClient) -> None:
    _, code = set_up(core_of(asking))
    html = phone(asking, code).get(ABOUT, headers=PAGE).text
    form = html[html.index('id="about-form"') : html.index("</form>")]
    assert not re.search(r"\s(checked|selected|required)[\s>=]", form)
    assert not re.search(r'type="(text|date|number|email|tel)"|<textarea', form)
    device = phone(asking, code)
    assert f'href="{ABOUT}"' in device.get("/j/done", headers=PAGE).text
    buttons = re.findall(r'<button class="([^"]+)"[^>]*value="(skip|send)"', form)
    assert buttons == [("button secondary", "skip"), ("button secondary", "skip"), ("button secondary", "send")]
    assert form.count("I would rather not say") == 5


@pytest.mark.requirement("L4")
def test_answers_are_stored_apart_without_key_day_or_workshop(asking: TestClient) -> None:
    core = core_of(asking)
    workshop, code = set_up(core)
    device = phone(asking, code)
    person = "contributor-key-0123456789"
    answer = device.post(ABOUT, data={"person": person, "age_band": "13-15", "home_area": "E05000001"}, headers=PAGE)
    assert "We kept what you said about you" in answer.text
    (row,) = rows(core)
    assert (row.age_band, row.home_area, row.gender, row.disability) == ("13-15", "E05000001", None, None)
    assert re.fullmatch(r"\d{4}-\d{2}", row.month)
    for value in (row.person, row.session):
        assert re.fullmatch("[0-9a-f]{64}", value)
    assert person not in row.person
    assert str(workshop) not in row.session
    device.post(ABOUT, data={"person": person, "age_band": "16-18"}, headers=PAGE)
    assert [(row.age_band, row.home_area) for row in rows(core)] == [("16-18", None)]  # said again, not twice


@pytest.mark.requirement("L4", "C5")
def test_answers_cannot_be_joined_to_marks_without_the_secret(asking: TestClient) -> None:
    core = core_of(asking)
    _, code = set_up(core)
    device = phone(asking, code)
    person = "contributor-key-0123456789"
    send(asking, contributor_key=person)
    device.post(ABOUT, data={"person": person, "age_band": "13-15"}, headers=PAGE)
    (row,) = rows(core)
    with core.store.read() as session:
        place = session.scalars(select(Place)).one()
        tables = inspect(session.connection()).get_table_names()
    assert place.contributor_key not in {row.person, row.session, None}
    assert row.person not in [getattr(place, column.name) for column in Place.__table__.columns]
    assert "answer" not in tables  # not in the store of the marks, on either engine
    assert not set(ApartBase.metadata.tables) & set(METADATA.tables)


def test_skipping_keeps_nothing(asking: TestClient) -> None:
    core = core_of(asking)
    _, code = set_up(core)
    device = phone(asking, code)
    for data in ({"action": "skip", "age_band": "13-15"}, {"action": "send"}):
        assert "We kept nothing about you" in device.post(ABOUT, data=data, headers=PAGE).text
    assert rows(core) == []


def test_an_answer_of_ones_own_is_refused(asking: TestClient) -> None:
    core = core_of(asking)
    for answers in ({"age_band": "14"}, {"home_area": "E99999999"}, {"name": "Ama"}, {"gender": "<b>"}):
        with pytest.raises(InvalidInputError):
            store_answers(core, workshop="w", person="p", answers=answers)
    assert rows(core) == []


@pytest.mark.requirement("X2", "L4")
def test_only_a_device_in_a_workshop_may_answer(asking: TestClient) -> None:
    core = core_of(asking)
    for device in (TestClient(asking.app, headers=OWN), TestClient(asking.app, headers=OWN, cookies={"seat": "x"})):
        assert device.get(ABOUT, headers=PAGE).status_code == 401
        assert device.post(ABOUT, data={"age_band": "13-15"}, headers=PAGE).status_code == 401
    _, code = set_up(core)
    foreign = phone(asking, code).post(ABOUT, data={"age_band": "13-15"}, headers=PAGE | {"Origin": "http://evil"})
    assert foreign.status_code == 403
    assert rows(core) == []


@pytest.mark.requirement("L4", "X2")
def test_no_other_role_and_no_public_path_reads_characteristics(asking: TestClient) -> None:
    core = core_of(asking)
    fill(core, 12, age_band="13-15")
    for role in ("youth_worker", "moderator", "safeguarding_lead", "admin"):
        with pytest.raises(ForbiddenError):
            counts_of(core, Principal(role, role))
        with pytest.raises(ForbiddenError):
            participation(core, Principal(role, role))
        for url in ("/api/v1/characteristics/counts", "/staff/participation"):
            assert asking.get(url, headers=bearer(role)).status_code == 403
    with pytest.raises(NotSignedInError):
        counts_of(core, PUBLIC)
    assert counts_of(core, DEMO)["age_band"]["13-15"] == 10  # everything in a demo is made up
    hashes = {row.person for row in rows(core)} | {row.session for row in rows(core)}
    paths = [p for p, item in asking.get("/api/v1/openapi.json").json()["paths"].items() if "get" in item]
    assert len(paths) > 20
    for path in [*paths, "/", "/wards", "/maps", "/privacy", "/receipt"]:
        if "{" not in path and path != "/api/v1/characteristics/counts":
            said = asking.get(path).text
            assert not any(one in said for one in hashes), path
            assert '"age_band"' not in said.replace('"age_band":{"description"', "") or "openapi" in path, path


@pytest.mark.requirement("L4", "X2")
@pytest.mark.parametrize("url", ["/api/v1/characteristics/counts", "/staff/participation"])
def test_public_of_a_real_deployment_is_refused(real: TestClient, url: str) -> None:
    assert real.get(url).status_code == 401


@pytest.mark.requirement("L4", "D2")
def test_counts_hide_too_few_people_and_single_workshops(asking: TestClient) -> None:
    core = core_of(asking)
    fill(core, 12, age_band="13-15", gender="girl")  # 12 -> 10
    fill(core, 9, age_band="16-18")
    fill(core, 30, sessions=1, age_band="10-12")
    counts = counts_of(core, PLANNER)
    assert counts["age_band"] == {"10-12": None, "13-15": 10, "16-18": None, "19-25": None}
    assert counts["gender"] == {"girl": 10, "boy": None, "another": None}
    assert asking.get("/api/v1/characteristics/counts", headers=bearer("planner")).json() == counts


@pytest.mark.requirement("D3", "L4")
def test_a_single_hidden_answer_takes_the_smallest_other_with_it() -> None:
    found = {"a": (40, 3), "b": (12, 2), "c": (3, 2)}
    assert disclose(found, ["a", "b", "c"], 10) == {"a": 40, "b": None, "c": None}
    assert disclose(found | {"c": (11, 2)}, ["a", "b", "c"], 10) == {"a": 40, "b": 10, "c": 10}  # 12 -> 10, 11 -> 10


@pytest.mark.requirement("L6", "L4")
def test_answers_go_after_their_period(asking: TestClient) -> None:
    core = core_of(asking)
    fill(core, 3, age_band="13-15")
    assert run_retention(core, SCHEDULE, now=in_days(720)).counts["characteristics"] == 0
    assert run_retention(core, SCHEDULE, is_dry=True, now=in_days(770)).counts["characteristics"] == 3
    assert len(rows(core)) == 3
    assert run_retention(core, SCHEDULE, now=in_days(770)).counts["characteristics"] == 3
    assert rows(core) == []


@pytest.mark.requirement("L4")
def test_store_apart_is_its_own_file_or_schema_that_others_may_not_read(asking: TestClient) -> None:
    core = core_of(asking)
    fill(core, 1, age_band="13-15")
    if core.store.is_sqlite:
        path = core.settings.data_dir / FILE
        assert path.stat().st_mode & 0o077 == 0
        assert b"13-15" not in (core.settings.data_dir / "safer-places.sqlite").read_bytes()
        return
    with core.store.read() as session:
        schemas = inspect(session.connection()).get_table_names(schema="characteristics")
        public = session.execute(text("SELECT has_schema_privilege('public', 'characteristics', 'USAGE')")).scalar()
    assert set(schemas) == {"answer", "resident"}
    assert public is False


@pytest.mark.requirement("E1", "D2")
def test_participation_is_shown_beside_the_census_under_the_threshold(asking: TestClient, tmp_path: Path) -> None:
    core = core_of(asking)
    fill(core, 20, age_band="13-15", home_area="E05000001")
    fill(core, 20, age_band="16-18", home_area="E05000002")
    fill(core, 4, age_band="10-12", home_area="E05000003")
    table = tmp_path / "residents.csv"
    lines = [f"E0500000{n},{band},{count}" for n in (1, 2) for band, count in (("13-15", 300), ("16-18", 100))]
    table.write_text("area_gss,age_band,residents\n" + "\n".join(lines) + "\n")
    assert import_residents(core, table, "Census 2021, made for a test") == 4
    report = participation(core, PLANNER)
    bands = {line.name: line for line in report.bands}
    assert (bands["13 to 15"].people, bands["13 to 15"].residents) == (20, 600)
    assert bands["13 to 15"].share_of_people == pytest.approx(20 / 40)  # of those shown: 20 + 20
    assert bands["13 to 15"].share_of_residents == pytest.approx(600 / 800)
    assert (bands["10 to 12"].people, bands["10 to 12"].share_of_people) == (None, None)
    assert [line.people for line in report.wards] == [20, 20, None, None]
    html = asking.get("/staff/participation", headers=bearer("planner") | PAGE).text
    assert "not enough people yet" in html
    assert "Census 2021, made for a test" in html
    assert "75 %" in html


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("area_gss,age_band\nE05000001,13-15\n", "lacks the columns residents"),
        ("area_gss,age_band,residents\nE05000001,14,5\n", "line 2"),
        ("area_gss,age_band,residents\nE05000001,13-15,many\n", "line 2"),
    ],
)
def test_table_of_residents_that_cannot_be_read_is_refused(
    demo_core: Core, tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "residents.csv"
    path.write_text(content)
    with pytest.raises(InvalidInputError, match=words):
        import_residents(demo_core, path, "x")


def test_backup_holds_the_store_apart_and_brings_it_back(make_settings: Any, tmp_path: Path) -> None:
    from service.core import open_core
    from service.duty.workflow import RestorePlan, make_backup, restore_backup

    core = open_core(make_settings("demo", characteristics_on=True))
    try:
        add_squares(core)
        fill(core, 2, age_band="13-15")
        make_backup(core, tmp_path / "b.tar", SCHEDULE)
        key = core.settings.data_dir / "secret.key"
        restore_backup(core.settings, RestorePlan(tmp_path / "b.tar", tmp_path / "new", key))
    finally:
        core.store.close()
    again = open_core(core.settings.model_copy(update={"data_dir": tmp_path / "new"}))
    try:
        assert [row.age_band for row in rows(again)] == ["13-15", "13-15"]
    finally:
        again.store.close()
