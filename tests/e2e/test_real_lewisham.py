"""The whole story on real open data: files through the command line, marks in a browser, maps, downloads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import httpx2
import pandas as pd
import pytest
import shapely

from geo import crs
from service.core import open_core
from service.settings import Settings
from tests.conftest import ASSESSMENT, add_staff, bearer, running_server
from tests.support.police import dump_rows, write_months
from tests.support.staff import PASSWORD, Staff, enrol

pytestmark = [pytest.mark.realdata, pytest.mark.browser, pytest.mark.slow]

RECORDS, NOT_ASB = 73_260, 57_467  # of the data's own README
SETS = {
    "wards-2022": ("lewisham_wards_2022.geojson", "ward", "ward_code"),
    "wards-2002": ("lewisham_wards_2002_2022.geojson", "ward", "ward_code"),
    "lsoa-2011": ("lewisham_lsoa_2011.geojson.gz", "lsoa", "lsoa_code"),
}


@dataclass(frozen=True)
class Deployment:
    """A real deployment filled through the command line, and its running server."""

    url: str
    files: Path
    folder: Path

    def get(self, path: str, role: str | None = "moderator") -> Any:
        answer = httpx2.get(self.url + path, headers=bearer(role) if role else {}, timeout=60)
        assert answer.status_code == 200, answer.text[:500]
        return answer.json()


def new_worker(data_dir: Path) -> Staff:
    """Give a deployment that runs an account of a youth worker."""
    core = open_core(Settings(data_dir=data_dir))
    try:
        return enrol(core, "youth_worker")
    finally:
        core.store.close()


def environment_of(folder: Path) -> dict[str, str]:
    settings = {f"SAFER_PLACES_{name.upper()}": value for name, value in ASSESSMENT.items()}
    return settings | {
        "SAFER_PLACES_DATA_DIR": str(folder),
        "SAFER_PLACES_WORKER": "false",
    }


def command(folder: Path, *words: str) -> str:
    """Run the command as an operator would and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", *words],
        env=os.environ | environment_of(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def deployment(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("lewisham")
    data, answers = folder / "data", folder / "answers"
    answers.mkdir()
    command(data, "init")
    add_staff(Settings(data_dir=data))
    for name, (file, level, _) in SETS.items():
        path = realdata / "boundaries" / file
        default = ["--default"] if name == "wards-2022" else []
        said = command(data, "boundaries", "import", str(path), "--set", name, "--level", level, *default)
        assert "Code field: " in said
    write_months(dump_rows(realdata), answers)
    said = command(data, "crimes", "import", str(answers), "--force", "metropolitan")
    assert f"{RECORDS:,} crimes" in said
    command(data, "jobs", "run-all")
    command(data, "run", "hotspots", "--from", "2017-07", "--to", "2018-06")
    command(data, "jobs", "run-all")
    with running_server(data, environment_of(data)) as server:
        yield Deployment(server.url, realdata, data)


@pytest.fixture(scope="module")
def crimes(realdata: Path) -> gpd.GeoDataFrame:
    """Return the records as points in metres, read by pandas alone."""
    table = pd.read_csv(realdata / "crime" / "lewisham_street_crime_2016_2018.csv.gz", dtype=str)
    easting, northing = crs.to_metric_xy(table["longitude"].astype(float), table["latitude"].astype(float))
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(easting, northing), crs=crs.METRIC)


def read_set(realdata: Path, name: str) -> gpd.GeoDataFrame:
    file, _, code = SETS[name]
    path = realdata / "boundaries" / file
    areas = gpd.read_file(f"/vsigzip/{path}" if path.suffix == ".gz" else path)
    metric = gpd.GeoSeries(crs.geometry_to_metric(areas.geometry.to_numpy()), crs=crs.METRIC)
    return gpd.GeoDataFrame({"code": areas[code]}, geometry=metric).sort_values("code").reset_index(drop=True)


@pytest.mark.requirement("P2")
@pytest.mark.parametrize("name", SETS)
def test_counts_by_area_agree_with_an_independent_join(
    deployment: Deployment, crimes: gpd.GeoDataFrame, name: str
) -> None:
    areas = read_set(deployment.files, name)
    joined = gpd.sjoin(crimes, areas, predicate="intersects").groupby(level=0)["code"].min()  # shared edge: lowest
    expected = joined.value_counts().to_dict()
    answer = deployment.get(f"/api/v1/crimes/summary?set={name}", role=None)
    counted = {area["area_gss"]: area["polygon"] for area in answer["areas"]}
    assert {code: count for code, count in counted.items() if count} == expected
    assert answer["outside"] == RECORDS - len(joined)
    assert sum(counted.values()) + answer["outside"] == RECORDS


def test_records_other_than_antisocial_behaviour(deployment: Deployment, crimes: gpd.GeoDataFrame) -> None:
    categories = sorted(set(crimes["category"]) - {"anti-social-behaviour"})
    query = "&".join(f"category={category}" for category in categories)
    answer = deployment.get(f"/api/v1/crimes/summary?set=wards-2022&{query}", role=None)
    assert sum(area["polygon"] for area in answer["areas"]) + answer["outside"] == NOT_ASB


@pytest.mark.requirement("P4")
def test_the_month_that_the_source_lacks_is_missing(deployment: Deployment) -> None:
    held = deployment.get("/api/v1/crimes/months", role=None)
    metropolitan = next(force for force in held["forces"] if force["force"] == "metropolitan")
    assert metropolitan["missing"] == ["2016-03"]
    assert len(metropolitan["months"]) == 29


SETTLED_MS = 450  # a tap within 400 ms of a new screen is taken for the second of a double tap


def _press(page: Any, name: str) -> None:
    page.wait_for_timeout(SETTLED_MS)
    page.get_by_role("button", name=name, exact=True).click()


def mark(page: Any, longitude: float, latitude: float, feeling: str) -> None:
    """Tap a place and answer the questions as a youth worker beside a young person would."""
    page.evaluate(
        "([lat, lon]) => window.saferPlaces.map.setView([lat, lon], 16, {animate: false})", [latitude, longitude]
    )
    page.wait_for_timeout(300)
    point = page.evaluate(
        """([lat, lon]) => {
            const map = window.saferPlaces.map, at = map.latLngToContainerPoint([lat, lon]);
            const box = map.getContainer().getBoundingClientRect();
            return [box.left + at.x, box.top + at.y];
        }""",
        [latitude, longitude],
    )
    page.wait_for_timeout(SETTLED_MS)
    page.mouse.click(*point)
    _press(page, "Next")
    page.locator("#sheet").get_by_text(feeling, exact=True).click()
    _press(page, "Next")
    page.get_by_text("At night", exact=True).click()
    for name in ("Next", "Skip", "Send"):
        _press(page, name)
    page.locator("#receipt-words").wait_for(state="visible")


def test_three_marks_in_a_browser_stand_in_the_right_ward_and_hot_spot(
    deployment: Deployment, browser: Any, tmp_path: Path
) -> None:
    wards = read_set(deployment.files, "wards-2022")
    hotspots = deployment.get("/api/v1/hotspots")["features"]
    inside = shapely.from_geojson(json.dumps(hotspots[0]["geometry"])).representative_point()
    spots = [inside, *crs.geometry_to_wgs84(wards.geometry.iloc[[2, 9]].representative_point().to_numpy())]

    context = browser.new_context(viewport={"width": 390, "height": 844}, accept_downloads=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(deployment.url + "/sign-in")
    worker = new_worker(deployment.folder)
    page.get_by_label("Login").fill(worker.login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill(worker.once())
    page.get_by_role("button", name="Sign in").click()
    page.goto(deployment.url + "/mark")
    page.locator("#start").click()
    for at, (spot, feeling) in enumerate(zip(spots, ("Unsafe", "Safe", "It depends"), strict=True)):
        mark(page, spot.x, spot.y, feeling)
        if at < 2:
            _press(page, "Mark another place")

    stored = deployment.get("/api/v1/places?limit=10")["features"]
    assert len(stored) == 3
    points = gpd.GeoSeries(crs.geometry_to_metric(shapely.from_geojson([json.dumps(f["geometry"]) for f in stored])))
    for feature, point in zip(stored, points, strict=True):
        holding = wards.loc[wards.covers(point), "code"].min()
        found = [area["area_gss"] for area in feature["properties"]["areas"] if area["set"] == "wards-2022"]
        assert found == [holding]
    first = stored[0]["properties"]
    assert (first["feeling"], first["hotspot"]["rank"], first["hotspot"]["distance_m"]) == ("unsafe", 1, 0.0)

    context.set_extra_http_headers(bearer("moderator"))  # the marks are pending, and of no workshop
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(deployment.url + "/maps")
    page.get_by_text("Marks in view: 3").wait_for()
    code = next(area["area_gss"] for area in first["areas"] if area["set"] == "wards-2022")
    page.goto(f"{deployment.url}/wards/wards-2022/{code}")
    summary = deployment.get("/api/v1/crimes/summary?set=wards-2022", role=None)
    name = next(area["name"] for area in summary["areas"] if area["area_gss"] == code)
    assert page.get_by_role("heading", level=1).inner_text() == name
    assert all(url.startswith((deployment.url, "data:", "blob:")) for url in asked)
    context.close()


def test_the_downloaded_map_opens_without_a_network_and_holds_the_numbers(
    deployment: Deployment, browser: Any, tmp_path: Path
) -> None:
    answer = httpx2.get(deployment.url + "/maps/wards/download", timeout=60)
    assert answer.status_code == 200
    file = tmp_path / "wards.html"
    file.write_bytes(answer.content)
    context = browser.new_context(offline=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(file.as_uri())
    summary = deployment.get("/api/v1/crimes/summary?set=wards-2022", role=None)
    highest = max(summary["areas"], key=lambda area: area["polygon"])
    row = page.get_by_role("row").filter(has_text=highest["name"]).first
    assert f"{highest['polygon']:,}" in row.inner_text()
    assert problems == []
    context.close()


@pytest.mark.requirement("E4")
def test_the_public_of_a_real_deployment_sees_no_mark(deployment: Deployment) -> None:
    assert httpx2.get(deployment.url + "/api/v1/places").status_code == 401
    assert httpx2.get(deployment.url + "/maps/places").status_code == 401
    assert httpx2.get(deployment.url + "/api/v1/hotspots").status_code == 401
