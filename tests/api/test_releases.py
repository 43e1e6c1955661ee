"""Releases: made, immutable, the only thing the public reads of marks; findings go the same way."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from typer.testing import CliRunner

from service.areas.models import BoundarySet
from service.cli import app as cli
from service.core import Core, open_core
from service.errors import ConflictError, ForbiddenError, NotSignedInError, UnavailableError
from service.jobs.context import Silent
from service.jobs.workflow import run_all
from service.moderation import wording
from service.people.access import PUBLIC, Principal
from service.people.models import AuditEvent
from service.places.models import Place
from service.places.workflow import import_places
from service.releases import making, workflow
from service.releases.models import Release
from service.store.base import utc_now
from tests.conftest import ROOT, bearer
from tests.support.squares import add_squares, mark

PLANNER = Principal("planner", "planner")
URL = "/api/v1/releases"
OWN = {"Origin": "http://testserver"}
NONCE = re.compile(rb'nonce-?=?"?[A-Za-z0-9_+/=-]{8,}"?')
# Three workshops of twelve: in each, eight people mark the south-west and eight the south-east, four of them both.
DAYS = ("2026-05-01", "2026-05-08", "2026-05-15")


def put(
    core: Core, day: str, count: int, *, start: int = 0, east_m: float = 500, north_m: float = 500, **values: Any
) -> list[uuid.UUID]:
    """Store one approved mark each of ``count`` people of the workshop of a day."""
    features = [
        mark(
            east_m, north_m, day=day, status="approved", contributor_key=f"contributor-{day}-{number:03}",
            **({"times": ["night"], "reasons": ["poor_lighting"]} | values),
        )
        for number in range(start, start + count)
    ]  # fmt: skip
    result = import_places(core, features)
    assert not result.rejected
    return [uuid.UUID(feature["id"]) for feature in features]


def three_workshops(core: Core) -> None:
    for day in DAYS:
        put(core, day, 8)
        put(core, day, 8, start=4, east_m=1500, feeling="safe", reasons=["staff"], times=["after_school"])


def change(core: Core, where: Any, **values: Any) -> None:
    statement = update(Place).where(where).values(**values)
    core.store.write(lambda session: session.execute(statement, execution_options={"synchronize_session": False}))


def numbers(release: Any) -> dict[str, int | None]:
    return {f"{cell.area}|{cell.feeling}|{cell.item}": cell.people for cell in release.cells}


@pytest.mark.requirement("D2", "D7")
def test_three_workshops_of_twelve_give_borough_themes_and_hide_small_wards(core: Core) -> None:
    three_workshops(core)
    made = workflow.make_release(core, PLANNER)
    found = numbers(made)
    # 36 people; 24 marked unsafe by night because it is dark, 24 safe by day because of staff
    assert found["borough|all|"] == 35
    assert found["borough|unsafe|"] == 25
    assert found["borough|unsafe|night"] == 25
    assert found["borough|unsafe|reason:poor_lighting"] == 25
    assert found["borough|safe|reason:staff"] == 25
    assert found["E05000003|all|"] is None
    assert made.hidden == sum(1 for value in found.values() if value is None)
    assert (made.number, made.made_on) == (1, utc_now().date())


@pytest.mark.requirement("D1")
def test_twelve_pins_by_one_person_stay_hidden(core: Core) -> None:
    for day in DAYS[:2]:
        for _ in range(12):
            put(core, day, 1)
    assert all(value is None for value in numbers(workflow.make_release(core, PLANNER)).values())


@pytest.mark.requirement("D4", "L7")
def test_a_withdrawal_changes_no_published_number_and_a_new_group_does(core: Core) -> None:
    three_workshops(core)
    first = workflow.make_release(core, PLANNER)
    (gone,) = put(core, "2026-05-20", 1)
    change(core, Place.id == gone, status="withdrawn", geometry=None)
    change(core, Place.seq == 1, status="withdrawn", geometry=None)
    second = workflow.make_release(core, PLANNER)
    assert numbers(second) == numbers(first)
    put(core, "2026-06-01", 9)
    put(core, "2026-06-02", 9)
    third = numbers(workflow.make_release(core, PLANNER))
    assert third["borough|unsafe|"] == 40  # 23 + 18 = 41
    assert third["borough|safe|"] == numbers(first)["borough|safe|"]


@pytest.mark.requirement("S9", "E5")
def test_kept_back_open_and_border_marks_are_in_no_number(core: Core) -> None:
    three_workshops(core)
    before = numbers(workflow.make_release(core, PLANNER))
    for values in ({"publish": "never"}, {"source": "open"}, {"kind": "border"}, {"status": "held"}):
        ids = [*put(core, "2026-06-01", 12, start=100), *put(core, "2026-06-02", 12, start=100)]
        change(core, Place.id.in_(ids), **values)
    assert numbers(workflow.make_release(core, PLANNER)) == before


@pytest.mark.requirement("D7")
def test_a_release_is_a_file_named_by_its_digest_that_nobody_can_change_unseen(core: Core) -> None:
    three_workshops(core)
    made = workflow.make_release(core, PLANNER)
    path = core.settings.data_dir / "releases" / f"{made.digest}.json"
    body = path.read_bytes()
    assert json.loads(body)["number"] == 1
    core.cache._values.clear()
    path.write_bytes(body.replace(b'"people": 35', b'"people": 36'))
    with pytest.raises(UnavailableError):
        workflow.current(core)


@pytest.mark.requirement("D7")
def test_the_same_marks_make_the_same_numbers_to_the_digit(core: Core) -> None:
    three_workshops(core)
    first = making.make(core, number=1, memory=None, today=date(2026, 6, 1))
    core.cache._values.clear()
    assert making.make(core, number=1, memory=None, today=date(2026, 6, 1)).content == first.content


@pytest.mark.requirement("D7", "D9")
def test_public_reads_current_former_list_csv_and_geojson(core: Core, client: TestClient) -> None:
    assert client.get(f"{URL}/current").status_code == 404
    three_workshops(core)
    workflow.make_release(core, PLANNER)
    workflow.make_release(core, PLANNER)
    answer = client.get(f"{URL}/current")
    assert answer.json()["number"] == 2
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert client.get(f"{URL}/current", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert client.get(f"{URL}/1").json()["number"] == 1
    assert client.get(f"{URL}/3").status_code == 404
    assert [one["is_current"] for one in client.get(URL).json()["releases"]] == [True, False]
    rows = list(csv.DictReader(io.StringIO(client.get(f"{URL}/current/table.csv").text)))
    cells = answer.json()["cells"]
    assert len(rows) == len(cells)
    assert all(row["people_about"] or "Not enough people yet" in row["note"] for row in rows)
    areas = client.get(f"{URL}/current/areas.geojson").json()
    assert "Not enough people yet" in areas["hidden_because"]


@pytest.mark.requirement("D5")
def test_every_public_shape_is_a_ward_or_a_union_of_wards(core: Core, client: TestClient) -> None:
    three_workshops(core)
    workflow.make_release(core, PLANNER)
    features = client.get(f"{URL}/current/areas.geojson").json()["features"]
    wards = client.get("/api/v1/boundary-sets/squares/areas").json()["features"]
    codes = {feature["id"] if "id" in feature else feature["properties"]["area_gss"] for feature in wards}
    for feature in features:
        assert feature["geometry"]["type"] in {"Polygon", "MultiPolygon"}
        assert set(feature["properties"]["wards"]) <= codes
    assert {feature["id"] for feature in features if feature["properties"]["level"] == "ward"} == codes


@pytest.mark.requirement("D7")
@pytest.mark.parametrize("query", ["?feeling=unsafe", "?reason=hate", "?bbox=0,51,0.1,51.5", "?limit=1"])
def test_a_release_takes_no_filter(core: Core, client: TestClient, query: str) -> None:
    three_workshops(core)
    workflow.make_release(core, PLANNER)
    for path in (f"{URL}/current", URL, f"{URL}/current/table.csv", f"{URL}/1/areas.geojson"):
        answer = client.get(path + query)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


def public_paths(client: TestClient) -> list[str]:
    """Return every GET route with its parameters filled in: JSON, files, map data and pages."""
    values = {
        "set_name": "squares", "code": "E05000001", "number": "1", "name": "wards", "finding_id": str(uuid.UUID(int=1)),
        "place_id": str(uuid.UUID(int=1)), "z": "14", "x": "8187", "y": "5456",
    }  # fmt: skip
    found = set()
    routers = [one.original_router for one in client.app.routes if hasattr(one, "original_router")]  # type: ignore[attr-defined]
    assert len(routers) > 15
    for route in [route for router in routers for route in router.routes]:
        if isinstance(route, APIRoute) and "GET" in route.methods:
            found.add(
                re.sub(r"{(\w+)(:\w+)?}", lambda one: values.get(one.group(1), str(uuid.UUID(int=1))), route.path)
            )
    found |= {f"/maps/{name}" for name in ("places", "hotspots", "density", "venues")}
    found |= {
        "/wards/squares/E05000001",
        "/maps?measure=marks",
        "/maps/wards?measure=unsafe_share",
        "/api/v1/openapi.json",
    }
    found |= {"/what-was-found?measure=safe", "/what-was-found/releases/1/map?measure=all"}
    return sorted(found)


def answers(client: TestClient) -> dict[str, tuple[int, bytes]]:
    found = {}
    for path in public_paths(client):
        answer = client.get(path, headers={"Accept": "text/html" if "/api/" not in path else "application/json"})
        body = NONCE.sub(b"", answer.content)
        body = re.sub(rb"(map|layer|figure|macro_element|sp)_?-?[0-9a-f]{32}", b"", body)
        found[path] = (
            answer.status_code,
            re.sub(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", b"", body),
        )
    return found


@pytest.mark.requirement("D6", "D7")
def test_no_public_answer_changes_when_marks_change_without_a_release(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    three_workshops(core)
    workflow.make_release(core, PLANNER)
    before = answers(real)
    assert {path for path, (status, _) in before.items() if status >= 500 and path != "/ready"} == set()
    assert before["/what-was-found"][0] == before[f"{URL}/current"][0] == before["/wards/squares/E05000001"][0] == 200
    for day in ("2026-06-01", "2026-06-02", "2026-06-03"):
        put(core, day, 20)
        put(core, day, 20, start=20, east_m=1500, feeling="safe", reasons=["staff"])
    change(core, Place.seq <= 6, status="withdrawn", geometry=None)
    after = answers(real)
    assert [path for path in before if before[path] != after[path]] == []
    workflow.make_release(core, PLANNER)  # and the probe can tell: a release does change them
    changed = answers(real)
    moved = {path for path in before if before[path] != changed[path]}
    assert {"/", "/what-was-found", f"{URL}/current", f"{URL}/current/table.csv"} <= moved


@pytest.mark.requirement("D6")
def test_page_and_files_say_the_same_numbers(core: Core, client: TestClient) -> None:
    three_workshops(core)
    made = workflow.make_release(core, PLANNER)
    page = client.get("/what-was-found").text
    assert "About 35 young people marked places" in page
    assert "about 25 of 35 people" in page
    assert f"{made.hidden} of {len(made.cells)} numbers are not shown" in page
    for path in ("/", "/what-was-found", f"{URL}/current", f"{URL}/current/table.csv"):
        assert not re.search(
            r"\b(24|36)\b", re.sub(r"<(svg|style|script).*?</\1>", "", client.get(path).text, flags=re.S)
        )


@pytest.mark.requirement("D9")
def test_every_place_of_a_number_says_that_and_why_some_are_hidden(core: Core, client: TestClient) -> None:
    empty = client.get("/what-was-found").text
    assert "Nothing to read here yet" in empty
    three_workshops(core)
    workflow.make_release(core, PLANNER)
    for path in ("/what-was-found", f"{URL}/current", f"{URL}/current/table.csv", f"{URL}/1/areas.geojson"):
        assert "ot enough people yet" in client.get(path).text
    assert "Not enough people yet" in client.get("/what-was-found/releases/1/map").text


@pytest.mark.requirement("X2")
def test_only_staff_with_the_right_preview_and_publish(real: TestClient) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    three_workshops(core)
    for who, error in ((PUBLIC, NotSignedInError), (Principal("w", "youth_worker"), ForbiddenError)):
        with pytest.raises(error):
            workflow.make_release(core, who)
    assert real.get("/releases").status_code == 401
    assert real.get("/releases", headers=bearer("youth_worker")).status_code == 200
    assert real.post("/releases", headers=bearer("youth_worker") | OWN).status_code == 403
    assert real.post("/releases", headers=bearer("planner")).status_code == 403  # without a page of our own
    assert real.post("/releases", headers=bearer("planner") | OWN, follow_redirects=False).status_code == 303
    assert [one.status for one in run_all(core) if one.lease.kind == "release"] == ["done"]
    assert workflow.current(core).number == 1
    with core.store.read() as session:
        acts = {(row.act, row.actor): row.details for row in session.scalars(select(AuditEvent))}
    assert set(acts["release.make", "planner"]) == {"shown", "hidden", "findings", "digest"}


def test_preview_tells_changes_and_reasons_and_publishes_nothing(core: Core, client: TestClient) -> None:
    three_workshops(core)
    seen = workflow.preview(core, PLANNER)
    assert ("borough|unsafe|", None, 25) in {(one.key, one.before, one.after) for one in seen.changes}
    assert seen.made.disclosed.why["E05000003|all|"] == "few"
    assert workflow.current_or_none(core) is None
    page = client.get("/releases").text
    assert "Publish release 1" in page
    assert "What is hidden, and why" in page


@pytest.mark.requirement("D8")
def test_motivated_intruder_test_is_on_file_and_an_old_one_is_told_to_staff(core: Core, client: TestClient) -> None:
    record = (ROOT / "docs" / "duty" / "motivated-intruder.md").read_text()
    days = [date.fromisoformat(found) for found in re.findall(r"^\| (\d{4}-\d\d-\d\d) \|", record, flags=re.M)]
    assert days
    assert "No motivated-intruder test is recorded" in workflow.intruder_warning(core)
    dated = core.settings.model_copy(update={"intruder_test_on": max(days), "intruder_test_max_days": 365})
    known = Core(dated, core.store, core.mode, core.area_gss, core.area_name, core.secret)
    assert workflow.intruder_warning(known, today=max(days) + timedelta(days=365)) == ""
    assert "older than 365 days" in workflow.intruder_warning(known, today=max(days) + timedelta(days=366))
    three_workshops(core)
    assert "No motivated-intruder test" in client.get("/releases").text


def test_the_clock_publishes_when_its_days_are_over_and_something_changed(core: Core) -> None:
    put(core, DAYS[0], 3)
    assert workflow.release_job(core, {}, Silent())["release"] is None  # an empty table is not news
    three_workshops(core)
    assert workflow.release_job(core, {}, Silent())["release"] == 1
    assert workflow.release_job(core, {}, Silent())["release"] is None
    old = {"made_on": "2020-01-01"}
    with core.store.read() as session:
        row = session.scalar(select(Release))
        assert row is not None
    content = workflow.current(core)
    aged = content.model_copy(update={"made_on": date(2020, 1, 1)})
    from service.releases import snapshot

    digest, path = snapshot.write_file(core, snapshot.encode(aged))
    statement = update(Release).values(digest=digest, path=path, summary=row.summary | old)
    core.store.write(lambda session: session.execute(statement))
    assert workflow.release_job(core, {}, Silent())["release"] == 1  # due, and not a number would differ
    put(core, "2026-06-01", 9)
    put(core, "2026-06-02", 9)
    assert workflow.release_job(core, {}, Silent())["release"] == 2


def test_two_makers_at_once_publish_one_release(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    three_workshops(core)
    plain = making.make

    def slow(*args: Any, **values: Any) -> Any:
        monkeypatch.setattr(workflow, "make", plain)
        workflow.make_release(core, PLANNER)
        return plain(*args, **values)

    monkeypatch.setattr(workflow, "make", slow)
    with pytest.raises(ConflictError):
        workflow.make_release(core, PLANNER)
    assert len(workflow.list_releases(core)) == 1


@pytest.mark.requirement("L9", "D6")
def test_export_for_a_request_equals_what_the_public_reads(
    real: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    core: Core = real.app.state.core  # type: ignore[attr-defined]
    three_workshops(core)
    monkeypatch.setenv("SAFER_PLACES_DATA_DIR", str(core.settings.data_dir))
    assert CliRunner().invoke(cli, ["release", "make"]).exit_code == 0
    for name, path in (("out.csv", "table.csv"), ("out.geojson", "areas.geojson"), ("out.json", "")):
        assert CliRunner().invoke(cli, ["release", "export", str(tmp_path / name)]).exit_code == 0
        public = real.get(f"{URL}/current/{path}".rstrip("/"))
        if name == "out.json":
            assert json.loads((tmp_path / name).read_bytes()) == public.json()
        else:
            assert (tmp_path / name).read_bytes() == public.content
    assert CliRunner().invoke(cli, ["release", "list"]).stdout.startswith("   1  ")
    assert CliRunner().invoke(cli, ["release", "export", str(tmp_path / "out.doc")]).exit_code != 0


@pytest.mark.requirement("D4")
def test_new_ward_lines_carry_over_the_same_people_and_hide_what_would_subtract(core: Core) -> None:
    three_workshops(core)
    put(core, DAYS[0], 3, start=50, east_m=950)
    put(core, DAYS[0], 6, start=60, east_m=1500)
    put(core, DAYS[1], 6, start=60, east_m=1500)
    first = numbers(workflow.make_release(core, PLANNER))
    assert first["E05000001|unsafe|"] == 25
    import shapely

    from service.places.rejoin import rejoin_places
    from tests.support.squares import SOUTH, WEST

    lines = {
        "E05000011": ("South West", shapely.box(WEST, SOUTH, WEST + 900, SOUTH + 1000)),
        "E05000012": ("South East", shapely.box(WEST + 900, SOUTH, WEST + 2000, SOUTH + 1000)),
        "E05000013": ("North West", shapely.box(WEST, SOUTH + 1000, WEST + 1000, SOUTH + 2000)),
        "E05000014": ("North East", shapely.box(WEST + 1000, SOUTH + 1000, WEST + 2000, SOUTH + 2000)),
    }
    add_squares(core, "squares-2027", wards=lines)
    core.store.write(
        lambda session: [
            session.execute(update(BoundarySet).values(is_default=False)),
            session.execute(update(BoundarySet).where(BoundarySet.name == "squares-2027").values(is_default=True)),
        ]
    )
    core.cache._values.clear()
    rejoin_places(core, "squares-2027", Silent())
    second = workflow.make_release(core, PLANNER)
    assert second.partition.set == "squares-2027"
    assert numbers(second)["E05000011|unsafe|"] is None  # 24 beside the 27 of before: three people in between
    assert numbers(second)["borough|unsafe|"] == first["borough|unsafe|"]


class TestFindings:
    def write(self, client: TestClient, role: str = "planner", **values: Any) -> Any:
        given = {"text": "Many said that the way home is too dark after the club closes."} | values
        return client.post("/api/v1/findings", json=given, headers=bearer(role))

    @pytest.mark.requirement("E4", "D7")
    def test_a_finding_is_public_from_the_release_that_takes_it_in(self, real: TestClient) -> None:
        core: Core = real.app.state.core  # type: ignore[attr-defined]
        made = self.write(real, theme="poor_lighting", area="E05000001")
        assert (made.status_code, made.json()["status"]) == (201, "draft")
        workflow.make_release(core, PLANNER)
        assert "too dark after the club" not in real.get("/what-was-found").text
        address = f"/api/v1/findings/{made.json()['id']}/status"
        assert real.put(address, json={"status": "ready"}, headers=bearer("planner")).status_code == 200
        assert "too dark after the club" not in real.get("/what-was-found").text
        workflow.make_release(core, PLANNER)
        for path in ("/", "/what-was-found", f"{URL}/current"):
            assert "too dark after the club" in real.get(path).text
        assert real.get(f"{URL}/current").json()["findings"][0]["area_name"] == "South West"
        real.put(address, json={"status": "withdrawn"}, headers=bearer("planner"))
        workflow.make_release(core, PLANNER)
        assert "too dark after the club" not in real.get("/what-was-found").text
        assert "too dark after the club" in real.get("/what-was-found/releases/2").text

    @pytest.mark.requirement("E2")
    def test_words_that_published_text_avoids_are_stopped_until_there_is_a_reason(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "Many said that the park is dangerous after dark."
        refused = self.write(client, text=text)
        assert refused.status_code == 422
        assert [one["field"] for one in refused.json()["errors"]] == ["text"]
        assert "where people feel unsafe" in refused.json()["detail"]
        page = client.post("/findings", data={"text": text}, headers=OWN)
        assert page.status_code == 422
        assert 'name="override"' in page.text
        kept = {"text": text, "override": "The name of the campaign"}
        assert client.post("/findings", data=kept, headers=OWN, follow_redirects=False).status_code == 303
        core: Core = client.app.state.core  # type: ignore[attr-defined]
        with core.store.read() as session:
            details = [row.details for row in session.scalars(select(AuditEvent)) if row.act == "finding.write"]
        assert details[-1]["override"] is True
        assert "campaign" not in json.dumps(details)

        made = self.write(client, text="Many said that the park frightens them.").json()
        listed = wording.Wording("frightens", "worries", "Plain.", 0, 9)
        monkeypatch.setattr(wording, "check_wording", lambda _: [listed])  # a word that joins the list afterwards
        address = f"/api/v1/findings/{made['id']}/status"
        assert client.put(address, json={"status": "ready"}, headers=bearer("planner")).status_code == 422
        assert client.put(address, json={"status": "withdrawn"}, headers=bearer("planner")).status_code == 200

    def test_what_is_wrong_is_named_by_field(self, real: TestClient) -> None:
        answer = self.write(real, theme="ghosts", area="E05000099")
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == ["theme", "area"]
        assert self.write(real, text="short").status_code == 422
        unknown = real.put(
            f"/api/v1/findings/{uuid.uuid4()}/status", json={"status": "ready"}, headers=bearer("planner")
        )
        assert unknown.status_code == 404

    @pytest.mark.requirement("X2", "X9")
    def test_public_and_admin_write_none_and_the_audit_holds_no_words(self, real: TestClient) -> None:
        core: Core = real.app.state.core  # type: ignore[attr-defined]
        assert real.get("/api/v1/findings").status_code == 401
        assert real.get("/findings").status_code == 401
        assert self.write(real, role="admin").status_code == 403
        assert self.write(real).status_code == 201
        with core.store.read() as session:
            (row,) = session.scalars(select(AuditEvent).where(AuditEvent.act == "finding.write"))
        assert "club" not in json.dumps(row.details)

    def test_page_writes_a_draft_escapes_it_and_says_what_is_wrong(self, client: TestClient) -> None:
        long = {"text": "<b>Too dark</b> on the way home", "theme": "", "area": ""}
        assert client.post("/findings", data=long, headers=OWN, follow_redirects=False).status_code == 303
        page = client.get("/findings").text
        assert "&lt;b&gt;Too dark" in page
        answer = client.post("/findings", data={"text": "short"}, headers=OWN)
        assert answer.status_code == 422
        assert "at least 10" in answer.text
        made = re.search(r'action="(/findings/[0-9a-f-]+)"', page)
        assert made is not None
        done = client.post(made.group(1), data={"status": "ready"}, headers=OWN, follow_redirects=False)
        assert done.status_code == 303
        assert "Ready for the next release" in client.get("/findings").text


def test_settings_that_protect_nobody_fail_at_start(core: Core) -> None:
    from service.settings import Settings

    with pytest.raises(ValueError, match="release_people_min"):
        Settings(data_dir=core.settings.data_dir, release_people_min=5, release_interval_min=5)
    open_core(core.settings).store.close()
