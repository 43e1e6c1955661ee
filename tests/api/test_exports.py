"""Onward shares: coarse by default, exact under an agreement only, in the ledger, with their use inside (L8, E5)."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyogrio
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.core import Core
from service.duty.models import Share
from service.duty.schemas import ExportRequest
from service.duty.workflow import export_places
from service.errors import ForbiddenError, NotSignedInError
from service.people.access import DEMO, PUBLIC, Principal
from service.people.models import AuditEvent, PrincipalRow
from service.releases.workflow import make_release
from tests.api.test_releases import DAYS, put, three_workshops
from tests.api.test_retention import PROBE, change, send
from tests.conftest import bearer
from tests.support.squares import drawn

URL = "/api/v1/exports/places"
WANTED = {"recipient": "Public Health Lewisham", "purpose": "Where lighting is poor", "detail": "exact"}
AGREED = WANTED | {"agreement_id": "DSA-2026-07"}


@pytest.fixture
def filled(client: TestClient, core: Core) -> Core:
    """Fill a store with one mark that may leave, and one of each that may not."""
    for values in ({"status": "approved"}, {"status": "pending"}, {"status": "held"}, {"status": "rejected"}):
        change(core, send(client)[0], **values)
    change(core, send(client)[0], status="approved", publish="never")
    border = drawn("border", (100, 100), (300, 300))
    assert client.post("/api/v1/places", json=border).status_code == 201
    with core.store.read() as session:
        from service.places.models import Place

        last = session.scalars(select(Place.id).where(Place.kind == "border")).one()
    change(core, last, status="approved")
    return core


def agree(core: Core, label: str, agreement: str | None) -> None:
    statement = update(PrincipalRow).where(PrincipalRow.label == label).values(agreement_id=agreement)
    core.store.write(lambda session: session.execute(statement))


def shares(core: Core) -> list[Share]:
    with core.store.read() as session:
        return list(session.scalars(select(Share)))


@pytest.mark.requirement("L8", "E5", "L5")
def test_exact_is_denied_without_an_agreement_and_allowed_with_it(client: TestClient, filled: Core) -> None:
    agree(filled, "planner", None)
    denied = client.post(URL, json=WANTED, headers=bearer("planner"))
    assert (denied.status_code, denied.json()["code"]) == (403, "forbidden")
    assert shares(filled) == []
    agree(filled, "planner", "DSA-2026-07")
    answer = client.post(URL, json=AGREED, headers=bearer("planner"))
    assert answer.status_code == 200
    body = answer.json()
    (feature,) = body["features"]
    assert feature["geometry"]["type"] == "Point"
    assert set(feature["properties"]) == {"day", "kind", "feeling", "times", "reasons", "people"}
    assert body["use_statement"]["agreement"] == "DSA-2026-07"
    assert body["use_statement"]["recipient"] == "Public Health Lewisham"
    assert "Not for identifying" in body["use_statement"]["use"]
    assert PROBE not in answer.text
    (share,) = shares(filled)
    assert (share.actor, share.recipient, share.purpose, share.agreement_id, share.rows) == (
        *("planner", "Public Health Lewisham", "Where lighting is poor", "DSA-2026-07", 1),
    )
    assert share.digest == hashlib.sha256(answer.content).hexdigest()
    assert share.fields == ["day", "feeling", "geometry", "kind", "people", "reasons", "times"]
    with filled.store.read() as session:
        assert "export.exact" in list(session.scalars(select(AuditEvent.act)))


@pytest.mark.requirement("L8")
def test_program_is_held_to_the_agreement_of_its_key(filled: Core) -> None:
    wanted = ExportRequest.model_validate(AGREED)
    for agreement in (None, "DSA-OTHER"):
        with pytest.raises(ForbiddenError):
            export_places(filled, Principal("gis", "planner", is_key=True, agreement_id=agreement), wanted)
    made = export_places(filled, Principal("gis", "planner", is_key=True, agreement_id="DSA-2026-07"), wanted)
    assert made.rows == 1


@pytest.mark.requirement("L8", "X2")
@pytest.mark.parametrize("role", ["youth_worker", "moderator", "safeguarding_lead", "admin"])
def test_other_roles_never_export_exact_places(filled: Core, role: str) -> None:
    with pytest.raises(ForbiddenError):
        export_places(filled, Principal(role, role), ExportRequest.model_validate(AGREED))


@pytest.mark.requirement("L8", "X2")
def test_nobody_exports_without_signing_in_and_the_demo_gives_nothing_exact(filled: Core) -> None:
    for principal, detail in ((PUBLIC, "exact"), (PUBLIC, "ward"), (DEMO, "exact"), (DEMO, "ward")):
        with pytest.raises(NotSignedInError):
            export_places(filled, principal, ExportRequest.model_validate(AGREED | {"detail": detail}))
    assert shares(filled) == []


@pytest.mark.requirement("L8", "D2")
def test_coarse_is_the_default_and_hides_too_few_people(client: TestClient, filled: Core) -> None:
    wanted = {name: value for name, value in WANTED.items() if name != "detail"}
    body = client.post(URL, json=wanted, headers=bearer("planner")).json()
    assert {one["properties"]["area_gss"] for one in body["features"]} == {f"E0500000{n}" for n in range(1, 5)}
    for one in body["features"]:
        properties = one["properties"]
        assert properties["note"] == "not enough people yet"
        assert [properties[f"people_{name}"] for name in ("safe", "unsafe", "mixed")] == [None] * 3
    assert shares(filled)[0].agreement_id == ""


@pytest.mark.requirement("L8", "D2", "D3", "D7")
def test_coarse_counts_are_those_of_the_current_release_and_no_others(core: Core) -> None:
    planner = Principal("planner", "planner")

    def exported() -> dict[tuple[str, str], int | None]:
        content = export_places(core, planner, ExportRequest(recipient="Public Health", purpose="lighting")).content
        rows = [one["properties"] for one in json.loads(content)["features"]]
        return {(row["area_gss"], name): row[f"people_{name}"] for row in rows for name in ("safe", "unsafe", "mixed")}

    three_workshops(core)
    assert set(exported().values()) == {None}  # nothing was released yet
    for day in DAYS:
        for number, (east_m, north_m) in enumerate(((500, 500), (1500, 500), (500, 1500), (1500, 1500))):
            for at, feeling in enumerate(("safe", "unsafe", "mixed")):
                kinds = {"feeling": feeling, "reasons": [], "east_m": east_m, "north_m": north_m}
                put(core, day, 20, start=100 + 100 * number + 20 * at, **kinds)
    made = make_release(core, planner)
    told = {(cell.area, cell.feeling): cell.people for cell in made.cells if not cell.item}
    first = exported()
    assert first == {key: told.get(key) for key in first}
    assert any(number is not None for number in first.values())
    put(core, "2026-06-01", 60)
    assert exported() == first  # what has come since waits for the next release


@pytest.mark.requirement("L8")
@pytest.mark.parametrize("kind", ["csv", "gpkg"])
def test_use_statement_is_inside_every_format(filled: Core, kind: str, tmp_path: Path) -> None:
    made = export_places(filled, Principal("p", "planner"), ExportRequest.model_validate(AGREED | {"format": kind}))
    assert PROBE.encode() not in made.content
    if kind == "csv":
        (row,) = csv.DictReader(io.StringIO(made.content.decode("utf-8-sig")))
        assert "agreement: DSA-2026-07" in row["use_statement"]
        assert row["geometry"].startswith("POINT (")
        return
    path = tmp_path / made.name
    path.write_bytes(made.content)
    info = pyogrio.read_info(path, layer="places")
    assert info["features"] == 1
    assert info["dataset_metadata"]["agreement"] == "DSA-2026-07"


@pytest.mark.requirement("L8")
def test_cell_that_a_spreadsheet_would_run_is_made_plain(filled: Core) -> None:
    from service.duty.export_files import to_file

    feature = {"geometry": None, "properties": {"name": "=cmd()"}}
    assert b"'=cmd()" in to_file([feature], {"use": "none"}, "csv")


@pytest.mark.requirement("L8", "X2")
def test_ledger_page_is_for_those_who_read_the_audit(real: TestClient) -> None:
    page = {"Accept": "text/html"}
    assert "Nothing was shared yet" in real.get("/staff/shares", headers=bearer("admin") | page).text
    wanted = {"recipient": "<b>Board</b>", "purpose": "Report for March"}
    assert real.post(URL, json=wanted, headers=bearer("planner")).status_code == 200
    html = real.get("/staff/shares", headers=bearer("safeguarding_lead") | page).text
    assert "Report for March" in html
    assert "<b>Board" not in html
    for role, status in (("planner", 403), ("moderator", 403), ("youth_worker", 403), (None, 401)):
        headers = (bearer(role) if role else {}) | page
        assert real.get("/staff/shares", headers=headers).status_code == status


def test_request_without_a_recipient_or_with_more_is_refused(client: TestClient, core: Core) -> None:
    for body in ({"purpose": "lighting"}, WANTED | {"recipient": ""}, WANTED | {"area": "x"}):
        assert client.post(URL, json=body, headers=bearer("planner")).status_code == 422


@pytest.mark.requirement("L7", "C7")
def test_receipt_page_says_what_is_held_and_gives_it_as_a_file_without_words(client: TestClient, core: Core) -> None:
    _, receipt = send(client)
    page = client.post("/receipt", data={"receipt": receipt, "action": "look"}, headers={"Accept": "text/html"})
    assert "What we hold about this mark" in page.text
    assert PROBE not in page.text
    saved = client.post("/receipt", data={"receipt": receipt, "action": "download"})
    assert saved.headers["content-disposition"] == 'attachment; filename="my-mark.json"'
    assert saved.json()["mark"]["ward"] == "South West"
    assert PROBE not in saved.text


def run(core: Core, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(core.settings.data_dir)}
    command = [sys.executable, "-m", "service.cli", *words]
    return subprocess.run(
        command, env=environment, input=typed, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.requirement("L7", "L8")
def test_operator_writes_everything_held_about_a_mark_to_a_private_file(
    demo_client: TestClient, tmp_path: Path
) -> None:
    from tests.support.squares import add_squares

    core: Core = demo_client.app.state.core  # type: ignore[attr-defined]
    add_squares(core)
    one, receipt = send(demo_client)
    file = tmp_path / "subject.json"
    done = run(core, "subject-export", str(file), typed=f"{receipt}\n")
    assert done.returncode == 0, done.stderr
    held = json.loads(file.read_text())
    assert held["mark"]["note"] == f"{PROBE} note"
    assert held["mark"]["geometry"]["type"] == "Point"
    assert file.stat().st_mode & 0o077 == 0
    assert receipt not in done.stdout + done.stderr
    assert run(core, "subject-export", str(tmp_path / "b.json"), typed="nobody's\n").returncode == 2
    assert not (tmp_path / "b.json").exists()
    change(core, one, status="held")
    done = run(core, "subject-export", str(tmp_path / "c.json"), typed=f"{receipt}\n")
    assert PROBE not in (tmp_path / "c.json").read_text()  # the lead decides first


@pytest.mark.requirement("L8")
def test_operator_exports_by_command_and_lists_the_ledger(demo_client: TestClient, tmp_path: Path) -> None:
    from tests.support.squares import add_squares

    core: Core = demo_client.app.state.core  # type: ignore[attr-defined]
    add_squares(core)
    change(core, send(demo_client)[0], status="approved")
    words = ("--recipient", "Board", "--purpose", "Report for March")
    refused = run(core, "export", "places", str(tmp_path / "a.geojson"), *words, "--exact")
    assert refused.returncode == 2
    assert not (tmp_path / "a.geojson").exists()
    done = run(core, "export", "places", str(tmp_path / "a.geojson"), *words, "--agreement", "DSA-1")
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "a.geojson").read_text())["features"]) == 1
    assert (tmp_path / "a.geojson").stat().st_mode & 0o077 == 0
    assert "Board" in run(core, "export", "ledger").stdout
    assert run(core, "export", "places", str(tmp_path / "a.txt"), *words).returncode == 2
