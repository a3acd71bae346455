"""The command `lienthong` with the one mechanism taken out that the chaos run is there to prove.

The rows of an attempt are written after the exchange and not before. Run as a script by `tests/chaos`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gateway.store.tables.attempts import AttemptTable
from lienthong.cli import main

if TYPE_CHECKING:
    from gateway.resilience.ports import AttemptResult, Call

opened: dict[tuple[str, int], str] = {}
open_attempt, close_attempt = AttemptTable.open_attempt, AttemptTable.close_attempt


async def open_later(self: AttemptTable, call: Call, ordinal: int, request_id: str) -> None:
    """Only remember the attempt."""
    del self
    opened[call.id, ordinal] = request_id


async def open_and_close(self: AttemptTable, call: Call, ordinal: int, result: AttemptResult) -> None:
    """Write the rows now that it is over."""
    request_id = opened.pop((call.id, ordinal), None)
    if request_id is not None:
        await open_attempt(self, call, ordinal, request_id)
    await close_attempt(self, call, ordinal, result)


AttemptTable.open_attempt = open_later  # type: ignore[method-assign]
AttemptTable.close_attempt = open_and_close  # type: ignore[method-assign]
sys.exit(main())
