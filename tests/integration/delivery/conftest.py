"""The engines that deliveries can stand on. Every test that asks for `place` runs on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import stores

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> stores.Place:
    """Return where the test's store is, on each engine in turn."""
    return stores.place(tmp_path, request.getfixturevalue("database") if request.param == "postgres" else None)


@pytest.fixture
def postgres(database: str, tmp_path: Path) -> stores.Place:
    """Return a place on PostgreSQL."""
    return stores.Place(tmp_path, database)
