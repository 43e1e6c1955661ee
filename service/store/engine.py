"""Engines: SQLite (WAL, FULL, our own BEGIN) and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

WRITER_OPTION = "safer_places_writer"
BUSY_TIMEOUT_MS = 30_000


def make_engine(url: str) -> Engine:
    """Make the engine of the store.

    Parameters
    ----------
    url : str
        SQLAlchemy URL: ``sqlite:///PATH`` or ``postgresql+psycopg://...``.

    Returns
    -------
    Engine
        On SQLite with WAL, ``synchronous=FULL`` (acknowledged means on disk), foreign keys and explicit BEGIN.

    Raises
    ------
    ValueError
        If the URL names another database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:  # its message may hold the password
        message = "The URL of the database cannot be read: write sqlite:///PATH or postgresql://USER@HOST/NAME."
        raise ValueError(message) from error
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url, parsed.database)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql_engine(parsed)
    message = f"The store runs on SQLite or PostgreSQL, not on {parsed.get_backend_name()}."
    raise ValueError(message)


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=8,
        max_overflow=32,
        pool_pre_ping=True,
        hide_parameters=True,
    )

    @event.listens_for(engine, "handle_error")
    def _cut_detail(context: ExceptionContext) -> None:
        # The server's DETAIL quotes the whole row that failed, a person's words among it (X9).
        for error in (context.original_exception, context.sqlalchemy_exception):
            if error is not None and error.args:
                error.args = (str(error.args[0]).partition("\nDETAIL:")[0], *error.args[1:])

    return engine


def _sqlite_engine(url: str, database: str | None) -> Engine:
    if not database or database == ":memory:":
        message = "The SQLite store needs a file: what is acknowledged must be on disk."
        raise ValueError(message)
    Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        pool_size=8,
        max_overflow=40,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        hide_parameters=True,  # an error is logged, and a parameter may be a person's words (X9)
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling would let savepoints survive the outer rollback.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "secure_delete=ON",
            "temp_store=MEMORY",
            "cache_size=-65536",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A reader that later writes would fail at once on a stale snapshot: writers take the lock first.
        writer = connection.get_execution_options().get(WRITER_OPTION, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine
