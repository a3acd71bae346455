"""The engines that sign-ins can stand on. Every test that asks for `place` runs on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import stores

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> stores.Place:
    """Return where the test's store is, on each engine in turn."""
    return stores.Place(tmp_path, request.getfixturevalue("database") if request.param == "postgres" else None)
