"""The store of characteristics: apart from the marks, with its own file or schema, engine and base of tables (L4).

Nothing here names a mark, a contributor key or a workshop: a row carries keyed hashes made for this purpose alone, so
that without the deployment's secret it cannot be joined to the table of marks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateSchema

from service.core import Core
from service.settings import Settings
from service.store.base import Seq
from service.store.engine import make_engine
from service.store.store import Store

FILE: Final = "characteristics.sqlite"
SCHEMA: Final = "characteristics"


class ApartBase(DeclarativeBase):
    """Base of the tables that no other part of the service knows."""

    metadata = MetaData()


class Answer(ApartBase):
    """What one person in one workshop chose to say about themselves: bands and coarse groups only."""

    __tablename__ = "answer"

    id: Mapped[Seq]
    person: Mapped[str] = mapped_column(String(64), unique=True)  # keyed hash of contributor and workshop
    session: Mapped[str] = mapped_column(String(64), index=True)  # keyed hash of the workshop: to count sessions
    month: Mapped[str] = mapped_column(String(7), index=True)  # not the day
    age_band: Mapped[str | None] = mapped_column(String(20))
    gender: Mapped[str | None] = mapped_column(String(20))
    ethnic_group: Mapped[str | None] = mapped_column(String(20))
    disability: Mapped[str | None] = mapped_column(String(20))
    home_area: Mapped[str | None] = mapped_column(String(20))  # ward, by code


class Resident(ApartBase):
    """Residents of a ward in an age band, as the census counts them: what participation is compared with (E1)."""

    __tablename__ = "resident"
    __table_args__ = (UniqueConstraint("area_gss", "age_band"),)

    id: Mapped[Seq]
    area_gss: Mapped[str] = mapped_column(String(20))
    age_band: Mapped[str] = mapped_column(String(20))
    residents: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))


def apart_path(settings: Settings) -> Path | None:
    """Return the file of the store, or None where it is a schema of a server."""
    server = settings.characteristics_url or (settings.database_url or "").startswith("postgresql")
    return None if server else settings.data_dir / FILE


def exists_apart(core: Core) -> bool:
    """Return whether anything was ever stored apart; asking makes no file."""
    path = apart_path(core.settings)
    return path is None or path.exists()


@contextmanager
def open_apart(core: Core) -> Iterator[Store]:
    """Open the store of characteristics, made at its first use, and close it again."""
    store = Store(_engine(core.settings))
    try:
        if store.is_sqlite:
            store.write(lambda session: ApartBase.metadata.create_all(session.connection()))
        else:
            with store.engine.begin() as connection:
                connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
                ApartBase.metadata.create_all(connection)
        yield store
    finally:
        store.close()


def _engine(settings: Settings) -> Engine:
    path = apart_path(settings)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite would make it readable by the group
        return make_engine(f"sqlite:///{path.absolute()}")
    engine = make_engine(settings.characteristics_url or settings.resolved_database_url)
    return engine.execution_options(schema_translate_map={None: SCHEMA})
