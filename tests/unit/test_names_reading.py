"""Names from files: layouts, kinds, folding."""

from __future__ import annotations

from pathlib import Path

import pyproj
import pytest

from service.errors import InvalidInputError
from service.names.reading import FoundName, fold, read_names


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "names.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_degrees_are_read_as_they_are(tmp_path: Path) -> None:
    file = write(tmp_path, "name,kind,longitude,latitude\nLadywell Road,street,-0.0213,51.4571\n")
    assert list(read_names(file)) == [FoundName("Ladywell Road", "street", -0.0213, 51.4571)]


def test_metres_are_converted(tmp_path: Path) -> None:
    file = write(tmp_path, "name,easting,northing\nSomewhere,538000,175000\n")
    (found,) = read_names(file)
    # pyproj without the OSTN15 grid is an independent way, right to some metres
    lon, lat = pyproj.Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True).transform(538_000, 175_000)
    assert found.kind == "landmark"
    assert (found.longitude, found.latitude) == pytest.approx((lon, lat), abs=5e-5)  # degrees: 3.5 and 5.6 m


def test_open_names_rows_give_streets_and_stations_and_no_postcodes(tmp_path: Path) -> None:
    def row(name: str, broad: str, local: str) -> str:
        cells = ["osgb1", "http://id", name, "", "", "", broad, local, "538000", "175000", *[""] * 24]
        return ",".join(cells)

    rows = [
        row("Ladywell Road", "transportNetwork", "Named Road"),
        row("A2218", "transportNetwork", "Numbered Road"),
        row("SE13 7UT", "other", "Postcode"),
        row("Ladywell Station", "transportNetwork", "Railway Station"),
        row("Hilly Fields", "landcover", "Urban Greenspace"),
        row("Forest Hill", "populatedPlace", "Suburban Area"),
    ]
    found = [(name.name, name.kind) for name in read_names(write(tmp_path, "\n".join(rows)))]
    assert found == [
        ("Ladywell Road", "street"),
        ("Ladywell Station", "station"),
        ("Hilly Fields", "park"),
        ("Forest Hill", "place"),
    ]


def test_rows_without_name_kind_or_position_are_told_with_their_line(tmp_path: Path) -> None:
    rows = ["name,kind,lon,lat", ",street,0,51", "Nowhere,street,x,51", "NaN,street,nan,51", "Far,street,0,91"]
    file = write(tmp_path, "\n".join([*rows, "Here,street,0,51", "short", "Odd,castle,0,51", "", "Blank,,0,51"]) + "\n")
    told: list[tuple[int, str]] = []
    found = [one.name for one in read_names(file, refuse=lambda line, reason: told.append((line, reason)))]
    assert found == ["Here", "Blank"]
    assert {line for line, _ in told} == {2, 3, 4, 5, 7, 8}
    assert dict(told)[8].startswith("kind is none of street, station")


def test_other_columns_are_refused_with_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="wanted name, kind, and longitude and latitude"):
        list(read_names(write(tmp_path, "street,town\na,b\n")))


@pytest.mark.parametrize("make", [lambda p: p / "none.csv", lambda p: write(p, "")])
def test_missing_and_empty_files_are_refused(tmp_path: Path, make: object) -> None:
    with pytest.raises(InvalidInputError):
        list(read_names(make(tmp_path)))  # type: ignore[operator]


def test_binary_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_bytes(b"\xff\xfe\x00\x00name")
    with pytest.raises(InvalidInputError, match="UTF-8"):
        list(read_names(file))


def test_fold_forgives_accents_marks_and_short_forms() -> None:
    assert fold("Saint-Clément's  RD.") == "saint clements road"
