"""Deliveries of several processes with one session: what one process saw refused, no other sends with again."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contracts.model import CredentialRefused, Layer
from gateway.resilience import NullObserver, PolicySettings
from gateway.resilience.sessions import Sessions
from gateway.resilience.sharing import Shared
from tests.support.deliveries import POLICY, Toy, bench
from tests.support.sessions import LOGIN, Account, Door, Token, clock
from tests.support.stores import AGENCY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from contracts.model import Exchange
    from gateway.delivery import Order
    from tests.support.deliveries import Bench
    from tests.support.stores import Place


@dataclass
class Guarded(Toy):
    """The system as one process sees it. It refuses sessions that are over, once it is allowed to answer."""

    door: Door = field(default_factory=Door)
    used: list[str] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, credential: Any, exchange: Exchange, order: Order) -> bytes | None:
        """Look at the session first."""
        self.used.append(credential.fingerprint)
        await self.may_answer.wait()
        if credential.fingerprint in self.door.over:
            raise CredentialRefused("session_expired", operation=exchange.operation, layer=Layer.SYSTEM)
        return await super().send(credential, exchange, order)


@asynccontextmanager
async def processes(place: Place, count: int) -> AsyncIterator[list[Bench]]:
    """Return so many processes that share what they log in with; each has the first session, which is over now."""
    door = Door(single=True, life=None, seconds=0.01)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(place.opened())
        made = []
        for _ in range(count):
            toy = Guarded(door=door)
            sessions: Sessions[Account, Token] = Sessions(
                door,
                LOGIN,
                PolicySettings.model_validate(POLICY),
                log=store.attempts,
                switch=store.stop_switch,
                observer=NullObserver(),
                now=clock,
                shared=Shared(store.sessions, Token.packed, Token.unpacked),
            )
            toy.secrets = sessions  # type: ignore[assignment] - credentials of another kind
            await sessions.renew(AGENCY)
            stack.push_async_callback(sessions.aclose)
            made.append(await stack.enter_async_context(bench(place, toy=toy, store=store)))
        assert len(door.log_ins) == 1
        door.over.add("common/1")
        yield made


async def test_a_refused_delivery_goes_on_elsewhere_with_another_session(place: Place) -> None:
    """The second process has the refused session too and does not know it yet; it sends nothing with it."""
    async with processes(place, 2) as (first, second):
        delivery = await first.accept()
        await first.running()
        while not first.toy.used:
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(first.deliveries.stop(5))
        await asyncio.sleep(0.05)
        first.toy.may_answer.set()
        await stopping
        assert (await first.get(delivery)).state == "waiting"
        second.toy.may_answer.set()
        await second.running()
        await second.until(delivery, "settled", "held")
        assert (first.toy.used, second.toy.used) == (["common/1"], ["common/2"])
        assert [state for _, _, state, _ in await second.attempts(delivery)] == ["failed", "answered"]


async def test_many_lanes_and_processes_renew_once(place: Place) -> None:
    """Whoever is refused, wherever the second attempt is made: all is delivered, nobody is held, one more log-in."""
    async with processes(place, 3) as benches:
        for one in benches:
            one.toy.may_answer.set()
            await one.running()
        deliveries = [await benches[0].accept(lane=f"H-{number}") for number in range(24)]
        for delivery in deliveries:
            assert (await benches[0].until(delivery, "settled", "held", "needs_person", seconds=30)).state == "settled"
        assert len(benches[0].toy.door.log_ins) == 2
