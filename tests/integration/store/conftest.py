"""The engines that a store can stand on. Every test that asks for `opened` runs on each of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support import stores

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from gateway.store import Store


class Opened(Protocol):
    """Opens the test's own store; a second time, the same one again."""

    def __call__(
        self, *, serving: bool = True, hands: stores.Hands | None = None
    ) -> AbstractAsyncContextManager[Store]:
        """Return the store as a context."""


@pytest.fixture(params=["sqlite"])
def opened(tmp_path: Path) -> Opened:
    """Return what opens the test's store on one engine."""
    return partial(stores.opened, tmp_path)
