"""After rows are gone: make their bytes go too, as far as the engine can."""

from __future__ import annotations

import logging
import sqlite3
from typing import Final

from sqlalchemy import text

from service.core import Core
from service.duty.apart import apart_path
from service.store.store import Store

LOG = logging.getLogger("safer_places.duty")
# Tables that held a person's words or position.
EMPTIED: Final = ("place", "place_area", "place_version", "decision", "hold", "receipt")
BUSY_MS: Final = 5_000


def scrub(core: Core) -> bool:
    """Take the bytes of erased rows out of the files.

    SQLite overwrites what is deleted (``secure_delete``), but pages keep copies of what moved within them and the
    write-ahead log keeps what was written before: so the file is written anew and the log is emptied. PostgreSQL marks
    the rows as free; their bytes are overwritten as the space is used again.

    Returns
    -------
    bool
        Whether the log is empty now; a long read can hold it until the next run.
    """
    if not core.store.is_sqlite:
        with core.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM {', '.join(EMPTIED)}"))
        return True
    done = _rewrite(core.store)
    path = apart_path(core.settings)
    if path is not None and path.exists():
        from service.duty.apart import open_apart

        with open_apart(core) as store:
            done = _rewrite(store) and done
    return done


def _rewrite(store: Store) -> bool:
    connection = store.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
    except sqlite3.OperationalError:  # locked for long, or no room: what is erased is erased, its bytes go next time
        LOG.warning("the store could not be written anew")
        return False
    finally:
        connection.invalidate()  # its time-out was changed
    return not busy
