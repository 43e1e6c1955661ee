"""Venues: entered or imported by staff, shown to everybody until they expire."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.core import Core
from service.venues.schemas import VenueCollection
from service.venues.workflow import import_venues, list_venues
from tests.conftest import bearer
from tests.support.squares import add_squares, at

URL = "/api/v1/venues"


def venue(east_m: float = 500, north_m: float = 500, **values: Any) -> dict[str, Any]:
    longitude, latitude = at(east_m, north_m)
    return {
        "name": "Corner Library",
        "kind": "library",
        "longitude": longitude,
        "latitude": latitude,
        "hours": {"fri": [["09:00", "17:30"]]},
        "checked_by": "Safety team",
        "checked_on": "2026-01-01",
        "expires_on": "2999-01-01",
        "consent": True,
    } | values


def enter(client: TestClient, **values: Any) -> dict[str, Any]:
    answer = client.post(URL, json=venue(**values))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(client: TestClient, **query: Any) -> list[str]:
    answer = client.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return [feature["properties"]["name"] for feature in answer.json()["features"]]


def test_venue_is_listed_as_it_was_entered(client: TestClient) -> None:
    made = enter(client)
    body = client.get(URL).json()
    assert body["features"] == [made]
    assert made["properties"]["hours"] == {"fri": [["09:00", "17:30"]]}
    VenueCollection.model_validate(body)


def test_expired_venue_is_not_shown(client: TestClient, core: Core) -> None:
    enter(client, expires_on="2027-06-01")
    assert len(list_venues(core, today=date(2027, 6, 1))) == 1
    assert list_venues(core, today=date(2027, 6, 2)) == []  # a day later


def test_venue_checked_in_the_future_is_refused(client: TestClient) -> None:
    answer = client.post(URL, json=venue(checked_on="2998-01-01"))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "checked_on"
    made = enter(client)
    assert client.patch(f"{URL}/{made['id']}", json={"checked_on": "2998-01-01"}).status_code == 422


def test_venue_is_not_shown_before_it_was_checked(client: TestClient, core: Core) -> None:
    enter(client, checked_on="2026-03-01")
    assert list_venues(core, today=date(2026, 2, 28)) == []


def test_taking_consent_back_hides_it_at_once(client: TestClient) -> None:
    made = enter(client)
    client.patch(f"{URL}/{made['id']}", json={"consent": False})
    assert names(client) == []
    assert names(client, hidden=True) == ["Corner Library"]


def test_without_consent_it_is_not_taken(client: TestClient) -> None:
    answer = client.post(URL, json=venue(consent=False))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "consent")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hours": {"monday": []}}, "hours"),
        ({"hours": {"mon": [["9am", "5pm"]]}}, "hours"),
        ({"expires_on": "2025-01-01"}, "body"),
        ({"longitude": 51.45, "latitude": -0.02}, "longitude"),
        ({"name": "A\u202eB"}, "name"),
        ({"kind": "pub"}, "kind"),
        ({"owner": "Sam"}, "body"),
    ],
)
def test_venue_that_cannot_be_is_refused(client: TestClient, change: dict[str, Any], field: str) -> None:
    answer = client.post(URL, json=venue(**change))
    assert answer.status_code == 422, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_sent_twice_under_its_id_stored_once(client: TestClient) -> None:
    body = venue(id="0b9f6a3e-1a52-4c8e-9d0f-2f6f0f5f9a11")
    first, second = client.post(URL, json=body), client.post(URL, json=body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert client.post(URL, json=body | {"name": "Other"}).status_code == 409


def test_changed_and_deleted(client: TestClient) -> None:
    made = enter(client)
    longitude, latitude = at(1500, 1500)
    changed = client.patch(f"{URL}/{made['id']}", json={"longitude": longitude, "latitude": latitude, "staff": "Jo"})
    assert changed.json()["properties"]["staff"] == "Jo"
    box = f"{longitude - 1e-4},{latitude - 1e-4},{longitude + 1e-4},{latitude + 1e-4}"
    assert names(client, bbox=box) == ["Corner Library"]
    assert client.patch(f"{URL}/{made['id']}", json={"latitude": latitude}).status_code == 422
    assert client.delete(f"{URL}/{made['id']}").status_code == 204
    assert client.delete(f"{URL}/{made['id']}").status_code == 404
    assert names(client) == []


def test_open_at_a_moment(client: TestClient) -> None:
    enter(client, name="Day", hours={"fri": [["09:00", "17:30"]]})
    enter(client, name="Night", hours={"fri": [["20:00", "02:00"]]})
    friday = datetime(2026, 6, 5)  # noqa: DTZ001  local time on purpose
    assert names(client, open_at=(friday + timedelta(hours=9)).isoformat()) == ["Day"]
    assert names(client, open_at=(friday + timedelta(hours=17, minutes=30)).isoformat()) == []
    assert names(client, open_at=(friday + timedelta(hours=25)).isoformat()) == ["Night"]
    # 08:30 in London in summer time
    assert names(client, open_at="2026-06-05T07:30:00+00:00") == []
    assert names(client, open_at="2026-06-05T08:30:00+00:00") == ["Day"]


def test_public_reads_and_only_some_roles_write(real: TestClient) -> None:
    assert real.get(URL).status_code == 200
    assert real.get(URL, params={"hidden": True}).status_code == 401
    assert real.post(URL, json=venue()).status_code == 401
    assert real.post(URL, json=venue(), headers=bearer("moderator")).status_code == 403
    made = real.post(URL, json=venue(), headers=bearer("youth_worker"))
    assert made.status_code == 201
    assert real.delete(f"{URL}/{made.json()['id']}").status_code == 401


CSV = """name,kind,longitude,latitude,hours,checked_by,checked_on,expires_on,consent,phone
Good,library,{lon},{lat},"Mon-Fri 9:00-17:30; Sat 10:00-14:00",Team,2026-01-01,2999-01-01,yes,1
Swapped,shop,{lat},{lon},,Team,2026-01-01,2999-01-01,yes,
Unsure,shop,{lon},{lat},sometimes,Team,2026-01-01,2999-01-01,yes,
Unasked,shop,{lon},{lat},,Team,2026-01-01,2999-01-01,no,
"""


def write_csv(folder: Path) -> Path:
    longitude, latitude = at(500, 500)
    path = folder / "venues.csv"
    path.write_text(CSV.format(lon=longitude, lat=latitude), encoding="utf-8")
    return path


def test_file_is_imported_once_and_bad_rows_are_told_by_line(client: TestClient, core: Core, tmp_path: Path) -> None:
    path = write_csv(tmp_path)
    first, second = import_venues(core, path), import_venues(core, path)
    assert (first.new, first.renewed, second.new, second.renewed) == (1, 0, 0, 1)
    assert [line for line, _ in first.rejected] == [3, 4, 5]
    words = dict(first.rejected)
    assert "swapped" in words[3]
    assert "hours" in words[4]
    assert "consent" in words[5]
    (feature,) = client.get(URL).json()["features"]
    assert feature["properties"]["hours"]["sat"] == [["10:00", "14:00"]]
    assert len(feature["properties"]["hours"]) == 6


def test_geojson_file_is_imported(client: TestClient, core: Core, tmp_path: Path) -> None:
    import json

    fields = venue(name="From GeoJSON")
    point = {"type": "Point", "coordinates": [fields.pop("longitude"), fields.pop("latitude")]}
    path = tmp_path / "venues.geojson"
    features = [{"type": "Feature", "geometry": point, "properties": fields}]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    assert import_venues(core, path).new == 1
    assert names(client) == ["From GeoJSON"]


def test_command_imports_and_writes_what_was_refused(demo_core: Core, tmp_path: Path) -> None:
    add_squares(demo_core)
    path = write_csv(tmp_path)
    environment = {"SAFER_PLACES_DATA_DIR": str(demo_core.settings.data_dir), "PATH": ""}
    command = [sys.executable, "-m", "service.cli", "venues", "import", str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 new, 0 renewed, 3 refused" in done.stdout
    report = (tmp_path / "venues.csv.rejected.csv").read_text(encoding="utf-8").splitlines()
    assert report[0] == "line,reason"
    assert [line.split(",")[0] for line in report[1:]] == ["3", "4", "5"]
    missing = subprocess.run(
        [*command[:-1], "nothing.csv"], env=environment, capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "does not exist" in missing.stderr
