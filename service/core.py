"""The core that the web process, the worker and the command line share: settings, store, mode, secret, caches."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeVar, cast

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from service.settings import Settings
from service.store.base import utc_now
from service.store.deployment import Deployment, read_deployment
from service.store.engine import make_engine
from service.store.migrate import is_current, upgrade
from service.store.store import Store

T = TypeVar("T")
Mode = Literal["demo", "real"]
SECRET_BYTES = 32


class StartError(RuntimeError):
    """The service cannot start as it is set up; the message says what to do."""


class Cache:
    """A small thread-safe cache of derived values, keyed by what they were made from; the newest 64 stay."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._lock = Lock()
        self._values: dict[Hashable, Any] = {}
        self._making: dict[Hashable, Lock] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of ``key``, made by ``make`` if it is not held; ``key`` names every input by version.

        Whoever asks for a value while another thread makes it waits for that one: a room of phones makes it once.
        """
        with self._lock:
            if key in self._values:
                return cast("T", self._held(key))
            turn = self._making.setdefault(key, Lock())
        with turn:
            with self._lock:
                if key in self._values:
                    return cast("T", self._held(key))
            try:
                fresh = make()
            finally:
                with self._lock:
                    self._making.pop(key, None)
            self.put(key, fresh)
        return fresh

    def peek(self, key: Hashable) -> Any:
        """Return the value of ``key``, or None if it is not held."""
        with self._lock:
            return self._held(key) if key in self._values else None

    def put(self, key: Hashable, value: Any) -> None:
        """Hold a value that was made already."""
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._limit:
                self._values.pop(next(iter(self._values)))

    def _held(self, key: Hashable) -> Any:
        self._values[key] = value = self._values.pop(key)
        return value


@dataclass(frozen=True)
class Core:
    """What every workflow needs, given as its first argument."""

    settings: Settings
    store: Store
    mode: Mode
    area_gss: str
    area_name: str
    secret: bytes
    cache: Cache = field(default_factory=Cache)
    throttles: dict[str, Any] = field(default_factory=dict)  # token buckets by purpose, see web/limits.py

    @property
    def is_demo(self) -> bool:
        """Whether everything here is sample data."""
        return self.mode == "demo"

    def keyed_hash(self, purpose: str, value: str) -> str:
        """Return the HMAC-SHA256 of ``value`` in hex; ``purpose`` keeps the uses of one key apart."""
        return hmac.new(self.secret, f"{purpose}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def encrypt(self, purpose: str, value: bytes) -> str:
        """Return ``value`` encrypted (AES-128-CBC with HMAC-SHA256, Fernet) under a key of ``purpose``, as text."""
        return self._cipher(purpose).encrypt(value).decode("ascii")

    def decrypt(self, purpose: str, sealed: str) -> bytes:
        """Return what ``encrypt`` was given.

        Raises
        ------
        ValueError
            If it was changed, or made with another secret or purpose.
        """
        try:
            return self._cipher(purpose).decrypt(sealed.encode("ascii"))
        except InvalidToken as error:
            message = "A stored secret cannot be opened: the deployment's secret key is not the one it was made with."
            raise ValueError(message) from error

    def _cipher(self, purpose: str) -> Fernet:
        key = hmac.new(self.secret, f"cipher\0{purpose}".encode(), hashlib.sha256).digest()
        return Fernet(base64.urlsafe_b64encode(key))


def initialise(settings: Settings, mode: Mode) -> None:
    """Make the store of a new deployment; a store of the same mode is brought to the newest schema and kept.

    Raises
    ------
    StartError
        If the store is there and of the other mode: sample and real marks never mix.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = Store(make_engine(settings.resolved_database_url))
    try:
        upgrade(store.engine)
        with store.read() as session:
            found = read_deployment(session)
        if found is None:
            row = Deployment(mode=mode, area_gss=settings.area_gss, area_name=settings.area_name)
            store.write(lambda session: session.add(row))
        elif found.mode != mode:
            message = (
                f"The store in {settings.data_dir} is a {found.mode} one; choose another data folder for a {mode} one."
            )
            raise StartError(message)
    except DatabaseError as error:
        message = f"The store in {settings.data_dir} cannot be reached, or is damaged or no store."
        raise StartError(message) from error
    finally:
        store.close()
    _read_secret(settings)


def open_core(settings: Settings) -> Core:
    """Open the deployment that the settings name.

    Raises
    ------
    StartError
        If there is none, if its schema is older or newer than the code, or if a real one lacks its assessment (L1).
    """
    absent = f"There is no store in {settings.data_dir} yet: run 'safer-places init' (real) or 'safer-places demo'."
    path = settings.sqlite_path
    if path is not None and not path.exists():  # SQLite would make an empty one, in a folder that all may read
        raise StartError(absent)
    store = Store(make_engine(settings.resolved_database_url))
    try:
        with store.read() as session:
            row = read_deployment(session)
    except (OperationalError, ProgrammingError) as error:
        store.close()
        unreachable = isinstance(error, OperationalError) and not store.is_sqlite
        message = "The database cannot be reached: check SAFER_PLACES_DATABASE_URL and that it runs."
        raise StartError(message if unreachable else absent) from error
    except DatabaseError as error:
        store.close()
        message = f"The store in {settings.data_dir} is damaged or no store: put it back from a backup."
        raise StartError(message) from error
    if row is None:
        store.close()
        raise StartError(absent)
    if not is_current(store.engine):
        store.close()
        message = "The store has another schema than this version: run 'safer-places upgrade' after a backup."
        raise StartError(message)
    mode = cast("Mode", row.mode)
    return Core(settings, store, mode, row.area_gss, row.area_name, _read_secret(settings))


def upgrade_store(settings: Settings) -> None:
    """Bring the store to the schema of this version.

    Raises
    ------
    StartError
        If there is no store: making one is for ``initialise``, which says whether it is the demo or real.
    """
    path = settings.sqlite_path
    if path is not None and not path.exists():
        message = (
            f"There is no store in {settings.data_dir} to upgrade: run 'safer-places init' or 'safer-places demo'."
        )
        raise StartError(message)
    engine = make_engine(settings.resolved_database_url)
    try:
        upgrade(engine)
    except DatabaseError as error:
        message = "The store cannot be upgraded: it cannot be reached, or is damaged or no store."
        raise StartError(message) from error
    finally:
        engine.dispose()


def require_assessment(core: Core) -> None:
    """Raise unless a real deployment records its DPIA, controller, contact and date (L1)."""
    missing = core.settings.missing_assessment
    if core.mode == "real" and missing:
        message = (
            f"A real deployment starts only once its data protection assessment is recorded; set {', '.join(missing)}."
        )
        raise StartError(message)
    signed = core.settings.dpia_date
    if core.mode == "real" and signed is not None and signed > utc_now().date():
        message = f"SAFER_PLACES_DPIA_DATE: {signed} lies in the future; write the day on which the DPIA was signed."
        raise StartError(message)


def _read_secret(settings: Settings) -> bytes:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = Path(settings.data_dir) / "secret.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    return path.read_bytes()
