"""The last question of the demo: whether exactly that arrived which the gateway says that it sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.model import Kind
from lienthong.stores import opened

if TYPE_CHECKING:
    from lienthong.demo.mocks import Mocks
    from lienthong.demo.stage import Stage

MOST_CALLS = 10_000


@dataclass(frozen=True, slots=True)
class Balance:
    """What the gateway's audit and the mocks' ledger know of, by request id."""

    calls: int
    sent: frozenset[str]
    arrived: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether each attempt arrived exactly once and nothing else did."""
        return len(self.arrived) == len(self.sent) and frozenset(self.arrived) == self.sent


async def balance(stage: Stage, mocks: Mocks) -> Balance:
    """Read both books."""
    async with opened(stage.store) as store:
        calls = await store.audit.recent(limit=MOST_CALLS)
        sent = [
            attempt.request_id
            for call in calls
            if call.attempts
            for attempt in await store.audit.attempts(call.call_id)
            if attempt.kind != Kind.NOT_SENT  # on the books, but held back at the last moment
        ]
    return Balance(len(calls), frozenset(sent), tuple(await mocks.request_ids()))
