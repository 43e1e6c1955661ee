"""The table of settings in the docs is complete and says what the code says."""

from __future__ import annotations

from scripts.settings_table import PAGE, with_table
from service.settings import Settings


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_page_names_every_setting_with_its_default() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page), "docs/settings.md is behind: run .venv/bin/python scripts/settings_table.py"
    missing = [name for name in Settings.model_fields if f"`SAFER_PLACES_{name.upper()}`" not in page]
    assert missing == []
