"""Log lines: ids and counts, an error without its message, an audit that only grows."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.logs import configure_logs, tell_audit
from service.settings import Settings


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[io.StringIO]:
    """Configure the logs into a stream, and put the loggers back as they were."""
    names = ("", "safer_places", "safer_places.audit", "uvicorn")
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in names}
    found = io.StringIO()
    configure_logs(Settings(data_dir=tmp_path), found)
    yield found
    for name, (handlers, level) in before.items():
        logger = logging.getLogger(name)
        for handler in set(logger.handlers).difference(handlers):
            handler.close()
        logger.handlers = handlers
        logger.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.requirement("X9")
def test_line_keeps_what_is_allowed_and_drops_the_rest(stream: io.StringIO) -> None:
    logging.getLogger("safer_places.test").info("done", extra={"rows": 3, "note": "ZEBRA", "bbox": "1,2,3,4"})
    (line,) = lines(stream)
    assert (line["event"], line["rows"], line["level"]) == ("done", 3, "info")
    assert set(line) == {"time", "level", "logger", "event", "rows"}


@pytest.mark.requirement("X9")
def test_error_is_told_by_class_and_frames_through_every_cause(stream: io.StringIO) -> None:
    try:
        try:
            int("ZEBRA")
        except ValueError as error:
            raise RuntimeError("OKAPI") from error
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    (line,) = lines(stream)
    assert [link["class"] for link in line["error"]] == ["RuntimeError", "ValueError"]  # type: ignore[attr-defined]
    assert "test_logs.py" in stream.getvalue()
    assert "ZEBRA" not in stream.getvalue()
    assert "OKAPI" not in stream.getvalue()


@pytest.mark.requirement("X9")
def test_audit_is_appended_to_its_file_whatever_the_level(stream: io.StringIO, tmp_path: Path) -> None:
    tell_audit(Settings(data_dir=tmp_path), "places.list", principal="planner", rows=2)
    configure_logs(Settings(data_dir=tmp_path, log_level="error"), stream)
    tell_audit(Settings(data_dir=tmp_path), "places.read", principal="planner", rows=1)
    path = tmp_path / "audit.log"
    events = [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert events == ["places.list", "places.read"]
    assert path.stat().st_mode & 0o777 == 0o600
