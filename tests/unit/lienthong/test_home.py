from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lienthong import home

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_foreign_folder_of_the_same_name_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with a `gateway/` of its own does not take the place of ours, and can still be imported from."""
    (tmp_path / "gateway").mkdir()
    before = list(sys.path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *before])
    home.settle()
    assert sys.path == [*before, str(tmp_path)]


def test_nothing_moves_where_nothing_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module search is left alone where it finds ours anyway."""
    before = [str(tmp_path), *sys.path]
    monkeypatch.setattr(sys, "path", list(before))
    home.settle()
    assert sys.path == before


def test_children_get_none_of_the_callers_module_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `PYTHONPATH` says of another project does not reach our processes."""
    monkeypatch.setenv("PYTHONPATH", "/foreign.example")
    environment = home.environment()
    assert environment.get("PYTHONPATH") in (None, str(home.HOME))
    assert environment["PYTHONSAFEPATH"] == "1"
    assert home.module("mocks", "--port", "0") == [sys.executable, "-P", "-m", "mocks", "--port", "0"]
