"""Write the table of docs/settings.md from the settings themselves; the words around the table stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from service.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
START, END = "<!-- table: written by scripts/settings_table.py -->", "<!-- end of table -->"


def default_of(value: Any) -> str:
    """Return the default in words for the table."""
    if value is None:
        return "unset"
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def table() -> str:
    """Return the Markdown table of every setting: variable, default, meaning."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `SAFER_PLACES_{name.upper()}` | {default_of(field.default)} | {field.description} |")
    return "\n".join(rows)


def with_table(page: str) -> str:
    """Return the page with a fresh table between its two marks."""
    before, rest = page.split(START)
    after = rest.split(END)[1]
    return f"{before}{START}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
