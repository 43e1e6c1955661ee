"""The schema: an upgraded empty database equals the models on both engines, and half a migration is never left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.exc import DBAPIError

from service.core import StartError, initialise, open_core
from service.settings import Settings
from service.store.base import PostgisGeometry
from service.store.engine import make_engine
from service.store.migrate import is_current, upgrade
from service.tables import METADATA
from tests.support.postgresql import create_database, drop_database

ischema_names["geometry"] = lambda *_arguments: PostgisGeometry()  # type: ignore[assignment]  # SQLAlchemy does not know the type that it reads back
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


def is_ours(_object: Any, name: str | None, kind: str, reflected: bool, _compared: Any) -> bool:
    """Leave out what the engine itself keeps: tables of the R*Trees and of PostGIS, and their indexes."""
    if kind == "table" and reflected:
        return not any(str(name).startswith(index) for index in INDEXES) and name not in POSTGIS
    return not (kind == "index" and reflected and str(name).endswith("_geometry"))


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        options = {"include_object": is_ours, "compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)


def test_upgraded_empty_database_equals_the_models(engine: Engine) -> None:
    assert differences(engine)  # it is empty: the comparison sees that
    upgrade(engine)
    assert differences(engine) == []
    assert is_current(engine)


def test_comparison_sees_a_column_that_no_migration_made(engine: Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE team DROP COLUMN created_at"))
    assert [found[0] for found in differences(engine)] == ["add_column"]


def test_upgrade_again_changes_nothing(engine: Engine) -> None:
    upgrade(engine)
    upgrade(engine)
    assert differences(engine) == []


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
    assert differences(engine) == []


def test_store_of_another_schema_is_not_opened(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    initialise(settings, "demo")
    engine = make_engine(settings.resolved_database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    engine.dispose()
    with pytest.raises(StartError, match="safer-places upgrade"):
        open_core(settings)
