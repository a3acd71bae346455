from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "tests" / "integration" / "signins"
WHOLE = ("test_attacks.py", "test_nothing_leaks.py")
"""Files of which every test has a row."""


def written(*names: str) -> set[str]:
    """Return the tests that files have."""
    files = [TESTS / name for name in names] or sorted(TESTS.glob("test_*.py"))
    return {
        node.name
        for file in files
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_")
    }


def test_the_table_of_attacks_and_the_tests_say_the_same() -> None:
    """Every row names a test that there is, once, and no attack is tested without a row."""
    text = (ROOT / "docs" / "sign-ins.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .* \| `(test_\w+)` \|$", text, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) <= written()
    assert written(*WHOLE) <= set(rows)
