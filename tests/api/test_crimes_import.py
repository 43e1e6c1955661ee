"""Imports: whole or not at all, whatever happens; what is held already is told; archive and API never mix."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pyarrow.parquet as pq
import pytest

from geo.errors import CrimeFileError
from service.core import Core, open_core
from service.crimes import lake
from service.crimes.workflow import import_files, months_held, rejoin_crimes, summary
from service.errors import ConflictError, InvalidInputError
from service.jobs.context import JobCancelledError, Silent
from service.settings import Settings
from tests.support.police import BTP, WARDS, Row, import_squares, lonlat, scattered, street_csv

Command = Callable[..., tuple[int, str, str]]


def files_of(core: Core) -> list[Path]:
    """Files of the lake, and nothing else that an import may leave."""
    return sorted(path for path in (core.settings.data_dir / "crimes").rglob("*") if path.is_file())


def lake_files(core: Core) -> list[str]:
    folder = core.settings.data_dir / "crimes"
    return [str(path.relative_to(folder)) for path in files_of(core) if path.name != "import.lock"]


def held(core: Core) -> dict[tuple[str, str], tuple[int, str]]:
    return {
        (force.force, month.month): (month.rows, month.digest)
        for force in months_held(core).forces
        for month in force.months
    }


def write(folder: Path, rows: list[Row], name: str = "crimes.csv", more: tuple[str, ...] = ()) -> Path:
    path = folder / name
    path.write_bytes(street_csv(rows, more=more))
    return path


@pytest.mark.requirement("P6")
def test_crime_type_that_is_not_known_is_kept_as_named_and_told(real_core: Core, tmp_path: Path) -> None:
    path = write(tmp_path, scattered(20, seed=1))
    text = path.read_text(encoding="utf-8").splitlines()
    cells = text[1].split(",")
    cells[9] = "Witchcraft"
    path.write_text("\n".join([text[0], ",".join(cells), *text[2:], ""]), encoding="utf-8")
    assert import_files(real_core, [path]).new_types == {"witchcraft": 1}


def test_file_is_geoparquet_that_geopandas_reads_and_named_by_its_digest(real_core: Core, tmp_path: Path) -> None:
    rows = scattered(500, seed=1)
    import_files(real_core, [write(tmp_path, rows)])
    (name,) = lake_files(real_core)
    path = real_core.settings.data_dir / "crimes" / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert name == f"metropolitan/2018-06-{digest}.parquet"
    assert held(real_core) == {("metropolitan", "2018-06"): (500, digest)}
    frame = gpd.read_parquet(path)
    assert frame.crs == "EPSG:4326"
    assert (frame.geometry.x.tolist(), frame.geometry.y.tolist()) == (
        frame["longitude"].tolist(),
        frame["latitude"].tolist(),
    )
    assert frame["source_row"].tolist() == list(range(2, 502))
    assert frame["crime_id"].isna().sum() == sum(row.kind.startswith("Anti") for row in rows)
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert geo["columns"]["geometry"]["bbox"] == pytest.approx(frame.total_bounds.tolist())
    assert geo["columns"]["geometry"]["geometry_types"] == ["Point"]


def test_same_bytes_again_are_a_no_op_that_says_so(real_core: Core, tmp_path: Path) -> None:
    path = write(tmp_path, [Row(537_500, 174_500)])
    assert [key.change for key in import_files(real_core, [path]).keys] == ["new"]
    before = [(file, file.stat().st_mtime_ns) for file in files_of(real_core) if file.suffix == ".parquet"]
    again = import_files(real_core, [path])
    assert again.is_unchanged
    assert before == [(file, file.stat().st_mtime_ns) for file in files_of(real_core) if file.suffix == ".parquet"]
    # the same rows in another file are the same content
    other = write(tmp_path, [Row(537_500, 174_500)], "renamed.csv", more=("",))
    assert import_files(real_core, [other]).is_unchanged


def test_lost_or_damaged_file_is_healed_by_importing_again(real_core: Core, tmp_path: Path) -> None:
    path = write(tmp_path, [Row(537_500, 174_500)])
    import_files(real_core, [path])
    (file,) = [file for file in files_of(real_core) if file.suffix == ".parquet"]
    file.unlink()
    import_files(real_core, [path])
    assert hashlib.sha256(file.read_bytes()).hexdigest() in file.name


def test_new_rows_replace_a_month_and_the_old_file_stays_for_the_runs_that_cite_it(
    real_core: Core, tmp_path: Path
) -> None:
    import_files(real_core, [write(tmp_path, [Row(537_500, 174_500)])])
    old = lake_files(real_core)
    report = import_files(real_core, [write(tmp_path, [Row(537_500, 174_500)] * 2)])
    assert [key.change for key in report.keys] == ["replaced"]
    assert set(old) < set(lake_files(real_core))
    import_files(real_core, [write(tmp_path, [Row(537_500, 174_500)] * 3)])  # its sweep keeps what tables name
    assert set(old) < set(lake_files(real_core))
    assert import_files(real_core, [write(tmp_path, [Row(537_500, 174_500)])]).keys[0].change == "replaced"
    assert held(real_core)["metropolitan", "2018-06"][0] == 1


def test_rejected_lines_are_in_a_report_without_their_content(real_core: Core, tmp_path: Path) -> None:
    lon, lat = lonlat(537_500, 174_500)
    more = (
        f"x,2018-06,{BTP},{BTP},,,No Location,,,Drugs,,",
        f"secret,June,{BTP},{BTP},{lon},{lat},On or near Secret Road,,,Drugs,,",
        "1,2",
    )
    report = import_files(real_core, [write(tmp_path, [Row(537_500, 174_500)], more=more)])
    assert report.rejected == {"no location": 1, "month is not YYYY-MM": 1, "2 columns, not 12": 1}
    assert report.report is not None
    assert report.report.parent == real_core.settings.data_dir / "reports"
    with report.report.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["file", "line", "reason"],
        ["crimes.csv", "3", "no location"],
        ["crimes.csv", "4", "month is not YYYY-MM"],
        ["crimes.csv", "5", "2 columns, not 12"],
    ]


def test_rejected_lines_count_with_their_month(real_core: Core, tmp_path: Path) -> None:
    more = (f"x,2018-06,{BTP},{BTP},,,No Location,,,Drugs,,",)
    rows = [Row(537_500, 174_500, by=BTP), Row(537_500, 174_500)]
    import_files(real_core, [write(tmp_path, rows, more=more)])
    rejected = {f.force: [m.rejected for m in f.months] for f in months_held(real_core).forces}
    assert rejected == {"btp": [1], "metropolitan": [0]}


def test_file_that_breaks_off_changes_nothing(real_core: Core, tmp_path: Path) -> None:
    import_files(real_core, [write(tmp_path, [Row(537_500, 174_500)])])
    before, listed = held(real_core), lake_files(real_core)
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for month in ("2018-06", "2018-07"):
            rows = scattered(3_000, seed=int(month[-2:]), month=month)
            archive.writestr(f"{month}/{month}-metropolitan-street.csv", street_csv(rows))
    data = bytearray(whole.read_bytes())
    data[len(data) * 3 // 4] ^= 0xFF  # in the second month
    broken = tmp_path / "broken.zip"
    broken.write_bytes(data)
    with pytest.raises(CrimeFileError, match="broken"):
        import_files(real_core, [broken])
    assert held(real_core) == before
    assert lake_files(real_core) == listed
    assert import_files(real_core, [whole]).rows == 6_000


def test_nothing_usable_is_an_error_that_tells_why(real_core: Core, tmp_path: Path) -> None:
    more = (f"x,2018-06,{BTP},{BTP},,,No Location,,,Drugs,,",)
    with pytest.raises(InvalidInputError, match="1 x no location"):
        import_files(real_core, [write(tmp_path, [], more=more)])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="no police file"):
        import_files(real_core, [tmp_path / "empty"])
    with pytest.raises(InvalidInputError, match="cannot be read"):
        import_files(real_core, [tmp_path / "missing.csv"])
    with pytest.raises(InvalidInputError, match="no force"):
        import_files(real_core, [write(tmp_path, [Row(1, 1)])], force="gotham")
    assert held(real_core) == {}


def test_same_month_from_two_files_would_count_twice_and_is_refused(real_core: Core, tmp_path: Path) -> None:
    first = write(tmp_path, [Row(537_500, 174_500)], "a.csv")
    second = write(tmp_path, [Row(537_600, 174_500)], "b.csv")
    with pytest.raises(ConflictError, match=r"a\.csv and b\.csv both hold metropolitan 2018-06"):
        import_files(real_core, [first, second])
    assert lake_files(real_core) == []
    third = write(tmp_path, [Row(537_500, 174_500)], "copy of a.csv")
    report = import_files(real_core, [first, third])
    assert (report.rows, report.passed_over) == (1, ["copy of a.csv (the same bytes as a.csv)"])


def api_file(folder: Path, numbers: list[int], name: str = "answer.json") -> Path:
    lon, lat = lonlat(537_500, 174_500)
    place = {"latitude": lat, "longitude": lon, "street": {"id": 1, "name": "On or near A Street"}}
    path = folder / name
    path.write_text(
        json.dumps([{"id": n, "category": "drugs", "month": "2018-06", "location": place} for n in numbers])
    )
    return path


def test_api_and_archive_rows_never_mix_in_a_month(real_core: Core, tmp_path: Path) -> None:
    answer, archive = api_file(tmp_path, [1, 2, 3]), write(tmp_path, [Row(537_500, 174_500)])
    with pytest.raises(ConflictError, match="both hold"):
        import_files(real_core, [archive, answer], force="metropolitan")
    import_files(real_core, [archive])
    with pytest.raises(ConflictError, match="--replace"):
        import_files(real_core, [answer], force="metropolitan")
    assert held(real_core)["metropolitan", "2018-06"][0] == 1
    import_files(real_core, [answer], force="metropolitan", replace=True)
    (month,) = months_held(real_core).forces[1].months  # after btp, of which nothing is held
    assert (month.rows, month.source) == (3, "api")
    with pytest.raises(ConflictError, match="--replace"):
        import_files(real_core, [archive])


def test_answers_for_several_areas_add_up(real_core: Core, tmp_path: Path) -> None:
    answers = [api_file(tmp_path, [1, 2], "a.json"), api_file(tmp_path, [2, 3, 4], "b.json")]
    report = import_files(real_core, answers, force="kent")
    assert (report.rows, report.rejected) == (4, {"the same API record was read before": 1})


def test_folder_gives_its_street_files_and_names_the_others(real_core: Core, tmp_path: Path) -> None:
    folder = tmp_path / "2018-06"
    folder.mkdir()
    write(folder, [Row(537_500, 174_500)], "2018-06-metropolitan-street.csv")
    (folder / "2018-06-metropolitan-outcomes.csv").write_text("Crime ID\n")
    report = import_files(real_core, [tmp_path / "2018-06"])
    assert (report.rows, report.passed_over) == (1, ["2018-06-metropolitan-outcomes.csv"])


def test_demo_marks_its_crimes_as_sample(demo_core: Core, tmp_path: Path) -> None:
    import_squares(demo_core, tmp_path, "wards", "ward", WARDS)
    import_files(demo_core, [write(tmp_path, [Row(537_500, 174_500)])])
    rejoin_crimes(demo_core, "wards", Silent())
    given = summary(demo_core, "wards").provenance
    assert given.is_sample
    assert given.caveats[0].startswith("Sample data")


def test_second_import_at_the_same_time_is_refused(real_core: Core, tmp_path: Path) -> None:
    path = write(tmp_path, [Row(537_500, 174_500)])
    with (
        lake.import_lock(real_core.settings.data_dir / "crimes"),
        pytest.raises(ConflictError, match="Another import"),
    ):
        import_files(real_core, [path])
    assert import_files(real_core, [path]).rows == 1


def test_cancelled_import_changes_nothing(real_core: Core, tmp_path: Path) -> None:
    class Cancel:
        def progress(self, fraction: float, message: str = "") -> None:
            assert message
            if fraction > 0.5:
                raise JobCancelledError

    paths = [write(tmp_path, [Row(537_500, 174_500, month=m)], f"{m}.csv") for m in ("2018-05", "2018-06", "2018-07")]
    with pytest.raises(JobCancelledError):
        import_files(real_core, paths, job=Cancel())
    assert (held(real_core), lake_files(real_core)) == ({}, [])


def test_many_open_months_are_closed_and_joined_again(
    real_core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 12 months row by row in turn: with room for 3 open files and 40 waiting rows every month is written in parts
    months = [f"2018-{number:02d}" for number in range(1, 13)]
    rows = [Row(537_500 + i, 174_500, month=months[i % 12]) for i in range(1_200)]
    path = write(tmp_path, rows)
    monkeypatch.setattr("geo.crimes.street_csv.read_street_csv.__kwdefaults__", {"block_bytes": 4_000, "month": None})
    monkeypatch.setattr(lake, "OPEN_FILES", 3)
    monkeypatch.setattr(lake, "BUFFER_ROWS", 40)
    import_files(real_core, [path])
    for month in months:
        (file,) = [file for file in files_of(real_core) if file.name.startswith(month)]
        frame = gpd.read_parquet(file)
        first = months.index(month)
        assert sorted(frame["source_row"]) == [first + 2 + 12 * turn for turn in range(100)]
        assert hashlib.sha256(file.read_bytes()).hexdigest() in file.name


def test_readers_see_the_old_or_the_new_month_never_a_mixture(real_core: Core, tmp_path: Path) -> None:
    import_squares(real_core, tmp_path, "wards", "ward", WARDS)
    old = [Row(537_500, 174_500, month=month) for month in ("2018-05", "2018-06")]
    new = [Row(538_500, 174_500, month=row.month) for row in old] * 2
    import_files(real_core, [write(tmp_path, old)])
    rejoin_crimes(real_core, "wards", Silent())
    path = write(tmp_path, new, "new.csv")
    seen, stop = set(), threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.add(tuple(area.polygon for area in summary(real_core, "wards").areas))

    thread = threading.Thread(target=look)
    thread.start()
    import_files(real_core, [path])
    time.sleep(0.1)
    stop.set()
    thread.join()
    assert (0, 4) in seen
    assert seen <= {(2, 0), (0, 4)}


# --- killed ----------------------------------------------------------------------------------------------------------

KILLER = """
import os, pathlib, signal, sys
import service.crimes.importing as importing
from service.crimes.lake import LakeWriter

where, at, after = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "after"
owner = {"fsync": os, "replace": pathlib.Path, "_swap": importing, "add": LakeWriter, "finish": LakeWriter}[where]
original, calls = getattr(owner, where), 0

def wrapper(*args, **options):
    global calls
    calls += 1
    if calls == at and not after:
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*args, **options)
    if calls == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(owner, where, wrapper)
sys.argv = ["safer-places", "crimes", "import", *sys.argv[4:]]
from service.cli import main
main()
"""


def run_and_kill(settings: Settings, path: Path, where: str, at: int, when: str) -> int:
    environment = os.environ | {"SAFER_PLACES_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-c", KILLER, where, str(at), when, str(path)]
    return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "at", "when"),
    [
        ("add", 2, "before"),  # in the middle of reading
        ("fsync", 1, "before"),  # the first file is written but not on disk
        ("fsync", 2, "after"),
        ("replace", 1, "before"),
        ("replace", 2, "before"),  # the first file is in its place, no table names it
        ("finish", 1, "after"),  # every file is in its place, no table names one
        ("_swap", 1, "before"),
        ("_swap", 1, "after"),  # in the transaction, before its commit
    ],
)
def test_import_killed_anywhere_leaves_the_old_months_whole(
    make_settings: Callable[..., Settings], tmp_path: Path, where: str, at: int, when: str
) -> None:
    settings = make_settings("real")
    months = ("2018-05", "2018-06")
    old = write(tmp_path, [row for m in months for row in scattered(50, seed=1, month=m)], "old.csv")
    new = write(tmp_path, [row for m in months for row in scattered(60, seed=2, month=m)], "new.csv")
    core = open_core(settings)
    import_files(core, [old])
    before = held(core)
    core.store.close()
    assert run_and_kill(settings, new, where, at, when) == -9
    core = open_core(settings)
    assert held(core) == before
    for force, month in before:
        digest = before[force, month][1]
        file = settings.data_dir / "crimes" / force / f"{month}-{digest}.parquet"
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    report = import_files(core, [new])
    assert [(key.rows, key.change) for key in report.keys] == [(60, "replaced")] * 2
    # nothing of the killed import is left: the two old files and the two new ones
    assert len(lake_files(core)) == 4
    assert not list((settings.data_dir / "crimes").glob("tmp-*"))
    core.store.close()


def test_kill_helper_without_a_kill_imports(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    settings = make_settings("real")
    path = write(tmp_path, [Row(537_500, 174_500)])
    assert run_and_kill(settings, path, "fsync", 999, "before") == 0
    core = open_core(settings)
    assert held(core)["metropolitan", "2018-06"][0] == 1
    core.store.close()


# --- command line ----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process; return exit code, output and error output."""
    from service.cli import main

    monkeypatch.setenv("SAFER_PLACES_DATA_DIR", str(make_settings("real").data_dir))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["safer-places", "crimes", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        output = capsys.readouterr()
        return int(ended.value.code or 0), output.out, output.err

    return run


def test_command_tells_each_month_the_report_and_the_rate(command: Command, tmp_path: Path) -> None:
    path = write(tmp_path, [Row(537_500, 174_500)], more=(f"x,2018-06,{BTP},{BTP},,,,,,Drugs,,",))
    code, out, err = command("import", str(path))
    assert (code, err) == (0, "")
    assert "2018-06  metropolitan" in out
    assert "Rejected: 1 x no location." in out
    assert "/reports/crimes-" in out
    assert "rows a second" in out
    code, out, _ = command("import", str(path))
    assert (code, "held already" in out) == (0, True)
    _, out, _ = command("list")
    assert "Metropolitan Police Service (metropolitan): 1 months, 1 crimes; missing: none." in out


@pytest.mark.parametrize("name", ["missing.csv", "text.csv", "answer.json"])
def test_unusable_input_is_one_line_and_exit_code_2(command: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "text.csv").write_text("hello\n")
    (tmp_path / "answer.json").write_text("[]")
    code, _, err = command("import", str(tmp_path / name))
    assert code == 2
    assert err.startswith("safer-places: ")
    assert err.count("\n") == 1
