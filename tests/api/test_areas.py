"""Boundary sets and areas over HTTP: what they say about themselves, caching, what is refused."""

from typing import Any

import orjson
import pytest
import shapely

from geo import crs
from service.areas.workflow import Fields, SetWords, import_file, load_bundled
from tests.conftest import ROOT

SETS = ("wards-2022", "wards-2002", "lsoa-2011", "borough")


@pytest.fixture
def demo(demo_client: Any) -> Any:
    load_bundled(demo_client.app.state.core)
    return demo_client


def shapes_of(collection: Any) -> Any:
    return shapely.from_geojson([orjson.dumps(feature["geometry"]) for feature in collection["features"]])


def test_deployment_without_boundaries_lists_none(real_client: Any) -> None:
    answer = real_client.get("/api/v1/boundary-sets")
    assert (answer.status_code, answer.json()) == (200, {"sets": []})


def test_sets_are_listed_with_the_default_first(demo: Any) -> None:
    sets = demo.get("/api/v1/boundary-sets").json()["sets"]
    assert {row["name"]: row["area_count"] for row in sets} == dict(zip(SETS, (19, 18, 169, 1), strict=True))
    assert [row["name"] for row in sets if row["is_default"]] == [sets[0]["name"]] == ["wards-2022"]


@pytest.mark.requirement("P7")
@pytest.mark.parametrize("name", SETS)
def test_every_payload_of_an_approximate_set_says_so(demo: Any, name: Any) -> None:
    code = demo.get(f"/api/v1/boundary-sets/{name}/areas").json()["features"][0]["id"]
    listed = next(row for row in demo.get("/api/v1/boundary-sets").json()["sets"] if row["name"] == name)
    payloads = [listed] + [
        demo.get(path).json()
        for path in (
            f"/api/v1/boundary-sets/{name}",
            f"/api/v1/boundary-sets/{name}/areas",
            f"/api/v1/boundary-sets/{name}/areas?detail=map",
            f"/api/v1/areas/{name}/{code}",
        )
    ]
    for payload in payloads:
        assert payload["approximate"] is True
        assert payload["resolution_m"] == 200
        assert "about 200 m" in payload["caveat"]
        assert payload["licence"] == "Open Government Licence v3.0"
        assert "Crown copyright" in payload["attribution"]


def test_exact_set_has_no_caveat(real_client: Any, tmp_path: Any) -> None:
    path = ROOT / "data" / "boundaries" / "wards-2022" / "areas.geojson"
    words = SetWords(name="w", level="ward", resolution_m=1.0)
    import_file(real_client.app.state.core, path, words, fields=Fields(), default=False)
    payload = real_client.get("/api/v1/boundary-sets/w/areas").json()
    assert (payload["approximate"], payload["caveat"], payload["resolution_m"]) == (False, "", 1.0)


def test_areas_are_the_bundled_polygons(demo: Any) -> None:
    answer = demo.get("/api/v1/boundary-sets/wards-2022/areas")
    assert answer.headers["content-type"] == "application/geo+json"
    collection = answer.json()
    bundled = orjson.loads((ROOT / "data" / "boundaries" / "wards-2022" / "areas.geojson").read_bytes())
    assert collection["type"] == "FeatureCollection"
    assert [f["id"] for f in collection["features"]] == [f["properties"]["area_gss"] for f in bundled["features"]]
    assert [f["geometry"] for f in collection["features"]] == [f["geometry"] for f in bundled["features"]]
    assert collection["features"][0]["properties"] == {
        "area_gss": "E05013714",
        "area_name": "Bellingham",
        "level": "ward",
        "area_km2": round(crs.geometry_to_metric(shapes_of(bundled)[0]).area / 1e6, 4),
        "residents": None,
    }


@pytest.mark.parametrize("name", SETS)
def test_map_variant_keeps_edges_shared_with_five_decimals(demo: Any, name: Any) -> None:
    full = demo.get(f"/api/v1/boundary-sets/{name}/areas")
    drawn = demo.get(f"/api/v1/boundary-sets/{name}/areas?detail=map")
    assert len(drawn.content) < len(full.content)
    shapes = shapes_of(drawn.json())
    assert shapely.coverage_is_valid(shapes)
    coordinates = shapely.get_coordinates(shapes)
    assert (coordinates == coordinates.round(5)).all()
    # the same borough: corners within 8 m go, so along 30 km of outline far less than 1 % of 35 km2 moves
    one, other = (shapely.union_all(crs.geometry_to_metric(shapes_of(a.json()))) for a in (full, drawn))
    assert shapely.area(shapely.symmetric_difference(one, other)) < 0.01 * one.area


@pytest.mark.realdata
def test_map_variant_of_full_resolution_wards_is_several_times_smaller(real_client: Any, realdata: Any) -> None:
    path = realdata / "boundaries" / "lewisham_wards_2022.geojson"
    import_file(real_client.app.state.core, path, SetWords("w", "ward"), fields=Fields(), default=False)
    full = real_client.get("/api/v1/boundary-sets/w/areas")
    drawn = real_client.get("/api/v1/boundary-sets/w/areas?detail=map")
    assert len(full.content) > 4 * len(drawn.content)
    shapes = shapes_of(drawn.json())
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)


@pytest.mark.parametrize("path", ["/api/v1/boundary-sets/wards-2022/areas", "/api/v1/areas/wards-2022/E05013714"])
def test_areas_are_cacheable_and_unchanged_ones_are_not_sent_again(demo: Any, path: Any) -> None:
    first = demo.get(path)
    assert first.headers["cache-control"] == "public, max-age=300"
    tag = first.headers["etag"]
    for sent in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = demo.get(path, headers={"If-None-Match": sent})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert demo.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_replaced_set_has_another_etag(demo: Any) -> None:
    path = "/api/v1/boundary-sets/wards-2022/areas"
    before = demo.get(path).headers["etag"]
    source = ROOT / "data" / "boundaries" / "wards-2002" / "areas.geojson"
    words = SetWords(name="wards-2022", level="ward", resolution_m=200.0)
    import_file(demo.app.state.core, source, words, fields=Fields(), default=False)
    answer = demo.get(path, headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert len(answer.json()["features"]) == 18


def test_one_area_is_a_feature_with_its_own_polygon(demo: Any) -> None:
    area = demo.get("/api/v1/areas/wards-2022/E05013728").json()
    assert (area["type"], area["id"], area["set"]) == ("Feature", "E05013728", "wards-2022")
    assert area["properties"]["area_name"] == "New Cross Gate"
    assert area["geometry"]["type"] == "MultiPolygon"


def test_code_is_looked_up_in_its_set_only(demo: Any) -> None:
    assert demo.get("/api/v1/areas/wards-2002/E05000437").status_code == 200
    answer = demo.get("/api/v1/areas/wards-2022/E05000437")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert "wards-2022" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    ["/boundary-sets/nothing", "/boundary-sets/nothing/areas", "/areas/nothing/E05013714", "/areas/wards-2022/x"],
)
def test_unknown_set_or_area_is_a_problem(demo: Any, path: Any) -> None:
    answer = demo.get("/api/v1" + path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-found"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/boundary-sets/wards-2022/areas?detail=tiny", "detail"),
        (f"/boundary-sets/{'x' * 61}", "set_name"),
        (f"/areas/wards-2022/{'x' * 21}", "code"),
    ],
)
def test_parameter_out_of_bounds_names_the_field(demo: Any, path: Any, field: Any) -> None:
    answer = demo.get("/api/v1" + path)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_check_report_is_part_of_the_set(demo: Any) -> None:
    report = demo.get("/api/v1/boundary-sets/wards-2022").json()["report"]
    assert report["rows"] == 19


def test_every_field_of_the_contract_is_described(demo: Any) -> None:
    document = demo.get("/api/v1/openapi.json").json()
    paths = [path for path in document["paths"] if path.startswith(("/api/v1/boundary-sets", "/api/v1/areas"))]
    assert len(paths) == 4
    for path in paths:
        operation = document["paths"][path]["get"]
        assert operation["summary"]
        assert all(parameter["description"] for parameter in operation.get("parameters", []))
        if path.endswith(("areas", "{code}")):
            assert list(operation["responses"]["200"]["content"]) == ["application/geo+json"]
    for name in ("BoundarySetOut", "CheckedSetOut", "AreaFeature", "AreaCollection", "OneArea", "AreaProperties"):
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            assert schema.get("description"), f"{name}.{field}"


def test_answers_hold_what_the_contract_says(demo: Any) -> None:
    """The payloads built as bytes fit the models that describe them."""
    from service.areas.schemas import AreaCollection, OneArea

    collection = demo.get("/api/v1/boundary-sets/wards-2022/areas").json()
    assert AreaCollection.model_validate(collection).model_dump() == collection
    area = demo.get("/api/v1/areas/wards-2022/E05013714").json()
    assert OneArea.model_validate(area).model_dump() == area
