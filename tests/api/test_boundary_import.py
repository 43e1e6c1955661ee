"""Importing boundary sets by the command line and by the workflow; the bundled sets of the demo."""

from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pytest
import shapely
from sqlalchemy import select, text

from geo import crs
from geo.boundaries import read_bundled
from service.areas.models import Area, BoundarySet
from service.areas.workflow import (
    Fields,
    SetWords,
    area_index,
    area_shapes,
    areas_frame,
    default_set,
    get_set,
    import_file,
    list_sets,
    load_bundled,
    outline,
    outline_shape,
)
from service.cli import main
from service.core import open_core
from service.errors import InvalidInputError, NotFoundError, UnavailableError
from service.jobs.models import Job
from tests.conftest import ROOT

WEST, SOUTH = 537_000.0, 174_000.0
EXACT = {"resolution_m": 1.0}


def box(column: Any, row: Any, east: Any = 1000.0) -> Any:
    return shapely.box(WEST + 1000 * column, SOUTH + 1000 * row, WEST + 1000 * column + east, SOUTH + 1000 * row + 1000)


def wards_file(folder: Any, shapes: Any = None, name: Any = "wards.geojson") -> Any:
    shapes = [box(0, 0), box(1, 0)] if shapes is None else shapes
    codes = [f"E0500000{k}" for k in range(1, len(shapes) + 1)]
    frame = gpd.GeoDataFrame({"WD22CD": codes, "WD22NM": [f"Ward {c[-1]}" for c in codes]}, geometry=shapes, crs=27700)
    crs.to_wgs84(frame).to_file(folder / name)
    return folder / name


def bring(core: Any, path: Any, name: Any = "wards-2022", level: Any = "ward", **options: Any) -> Any:
    default = options.pop("default", False)
    words = SetWords(name=name, level=level, **(EXACT | options))
    return import_file(core, path, words, fields=Fields(), default=default)


def waiting(core: Any) -> Any:
    with core.store.read() as session:
        return sorted((job.kind, job.parameters["set"]) for job in session.scalars(select(Job)))


@pytest.fixture
def run(make_settings: Any, monkeypatch: Any, capsys: Any) -> Any:
    """Run the command as a person does and return its exit code, output and error lines."""

    def call(*arguments: Any, mode: Any = "real") -> Any:
        settings = make_settings(mode)
        monkeypatch.setenv("SAFER_PLACES_DATA_DIR", str(settings.data_dir))
        monkeypatch.setattr("sys.argv", ["safer-places", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return call


def test_import_stores_set_and_areas_and_queues_the_joins(real_core: Any, tmp_path: Any) -> None:
    done = bring(real_core, wards_file(tmp_path), title="Wards", valid_from=None)
    assert (done.view.name, done.view.level, done.view.area_count) == ("wards-2022", "ward", 2)
    assert (done.view.is_default, done.view.approximate, done.changed) == (True, False, True)
    shapes = area_shapes(real_core, "wards-2022")
    assert shapes.codes.tolist() == ["E05000001", "E05000002"]
    assert shapes.names.tolist() == ["Ward 1", "Ward 2"]
    assert shapes.area_km2 == pytest.approx([1.0, 1.0], abs=1e-5)
    assert np.isnan(shapes.residents).all()
    assert waiting(real_core) == [("join_crimes", "wards-2022"), ("join_places", "wards-2022")]


def test_same_import_again_changes_nothing_and_queues_nothing(real_core: Any, tmp_path: Any) -> None:
    path = wards_file(tmp_path)
    first = bring(real_core, path)
    again = bring(real_core, path)
    assert not again.changed
    assert again.view == first.view
    assert len(waiting(real_core)) == 2


def test_other_words_about_the_same_areas_are_a_change(real_core: Any, tmp_path: Any) -> None:
    path = wards_file(tmp_path)
    first = bring(real_core, path)
    again = bring(real_core, path, licence="OGL v3.0")
    assert again.changed
    assert again.view.licence == "OGL v3.0"
    assert again.view.digest != first.view.digest


def test_replaced_set_is_a_new_row_that_takes_what_was_joined_with_it(real_core: Any, tmp_path: Any) -> None:
    first = bring(real_core, wards_file(tmp_path))
    index = area_index(real_core, "wards-2022")
    real_core.store.write(
        lambda session: session.execute(
            text("UPDATE boundary_set SET place_generation = 3 WHERE id = :id"), {"id": first.view.id}
        )
    )
    second = bring(real_core, wards_file(tmp_path, [box(0, 0), box(1, 0), box(2, 0)], "more.geojson"))
    assert second.view.id > first.view.id
    assert (second.view.place_generation, second.view.is_default) == (0, True)
    assert [view.name for view in list_sets(real_core)] == ["wards-2022"]
    assert len(area_index(real_core, "wards-2022")) == 3
    assert len(index) == 2  # who holds the old one keeps it whole
    with real_core.store.read() as session:
        assert set(session.scalars(select(Area.set_id))) == {second.view.id}


def test_several_sets_stand_side_by_side_keyed_by_set_and_code(real_core: Any, tmp_path: Any) -> None:
    bring(real_core, wards_file(tmp_path), name="wards-2022")
    bring(real_core, wards_file(tmp_path, [box(5, 0)], "old.geojson"), name="wards-2002")
    assert [(view.name, view.is_default) for view in list_sets(real_core)] == [
        ("wards-2022", True),
        ("wards-2002", False),
    ]
    new, old = (area_shapes(real_core, name).geometries[0] for name in ("wards-2022", "wards-2002"))
    assert not shapely.intersects(new, old)  # one code, two areas


def test_default_moves_to_the_set_that_asks_for_it(real_core: Any, tmp_path: Any) -> None:
    bring(real_core, wards_file(tmp_path), name="a")
    bring(real_core, wards_file(tmp_path, [box(5, 0)], "b.geojson"), name="b", default=True)
    assert default_set(real_core).name == "b"
    bring(real_core, wards_file(tmp_path), name="a", default=True)  # unchanged, but asked for
    assert [view.name for view in list_sets(real_core) if view.is_default] == ["a"]


def test_first_set_that_is_not_of_wards_does_not_become_the_default(real_core: Any, tmp_path: Any) -> None:
    bring(real_core, wards_file(tmp_path, [box(0, 0)]), name="outline", level="borough")
    assert not get_set(real_core, "outline").is_default
    bring(real_core, wards_file(tmp_path), name="wards-2022")
    assert default_set(real_core).name == "wards-2022"


def test_set_for_drawing_queues_no_join(real_core: Any, tmp_path: Any) -> None:
    bring(real_core, wards_file(tmp_path), level="lsoa", join_points=False)
    assert waiting(real_core) == []


def test_failed_import_leaves_the_old_set_whole(real_core: Any, tmp_path: Any) -> None:
    first = bring(real_core, wards_file(tmp_path))
    (tmp_path / "bad.geojson").write_text("{}")
    with pytest.raises(ValueError, match="cannot be read"):
        bring(real_core, tmp_path / "bad.geojson")
    assert get_set(real_core, "wards-2022") == first.view


def test_area_that_collapses_in_metres_is_refused_at_the_import(real_core: Any, tmp_path: Any) -> None:
    sliver = shapely.box(-0.02, 51.4, -0.02 + 1e-9, 51.4 + 1e-9)  # 0.1 mm wide: a polygon in degrees, none in metres
    path = tmp_path / "sliver.geojson"
    gpd.GeoDataFrame({"code": ["E05000001"]}, geometry=[sliver], crs=4326).to_file(path, COORDINATE_PRECISION=12)
    with pytest.raises(InvalidInputError, match=r"collapse.*E05000001"):
        bring(real_core, path)
    assert list_sets(real_core) == []


def test_frames_and_index_agree_on_order_and_crs(real_core: Any, tmp_path: Any) -> None:
    bring(real_core, wards_file(tmp_path, [box(1, 0), box(0, 0)]))
    metric, degrees = (areas_frame(real_core, "wards-2022", metric=flag) for flag in (True, False))
    assert (metric.crs, degrees.crs) == (crs.METRIC, crs.WGS84)
    assert metric.index.tolist() == area_index(real_core, "wards-2022").codes.tolist() == ["E05000001", "E05000002"]
    assert metric.index.name == "area_gss"
    assert metric.geometry.iloc[0].bounds == pytest.approx(box(1, 0).bounds, abs=0.003)
    assert area_index(real_core, "wards-2022").lookup([WEST + 1500], [SOUTH + 500]).tolist() == [0]


def test_outline_is_the_union_of_the_default_set(real_core: Any, tmp_path: Any) -> None:
    bring(real_core, wards_file(tmp_path))
    found = outline(real_core)
    assert found.area.area == pytest.approx(2e6, abs=20)  # m2
    assert found.outside_m == real_core.settings.outside_m
    assert outline(real_core) is found  # prepared once
    assert crs.geometry_to_metric(outline_shape(real_core)).area == pytest.approx(2e6, abs=40)


def test_outline_is_the_borough_where_a_set_holds_it(real_core: Any, tmp_path: Any) -> None:
    bring(real_core, wards_file(tmp_path))
    frame = gpd.GeoDataFrame({"LAD22CD": ["E09000023", "E09000028"]}, geometry=[box(0, 0), box(9, 9)], crs=27700)
    frame.to_file(tmp_path / "boroughs.gpkg")
    bring(real_core, tmp_path / "boroughs.gpkg", name="boroughs", level="borough")
    assert outline(real_core).area.area == pytest.approx(1e6, abs=10)  # that of E09000023 alone


def test_finer_wards_beat_a_coarser_outline(demo_core: Any, tmp_path: Any) -> None:
    load_bundled(demo_core)
    assert outline(demo_core).area.area == pytest.approx(35.156e6, rel=1e-4)
    bring(demo_core, wards_file(tmp_path), name="exact", default=True)
    assert outline(demo_core).area.area == pytest.approx(2e6, abs=20)


def test_nothing_imported_is_told_with_what_to_do(real_core: Any) -> None:
    assert list_sets(real_core) == []
    for ask in (default_set, outline):
        with pytest.raises(UnavailableError, match="safer-places boundaries import"):
            ask(real_core)
    with pytest.raises(NotFoundError, match="no boundary set 'wards-2022'"):
        area_index(real_core, "wards-2022")


def test_demo_loads_the_four_bundled_sets(demo_core: Any) -> None:
    sets = load_bundled(demo_core)
    assert {view.name: view.area_count for view in sets} == {
        "wards-2022": 19,
        "wards-2002": 18,
        "lsoa-2011": 169,
        "borough": 1,
    }
    assert sets[0].name == "wards-2022"
    assert sets[0].is_default
    assert all(view.approximate and "about 200 m" in view.caveat for view in sets)
    assert [view.name for view in sets if not view.join_points] == ["lsoa-2011"]
    bundled = read_bundled(ROOT / "data" / "boundaries" / "wards-2022")
    assert shapely.equals_exact(area_shapes(demo_core, "wards-2022").geometries, bundled.geometries).all()


def test_bundled_sets_load_twice_and_spare_an_import_of_the_same_name(demo_core: Any, tmp_path: Any) -> None:
    before = load_bundled(demo_core)
    assert load_bundled(demo_core) == before
    assert len(waiting(demo_core)) == 6  # two joins for each of three sets, queued once
    bring(demo_core, wards_file(tmp_path), name="wards-2022")
    assert get_set(demo_core, "wards-2022").area_count == 2
    load_bundled(demo_core)
    assert get_set(demo_core, "wards-2022").area_count == 2


def test_real_deployment_refuses_approximate_sets(real_core: Any, tmp_path: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"approximate \(200 m\).*at most 20 m"):
        load_bundled(real_core)
    with pytest.raises(InvalidInputError, match=r"approximate \(21 m\)"):
        bring(real_core, wards_file(tmp_path), resolution_m=21.0)
    assert list_sets(real_core) == []
    assert bring(real_core, wards_file(tmp_path), resolution_m=20.0).view.approximate is False


@pytest.mark.parametrize("name", ["wards-2022", "lsoa-2011"])
def test_bundled_file_cannot_slip_in_without_its_resolution(real_core: Any, name: Any) -> None:
    path = ROOT / "data" / "boundaries" / name / "areas.geojson"
    with pytest.raises(InvalidInputError, match="look generalised"):
        bring(real_core, path, level="ward", resolution_m=None)


def test_demo_takes_approximate_sets_and_says_so(demo_core: Any, tmp_path: Any) -> None:
    view = bring(demo_core, wards_file(tmp_path), resolution_m=200.0).view
    assert view.approximate
    assert "200 m" in view.caveat


def test_grid_is_exact_by_itself(real_core: Any, tmp_path: Any) -> None:
    assert bring(real_core, wards_file(tmp_path), level="grid", resolution_m=None).view.resolution_m == 0.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"name": "Wards 2022"}, "lower-case letters, digits and hyphens"),
        ({"name": ""}, "lower-case"),
        ({"name": "x" * 61}, "lower-case"),
        ({"level": "parish"}, "use one of ward, lsoa, borough, grid"),
        ({"resolution_m": -1.0}, "0 or more"),
        ({"resolution_m": float("nan")}, "0 or more"),
    ],
)
def test_words_that_cannot_be_used_are_refused(real_core: Any, tmp_path: Any, words: Any, message: Any) -> None:
    with pytest.raises(InvalidInputError, match=message):
        bring(real_core, wards_file(tmp_path), **words)


def test_command_prints_the_report(run: Any, tmp_path: Any) -> None:
    tie = shapely.Polygon([(WEST, SOUTH), (WEST + 1000, SOUTH + 1000), (WEST + 1000, SOUTH), (WEST, SOUTH + 1000)])
    path = wards_file(tmp_path, [tie, box(2, 0), box(2.9, 0)])
    code, out, err = run("boundaries", "import", path, "--set", "wards-2022", "--level", "ward", "--resolution-m", 1)
    assert (code, err) == (0, "")
    assert "Read 3 areas, 2.50 km2, from EPSG:4326." in out
    assert "Code field: WD22CD. Name field: WD22NM." in out
    assert "Rings repaired: 1 (E05000001)" in out
    assert "Areas of several polygons: 1 (E05000001)" in out
    overlap = next(line for line in out.splitlines() if line.startswith("Overlaps"))
    assert overlap.startswith("Overlaps over 1 m2: 1 (E05000002 / E05000003 ")
    assert float(overlap.split()[-2].replace(",", "")) == pytest.approx(100_000, abs=5)  # 100 m x 1000 m
    assert "Gaps over 1 m2: none" in out
    assert "Stored wards-2022. It is the default." in out


def test_command_stores_every_option(run: Any, make_settings: Any, tmp_path: Any) -> None:
    options = {
        "--title": "Wards", "--source": "Council", "--licence": "OGL v3.0", "--attribution": "© Council",
        "--valid-from": "2022-05-05", "--valid-to": "2030-01-01", "--resolution-m": "2.5",
        "--code-field": "WD22NM", "--name-field": "WD22CD",
    }  # fmt: skip
    flat = [word for pair in options.items() for word in pair]
    path = wards_file(tmp_path)
    code, _, _ = run("boundaries", "import", path, "--set", "w", "--level", "ward", "--drawing-only", *flat)
    assert code == 0
    core = open_core(make_settings("real"))
    try:
        view = get_set(core, "w")
        codes = area_shapes(core, "w").codes.tolist()
    finally:
        core.store.close()
    assert (view.title, view.source, view.licence, view.attribution) == ("Wards", "Council", "OGL v3.0", "© Council")
    assert (str(view.valid_from), str(view.valid_to), view.resolution_m) == ("2022-05-05", "2030-01-01", 2.5)
    assert codes == ["Ward 1", "Ward 2"]
    assert not view.join_points


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.geojson", "--set", "w", "--level", "ward"], "does not exist"),
        (["{bad}", "--set", "w", "--level", "ward"], "cannot be read"),
        (["{good}", "--set", "W!", "--level", "ward"], "lower-case"),
        (["{good}", "--set", "w", "--level", "parish"], "no level"),
        (["{good}", "--set", "w", "--level", "ward"], "--resolution-m"),
        (["{good}", "--set", "w", "--level", "ward", "--resolution-m", "200"], "approximate"),
        (["{good}", "--set", "w", "--level", "ward", "--valid-from", "May"], "YYYY-MM-DD"),
        (["{good}", "--set", "w", "--level", "ward", "--code-field", "x"], "no column x"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run: Any, tmp_path: Any, arguments: Any, words: Any) -> None:
    (tmp_path / "bad.geojson").write_text("not a map")
    good = wards_file(tmp_path)
    filled = [word.format(bad=tmp_path / "bad.geojson", good=good) for word in arguments]
    code, out, err = run("boundaries", "import", *filled)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("safer-places: ")
    assert len(err.splitlines()) == 1


def test_list_command_shows_the_sets(run: Any, make_settings: Any, tmp_path: Any) -> None:
    code, out, _ = run("boundaries", "list", mode="demo")
    assert code == 0
    assert "No boundary sets yet" in out
    core = open_core(make_settings("demo"))
    load_bundled(core)
    core.store.close()
    code, out, _ = run("boundaries", "list", mode="demo")
    assert code == 0
    for word in ("wards-2022", "wards-2002", "lsoa-2011", "borough", "default", "approximate", "200 m"):
        assert word in out


def test_fetch_command_refuses_what_it_cannot_fetch(run: Any) -> None:
    code, out, err = run("boundaries", "fetch", "wards", "--year", 1999)
    assert (code, out) == (2, "")
    assert "known: 2022, 2023, 2024" in err
    assert len(err.splitlines()) == 1


def test_report_is_kept_with_the_set(real_core: Any, tmp_path: Any) -> None:
    bring(real_core, wards_file(tmp_path, [box(0, 0), box(0.9, 0)]))
    with real_core.store.read() as session:
        report = session.scalar(select(BoundarySet.report))
    assert (report["rows"], report["file"], report["code_field"]) == (2, "wards.geojson", "WD22CD")
    assert report["overlap_count"] == 1
    assert report["overlaps"][0]["area_gss"] == ["E05000001", "E05000002"]
    assert orjson.loads(orjson.dumps(report)) == report


@pytest.mark.realdata
def test_full_resolution_wards_come_in_by_the_command(run: Any, realdata: Any) -> None:
    """The real files: fields guessed, nothing to repair, areas as an independent reading measures them."""
    path = realdata / "boundaries" / "lewisham_wards_2022.geojson"
    code, out, err = run("boundaries", "import", path, "--set", "wards-2022", "--level", "ward")
    assert (code, err) == (0, "")
    km2 = gpd.read_file(path).to_crs("EPSG:27700").area.sum() / 1e6
    assert f"Read 19 areas, {km2:.2f} km2" in out
    assert "Code field: ward_code. Name field: ward_name." in out
    assert out.count("none") == 4  # repaired, several polygons, overlaps, gaps


@pytest.mark.postgresql
def test_sets_are_stored_read_and_replaced_on_postgresql(postgresql_core: Any, tmp_path: Any) -> None:
    sets = load_bundled(postgresql_core)
    assert [view.area_count for view in sorted(sets, key=lambda view: view.name)] == [1, 169, 18, 19]
    bundled = read_bundled(ROOT / "data" / "boundaries" / "wards-2022")
    shapes = area_shapes(postgresql_core, "wards-2022")
    assert shapely.equals_exact(shapes.geometries, bundled.geometries).all()
    assert outline(postgresql_core).area.area == pytest.approx(35.156e6, rel=1e-4)
    before = get_set(postgresql_core, "wards-2022")
    view = bring(postgresql_core, wards_file(tmp_path), name="wards-2022").view
    assert (view.area_count, view.is_default) == (2, True)
    assert view.id > before.id
    with postgresql_core.store.read() as session:
        assert session.scalar(select(Area.area_gss).where(Area.set_id == before.id).limit(1)) is None
