"""The engines that a store can stand on. Every test that asks for `opened` runs on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gateway.store.assembly import Assembly
    from tests.support.postgres import Databases


class Opened(Protocol):
    """Opens the test's own store; a second time, the same one again."""

    def __call__(
        self, *, serving: bool = True, hands: stores.Hands | None = None
    ) -> AbstractAsyncContextManager[Assembly]:
        """Return the store as a context."""


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> stores.Place:
    """Return where the test's store is, on each engine in turn."""
    return stores.place(tmp_path, request.getfixturevalue("database") if request.param == "postgres" else None)


@pytest.fixture(params=["sqlite", "postgres"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[stores.Place]:
    """Return where the test's store will be when something has made it, on each engine in turn."""
    if request.param == "sqlite":
        yield stores.Place(tmp_path)
        return
    databases: Databases = request.getfixturevalue("databases")
    with databases.one(empty=True) as dsn:
        yield stores.Place(tmp_path, dsn)


@pytest.fixture
def opened(place: stores.Place) -> Opened:
    """Return what opens the test's store on one engine."""
    return place.opened
