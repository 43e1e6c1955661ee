"""Write docs/requirements.md: which numbered rule which test proves, found from the marks on the tests.

The ids and their short names stand here; the rules themselves are in the product's requirements. A rule that no test
proves is "planned" with the issue that builds it.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "requirements.md"
TESTS = ROOT / "tests"

# id -> (short name, issue that builds what is not there yet)
RULES: dict[str, tuple[str, int]] = {
    "L1": ("no production start without a recorded assessment", 2),
    "L2": ("public task as the basis, in child and adult words", 3),
    "L3": ("no name, contact, school, address or device with a place", 2),
    "L4": ("age as a band, characteristics apart", 3),
    "L5": ("free text permissioned, public only as cleared wording", 3),
    "L6": ("deletion on a schedule, proven", 3),
    "L7": ("withdrawal by receipt", 2),
    "L8": ("ledger of shares, exact exports with an agreement", 3),
    "L9": ("a release for information requests on one command", 3),
    "C1": ("privacy words at the moment of use, reading age 9-11", 3),
    "C2": ("location only on pressing its control", 2),
    "C3": ("most private by default", 2),
    "C4": ("no nudges, nothing pre-ticked", 2),
    "C5": ("no linking of a child's sessions", 2),
    "C6": ("no third-party request", 2),
    "C7": ("withdraw, correct, complain in two steps", 2),
    "C8": ("best-interests statement for each feature", 3),
    "S1": ("who reads this, not for emergencies, said first", 3),
    "S2": ("open mode and workshop mode", 3),
    "S3": ("words read the same day, by a person", 3),
    "S4": ("pass to the lead, with a clock", 3),
    "S5": ("nothing automatic to the police, nothing deleted before the lead decides", 3),
    "S6": ("the lead reaches the adult in the room", 3),
    "S7": ("no private home or single venue named as unsafe in public", 3),
    "S8": ("harm in small doses for moderators", 3),
    "S9": ("safe, do not publish, never leaked", 3),
    "D1": ("thresholds count people and sessions", 3),
    "D2": ("nothing from fewer than 10 people or 2 sessions", 3),
    "D3": ("complementary suppression", 3),
    "D4": ("survives differencing", 3),
    "D5": ("public geometry only as areas", 3),
    "D6": ("one disclosure function everywhere", 3),
    "D7": ("immutable releases, no free filters", 3),
    "D8": ("motivated-intruder test", 3),
    "D9": ("says when something is hidden", 3),
    "P1": ("police points never drawn, areas no finer than LSOA or 250 m", 2),
    "P2": ("ward counts by both rules, share near a line", 2),
    "P3": ("official ward counts where held", 5),
    "P4": ("missing is missing, never zero", 2),
    "P5": ("the police API respected, files suffice", 2),
    "P6": ("categories as named", 2),
    "P7": ("licence, months, caveat on every output", 2),
    "P8": ("hot spots with method, period, p-value, score", 5),
    "P9": ("reported to the police, marked by young people", 2),
    "A1": ("the full task without the map", 2),
    "A2": ("pins without dragging", 2),
    "A3": ("targets, names, contrast, never colour alone", 2),
    "A4": ("language, title, skip link on every page", 2),
    "A5": ("receipts pasted, spoken, printed", 2),
    "A6": ("accessibility statement with real results", 3),
    "A7": ("large print, plain text, audio script", 4),
    "X1": ("words as text only, no inline script", 2),
    "X2": ("rights per object and field, on the server", 2),
    "X3": ("limits on rate and volume", 3),
    "X4": ("codes and receipts: random, hashed, never in an address", 2),
    "X5": ("second factor for staff", 3),
    "X6": ("uploads checked and re-encoded", 3),
    "X7": ("sealed drafts on shared tablets", 3),
    "X8": ("no-store on what is not public", 2),
    "X9": ("logs hold no text and no coordinates", 2),
    "X10": ("outbound calls to an allow-list only", 2),
    "X11": ("signed releases, dependency list, threat model", 3),
    "X12": ("retention and least return as required", 3),
    "E1": ("equality template, participation", 3),
    "E2": ("wording list with logged override", 3),
    "E3": ("blind double review", 3),
    "E4": ("aggregates and staff text only in public", 3),
    "E5": ("borders: no names, no single session, no export", 3),
}
HEAD = """# Requirements and what proves them

Written by `scripts/requirements_report.py` from the marks on the tests; do not edit by hand. "Planned" names the issue
that builds the rule. A rule with tests may still have parts that a later issue adds: the tests say what holds today.

| id | rule | proven by |
|---|---|---|
"""


def marks_in(path: Path) -> list[tuple[str, str]]:
    """Return (rule, test) for each test of a file that names a rule in its marks, or in the module's."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = [rule for node in tree.body if _is_module_mark(node) for rule in _rules(node)]
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            rules = {rule for decorator in node.decorator_list for rule in _rules(decorator)} | set(whole)
            found += [(rule, f"{path.relative_to(ROOT)}::{node.name}") for rule in rules]
    return found


def _is_module_mark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets)


def _rules(node: ast.AST) -> list[str]:
    """Return the ids in every ``pytest.mark.requirement(...)`` below a node."""
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    named = [c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "requirement"]
    return [str(a.value) for c in named for a in c.args if isinstance(a, ast.Constant)]


def proofs() -> dict[str, list[str]]:
    """Return the tests of each rule, in order."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for rule, test in marks_in(path):
            found.setdefault(rule, []).append(test)
    return {rule: sorted(tests) for rule, tests in found.items()}


def report() -> str:
    """Return the page."""
    proven = proofs()
    rows = []
    for rule, (name, issue) in RULES.items():
        tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in proven.get(rule, []))
        rows.append(f"| {rule} | {name} | {tests or f'planned, issue {issue}'} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(report(), encoding="utf-8")
