"""Numbered rules and the tests that prove them: no unknown id, no silent gap, the page up to date."""

from __future__ import annotations

from scripts.requirements_report import PAGE, RULES, proofs, report

THIS_ISSUE = 2


def test_every_mark_names_a_rule_that_exists() -> None:
    assert set(proofs()) - set(RULES) == set()


def test_every_rule_of_the_issues_built_so_far_is_proven() -> None:
    proven = proofs()
    unproven = [rule for rule, (_, issue) in RULES.items() if issue <= THIS_ISSUE and rule not in proven]
    assert unproven == []


def test_the_page_is_up_to_date() -> None:
    behind = "docs/requirements.md is behind: run .venv/bin/python scripts/requirements_report.py"
    assert PAGE.read_text(encoding="utf-8") == report(), behind
