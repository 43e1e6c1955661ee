"""Logs as JSON lines that hold ids and counts, never words, coordinates or addresses (L3, X9)."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from service.settings import Settings

# What a line may hold beside its event; anything else that a call adds is dropped.
KEPT = (
    *("principal", "role", "hash", "rows", "venue", "status", "code", "bytes"),
    *("job", "kind", "worker", "attempt", "set", "run", "seconds"),
)
AUDIT_FILE = "audit.log"


class LineFormatter(logging.Formatter):
    """One JSON object a line; an exception is told by its class and the lines of code it passed, never its message.

    The message of an exception may quote what somebody typed, or the parameters of a statement.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: value for name in KEPT if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = _chain(record.exc_info[1])
        return json.dumps(line, default=str)


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log of the process to one stream, and the audit also to a file of the data folder that only grows.

    Parameters
    ----------
    settings : Settings
        Level and data folder.
    stream : TextIO, optional
        Standard error where left out.
    """
    plain = logging.StreamHandler(stream)
    plain.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers = [plain]
    root.setLevel(logging.WARNING)
    for name in ("safer_places", "uvicorn"):
        logging.getLogger(name).setLevel(settings.log_level.upper())
    audit = logging.getLogger("safer_places.audit")
    audit.setLevel(logging.INFO)  # whatever the operator's level: reads of exact positions are always told
    for handler in list(audit.handlers):
        audit.removeHandler(handler)
        handler.close()
    audit.addHandler(_append_only(settings.data_dir / AUDIT_FILE))


def _append_only(path: Path) -> logging.Handler:
    path.touch(mode=0o600, exist_ok=True)
    handler = logging.FileHandler(path, mode="a", encoding="utf-8")  # appends, also when another process does
    handler.setFormatter(LineFormatter())
    return handler


def _chain(error: BaseException) -> list[dict[str, Any]]:
    """Return class and frames of an error and of those that led to it, the newest first."""
    links: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(links) < 5:  # noqa: PLR2004  a loop of causes must end
        frames = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        links.append({"class": type(current).__qualname__, "frames": frames[-12:]})
        current = current.__cause__ or current.__context__
    return links
