"""The national portal's mock, mounted in this process; each test has a namespace of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mocks.app import MockApp
from tests.support.hosting import CITIZENS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def app() -> Iterator[MockApp]:
    """Return mocks that nobody serves."""
    mocks = MockApp(seed=1, citizens=CITIZENS)
    yield mocks
    mocks.stop()
    mocks.close()
