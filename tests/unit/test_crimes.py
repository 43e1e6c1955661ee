"""Police files: every line is a crime or a rejected line with its number; nothing is dropped, nothing is invented."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from geo import crimes
from geo.crimes.chunks import (
    ALREADY_READ,
    BLANK_LINE,
    NO_CATEGORY,
    NO_FORCE,
    NO_LOCATION,
    NO_MONTH,
    NOT_A_NUMBER,
    NOT_A_RECORD,
    NOT_TEXT,
    OTHER_MONTH,
    OUTSIDE_COUNTRY,
    SWAPPED,
)
from geo.crimes.source import Source
from geo.crimes.street_csv import read_street_csv
from geo.errors import CrimeFileError, MethodError

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
MET = "Metropolitan Police Service"


def line(
    crime_id: str = "",
    month: str = "2018-06",
    by: str = MET,
    lon: str = "-0.011414",
    lat: str = "51.466797",
    location: str = "On or near Lewisham Road",
    kind: str = "Robbery",
) -> str:
    return f"{crime_id},{month},{by},{by},{lon},{lat},{location},E01003189,Lewisham 001A,{kind},,"


def varied(n_rows: int) -> bytes:
    """Rows that do not compress to nothing: each with an id of its own, as the police's are."""
    return csv_of(*[line(crime_id=hashlib.sha256(str(i).encode()).hexdigest()) for i in range(n_rows)])


def csv_of(*lines: str, end: str = "\n") -> bytes:
    return end.join([HEADER, *lines, ""]).encode()


def read(path: Path, **options: Any) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    chunks = list(crimes.read_crimes(path, **options))
    rows = [row for chunk in chunks for row in chunk.rows.to_pylist()]
    return rows, [row[:2] for chunk in chunks for row in chunk.rejected]


def write(folder: Path, data: bytes, name: str = "crimes.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_row_of_the_police_layout_becomes_a_crime_of_the_schema(tmp_path: Path) -> None:
    path = write(tmp_path, csv_of(line(crime_id="ab12", kind="Violence and sexual offences")))
    chunks = list(crimes.read_crimes(path))
    assert chunks[0].rows.schema == crimes.SCHEMA
    assert chunks[0].rows.to_pylist() == [
        {
            "month": "2018-06",
            "force": "metropolitan",
            "category": "violent-crime",
            "longitude": -0.011414,
            "latitude": 51.466797,
            "lsoa_gss": "E01003189",
            "location": "On or near Lewisham Road",
            "outcome": None,
            "crime_id": "ab12",
            "source_row": 2,
        }
    ]


def test_blank_and_repeated_crime_ids_all_count(tmp_path: Path) -> None:
    rows, rejected = read(write(tmp_path, csv_of(line(), line(), line(crime_id="x"), line(crime_id="x"))))
    assert [row["crime_id"] for row in rows] == [None, None, "x", "x"]
    assert rejected == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line(lon="", lat="", location="No Location"), NO_LOCATION),
        (line(lat=""), NOT_A_NUMBER),
        (line(lon="east"), NOT_A_NUMBER),
        (line(lon="nan"), NOT_A_NUMBER),
        (line(lat="inf"), NOT_A_NUMBER),
        (line(lon="1_0.5"), NOT_A_NUMBER),
        (line(lon="0", lat="0"), OUTSIDE_COUNTRY),
        (line(lon="2.35", lat="48.85"), OUTSIDE_COUNTRY),
        (line(lon="51.466797", lat="-0.011414"), SWAPPED),
        (line(month="2018-6"), NO_MONTH),
        (line(month="2018-13"), NO_MONTH),
        (line(month=""), NO_MONTH),
        (line(kind=""), NO_CATEGORY),
        (line(kind="12345"), NO_CATEGORY),
        (line(by="Gotham Police"), NO_FORCE),
        ("", BLANK_LINE),
        ("1,2,3", "3 columns, not 12"),
        (line() + ",extra", "13 columns, not 12"),
    ],
)
def test_bad_line_is_kept_with_its_number_and_reason(tmp_path: Path, bad: str, reason: str) -> None:
    rows, rejected = read(write(tmp_path, csv_of(line(), bad, line())))
    assert rejected == [(3, reason)]
    assert [row["source_row"] for row in rows] == [2, 4]


def test_rejected_line_tells_the_key_it_would_count_under(tmp_path: Path) -> None:
    path = write(tmp_path, csv_of(line(lon="", lat=""), line(by="Gotham Police"), line(month="x")))
    chunk = next(crimes.read_crimes(path))
    assert [row[2:] for row in chunk.rejected] == [
        ("metropolitan", "2018-06"),
        (None, "2018-06"),
        ("metropolitan", None),
    ]


def test_line_numbers_are_right_after_quoted_line_breaks(tmp_path: Path) -> None:
    # lines: 1 header, 2-4 one record, 5 good, 6-7 bad record, 8 good, 9 bad number, 10 good
    broken = line(location='"On\nor\nnear"')
    short = '"a\nb",2018-06'
    rows, rejected = read(write(tmp_path, csv_of(broken, line(), short, line(), line(lon="x"), line())))
    assert [row["source_row"] for row in rows] == [2, 5, 8, 10]
    assert rejected == [(6, "2 columns, not 12, up to line 7"), (9, NOT_A_NUMBER)]


@pytest.mark.parametrize("block_bytes", [300, 700, 5000])
def test_line_numbers_do_not_depend_on_the_block_size(block_bytes: int) -> None:
    lines = [line(), "short", line(location='"two\nlines"'), line(lon="x"), "", line()] * 20
    data = csv_of(*lines)

    def numbers(size: int) -> tuple[list[int], list[Any]]:
        source = Source(io.BytesIO(data), "x.csv", 10**9)
        parts = list(read_street_csv(source, force=None, block_bytes=size))
        rows = [number for rows, _ in parts for number in rows["source_row"].to_pylist()]
        return rows, [rejected for _, part in parts for rejected in part]

    good, bad = numbers(block_bytes)
    assert (good, sorted(bad)) == (numbers(1 << 20)[0], sorted(numbers(1 << 20)[1]))
    # of each round of 7 lines the 1st, 3rd and 7th begin a crime; line 1 is the header
    assert good == [2 + 7 * i + at for i in range(20) for at in (0, 2, 6)]
    assert len(bad) == 60


def test_every_line_is_a_crime_or_rejected(tmp_path: Path) -> None:
    lines = [line(), "1,2", line(lon=""), line(month="x")] * 50
    rows, rejected = read(write(tmp_path, csv_of(*lines)))
    assert sorted([row["source_row"] for row in rows] + [number for number, _ in rejected]) == list(range(2, 202))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_mark_line_ends_and_header_case_do_not_matter(tmp_path: Path, end: str, mark: bytes) -> None:
    data = mark + end.join([HEADER.upper().replace("CRIME ID", " Crime  id "), line(), line(lon="x"), ""]).encode()
    rows, rejected = read(write(tmp_path, data))
    assert [row["source_row"] for row in rows] == [2]
    assert rejected == [(3, NOT_A_NUMBER)]


def test_force_that_is_none_is_rejected_and_a_blank_one_is_told_by_the_file_name(tmp_path: Path) -> None:
    data = csv_of(line(), line(by="Ministry of Magic"), line(by=""))
    rows, rejected = read(write(tmp_path, data, "2018-06-metropolitan-street.csv"))
    assert [(row["source_row"], row["force"]) for row in rows] == [(2, "metropolitan"), (4, "metropolitan")]
    assert rejected == [(3, NO_FORCE)]


@pytest.mark.requirement("P4")
def test_stray_row_of_another_month_does_not_make_that_month_held(tmp_path: Path) -> None:
    data = csv_of(line(), line(month="2018-05"))
    rows, rejected = read(write(tmp_path, data, "2018-06-metropolitan-street.csv"))
    assert [row["month"] for row in rows] == ["2018-06"]
    assert rejected == [(3, OTHER_MONTH)]
    rows, rejected = read(write(tmp_path, data, "two-months.csv"))  # a file of another name may hold several
    assert ([row["month"] for row in rows], rejected) == (["2018-06", "2018-05"], [])


def test_columns_may_come_in_another_order_and_with_others(tmp_path: Path) -> None:
    data = b"Latitude,New,Crime type,Longitude,Month,Reported by\n51.4,x,Drugs,-0.02,2019-01,Kent Police\n"
    rows, _ = read(write(tmp_path, data))
    assert (rows[0]["latitude"], rows[0]["longitude"], rows[0]["force"]) == (51.4, -0.02, "kent")
    assert rows[0]["lsoa_gss"] is None


def test_row_that_is_not_utf8_is_rejected_alone(tmp_path: Path) -> None:
    data = csv_of(line(), line(location="CAFE"), line()).replace(b"CAFE", b"Caf\xe9")
    rows, rejected = read(write(tmp_path, data))
    assert rejected == [(3, NOT_TEXT)]
    assert len(rows) == 2


def test_file_without_last_line_break_keeps_its_last_row(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, f"{HEADER}\n{line()}".encode()))
    assert len(rows) == 1


def test_header_alone_is_no_crimes_and_no_error(tmp_path: Path) -> None:
    assert read(write(tmp_path, csv_of())) == ([], [])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"name,colour\na,b\n", "lacks month, longitude, latitude, crime type"),
        (b"Month,Reported by,Easting,Northing,Location,Crime type\n", "easting and northing"),
        ("Month,Longitude\n".encode("utf-16"), "UTF-16"),
        (b"\x00\x01\x02\xff\xfe", "not text"),
        (HEADER.replace("Context", "Month").encode(), "month more than once"),
        (b"PK\x03\x04broken", "not a whole zip"),
        (b"\x1f\x8b\x08\x00broken", "broken"),
        (gzip.compress(varied(2000))[:-2000], "broken"),
        (b'{"error": "x"}', "wanted a whole JSON array"),
        (b'[{"category": "drugs"}', "wanted a whole JSON array"),
        (b"[" + b"x" * 20_000_000, "wanted a whole JSON array"),
        (b"[" * 500_000, "wanted a whole JSON array"),
    ],
)
def test_unusable_file_is_one_clear_error(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(CrimeFileError, match=words) as caught:
        read(write(tmp_path, data), force="metropolitan")
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_folder_and_missing_file_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(CrimeFileError, match="cannot be read"):
        read(tmp_path / "missing.csv")
    with pytest.raises(CrimeFileError, match="cannot be read"):
        read(tmp_path)


def test_quote_never_closed_is_told_with_the_line(tmp_path: Path) -> None:
    lines = [line()] * 10 + [line(location='"open')] + [line()] * 20_000
    with pytest.raises(CrimeFileError, match="is a quote opened"):
        read(write(tmp_path, csv_of(*lines)))


SLOW_FILE = """
import io, time
from geo.crimes.source import Source
from geo.crimes.street_csv import read_street_csv
from geo.errors import CrimeFileError

class Slow(io.BytesIO):
    def read(self, size=-1):
        time.sleep(0.05)
        return super().read(size)

data = b'Month,Longitude,Latitude,Crime type\\n,,,"open\\n' + b"2018-01,-0.02,51.45,Drugs\\n" * 1_000_000
try:
    list(read_street_csv(Source(Slow(data), "x.csv", 10**9), force="kent"))
except CrimeFileError:
    pass
"""


def test_process_ends_in_order_after_a_broken_file_on_a_slow_disk() -> None:
    done = subprocess.run([sys.executable, "-c", SLOW_FILE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_file_of_bad_lines_only_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(CrimeFileError, match="over 100,000 lines in a row"):
        read(write(tmp_path, csv_of(line(), *["a,b,c"] * 150_000)))


@pytest.mark.slow
def test_memory_is_flat_for_a_file_ten_times_larger(tmp_path: Path) -> None:
    write(tmp_path, varied(60_000), "small.csv")  # 10 MB
    write(tmp_path, varied(600_000), "large.csv")
    program = """
import pathlib, resource, sys
from geo.crimes import partition, read_crimes
from service.crimes.lake import LakeWriter
for name in ("small", "large"):
    writer = LakeWriter(pathlib.Path(sys.argv[1]) / name)
    for chunk in read_crimes(pathlib.Path(sys.argv[1]) / f"{name}.csv"):
        for key, rows in partition([chunk.rows]):
            writer.add(key, rows)
    print(sum(file.rows for file in writer.finish()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    (small, at_small), (large, at_large) = (map(int, text.split()) for text in done.stdout.splitlines())
    assert (small, large) == (60_000, 600_000)
    # held whole, the larger file would take 90 MB more as text alone; full row groups of 65,536 rows take some
    assert at_large - at_small < 60


def test_gzip_and_its_name_give_the_same_crimes(tmp_path: Path) -> None:
    data = csv_of(line(by=""), line(by=""))
    rows, _ = read(write(tmp_path, gzip.compress(data), "2018-06-kent-street.csv.gz"))
    assert [row["force"] for row in rows] == ["kent", "kent"]


def test_force_comes_from_the_row_then_the_file_name_then_the_option(tmp_path: Path) -> None:
    data = csv_of(line(by="British Transport Police"), line(by=""))
    named, _ = read(write(tmp_path, data, "2018-06-kent-street.csv"), force="essex")
    assert [row["force"] for row in named] == ["btp", "kent"]
    plain, _ = read(write(tmp_path, data, "download.csv"), force="Essex Police")
    assert [row["force"] for row in plain] == ["btp", "essex"]
    with pytest.raises(CrimeFileError, match="no force"):
        read(write(tmp_path, data), force="gotham")


def archive(folder: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "archive.zip"
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_archive_gives_every_street_file_and_tells_what_it_passed_over(tmp_path: Path) -> None:
    path = archive(
        tmp_path,
        {
            "2018-07/2018-07-kent-street.csv": csv_of(line(month="2018-07", by="Kent Police")),
            "2018-06/2018-06-metropolitan-street.csv": csv_of(line(), line(lon="x")),
            "2018-06/2018-06-metropolitan-outcomes.csv": b"Crime ID,Month\n",
            "2018-06/2018-06-btp-stop-and-search.csv": b"Type,Date\n",
        },
    )
    chunks = list(crimes.read_crimes(path))
    assert [(c.source, c.rows.num_rows, [r[:2] for r in c.rejected]) for c in chunks[1:]] == [
        ("archive.zip/2018-06/2018-06-metropolitan-street.csv", 1, [(3, NOT_A_NUMBER)]),
        ("archive.zip/2018-07/2018-07-kent-street.csv", 1, []),
    ]
    assert chunks[0].passed_over == (
        "2018-06/2018-06-metropolitan-outcomes.csv",
        "2018-06/2018-06-btp-stop-and-search.csv",
    )


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (crimes.Limits(members=1), "holds 2 files"),
        (crimes.Limits(total_bytes=1000), "unpacks to more than 1,000 bytes"),
        (crimes.Limits(member_bytes=1000), "holds more than 1,000 bytes"),
        (crimes.Limits(ratio=2), "over 2 times its size"),
    ],
)
@pytest.mark.requirement("X6")
def test_archive_made_to_fill_the_disk_is_refused(tmp_path: Path, limits: crimes.Limits, words: str) -> None:
    data = varied(10_000)  # over 1 MB: small files are never judged by their ratio
    path = archive(tmp_path, {"a/2018-06-kent-street.csv": data, "b/2018-07-kent-street.csv": csv_of(line())})
    with pytest.raises(CrimeFileError, match=words):
        read(path, limits=limits)


@pytest.mark.requirement("X6")
def test_gzip_made_to_fill_the_disk_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(csv_of(*[line()] * 1000)), "x.csv.gz")
    with pytest.raises(CrimeFileError, match="holds more than 10,000 bytes"):
        read(path, limits=crimes.Limits(member_bytes=10_000))


@pytest.mark.requirement("X6")
def test_gzip_of_blank_lines_is_refused_before_it_fills_the_disk_with_reports(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(csv_of() + b"\n" * 3_000_000), "x.csv.gz")  # 3 MB of some 3 kB
    with pytest.raises(CrimeFileError, match="holds more than 1,048,576 bytes"):
        read(path)


def test_archive_without_street_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CrimeFileError, match="no street-level file"):
        read(archive(tmp_path, {"readme.txt": b"hello"}))


def test_archive_with_broken_member_is_an_error(tmp_path: Path) -> None:
    path = archive(tmp_path, {"2018-06-kent-street.csv": csv_of(line())}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"Robbery", b"Roxxery"))
    with pytest.raises(CrimeFileError, match="broken"):
        read(path)


def record(number: int, **change: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "category": "anti-social-behaviour",
        "location_type": "Force",
        "location": {
            "latitude": "51.466797",
            "street": {"id": 946843, "name": "On or near Lewisham Road"},
            "longitude": "-0.011414",
        },
        "context": "",
        "outcome_status": None,
        "persistent_id": "",
        "id": number,
        "location_subtype": "",
        "month": "2018-06",
    }
    return given | change


def test_api_answer_becomes_crimes_and_marks_transport_police(tmp_path: Path) -> None:
    records = [
        record(1),
        record(2, location_type="BTP", category="robbery", persistent_id="p"),
        record(3, outcome_status={"category": "Under investigation", "date": "2018-07"}),
        record(4, location=None),
        "text",
    ]
    rows, rejected = read(write(tmp_path, json.dumps(records).encode(), "x.json"), force="metropolitan")
    assert [(r["force"], r["category"], r["crime_id"], r["outcome"], r["source_row"]) for r in rows] == [
        ("metropolitan", "anti-social-behaviour", None, None, 1),
        ("btp", "robbery", "p", None, 2),
        ("metropolitan", "anti-social-behaviour", None, "Under investigation", 3),
    ]
    assert rejected == [(4, NO_LOCATION), (5, NOT_A_RECORD)]


def test_api_answer_needs_a_force(tmp_path: Path) -> None:
    with pytest.raises(CrimeFileError, match="does not tell the force"):
        read(write(tmp_path, b"[]", "x.json"))


@pytest.mark.requirement("P5")
def test_api_record_met_in_two_areas_counts_once_and_is_told(tmp_path: Path) -> None:
    seen: set[int] = set()
    first = write(tmp_path, json.dumps([record(1), record(2)]).encode(), "a.json")
    second = write(tmp_path, json.dumps([record(2), record(3)]).encode(), "b.json")
    assert len(read(first, force="kent", seen=seen)[0]) == 2
    rows, rejected = read(second, force="kent", seen=seen)
    assert ([row["source_row"] for row in rows], rejected) == ([2], [(1, ALREADY_READ)])


def test_api_record_with_half_a_character_is_rejected_alone(tmp_path: Path) -> None:
    broken = record(1, persistent_id="\ud800")  # json.dumps writes the escape, as a broken sender would
    rows, rejected = read(write(tmp_path, json.dumps([broken, record(2)]).encode()), force="metropolitan")
    assert (len(rows), rejected) == (1, [(1, NOT_TEXT)])


def test_api_records_across_read_windows_are_whole(tmp_path: Path) -> None:
    # over 2 MB in UTF-8, read by 1 MB, and no more repetitive than a file may be
    records = [record(i, context=hashlib.sha256(str(i).encode()).hexdigest() + "é" * 300) for i in range(4_000)]
    data = b"\xef\xbb\xbf" + json.dumps(records, ensure_ascii=False, indent=1).encode()
    rows, rejected = read(write(tmp_path, gzip.compress(data), "x.json.gz"), force="metropolitan")
    assert [row["source_row"] for row in rows] == list(range(1, 4_001))
    assert rejected == []


def test_partition_groups_by_force_and_month_and_keeps_order(tmp_path: Path) -> None:
    kent = "Kent Police"
    lines = [line(), line(month="2018-07"), line(by=kent), line(), line(by=kent)]
    chunks = crimes.read_crimes(write(tmp_path, csv_of(*lines)))
    parts = {key: rows["source_row"].to_pylist() for key, rows in crimes.partition(c.rows for c in chunks)}
    assert parts == {("metropolitan", "2018-06"): [2, 5], ("metropolitan", "2018-07"): [3], ("kent", "2018-06"): [4, 6]}


@pytest.mark.requirement("P6")
def test_possession_of_weapons_is_not_knife_crime() -> None:
    assert crimes.category_slug("Possession of weapons") == "possession-of-weapons"
    note = next(c.note for c in crimes.CATEGORIES if c.slug == "possession-of-weapons")
    assert "not knife crime" in note
    assert not any("knife" in c.name.lower() or "knife" in c.slug for c in crimes.CATEGORIES)


@pytest.mark.requirement("P6")
def test_every_category_name_of_the_csv_maps_to_the_slug_of_the_api() -> None:
    # left: "Crime type" of the street files; right: the API's crime-categories method
    published = {
        "Anti-social behaviour": "anti-social-behaviour",
        "Bicycle theft": "bicycle-theft",
        "Burglary": "burglary",
        "Criminal damage and arson": "criminal-damage-arson",
        "Drugs": "drugs",
        "Other crime": "other-crime",
        "Other theft": "other-theft",
        "Possession of weapons": "possession-of-weapons",
        "Public disorder and weapons": "public-disorder-weapons",
        "Public order": "public-order",
        "Robbery": "robbery",
        "Shoplifting": "shoplifting",
        "Theft from the person": "theft-from-the-person",
        "Vehicle crime": "vehicle-crime",
        "Violence and sexual offences": "violent-crime",
    }
    assert {name: crimes.category_slug(name) for name in published} == published
    assert {slug: crimes.category_slug(slug) for slug in published.values()} == {s: s for s in published.values()}
    assert all(category.note for category in crimes.CATEGORIES)


def test_all_forces_are_known_by_name_and_slug() -> None:
    assert len(crimes.FORCES) == 43 + 2  # England and Wales, transport police, Northern Ireland
    assert len({force.slug for force in crimes.FORCES}) == 45
    for force in crimes.FORCES:
        assert crimes.force_slug(force.name) == force.slug
        assert crimes.force_slug(force.slug.upper()) == force.slug
    assert crimes.force_slug("Devon and Cornwall Police") == "devon-and-cornwall"


@pytest.mark.requirement("P4")
def test_removed_month_is_missing_and_so_are_the_transport_police() -> None:
    held = [("metropolitan", "2018-04"), ("metropolitan", "2018-06"), ("btp", "2018-06")]
    assert crimes.missing_months(held, forces=["metropolitan"], first="2018-04", last="2018-06") == {
        "metropolitan": ["2018-05"],
        "btp": ["2018-04", "2018-05"],
    }
    assert crimes.missing_between(month for _, month in held) == ["2018-05"]
    assert crimes.missing_between([]) == []


def test_month_range_crosses_years_and_refuses_nonsense() -> None:
    assert crimes.month_range("2017-11", "2018-02") == ["2017-11", "2017-12", "2018-01", "2018-02"]
    assert crimes.shift_month("2018-01", -13) == "2016-12"
    with pytest.raises(MethodError, match="comes before"):
        crimes.month_range("2018-02", "2018-01")
    with pytest.raises(MethodError, match="not a month"):
        crimes.month_range("2018-2", "2018-03")
