"""The store: read sessions, and the one write path that has committed when it returns."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from service.store.engine import WRITER_OPTION

T = TypeVar("T")
BATCH_MAX = 256
_HOOKS = "after_commit"


def after_commit(session: Session, function: Callable[[], None]) -> None:
    """Call a function once the running ``store.write`` is on disk, and not at all if it fails; it must not raise."""
    session.info.setdefault(_HOOKS, []).append(function)


class StoreClosedError(RuntimeError):
    """A write was asked for after the store was closed."""


@dataclass
class _Write:
    function: Callable[[Session], Any]
    future: Future[Any] = field(default_factory=Future)


class Store:
    """Sessions of one engine; thread-safe.

    On SQLite one thread owns every write: all that waits goes into one transaction (group commit), each call in a
    savepoint of its own, and each caller is answered after the commit. On PostgreSQL a write is a transaction.

    Parameters
    ----------
    engine : Engine
        From ``make_engine``.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded engine is used."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading; whatever it changed is rolled back."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    def write(self, function: Callable[[Session], T]) -> T:
        """Run ``function`` in a transaction and return its result once that is committed.

        Parameters
        ----------
        function : callable of Session
            Does the reading and writing; must not keep the session, and may be run only once.

        Returns
        -------
        object
            What ``function`` returned.

        Raises
        ------
        StoreClosedError
            If the store is closed.
        Exception
            Whatever ``function`` raised; nothing of it is stored then.
        """
        if not self.is_sqlite:
            with Session(self.engine, expire_on_commit=False) as session:
                with session.begin():
                    answer = function(session)
                _call(session.info.get(_HOOKS, []))
            return answer
        item = _Write(function)
        with self._lock:
            if self._closed:
                message = "The store is closed."
                raise StoreClosedError(message)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
                self._thread.start()
            self._queue.put(item)
        result: T = item.future.result()
        return result

    def close(self) -> None:
        """Finish the writes that wait, then close every connection."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()
        self.engine.dispose()

    def _run(self) -> None:
        open_ = True
        while open_:
            item = self._queue.get()
            batch: list[_Write] = []
            while item is not None:
                batch.append(item)
                if len(batch) == BATCH_MAX or self._queue.empty():
                    break
                item = self._queue.get_nowait()
            open_ = item is not None
            if batch:
                self._commit(batch)

    def _commit(self, batch: list[_Write]) -> None:
        answers: list[tuple[_Write, Any, BaseException | None]] = []
        hooks: list[Callable[[], None]] = []
        try:
            with self.engine.connect() as plain:
                connection = plain.execution_options(**{WRITER_OPTION: True})
                with connection.begin():
                    for item in batch:
                        answers.append((item, *_run_one(connection, item, hooks)))
                        _require_transaction(connection)
        except (SQLAlchemyError, OSError) as error:  # begin or commit failed: nobody's write is on disk
            for item in batch:
                item.future.set_exception(error)
            return
        _call(hooks)
        for item, result, problem in answers:
            if problem is None:
                item.future.set_result(result)
            else:
                item.future.set_exception(problem)


def _require_transaction(connection: Connection) -> None:
    """Raise if SQLite took the whole transaction back (a full disk does): the driver's commit would then do nothing."""
    driver = connection.connection.dbapi_connection
    if driver is None or not driver.in_transaction:
        message = "The database gave up the transaction; nothing of it is stored. Is the disk full?"
        raise OSError(message)


def _call(hooks: list[Callable[[], None]]) -> None:
    for hook in hooks:
        hook()


def _run_one(connection: Connection, item: _Write, hooks: list[Callable[[], None]]) -> tuple[Any, BaseException | None]:
    """Run one write in its own savepoint; a failure takes back only its own changes."""
    try:
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            result = item.function(session)
            session.commit()
            hooks += session.info.get(_HOOKS, [])
    except sqlite3.Error as error:  # of a statement that went past SQLAlchemy (store.fast)
        kind = IntegrityError if isinstance(error, sqlite3.IntegrityError) else OperationalError
        return None, kind("a statement of the store", None, error, hide_parameters=True)
    except BaseException as error:
        return None, error
    return result, None
