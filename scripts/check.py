"""Run every check in order, one line a step with its time; the tests' own closing lines come last."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LEAST_COVERAGE = 90
CLOSING = re.compile(r"\b\d+ (passed|failed|errors?|skipped|deselected)\b.* in [\d.]+s|no tests ran in")
COUNT = re.compile(r"(\d+) (passed|failed|error|skipped)")
USAGE_ERROR = 2


@dataclass(frozen=True)
class Step:
    """One check: its name and its command; ``streams`` for those whose progress people want to see."""

    name: str
    command: tuple[str, ...]
    streams: bool = False


def pytest(name: str, *arguments: str) -> Step:
    """Return a step of tests."""
    command = (str(BIN / "python"), "-m", "pytest", "-q", "--benchmark-disable", "--durations=5", *arguments)
    return Step(name, command, streams=True)


# A whole file stays on one worker: its module fixtures (boundaries, imported crimes) are made once.
PARALLEL = ("-n", "auto", "--dist", "loadfile")
STATIC = (
    Step("format", (str(BIN / "ruff"), "format", "--check", ".")),
    Step("lint", (str(BIN / "ruff"), "check", ".")),
    Step("types", (str(BIN / "mypy"),)),
)
UNIT = pytest("unit", *PARALLEL, "tests/unit")
TESTS = pytest(
    "unit, property, api",
    *PARALLEL,
    "--cov",
    "--cov-report=term:skip-covered",
    f"--cov-fail-under={LEAST_COVERAGE}",
    "tests/unit",
    "tests/property",
    "tests/api",
)
E2E = pytest("e2e", *PARALLEL, "tests/e2e", "--ignore=tests/e2e/test_wheel.py")
WHEEL = pytest("wheel", "tests/e2e/test_wheel.py")
SUITES = {"fast": (*STATIC, UNIT), "all": (*STATIC, TESTS, E2E, WHEEL)}


def run(step: Step) -> tuple[bool, list[str]]:
    """Run one step; return whether it passed and what it printed."""
    lines = []
    with subprocess.Popen(
        step.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if step.streams:
                print(line, end="", flush=True)
    return process.returncode == 0, lines


def closing(lines: list[str]) -> str:
    """Return the last line that says how many tests passed, or nothing."""
    return next((line.strip("= ") for line in reversed(lines) if CLOSING.search(line)), "no closing line")


def total(endings: list[str]) -> str:
    """Return the sum of the closing lines: ``total: 12 passed, 0 failed, 1 skipped``; errors count as failed."""
    counts: Counter[str] = Counter()
    for ending in endings:
        for number, word in COUNT.findall(ending):
            counts["failed" if word == "error" else word] += int(number)
    return f"total: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def main(suite: str) -> int:
    """Run the steps of a suite; return 0 if all passed."""
    reports, endings, good = [], [], True
    for step in SUITES[suite]:
        print(f"-- {step.name} ...", flush=True)
        started = time.monotonic()
        passed, lines = run(step)
        good = good and passed
        if not passed and not step.streams:
            print("\n".join(lines))
        reports.append(f"{'ok  ' if passed else 'FAIL'} {step.name} ({time.monotonic() - started:.0f} s)")
        print(reports[-1], flush=True)
        if step.streams:
            endings.append(f"{step.name}: {closing(lines)}")
    print("\n" + "\n".join([*reports, *endings, total(endings)]), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "all"
    if chosen not in SUITES:
        print(f"scripts/check: {chosen!r} is not one of {', '.join(SUITES)}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    sys.exit(main(chosen))
