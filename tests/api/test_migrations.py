"""Migrations that fail leave nothing behind, on both engines; a store of another schema is not opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from service.core import StartError, initialise, open_core
from service.settings import Settings
from service.store.engine import make_engine
from service.store.migrate import is_current, upgrade
from tests.support.postgresql import create_database, drop_database

INDEXES = {"place_rtree", "venue_rtree"}  # R*Trees of SQLite, which no model names
POSTGIS = {"spatial_ref_sys"}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on an empty database."""
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
        yield made
        made.dispose()
        return
    url = create_database(request.getfixturevalue("postgresql_url"))
    made = make_engine(url)
    yield made
    made.dispose()
    drop_database(url)


def test_spatial_indexes_are_there(engine: Engine) -> None:
    upgrade(engine)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            made = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE sql LIKE '%rtree_i32%'")))
        assert made == INDEXES
    else:
        found = {index["name"] for table in ("place", "venue", "area") for index in inspect(engine).get_indexes(table)}
        assert {"ix_place_geometry", "ix_venue_geometry", "ix_area_geometry"} <= found


def test_failing_migration_leaves_nothing_behind(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    create = op.create_table
    made: list[str] = []

    def fail_at_the_tenth(name: str, *rest: Any, **options: Any) -> Any:
        made.append(name)
        if len(made) == 10:
            op.execute("SELECT * FROM there_is_no_such_table")
        return create(name, *rest, **options)

    monkeypatch.setattr("alembic.op.create_table", fail_at_the_tenth)
    with pytest.raises(DBAPIError):
        upgrade(engine)
    assert len(made) == 10
    assert set(inspect(engine).get_table_names()) <= POSTGIS
    assert not is_current(engine)
    monkeypatch.undo()
    upgrade(engine)
    assert is_current(engine)


def test_store_of_another_schema_is_not_opened(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    initialise(settings, "demo")
    engine = make_engine(settings.resolved_database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    engine.dispose()
    with pytest.raises(StartError, match="safer-places upgrade"):
        open_core(settings)
