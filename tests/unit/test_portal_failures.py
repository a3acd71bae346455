"""The page about what goes wrong with the portal names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "portal-failures.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| ([CR]\d+) \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE))
UNPROVED = {"C16": "no payments pass here", "R6": "no citizen signs in here"}


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of a file's tests."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_failure_has_its_row() -> None:
    """C1 to C18 and R1 to R7, in their order."""
    assert list(ROWS) == [f"C{number}" for number in range(1, 19)] + [f"R{number}" for number in range(1, 8)]


@pytest.mark.parametrize("row", ROWS)
def test_what_proves_a_row_exists(row: str) -> None:
    """Each names a test by file and function, but for what has no door here."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", ROWS[row])
    assert bool(named) is (row not in UNPROVED)
    for path, name in named:
        assert name in names_in(path), f"{row}: {path} has no {name}"
