"""The size limits of house.md 9 that lint does not measure: lines of a function's body, lines of code of a module."""

from __future__ import annotations

import ast
import io
import tokenize

from tests.support.sources import Source, sources

BODY_LINES = 40
MODULE_LINES = 300
NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
    tokenize.ENCODING,
}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


def docstring_lines(tree: ast.AST) -> set[int]:
    """Return the line numbers that hold docstrings."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def code_lines(text: str) -> set[int]:
    """Return the line numbers that hold code: no blank lines, comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - docstring_lines(ast.parse(text))


def long_functions(text: str) -> list[tuple[int, str, int]]:
    """Return line, name and length of each function whose body has too many lines of code."""
    code = code_lines(text)
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function):
            body = {n for n in code if node.body[0].lineno <= n <= (node.end_lineno or 0)}
            if len(body) > BODY_LINES:
                found.append((node.lineno, node.name, len(body)))
    return found


def is_generated(source: Source) -> bool:
    """Migrations are written by a tool from the models."""
    return source.name.startswith("service.store.migrations.versions")


def test_function_bodies_are_at_most_40_lines() -> None:
    found = [
        f"{source.path}:{line}: {name} has {length} lines"
        for source in sources().values()
        if not is_generated(source)
        for line, name, length in long_functions(source.text)
    ]
    assert not found, "\n".join(found)


def test_modules_are_at_most_300_lines_of_code() -> None:
    lengths = {source.path: len(code_lines(source.text)) for source in sources().values() if not is_generated(source)}
    found = [f"{path}: {length} lines of code" for path, length in lengths.items() if length > MODULE_LINES]
    assert not found, "\n".join(found)


def test_every_module_opens_with_its_purpose() -> None:
    found = [str(s.path) for s in sources().values() if s.text.strip() and not ast.get_docstring(s.tree)]
    assert not found, "\n".join(found)


def test_blank_lines_comments_and_docstrings_are_no_code() -> None:
    text = '"""Purpose."""\n\n# why\nx = [\n    1,\n]\n\n\ndef f():\n    """Tell."""\n    return x  # this\n'
    assert code_lines(text) == {4, 5, 6, 9, 11}


def test_body_of_41_lines_is_found() -> None:
    body = "".join(f"    x{n} = {n}\n" for n in range(41))
    assert long_functions(f"def f():\n{body}") == [(1, "f", 41)]
    assert long_functions(f"def f():\n{body.removesuffix('    x40 = 40' + chr(10))}") == []
