"""Entries of the API description that routes share."""

from __future__ import annotations

from typing import Any

from service.errors import Problem


def problems(*pairs: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return the entries of failures: status and what it means here."""
    return {status: {"model": Problem, "description": words} for status, words in pairs}
