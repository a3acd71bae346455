"""One mocks process for each module's tests, put back to its start before every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mocks import Mocks, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def process() -> Iterator[Mocks]:
    """Run the mocks with a small world."""
    with running("--citizens", "400") as mocks:
        yield mocks


@pytest.fixture
def mocks(process: Mocks) -> Mocks:
    """Return the running mocks, as fresh as at their start."""
    assert process.admin("POST", "reset").status_code == 200
    return process
