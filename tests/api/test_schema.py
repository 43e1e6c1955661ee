"""An empty database brought to the newest schema is what the models say, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from service.store.engine import make_engine
from service.store.migrate import is_current, upgrade
from service.tables import METADATA
from tests.support.postgresql import create_database, drop_database

# What the engines keep for themselves: the version of the schema, PostGIS's catalogue, the R*Trees of SQLite.
FOREIGN = ("alembic_version", "spatial_ref_sys")
# GiST indexes of PostGIS, which the models leave to the migration: SQLite has R*Trees in their place.
SPATIAL = ("ix_place_geometry", "ix_venue_geometry", "ix_area_geometry")


def is_ours(table: str) -> bool:
    return table not in FOREIGN and "_rtree" not in table


def differences(engine: Engine) -> list[Any]:
    """What alembic would change to make the database what the models say."""
    with engine.connect() as connection:
        options = {
            "include_object": lambda _, name, kind, *__: is_ours(name) if kind == "table" else name not in SPATIAL,
            "compare_type": False,  # PostGIS columns are a type of ours
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgresql_engine(postgresql_url: str) -> Iterator[Engine]:
    url = create_database(postgresql_url)
    engine = make_engine(url)
    yield engine
    engine.dispose()
    drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.getfixturevalue(f"{request.param}_engine")
    return engine


# SQLAlchemy's inspector does not know PostGIS's type by name; the columns are compared all the same.
@pytest.mark.filterwarnings("ignore:Did not recognize type 'geometry'")
def test_empty_database_gets_every_table_column_and_index(empty: Engine) -> None:
    assert not is_current(empty)
    upgrade(empty)
    assert is_current(empty)
    assert differences(empty) == []
    found = {name: {column["name"] for column in inspect(empty).get_columns(name)} for name in METADATA.tables}
    assert found == {name: {column.name for column in table.columns} for name, table in METADATA.tables.items()}


def test_upgrade_may_be_repeated(empty: Engine) -> None:
    upgrade(empty)
    upgrade(empty)
    assert is_current(empty)


def test_difference_is_found(sqlite_engine: Engine) -> None:
    upgrade(sqlite_engine)
    with sqlite_engine.begin() as connection:
        connection.execute(text("ALTER TABLE venue ADD COLUMN surprise TEXT"))
    assert [change[0] for change in differences(sqlite_engine)] == ["remove_column"]


@pytest.mark.requirement("L3")
def test_no_table_has_a_column_for_who_a_child_is() -> None:
    """Names, contacts, dates of birth, schools, addresses of devices: there is nowhere to put them."""
    forbidden = ("email", "phone", "birth", "school", "ip_address", "device", "user_agent", "first_name", "surname")
    about_marks = [table for name, table in METADATA.tables.items() if name in {"place", "receipt", "workshop"}]
    columns = [f"{table.name}.{column.name}" for table in about_marks for column in table.columns]
    assert len(columns) > 20
    assert [name for name in columns if any(word in name.split(".")[1] for word in forbidden)] == []


@pytest.mark.requirement("L3")
def test_a_mark_is_kept_with_its_day_and_no_hour() -> None:
    """Who knows when a child was at the club must not find that child's mark by its time."""
    about = [table for name, table in METADATA.tables.items() if name == "receipt" or name.startswith("place")]
    columns = {f"{table.name}.{column.name}": column.type.python_type for table in about for column in table.columns}
    assert columns["place.day"] is date
    assert [name for name, kind in columns.items() if kind is datetime] == []


@pytest.mark.requirement("E5")
def test_a_border_has_no_name_field() -> None:
    place = METADATA.tables["place"]
    assert [column.name for column in place.columns if "name" in column.name or "gang" in column.name] == []
