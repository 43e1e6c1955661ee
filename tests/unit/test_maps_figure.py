"""The rendered page of every map: landmarks, nonces, no other host, nothing a person wrote as markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import folium
import folium.plugins
import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import columns
from geo.errors import CRSError, MapError
from geo.maps import build
from geo.maps.assets import Assets
from geo.maps.elements import AreaLayer, DensityLayer, HotspotLayer, Measure
from geo.maps.facts import Cell, Column, MapFacts, Source, Table
from geo.maps.figure import PlaceMap, render
from geo.maps.points import GroundLayer, LandmarkLayer, PlacesLayer, VenueLayer
from tests.unit.test_maps_classes import PAYLOADS

LINKED = Assets("/static/maps")


def square_areas(names: list[str] | None = None, crs: str = "EPSG:4326") -> Any:
    """Two squares of 0.01 degrees side by side."""
    shapes = [shapely.box(0.00, 51.0, 0.01, 51.01), shapely.box(0.01, 51.0, 0.02, 51.01)]
    index = pd.Index(["E05000001", "E05000002"], name=columns.AREA_GSS)
    return geopandas.GeoDataFrame({columns.AREA_NAME: names or ["West", "East"]}, geometry=shapes, index=index, crs=crs)


def some_facts(text: str = "Wards", **more: Any) -> MapFacts:
    table = Table(text, [Column("Ward"), Column("Crimes", numeric=True)], [[Cell(text, "/wards/a"), 1200], ["B", None]])
    return MapFacts(text, "January 2016", [Source(text, text)], [text], table=table, **more)


def full_map(text: str = "Words") -> PlaceMap:
    """A map with every element of ours and one text everywhere a text can be."""
    areas = square_areas([text, text])
    measure = Measure(text, text, pd.Series({"E05000001": 4.0}), few=frozenset({"E05000002"}))
    card = {"title": text, "rows": [[text, text]], "note": text, "link": {"href": "/a", "text": text}}
    spots = geopandas.GeoDataFrame(
        {"rank": [1], columns.CONFIDENCE: [99]}, geometry=[shapely.box(0, 51, 0.001, 51.001)], crs="EPSG:4326"
    )
    place = {"id": "1", "kind": "point", "feeling": "safe", "at": [0.005, 51.005], "geometry": None, "card": card}
    corners = [(0.0, 51.0), (0.02, 51.0), (0.02, 51.01), (0.0, 51.01)]
    layers = [
        DensityLayer(np.array([[0.0, 1.0], [2.0, np.nan]]), corners, label=text, note=text),
        LandmarkLayer([(0.01, 51.005, text, 1)], label=text),
        HotspotLayer(spots, [card], label=text),
        VenueLayer([{"at": (0.01, 51.005), "card": card}], label=text),
        PlacesLayer(levels={12: {"groups": [[0.01, 51.0, 1, 2, 3]], "places": [place]}}, label=text, note=text),
    ]
    shaded = AreaLayer(areas, measure, links={"E05000001": "/wards/a"})
    facts = some_facts(text, notices=[text], empty=text, summary=text)
    return build.planner_map(
        shaded, layers, facts=facts, ground=GroundLayer("pmtiles", "/g.pmtiles", attribution=text, max_zoom=14)
    )


class Page(HTMLParser):
    """What a test needs to know of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.requirement("A4")
@pytest.mark.parametrize("assets", [Assets(), LINKED])
def test_page_has_language_title_viewport_main_and_skip_links(assets: Assets) -> None:
    page = Page(render(full_map(), assets=assets))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("title")) == len(page.all("main")) == len(page.all("h1")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    skips = [a["href"] for a in page.all("a") if a.get("class") == "sp-skip"]
    assert skips == ["#sp-map", "#sp-table"]
    assert {"sp-map", "sp-table"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_language_and_words_follow_the_facts() -> None:
    facts = MapFacts("Wardiau", "2016", [], language="cy")
    html = render(build.ward_map(square_areas(), None, facts=facts), assets=LINKED)
    assert '<html lang="cy">' in html
    assert "<title>Wardiau</title>" in html


@pytest.mark.requirement("C6")
@pytest.mark.parametrize("assets", [Assets(), LINKED])
def test_page_names_no_other_host(assets: Assets) -> None:
    page = Page(render(full_map(), assets=assets))
    outside = [
        value
        for _, attrs in page.tags
        for name, value in attrs.items()
        if name in {"src", "href", "data", "action", "poster", "srcset"} and value and re.match(r"(?:\w+:)?//", value)
    ]
    assert outside == []


@pytest.mark.requirement("X1")
def test_every_script_and_style_has_the_nonce_and_nothing_is_inline_in_attributes() -> None:
    page = Page(render(full_map(), nonce="abc123", assets=LINKED))
    assert page.all("script")
    assert {script.get("nonce") for script in page.all("script")} == {"abc123"}
    assert page.all("style") == []
    assert [name for _, attrs in page.tags for name in attrs if name == "style" or name.startswith("on")] == []


def test_offline_page_links_to_nothing_and_forbids_requests() -> None:
    html = render(full_map(), nonce="abc123")
    page = Page(html)
    assert page.all("link") == []
    assert [script for script in page.all("script") if "src" in script] == []
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "'nonce-abc123'" in policy
    assert 'href="/wards/a"' not in html.split("<main")[1].split("<script")[0]


@pytest.mark.requirement("X1")
@pytest.mark.parametrize("payload", PAYLOADS)
def test_words_of_people_are_text_wherever_they_stand(payload: str) -> None:
    plain, attacked = Page(render(full_map("Words"), nonce="n")), Page(render(full_map(payload), nonce="n"))
    # the same tags in the same order: nothing that was written became markup; ids are random
    assert [tag for tag, _ in attacked.tags] == [tag for tag, _ in plain.tags]
    assert [sorted(attrs) for _, attrs in attacked.tags] == [sorted(attrs) for _, attrs in plain.tags]


@pytest.mark.requirement("X1")
def test_template_words_are_not_run_a_second_time() -> None:
    html = render(full_map("{{ 70700 * 191 }}"), nonce="n")
    assert "13503700" not in html  # longer than chance could write into the random ids of Folium
    assert html.count("{{ 70700 * 191 }}") > 10


@pytest.mark.requirement("A1", "P7")
def test_table_and_facts_stand_below_the_map() -> None:
    facts = MapFacts(
        "Wards",
        "January 2016 to June 2018",
        [Source("data.police.uk", "Open Government Licence v3.0")],
        ["Points are street centres."],
        table=Table("Crimes", [Column("Ward"), Column("Crimes", numeric=True)], [["West", 1200], ["East", None]]),
    )
    html = render(build.ward_map(square_areas(), None, facts=facts), assets=LINKED)
    for words in ("January 2016 to June 2018", "data.police.uk", "Open Government Licence v3.0", "street centres"):
        assert words in html
    assert '<th scope="row">West</th>' in html
    assert '<td class="sp-num">1,200</td>' in html
    assert '<td class="sp-num">–</td>' in html


def test_legend_shows_limits_and_held_back_areas() -> None:
    measure = Measure("Crimes", "2016", pd.Series({"E05000001": 10.0}), few=frozenset({"E05000002"}))
    legend = AreaLayer(square_areas(), measure).legend()
    assert legend is not None
    assert [row.words for row in legend.rows] == ["all areas alike", "Not enough people yet"]


def test_held_back_number_never_reaches_the_page() -> None:
    values = pd.Series({"E05000001": 10.0, "E05000002": 987654.0})
    shaded = AreaLayer(square_areas(), Measure("People", "", values, few=frozenset({"E05000002"})))
    html = render(build.planner_map(shaded, [], facts=MapFacts("t", "p", [])), nonce="n")
    assert "987654" not in html
    assert "987,654" not in html
    assert shaded.limits == ()  # the held-back value must not shape the limits either


def test_missing_figure_is_said_and_not_zero() -> None:
    shaded = AreaLayer(square_areas(), Measure("Crimes", "", pd.Series({"E05000001": 10.0})))
    assert [shaded.told(code) for code in ("E05000001", "E05000002")] == ["10", "No figure"]


def test_areas_in_metres_are_refused() -> None:
    with pytest.raises(CRSError, match="EPSG:4326"):
        AreaLayer(square_areas(crs="EPSG:27700"), None)


@pytest.mark.requirement("C6")
@pytest.mark.parametrize("url", ["https://tiles.example/{z}", "//tiles.example", "tiles/{z}"])
def test_ground_from_another_host_is_refused(url: str) -> None:
    with pytest.raises(MapError, match="path of ours"):
        GroundLayer("raster", url, attribution="", max_zoom=19)


@pytest.mark.requirement("C6")
def test_stock_plugin_that_links_to_another_host_is_refused() -> None:
    drawn = build.ward_map(square_areas(), None, facts=some_facts())
    folium.plugins.HeatMap([(51.0, 0.0)]).add_to(drawn)
    with pytest.raises(MapError, match="another host"):
        render(drawn)


def test_stock_element_without_parts_of_its_own_may_be_added() -> None:
    drawn = build.ward_map(square_areas(), None, facts=some_facts())
    folium.CircleMarker((51.005, 0.005)).add_to(drawn)
    assert "L.circleMarker" in render(drawn)


def test_element_outside_our_figure_says_what_to_do() -> None:
    stock = folium.Map(tiles=None)
    AreaLayer(square_areas(), None).add_to(stock)
    with pytest.raises(MapError, match=r"geo\.maps\.build"):
        stock.get_root().render()


def test_map_is_a_folium_map_and_a_notebook_shows_it() -> None:
    drawn = full_map()
    assert isinstance(drawn, folium.Map)
    assert "srcdoc" in drawn._repr_html_()


def test_folium_itself_is_left_alone() -> None:
    full_map()
    assert any("leaflet" in url for _, url in folium.Map.default_js)
    assert PlaceMap.default_js == []


def test_density_paints_one_digit_a_cell() -> None:
    grid = np.array([[0.0, 1.0], [np.nan, 1.0]])
    options = DensityLayer(grid, [(0, 0), (1, 0), (1, 1), (0, 1)]).options()
    assert (options["columns"], options["rows"]) == (2, 2)
    # nothing where it is 0 or unknown; equal values share one class
    assert [digit != "0" for digit in options["classes"]] == [False, True, False, True]


@pytest.mark.requirement("P1")
def test_no_layer_takes_police_points() -> None:
    html = render(full_map(), assets=LINKED)
    assert "street_name" not in html
    assert "crime_id" not in html


def test_day_and_night_share_one_figure_and_move_together() -> None:
    day = Measure(
        "Feels unsafe", "day", pd.Series({"E05000001": 10.0, "E05000002": 60.0}), ramp="share", limits=(25, 50)
    )
    html = render(build.day_night_map(square_areas(), day, day, facts=some_facts()), assets=LINKED)
    assert html.count("saferPlaces.createMap(") == 2
    assert '"SyncedViews"' in html
    assert html.count('data-sp-legend="areas"') == 1


def test_parts_stand_in_a_page_of_ones_own() -> None:
    drawn = build.mark_map(square_areas(), facts=some_facts())
    parts = drawn.figure.parts(nonce="n", assets=LINKED)
    assert "<html" not in parts.stage
    assert 'role="region"' in parts.stage
    assert 'nonce="n"' in parts.scripts
    assert "tokens.css" in parts.styles


def test_rendering_twice_gives_one_map_each_time() -> None:
    drawn = full_map()
    first, second = (render(drawn, nonce="n", assets=LINKED) for _ in range(2))
    assert first == second
    assert first.count("saferPlaces.createMap(") == 1
