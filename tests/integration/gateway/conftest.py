"""What gateways are tested against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mocks import Mocks, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def mocks() -> Iterator[Mocks]:
    """Return mocks as a server; each test has a namespace of its own."""
    with running("--citizens", "300") as found:
        yield found
