"""Map pages and their data: what each role sees, what each page says, files that open offline, the ground map."""

from __future__ import annotations

import html
import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.core import StartError, open_core
from service.maps import data, ground, marks
from service.maps.clusters import MAX_GROUPS, cluster
from service.maps.ground import require_ground
from service.people.access import DEMO, PUBLIC, Principal
from service.places import workflow as places
from service.settings import Settings
from tests.conftest import ASSESSMENT, add_staff, bearer
from tests.support import crime_square as square
from tests.support.maps import HELD, add_many, fill, make_pmtiles, mark

pytestmark = pytest.mark.slow

ALL = ("wards", "places", "hotspots", "density", "venues")
BOX = "-0.2,51.3,0.2,51.6"
PLANNER = Principal("planner", "planner")


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("maps-demo"))


@pytest.fixture(scope="module")
def demo(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("maps-shared") / "data"
    shutil.copytree(demo_folder, folder)
    with TestClient(create_app(Settings(data_dir=folder, worker=False))) as client:
        yield client


@pytest.fixture
def own_folder(demo_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(demo_folder, tmp_path / "data"))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    values: dict[str, Any] = dict(ASSESSMENT)
    folder = fill(tmp_path_factory.mktemp("maps-real"), "real", **values)
    add_staff(Settings(data_dir=folder))
    with TestClient(create_app(Settings(data_dir=folder, worker=False, **values))) as client:
        yield client


def page(client: TestClient, path: str, **options: Any) -> str:
    answer = client.get(path, headers={"accept": "text/html"} | options)
    assert answer.status_code == 200, answer.text
    return answer.text


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *(f"/{name}" for name in ALL)])
@pytest.mark.requirement("A4", "C6", "P7")
def test_page_says_what_it_shows_and_asks_no_other_host(demo: TestClient, name: str) -> None:
    html = page(demo, f"/maps{name}")
    assert '<html lang="en-GB">' in html
    assert html.count("<h1>") == html.count("<main") == 1
    assert "Sample data" in html
    assert "Licence" in html
    assert not re.findall(r'(?:src|href)="(?:https?:)?//(?!www\.nationalarchives)', html)


@pytest.mark.requirement("P9")
@pytest.mark.parametrize("name", ["", *(f"/{name}" for name in ALL)])
def test_words_keep_to_the_house(demo: TestClient, name: str) -> None:
    html = page(demo, f"/maps{name}").lower()
    assert not re.search(r"\b(perceived|real crime|dangerous|bad area|gang)\b", html.replace("no real crime is", ""))


@pytest.mark.requirement("P4")
def test_missing_month_is_named_on_the_page(demo: TestClient) -> None:
    html = page(demo, "/maps/wards")
    assert "November 2016 to December 2017" in html
    assert "March 2017 missing" in html


@pytest.mark.requirement("P2", "A1")
def test_table_has_both_rules_and_the_share_near_a_line(demo: TestClient) -> None:
    html = page(demo, "/maps/wards")
    # 400 cells a month and 20 more in each of nine cells, thirteen months
    total = f"{(square.SIDE**2 + 9 * square.MORE) * len(HELD):,}"
    assert html.count(f'<td class="sp-num">{total}</td>') == 2
    assert "Within 15 m of a line" in html


def test_hot_spot_page_gives_method_p_value_and_cells_that_can_hold_a_point(demo: TestClient) -> None:
    html = page(demo, "/maps/hotspots")
    assert "Getis-Ord" in html
    assert "p after FDR" in html
    assert "400 of 400 cells can hold a point at all" in html
    assert "Not scored yet on a later month" in html


@pytest.mark.requirement("P8")
def test_filters_by_crime_type_change_the_numbers(demo: TestClient) -> None:
    html = page(demo, "/maps/wards?category=robbery&from=2017-01&to=2017-02")
    assert f'<td class="sp-num">{9 * square.MORE * 2:,}</td>' in html
    assert "Crimes reported to the police: Robbery" in html


def test_state_of_the_address_is_in_form_and_links(demo: TestClient) -> None:
    html = page(demo, "/maps?layers=areas&layers=density&category=robbery&from=2017-01")
    assert re.search(r'value="density" data-sp-layer="density" autocomplete="off" checked', html)
    assert not re.search(r'value="places" data-sp-layer="places" autocomplete="off" checked', html)
    assert '<option value="robbery" selected>' in html
    assert "/maps/download?from=2017-01&amp;category=robbery&amp;layers=areas&amp;layers=density" in html


@pytest.mark.parametrize(
    "query", ["measure=x", "from=2017-13", "from=2018-01&to=2017-01", "category=<b>", "rule=x", "feeling=x"]
)
def test_wrong_address_is_a_plain_422(demo: TestClient, query: str) -> None:
    assert demo.get(f"/maps/wards?{query}").status_code == 422


def test_unknown_set_and_unknown_map_are_404(demo: TestClient) -> None:
    assert demo.get("/maps/wards?set=nowhere").status_code == 404
    assert demo.get("/maps/treasure").status_code == 404


def test_map_of_one_area_is_fitted_to_it_and_an_unknown_one_is_404(demo: TestClient) -> None:
    assert '"focus":true' in page(demo, "/maps/wards?area=E05000001&embed=1")
    assert '"focus":true' not in page(demo, "/maps/wards")
    assert demo.get("/maps/wards?area=E05999999").status_code == 404


def test_embedded_page_has_the_map_and_nothing_of_the_site(demo: TestClient) -> None:
    answer = demo.get("/maps/wards?embed=1")
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert "<nav" not in answer.text
    assert "Sample data" in answer.text  # a frame has no banner of the site: the map says it itself
    assert "saferPlaces.createMap" in answer.text


@pytest.mark.parametrize("name", ["", *(f"/{name}" for name in ALL)])
def test_download_is_one_file_that_asks_for_nothing(demo: TestClient, name: str) -> None:
    answer = demo.get(f"/maps{name}/download")
    assert answer.status_code == 200
    assert re.fullmatch(r'attachment; filename="safer-places-\w+-square\.html"', answer.headers["content-disposition"])
    body = html.unescape(answer.text)
    assert "default-src 'none'" in body
    assert "<link" not in body
    assert not re.search(r'<script[^>]+src=|href="/', body.split("<script", maxsplit=1)[0])


def test_download_of_marks_holds_them(demo: TestClient) -> None:
    body = demo.get("/maps/places/download").text
    found = re.search(r'"levels":(\{.*?\}\}),"shared":(\[.*?\])\}\)', body)
    assert found is not None
    levels, shared = json.loads(found[1]), json.loads(found[2])
    assert {int(zoom) for zoom in levels} == set(marks.LEVELS)
    assert all(_total(level) == 13 for level in levels.values())
    used = {at for level in levels.values() for at in level["places"]}
    assert used == set(range(len(shared)))  # each mark stands once, whatever the number of zooms it is alone at


@pytest.mark.parametrize("number", [400, 100_000])
def test_offline_file_of_the_planner_stays_below_300_kb(own_folder: Path, number: int) -> None:
    core = open_core(Settings(data_dir=own_folder, worker=False))
    add_many(core, number)
    core.store.close()
    with TestClient(create_app(Settings(data_dir=own_folder, worker=False))) as client:
        assert len(client.get("/maps/download").content) < 300_000


def _total(level: dict[str, Any]) -> int:
    return sum(sum(group[2:]) for group in level["groups"]) + len(level["places"])


# --- rights ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("X2")
@pytest.mark.parametrize("path", ["/maps/places", "/maps/hotspots", "/maps/density", "/maps/places/download"])
def test_public_sees_no_marks_and_no_run(real: TestClient, path: str) -> None:
    assert real.get(path).status_code == 401


@pytest.mark.requirement("X2", "D5", "D7")
def test_public_planner_map_has_open_data_only(real: TestClient) -> None:
    for path in ("/maps", "/maps/wards", "/maps/download"):
        html = real.get(path).text
        assert '"PlacesLayer"' not in html
        assert '"HotspotLayer"' not in html
        assert "unsafe_share" not in html
        assert "Feel unsafe" not in html
    assert '"VenueLayer"' in real.get("/maps").text
    numbers = real.get("/maps/data/areas").json()["areas"][0]
    assert numbers["crimes"] > 0
    assert numbers["marks"] is None
    assert numbers["unsafe_share"] is None


@pytest.mark.requirement("X2")
def test_asking_for_marks_as_measure_shows_the_public_nothing(real: TestClient) -> None:
    html = page(real, "/maps/wards?measure=unsafe_share")
    assert "share of people who marked" not in html
    assert "Recorded crime by area" in html


@pytest.mark.requirement("X2")
@pytest.mark.parametrize(
    ("role", "status"), [("youth_worker", 200), ("moderator", 200), ("planner", 200), ("admin", 403)]
)
def test_marks_by_role(real: TestClient, role: str, status: int) -> None:
    query = {"bbox": BOX, "zoom": "12"}
    assert real.get("/maps/data/places", params=query, headers=bearer(role)).status_code == status
    assert real.get("/maps/places", headers=bearer(role)).status_code == status


@pytest.mark.requirement("X2")
def test_planner_sees_approved_marks_only(real: TestClient) -> None:
    query = {"bbox": BOX, "zoom": "12"}
    of_planner = real.get("/maps/data/places", params=query, headers=bearer("planner")).json()
    of_worker = real.get("/maps/data/places", params=query, headers=bearer("youth_worker")).json()
    of_moderator = real.get("/maps/data/places", params=query, headers=bearer("moderator")).json()
    assert _total(of_planner) == 0  # all thirteen are pending
    assert _total(of_worker) == 0  # and of no workshop of the worker's team
    assert _total(of_moderator) == 13


# --- marks by viewport -----------------------------------------------------------------------------------------------


def test_viewport_gives_groups_near_and_single_marks_far_apart(demo: TestClient) -> None:
    found = demo.get("/maps/data/places", params={"bbox": BOX, "zoom": "19"}).json()
    (group,) = found["groups"]
    assert group[2:] == [9, 3, 0]
    (route,) = found["places"]
    assert (route["kind"], route["feeling"], route["geometry"]["type"]) == ("route", "mixed", "LineString")
    assert ["What", "A route"] in route["card"]["rows"]


def test_filters_narrow_the_marks(demo: TestClient) -> None:
    def total(**query: str) -> int:
        return _total(demo.get("/maps/data/places", params={"bbox": BOX, "zoom": "12", **query}).json())

    assert [total(feeling="unsafe"), total(feeling="safe"), total(time="night"), total(time="day")] == [9, 3, 12, 1]
    assert total(reason="poor_lighting") == 0


@pytest.mark.requirement("A1")
def test_table_has_the_marks_that_the_map_has(demo: TestClient) -> None:
    def row(query: str) -> list[str]:
        return re.findall(r'<td class="sp-num">([^<]*)</td>', page(demo, f"/maps/places{query}"))[:4]

    assert row("") == ["9", "3", "1", "13"]  # unsafe, safe, it depends, all
    assert row("?time=night") == ["9", "3", "0", "12"]
    assert row("?feeling=safe") == ["0", "3", "0", "3"]
    assert row("?reason=poor_lighting") == ["0", "0", "0", "0"]


@pytest.mark.parametrize(
    "query",
    [{}, {"bbox": "a,b,c,d", "zoom": "12"}, {"bbox": BOX, "zoom": "99"}, {"bbox": "1,2,3", "zoom": "1"}],
)
def test_wrong_viewport_is_422(demo: TestClient, query: dict[str, str]) -> None:
    assert demo.get("/maps/data/places", params=query).status_code == 422


@pytest.mark.requirement("L5", "X1")
def test_words_of_a_person_never_reach_the_map(demo: TestClient) -> None:
    core = demo.app.state.core  # type: ignore[attr-defined]
    lon, lat = (float(part[-1]) for part in square.centres())
    places.create_place(core, DEMO, mark(lon, lat, note="secret words", suggestion="secret wish"))
    for path in ("/maps/places", "/maps/places/download", f"/maps/data/places?bbox={BOX}&zoom=19"):
        assert "secret" not in demo.get(path).text


@pytest.mark.requirement("D1", "D2")
def test_share_of_too_few_people_is_held_back(own_folder: Path) -> None:
    few = Settings(data_dir=own_folder, worker=False, few_people=14)
    with TestClient(create_app(few)) as client:
        area = client.get("/maps/data/areas").json()["areas"][0]
        assert (area["few"], area["unsafe_share"]) == (True, None)
        assert "not enough people yet" in page(client, "/maps/wards?measure=unsafe_share")
    with TestClient(create_app(few.model_copy(update={"few_people": 13}))) as client:
        area = client.get("/maps/data/areas").json()["areas"][0]
        # nine of the thirteen people marked it unsafe
        assert area["unsafe_share"] == pytest.approx(100 * 9 / 13, rel=1e-9)


@pytest.mark.requirement("P7", "P8")
def test_pages_count_the_cells_that_can_hold_a_point_and_name_no_source_of_made_up_crime(demo: TestClient) -> None:
    for path in ("/maps", "/maps/hotspots", "/maps/density"):
        said = page(demo, path)
        assert re.search(r"[\d,]+ of [\d,]+ cells can hold a point at all", said), path
        assert "most cells" not in said
        assert "Recorded crime: data.police.uk" not in said
        assert "Sample data in the layout of data.police.uk" in said
    assert page(demo, "/maps/hotspots").count("1 is the strongest") == 2
    assert "1 holds the most" not in page(demo, "/maps/hotspots")
    assert "Home Office" not in page(demo, "/maps/wards")


def test_one_mark_is_no_marks(own_folder: Path) -> None:
    with TestClient(create_app(Settings(data_dir=own_folder, worker=False))) as client:
        said = page(client, "/maps/places?feeling=mixed")
    assert "1 mark by young people that fit" in said


def test_empty_deployment_says_what_to_do_first(demo_client: TestClient) -> None:
    from service.areas import workflow as areas

    areas.load_bundled(demo_client.app.state.core)  # type: ignore[attr-defined]
    assert "crimes import" in page(demo_client, "/maps/wards")
    assert "run" in page(demo_client, "/maps/hotspots")
    assert "Nobody has marked a place yet" in page(demo_client, "/maps/places")
    assert "venues import" in page(demo_client, "/maps/venues")
    assert "Approximate boundaries" in page(demo_client, "/maps")


def test_without_boundaries_the_page_says_so(demo_client: TestClient) -> None:
    answer = demo_client.get("/maps", headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert "There are no ward boundaries here yet" in answer.text


# --- groups ----------------------------------------------------------------------------------------------------------


def random_points(n: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(1)
    return rng.uniform(-0.08, 0.04, n), rng.uniform(51.41, 51.49, n), rng.integers(0, 3, n)


@pytest.mark.parametrize("zoom", [9, 11, 13.25, 16, 19])
def test_every_mark_is_in_one_group_or_alone(zoom: float) -> None:
    lon, lat, feeling = random_points(5000)
    found = cluster(lon, lat, feeling, zoom=zoom)
    grouped = np.array([group[2:] for group in found.groups]).reshape(-1, 3).sum(axis=0)
    alone = np.bincount(feeling[found.alone], minlength=3)
    assert (grouped + alone).tolist() == np.bincount(feeling, minlength=3).tolist()
    assert len(found.groups) <= MAX_GROUPS


def test_groups_do_not_lie_on_each_other() -> None:
    lon, lat, feeling = random_points(5000)
    groups = cluster(lon, lat, feeling, zoom=12).groups
    # Web Mercator by its definition, in pixels at zoom 12
    x = np.array([(g[0] + 180) / 360 for g in groups]) * 256 * 2**12
    y = np.array([np.log(np.tan(np.pi / 4 + np.radians(g[1]) / 2)) for g in groups]) / (2 * np.pi) * 256 * 2**12
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.eye(len(groups))
    assert apart.min() >= 43.9  # twice the margin of a cell


def test_nothing_gives_nothing() -> None:
    found = cluster(np.empty(0), np.empty(0), np.empty(0, dtype=int), zoom=12)
    assert (found.groups, found.alone.size) == ([], 0)


# --- ground map ------------------------------------------------------------------------------------------------------


PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


class TileService(BaseHTTPRequestHandler):
    """A tile service that counts and records what it is asked."""

    asked: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        body = PNG if "/12/" in self.path else b"<html>no</html>"
        self.send_response(404 if "/404/" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def tiles() -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    asked: list[tuple[str, dict[str, str]]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Tiles", (TileService,), {"asked": asked}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    side = 2**z
    row = (1 - np.log(np.tan(np.radians(lat)) + 1 / np.cos(np.radians(lat))) / np.pi) / 2 * side
    return int((lon + 180) / 360 * side), int(row)


@pytest.mark.requirement("C6", "X10")
def test_tile_is_fetched_once_and_the_service_never_sees_who_looks(
    tiles: tuple[str, list[Any]], own_folder: Path
) -> None:
    url, asked = tiles
    settings = Settings(data_dir=own_folder, worker=False, tile_url=url + "/{z}/{x}/{y}.png")
    x, y = tile_of(*(float(part[0]) for part in square.centres()), 12)
    with TestClient(create_app(settings)) as client:
        html = page(client, "/maps/wards")
        path = re.search(r'"url":"(/maps/ground/[^"]+)"', html).group(1)  # type: ignore[union-attr]
        mine = path.replace("{z}", "12").replace("{x}", str(x)).replace("{y}", str(y))
        headers = {"Referer": "http://secret/", "X-Forwarded-For": "192.0.2.7", "Cookie": "a=b", "User-Agent": "me"}
        for _ in range(2):
            answer = client.get(mine, headers=headers)
            assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PNG, "image/png")
        assert client.get(mine.replace(f"/{x}/", "/0/")).status_code == 404  # far away: nobody fills our cache
        assert (
            client.get(mine.replace("/12/", "/13/").replace(f"/{x}/{y}", f"/{2 * x}/{2 * y}")).status_code == 503
        )  # not a picture
    assert len(asked) == 2
    sent = {name.lower(): value for name, value in asked[0][1].items()}
    assert not {"referer", "x-forwarded-for", "cookie", "forwarded"} & set(sent)
    assert sent["user-agent"] == "SaferPlaces"


def test_tile_cache_stays_below_its_size(tiles: tuple[str, list[Any]], tmp_path: Path) -> None:
    url, _ = tiles
    cache = ground.TileCache(tmp_path / "tiles", url + "/{z}/{x}/{y}", limit_bytes=20 * len(PNG), timeout_s=5)
    for x in range(120):
        cache.get(12, x, 0)
    size = sum(file.stat().st_size for file in (tmp_path / "tiles").rglob("*") if file.is_file())
    assert size <= (20 + 50) * len(PNG)  # the bound, and what may come between two looks
    assert cache.get(12, 119, 0)[0] == PNG


def test_tile_box_of_the_whole_world() -> None:
    box = data.tile_box(0, 0, 0)
    assert (box.west, box.east) == (-180, 180)
    assert box.north == pytest.approx(85.0511287798, abs=1e-9)  # atan(sinh(pi)), the edge of Web Mercator


@pytest.mark.requirement("C6")
def test_vector_file_is_served_by_ranges(own_folder: Path, tmp_path: Path) -> None:
    file = make_pmtiles(tmp_path / "streets.pmtiles")
    settings = Settings(
        data_dir=own_folder, worker=False, basemap_pmtiles=file, basemap_attribution="Contains OS data <b>&</b>"
    )
    with TestClient(create_app(settings)) as client:
        html = page(client, "/maps/wards")
        assert "protomaps-leaflet.js" in html
        url = re.search(r'"url":"(/maps/ground/[^"]+/map\.pmtiles)"', html).group(1)  # type: ignore[union-attr]
        part = client.get(url, headers={"Range": "bytes=0-126", "Accept-Encoding": "gzip"})
        assert part.status_code == 206
        assert part.content == file.read_bytes()[:127]
        assert '"maxDataZoom":14' in html
        assert "<b>&" not in html
        assert '"GroundLayer"' not in client.get("/maps/wards/download").text


@pytest.mark.parametrize("content", [None, b"not tiles"])
def test_ground_file_that_cannot_be_used_stops_the_start_and_takes_no_running_map_with_it(
    own_folder: Path, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "streets.pmtiles"
    if content is not None:
        file.write_bytes(content)
    settings = Settings(data_dir=own_folder, worker=False, basemap_pmtiles=file)
    with pytest.raises(StartError, match=r"^SAFER_PLACES_BASEMAP_PMTILES: .*streets\.pmtiles"):
        require_ground(settings)
    with TestClient(create_app(settings)) as client:  # the file went away while the server ran
        for path in ("/maps", "/maps/wards", "/mark"):
            assert client.get(path).status_code == 200, path


def test_no_ground_map_has_no_address(demo: TestClient) -> None:
    assert demo.get("/maps/ground/x/map.pmtiles").status_code == 404
    assert demo.get("/maps/ground/x/12/1/1").status_code == 404


# --- size ------------------------------------------------------------------------------------------------------------


def test_hundred_thousand_marks_make_a_small_page(own_folder: Path) -> None:
    core = open_core(Settings(data_dir=own_folder, worker=False))
    add_many(core, 100_000)
    core.store.close()
    with TestClient(create_app(Settings(data_dir=own_folder, worker=False))) as client:
        html = page(client, "/maps/places")
        assert len(html.encode()) < 300_000
        answer = client.get("/maps/data/places", params={"bbox": BOX, "zoom": "12"})
        assert _total(answer.json()) == 100_013
        assert len(answer.content) < 100_000
        assert len(client.get("/maps/places/download").content) < 2_000_000


@pytest.mark.requirement("X2")
def test_principals_without_exact_positions_are_refused_by_the_workflow(demo: TestClient) -> None:
    from service.errors import ForbiddenError, NotSignedInError
    from service.maps.state import MapState
    from service.web.queries import Bbox

    core = demo.app.state.core  # type: ignore[attr-defined]
    box = Bbox(-0.2, 51.3, 0.2, 51.6)
    with pytest.raises(NotSignedInError):
        data.places_in_view(core, PUBLIC, MapState(), box, 12)
    with pytest.raises(ForbiddenError):
        data.places_in_view(core, Principal("a", "admin"), MapState(), box, 12)
    assert data.places_in_view(core, PLANNER, MapState(), box, 12)
