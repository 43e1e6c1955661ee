"""Runs of recorded crime: what is found, how it is recorded, that it repeats, and who may see it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from math import erfc, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient
from sqlalchemy import delete, select
from typer.testing import CliRunner

from geo import crs
from service.app import create_app
from service.cli import app as cli
from service.core import Core, initialise, open_core
from service.errors import InvalidInputError, NotFoundError, UnavailableError
from service.jobs.context import Silent
from service.jobs.models import Job
from service.jobs.workflow import enqueue, run_all
from service.runs.models import Run
from service.runs.store import cited_digests
from service.runs.workflow import (
    cells_of,
    current_run,
    get_run,
    hotspots_of,
    list_runs,
    repeat_run,
    run_density,
    run_hotspots,
)
from service.settings import Settings
from tests.conftest import ASSESSMENT, add_staff, bearer
from tests.support import crime_square as square

JOB = Silent()
MISSING = "2017-03"
HELD = [month for month in square.MONTHS if month != MISSING]  # 13 months, from 2016-11 to 2017-12


@pytest.fixture(scope="session")
def stocked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a real deployment with the square borough and thirteen months."""
    folder = tmp_path_factory.mktemp("stocked")
    settings = Settings(data_dir=folder / "data")
    initialise(settings, "real")
    add_staff(settings)
    core = open_core(settings)
    square.import_borough(core, folder)
    square.import_months(core, folder / "files", HELD)
    core.store.write(lambda session: session.execute(delete(Job)))  # each test queues what it looks at
    core.store.close()
    return folder / "data"


@pytest.fixture
def stocked_settings(stocked_folder: Path, tmp_path: Path) -> Settings:
    shutil.copytree(stocked_folder, tmp_path / "stocked")
    return Settings(data_dir=tmp_path / "stocked", worker=False, **ASSESSMENT)


@pytest.fixture
def core(stocked_settings: Settings) -> Iterator[Core]:
    opened = open_core(stocked_settings)
    yield opened
    opened.store.close()


def run(core: Core, **parameters: Any) -> uuid.UUID:
    return uuid.UUID(run_hotspots(core, parameters, JOB)["run"])


def significant_cells(counts: Any) -> tuple[Any, Any]:
    """Gi* cell by cell as Ord and Getis (1995) write it, and Benjamini and Hochberg's adjusted p; 95 % and above."""
    side, n = counts.shape[0], counts.size
    values = counts.ravel().astype(float)
    row, column = np.divmod(np.arange(n), side)
    p = np.empty(n)
    for at in range(n):
        near = (abs(row - row[at]) <= 1) & (abs(column - column[at]) <= 1)  # the cell itself among them
        w = near.sum()
        spread = values.std() * np.sqrt((n * w - w**2) / (n - 1))
        z = (values[near].sum() - values.mean() * w) / spread
        p[at] = erfc(z / sqrt(2)) / 2
    order = np.argsort(p)
    adjusted = np.empty(n)
    adjusted[order] = np.minimum.accumulate((p[order] * n / np.arange(1, n + 1))[::-1])[::-1]
    return (adjusted <= 0.05).reshape(counts.shape), adjusted.reshape(counts.shape)


@pytest.mark.requirement("P8")
def test_run_finds_the_block_as_the_formula_says(core: Core) -> None:
    result = run_hotspots(core, {}, JOB)
    (spot,) = hotspots_of(core, uuid.UUID(result["run"]))
    counts = square.counts(12)
    hot, adjusted = significant_cells(counts)
    assert hot.sum() == 21  # the block of nine, and the ring around it without its corners, which touch one hot cell
    assert (spot.rank, spot.cells, spot.count) == (1, 21, counts[hot].sum())
    assert spot.area_km2 == pytest.approx(21 * 0.25 * 0.25, rel=1e-12)
    assert spot.p_adjusted == pytest.approx(adjusted.min(), rel=1e-9, abs=1e-300)
    assert spot.top == [
        {"category": "robbery", "count": 9 * 20 * 12},
        {"category": "anti-social-behaviour", "count": 21 * 12},
    ]
    # columns and rows 7 to 11 of 250 m, to the centimetre after the way to degrees and back
    there = shapely.bounds(crs.geometry_to_metric(spot.geometry))
    assert there == pytest.approx([536_750, 171_750, 538_000, 173_000], abs=0.01)


@pytest.mark.requirement("P4")
def test_run_takes_the_newest_twelve_months_held_and_names_the_missing_one(core: Core) -> None:
    result = run_hotspots(core, {}, JOB)
    found = get_run(core, uuid.UUID(result["run"]))
    assert found.parameters["months"] == HELD[1:]  # 2016-12 to 2017-12 without 2017-03: twelve
    assert found.summary["missing_months"] == result["missing_months"] == [MISSING]
    assert found.summary["points"] == 12 * (400 + 9 * 20)
    assert found.summary["cells"] == found.summary["cells_that_can_hold_a_point"] == 400
    assert any(MISSING in sentence for sentence in found.caveats)


@pytest.mark.requirement("P4")
def test_months_of_another_force_that_are_missing_are_named(core: Core, tmp_path: Path) -> None:
    square.import_months(core, tmp_path, ["2017-11"], force="btp", more=0)
    found = get_run(core, run(core))
    gaps = {(gap["force"], gap["month"]) for gap in found.summary["gaps"]}
    assert gaps == {("btp", month) for month in HELD[1:] if month != "2017-11"}
    assert len([file for file in found.inputs["crime_files"] if file["force"] == "btp"]) == 1
    assert "Forces not held in months counted: British Transport Police (11 of 12)." in found.caveats


def test_run_records_what_decides_its_digits(core: Core) -> None:
    found = get_run(core, run(core, categories=["robbery"], seed=7))
    assert found.parameters == {
        "categories": ["robbery"],
        "cell_size_m": 250.0,
        "least_confidence": 95,
        "permutations": 999,
        "seed": 7,
        "months": HELD[1:],
    }
    assert len(found.inputs["crime_files"]) == 12
    assert found.code_version.startswith("0.1.0+geo.")
    assert found.summary["points"] == 12 * 9 * 20
    assert found.summary["cells_that_can_hold_a_point"] == 9


def test_cells_are_on_disk_and_read_back(core: Core) -> None:
    run_id = run(core)
    cells = cells_of(core, run_id)
    assert len(cells) == 400
    assert set(cells.values) == {"count", "gi_star", "p_value", "p_adjusted", "p_permutation", "confidence"}
    assert np.array_equal(cells.values["count"].reshape(20, 20), square.counts(12))
    assert (cells.west.min(), cells.south.max(), cells.cell_size_m) == (535_000, 174_750, 250)
    names = sorted(path.name for path in (core.settings.data_dir / "runs").iterdir())
    assert names == sorted([f"{run_id}.parquet", "outlines"])


def test_density_is_the_direct_sum(core: Core) -> None:
    result = run_density(core, {"start": "2017-05", "end": "2017-06"}, JOB)
    cells = cells_of(core, uuid.UUID(result["run"]))
    x, y = cells.west + 125, cells.south + 125
    weight = square.counts(2).ravel()
    u2 = ((x[:, None] - x) ** 2 + (y[:, None] - y) ** 2) / 300.0**2
    kernel = np.where(u2 < 1, 3 / (np.pi * 300.0**2) * (1 - u2) ** 2, 0)
    # points went to degrees of 8 decimals and back: a millimetre in 300 m
    assert cells.values["density"] == pytest.approx(kernel @ weight * 1e6 / 2, rel=1e-5)
    assert get_run(core, uuid.UUID(result["run"])).parameters["bandwidth_m"] == 300.0


@pytest.mark.parametrize("kind", ["hotspots", "density"])
def test_run_repeats_to_the_digit(core: Core, kind: str) -> None:
    start = run_hotspots if kind == "hotspots" else run_density
    run_id = uuid.UUID(start(core, {}, JOB)["run"])
    again = repeat_run(core, run_id)
    assert again.is_same
    assert again.digest == get_run(core, run_id).result_digest
    assert again.code == again.stored_code


def test_run_repeats_after_a_month_and_the_borough_were_replaced(core: Core, tmp_path: Path) -> None:
    run_id = run(core)
    square.import_months(core, tmp_path / "new", ["2017-12"], more=200)  # the manifest names another file from now on
    smaller = shapely.box(square.WEST + 1, square.SOUTH + 1, square.WEST + 3000, square.SOUTH + 3000)
    core.store.write(lambda session: replace_area(session, smaller))
    core.cache._values.clear()
    other = run(core)
    assert get_run(core, other).result_digest != get_run(core, run_id).result_digest
    assert get_run(core, other).summary["cells"] == 144
    assert repeat_run(core, run_id).is_same
    assert repeat_run(core, other).is_same


def replace_area(session: Any, metric: Any) -> None:
    from service.areas.models import Area, BoundarySet

    session.scalars(select(Area)).one().geometry = shapely.to_wkb(crs.geometry_to_wgs84(metric))
    session.scalars(select(BoundarySet)).one().digest = "0" * 64


def test_files_that_a_run_cites_outlive_the_next_import(core: Core, tmp_path: Path) -> None:
    run(core)
    square.import_months(core, tmp_path / "a", ["2017-12"], more=3)
    square.import_months(core, tmp_path / "b", ["2017-11"], more=3)  # an import sweeps what no table names
    with core.store.read() as session:
        cited = cited_digests(session)
    kept = {path.stem.split("-", 2)[2] for path in (core.settings.data_dir / "crimes").glob("*/*.parquet")}
    assert len(cited) == 12
    assert cited <= kept


def test_missing_or_damaged_inputs_are_told(core: Core) -> None:
    run_id = run(core)
    (outline,) = (core.settings.data_dir / "runs" / "outlines").iterdir()
    outline.write_bytes(outline.read_bytes()[:-1])
    with pytest.raises(UnavailableError, match="outline"):
        repeat_run(core, run_id)
    (core.settings.data_dir / "runs" / f"{run_id}.parquet").unlink()
    with pytest.raises(UnavailableError, match="backup"):
        cells_of(core, run_id)
    with pytest.raises(NotFoundError):
        repeat_run(core, uuid.uuid4())


def test_newest_run_is_current_and_the_older_ones_stay(core: Core) -> None:
    assert current_run(core, "hotspots") is None
    first, second = run(core), run(core, categories=["robbery"])
    aside = run(core, make_current=False)
    now = current_run(core, "hotspots")
    assert now is not None
    assert now.id == second
    assert [found.id for found in list_runs(core)] == [aside, second, first]
    assert len(hotspots_of(core, first)) == 1


@pytest.mark.requirement("P4")
def test_too_few_months_are_refused_and_skipped_where_automatic(core: Core) -> None:
    with pytest.raises(InvalidInputError, match="10 months of crime are held between 2017-01 and 2017-11"):
        run_hotspots(core, {"start": "2017-01", "end": "2017-11"}, JOB)
    skipped = run_hotspots(core, {"end": "2017-01", "automatic": True}, JOB)
    assert "3 months" in skipped["skipped"]
    with core.store.read() as session:
        assert session.scalars(select(Run)).all() == []


def test_category_that_nobody_reported_is_told(core: Core) -> None:
    with pytest.raises(InvalidInputError, match="No crime of these months and categories"):
        run_hotspots(core, {"categories": ["drugs"]}, JOB)


def test_run_of_a_job_is_joined_to_the_places(core: Core) -> None:
    core.store.write(lambda session: enqueue(session, "hotspots", {}))
    outcomes = run_all(core)
    done = [(outcome.lease.kind, outcome.status) for outcome in outcomes if "join_" not in outcome.lease.kind]
    assert done == [("hotspots", "done")]
    with core.store.read() as session:
        joins = session.scalars(select(Job).where(Job.kind == "join_hotspots")).all()
    current = current_run(core, "hotspots")
    assert current is not None
    assert [(join.status, join.parameters["run"]) for join in joins] == [("done", str(current.id))]


# the API


@pytest.fixture
def client(stocked_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(stocked_settings)) as opened:
        yield opened


def post(client: TestClient, body: dict[str, Any], role: str = "planner") -> Any:
    return client.post("/api/v1/runs", json=body, headers=bearer(role))


def test_api_starts_a_run_as_a_job_and_gives_its_hotspots(client: TestClient) -> None:
    answer = post(client, {"kind": "hotspots", "parameters": {"from": "2016-11", "to": "2017-12"}})
    assert answer.status_code == 202
    assert answer.json()["status"] == "queued"
    run_all(client.app.state.core)  # type: ignore[attr-defined]
    job = client.get(answer.headers["location"], headers=bearer("planner")).json()
    assert (job["status"], job["result"]["months"]) == ("done", 13)
    found = client.get("/api/v1/hotspots?run=current", headers=bearer("youth_worker")).json()
    assert found["run"] == job["result"]["run"]
    (feature,) = found["features"]
    assert feature["geometry"]["type"] == "Polygon"
    # 21 cells, nine of them with 20 robberies more a month
    assert feature["properties"]["count"] == 13 * (21 + 9 * 20)
    assert feature["properties"]["count_per_month"] == 21 + 9 * 20
    by_id = client.get(f"/api/v1/runs/{found['run']}", headers=bearer("admin")).json()
    assert by_id["is_current"]
    listed = client.get("/api/v1/runs?kind=density", headers=bearer("planner")).json()
    assert listed == {"runs": []}


def test_marks_before_and_after_the_run_know_their_hot_spot(client: TestClient) -> None:
    """The middle of the block, and a point 500 m east of its hot spot, which ends at 538,000 m in that row."""

    def put(x: float) -> str:
        (longitude,), (latitude,) = crs.to_wgs84_xy(x, 172_375)
        feature = {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
            "properties": {"kind": "point", "feeling": "unsafe", "times": ["night"], "reasons": ["groups"]},
        }
        answer = client.post("/api/v1/places", json=feature, headers=bearer("youth_worker"))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["place"]["id"])

    def hotspot(place_id: str) -> dict[str, Any]:
        found = client.get(f"/api/v1/places/{place_id}", headers=bearer("moderator")).json()
        return dict(found["properties"]["hotspot"])

    early = put(537_375), put(538_500)
    post(client, {"kind": "hotspots"})
    run_all(client.app.state.core)  # type: ignore[attr-defined]
    for inside, beside in (early, (put(537_375), put(538_500))):
        assert (hotspot(inside)["rank"], hotspot(inside)["distance_m"]) == (1, 0)
        assert (hotspot(beside)["rank"], hotspot(beside)["nearest_rank"]) == (None, 1)
        assert hotspot(beside)["distance_m"] == pytest.approx(500, abs=0.02)


@pytest.mark.requirement("P1", "P7", "P8", "P9")
def test_api_says_method_period_source_and_caveats_beside_the_hotspots(client: TestClient) -> None:
    run_hotspots(client.app.state.core, {}, JOB)  # type: ignore[attr-defined]
    found = client.get("/api/v1/hotspots", headers=bearer("planner")).json()
    assert "Getis-Ord Gi*" in found["method"]
    assert "FDR" in found["method"]
    assert (found["period"]["from"], found["period"]["to"]) == ("2016-12", "2017-12")
    assert found["period"]["missing_months"] == [MISSING]
    wanted = "in the layout of" if found["is_sample"] else "Open Government Licence v3.0"
    assert wanted in found["source"]
    cells, able = found["cells"], found["cells_that_can_hold_a_point"]
    told = "every cell can hold one" if able == cells else f"{cells - able:,} of {cells:,} cells cannot hold one"
    assert told in " ".join(found["caveats"])
    words = " ".join(found["caveats"])
    assert "Reported to the police" in words
    assert "not to be published" in words
    assert "real crime" not in words
    assert "perceived" not in words
    assert 0 <= found["features"][0]["properties"]["p_adjusted"] < 0.05


@pytest.mark.requirement("X2", "P8")
def test_hotspots_of_a_real_deployment_are_not_public(client: TestClient) -> None:
    run_hotspots(client.app.state.core, {}, JOB)  # type: ignore[attr-defined]
    for path in ("/api/v1/hotspots", "/api/v1/runs", f"/api/v1/runs/{uuid.uuid4()}"):
        assert client.get(path).status_code == 401
    assert client.post("/api/v1/runs", json={"kind": "hotspots"}).status_code == 401
    assert post(client, {"kind": "hotspots"}, "youth_worker").status_code == 403


def test_api_refuses_what_cannot_be_run(client: TestClient) -> None:
    for parameters in (
        {"from": "2017-13"},
        {"from": "2017-06", "to": "2017-05"},
        {"from": "2017-06", "to": "2017-08"},  # three months
        {"cell_size_m": 100},  # P1
        {"bandwidth_m": 300},  # an option of another kind
        {"categories": ["<script>"]},
        {"permutations": 10},
    ):
        answer = post(client, {"kind": "hotspots", "parameters": parameters})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input"), parameters
    assert post(client, {"kind": "heat"}).status_code == 422
    with client.app.state.core.store.read() as session:  # type: ignore[attr-defined]
        assert session.scalars(select(Job).where(Job.kind == "hotspots")).all() == []


def test_api_says_which_run_there_is_not(client: TestClient) -> None:
    headers = bearer("planner")
    density = run_density(client.app.state.core, {}, JOB)["run"]  # type: ignore[attr-defined]
    for which, status in (("current", 404), (str(uuid.uuid4()), 404), (density, 404), ("newest", 422)):
        assert client.get(f"/api/v1/hotspots?run={which}", headers=headers).status_code == status


# the command line


def test_cli_runs_repeats_and_lists(core: Core) -> None:
    environment = {"SAFER_PLACES_DATA_DIR": str(core.settings.data_dir), "COLUMNS": "200"}
    runner = CliRunner(env=environment)
    ran = runner.invoke(cli, ["run", "hotspots", "--category", "robbery", "--to", "2017-12"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    current = current_run(core, "hotspots")
    assert current is not None
    assert f"Run {current.id}: 12 months, 1 hot spots. Missing: 2017-03." in ran.stdout
    repeated = runner.invoke(cli, ["run", "repeat", str(current.id)], catch_exceptions=False)
    assert repeated.stdout.startswith("The same to the digit: ")
    listed = runner.invoke(cli, ["run", "list"], catch_exceptions=False)
    assert str(current.id) in listed.stdout
    few = runner.invoke(cli, ["run", "hotspots", "--from", "2017-11"])
    assert isinstance(few.exception, InvalidInputError)
    wrong = runner.invoke(cli, ["run", "density", "--from", "yesterday"])
    assert str(wrong.exception).startswith("--from is not a month.")


def test_repeat_by_other_code_says_so(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = run(core)
    monkeypatch.setattr("service.runs.analysis.code_version", lambda: "0.1.0+geo.changed")
    again = repeat_run(core, run_id)
    assert again.is_same
    assert (again.code, again.stored_code != again.code) == ("0.1.0+geo.changed", True)


def test_demo_is_called_sample(demo_core: Core, tmp_path: Path) -> None:
    square.import_borough(demo_core, tmp_path)
    square.import_months(demo_core, tmp_path / "files", HELD)
    found = get_run(demo_core, run(demo_core))
    assert found.is_sample
    assert found.caveats[0].startswith("Sample data")


@pytest.mark.postgresql
def test_run_is_the_same_on_postgresql(postgresql_core: Core, core: Core, tmp_path: Path) -> None:
    square.import_borough(postgresql_core, tmp_path)
    square.import_months(postgresql_core, tmp_path / "files", HELD)
    here, there = run(core), run(postgresql_core)
    assert get_run(postgresql_core, there).result_digest == get_run(core, here).result_digest
    assert hotspots_of(postgresql_core, there)[0].geometry.equals_exact(hotspots_of(core, here)[0].geometry, 0)
    assert [outcome.status for outcome in run_all(postgresql_core)].count("failed") == 0
    assert repeat_run(postgresql_core, there).is_same


def test_no_import_of_a_subject_makes_the_web_start_heavy(make_settings: Callable[..., Settings]) -> None:
    import subprocess
    import sys

    heavy = ("geopandas", "folium", "scipy", "pandas")
    code = f"import sys, service.runs.router, service.runs.cli; print([n for n in {heavy} if n in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.strip() == "[]"
