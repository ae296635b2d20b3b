"""The code keeps its shape: short functions, small files and classes."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted([*(ROOT / "playground_tui").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
PROGRAM = [path for path in FILES if "playground_tui" in path.relative_to(ROOT).parts]


def lines_of(node: ast.AST) -> int:
    """Lines of a definition without its docstring."""
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    assert node.end_lineno is not None
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return node.end_lineno - node.lineno + 1 - docstring


def definitions(*kinds: type) -> list[tuple[str, int]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", lines_of(node))
        for path in PROGRAM
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, kinds)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_no_class_is_longer_than_250_lines() -> None:
    assert [found for found in definitions(ast.ClassDef) if found[1] > 250] == []


def test_functions_are_short() -> None:
    lengths = [length for _, length in definitions(ast.FunctionDef, ast.AsyncFunctionDef)]
    assert median(lengths) <= 8
    assert quantiles(lengths, n=10)[-1] <= 30
