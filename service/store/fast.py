"""The quick way for the few statements of the write path: on SQLite past SQLAlchemy's own machinery, same result.

A statement costs SQLAlchemy about ten times what it costs SQLite; a mark needs seven. Values go through the same bind
processors of the same column types, so that what is stored does not depend on the way it was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from service.store.spatial import is_sqlite

DIALECT = sqlite.dialect(paramstyle="qmark")
Processor = Callable[[Any], Any] | None


def insert_rows(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> int | None:
    """Insert rows that all have the same keys.

    Parameters
    ----------
    session : Session
        Of the running ``store.write``.
    table : Table
        Where to.
    rows : sequence of dict
        Values of every column without a server's own value; defaults of the model are not filled in.

    Returns
    -------
    int or None
        Number that the database gave a single row; None for several or none.
    """
    if not rows:
        return None
    if not is_sqlite(session):
        result: Any = session.execute(insert(table), list(rows))
        return int(result.inserted_primary_key[0]) if len(rows) == 1 and result.inserted_primary_key else None
    text, processors = _compiled_insert(table, tuple(rows[0]))
    values = [
        [value if process is None else process(value) for value, process in zip(row.values(), processors, strict=True)]
        for row in rows
    ]
    driver = driver_of(session)
    if len(values) == 1:
        number: int = driver.execute(text, values[0]).lastrowid
        return number
    driver.executemany(text, values)
    return None


def driver_of(session: Session) -> Any:
    """Return the ``sqlite3`` connection behind a session, inside its transaction."""
    return session.connection().connection.driver_connection


def text_of(statement: Any) -> str:
    """Return a statement without parameters as SQLite's text."""
    return str(statement.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


@cache
def _compiled_insert(table: Table, names: tuple[str, ...]) -> tuple[str, list[Processor]]:
    types = [table.c[name].type.dialect_impl(DIALECT) for name in names]
    places = ", ".join("?" for _ in names)
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({places})", [
        one.bind_processor(DIALECT) for one in types
    ]
