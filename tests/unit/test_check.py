"""What ``scripts/check`` makes of the tests' closing lines, and that a failing step fails it."""

from __future__ import annotations

import sys

import pytest

from scripts import check


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["....", "12 passed in 3.01s", ""], "12 passed in 3.01s"),
        (
            ["=== 2 failed, 10 passed, 1 skipped in 65.20s (0:01:05) ==="],
            "2 failed, 10 passed, 1 skipped in 65.20s (0:01:05)",
        ),
        (["1 passed in 0.10s", "Required test coverage of 85% reached. Total coverage: 91.20%"], "1 passed in 0.10s"),
        (["no tests ran in 0.01s"], "no tests ran in 0.01s"),
        (["3 passed the gate"], "no closing line"),
    ],
)
def test_closing_line_is_found(lines: list[str], wanted: str) -> None:
    assert check.closing(lines) == wanted


def test_total_adds_the_steps_and_counts_errors_as_failed() -> None:
    endings = ["unit: 10 passed, 2 skipped in 1s", "e2e: 1 failed, 4 passed, 2 errors in 9s"]
    assert check.total(endings) == "total: 14 passed, 3 failed, 2 skipped"


def test_step_reports_success_failure_and_output() -> None:
    good = check.Step("good", (sys.executable, "-c", "print('well')"))
    bad = check.Step("bad", (sys.executable, "-c", "import sys; print('ill'); sys.exit(3)"))
    assert check.run(good) == (True, ["well"])
    assert check.run(bad) == (False, ["ill"])


def test_one_failing_step_fails_the_whole_and_the_others_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = (
        check.Step("bad", (sys.executable, "-c", "import sys; print('ill'); sys.exit(1)")),
        check.Step("tests", (sys.executable, "-c", "print('5 passed in 0.10s')"), streams=True),
    )
    monkeypatch.setitem(check.SUITES, "made up", steps)
    assert check.main("made up") == 1
    said = capsys.readouterr().out
    assert "ill" in said
    assert "FAIL bad" in said
    assert said.splitlines()[-1] == "total: 5 passed, 0 failed, 0 skipped"


def test_all_contains_fast() -> None:
    names = [step.name for step in check.SUITES["all"]]
    assert names == ["format", "lint", "types", "unit, property, api", "e2e", "wheel"]
    assert [step.name for step in check.SUITES["fast"]] == [*names[:3], "unit"]
