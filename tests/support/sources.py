"""The project's own Python sources, read as syntax trees; for the tests of the house rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One module: its dotted name, its path below the root, its text and its tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    def where(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    """One imported module, with the statement that imports it."""

    source: Source
    node: ast.stmt
    target: str

    def __str__(self) -> str:
        return f"{self.source.where(self.node)}: imports {self.target}"


@cache
def sources() -> dict[str, Source]:
    """All modules of geo and service by dotted name."""
    found = {}
    for package in ("geo", "service"):
        for path in sorted((ROOT / package).rglob("*.py")):
            relative = path.relative_to(ROOT)
            parts = relative.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text(encoding="utf-8")
            found[name] = Source(name, relative, text, ast.parse(text))
    return found


def imports(source: Source, known: set[str] | None = None) -> Iterator[Import]:
    """Every import of a module, those inside functions too; ``from package import module`` names the module."""
    known = set(sources()) if known is None else known
    package = source.name if source.path.name == "__init__.py" else source.name.rpartition(".")[0]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(source, node, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = ".".join(parts[: len(parts) - node.level + 1])
                base = f"{above}.{base}" if base else above
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(source, node, full if full in known else base)
