"""A partner is down for days: what leaves meanwhile, and how what has piled up leaves afterwards.

The breaker and the pace go by the process's own clock, so their seconds are real here, and short; the days are the
store's, and moved. Times are held only against what may not be more, or not be sooner: a slow machine keeps that too.
"""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contracts.model import Layer, NotSent
from gateway.resilience import BreakerState
from tests.support.deliveries import SYSTEM, bench
from tests.support.stores import AGENCY, OTHER_AGENCY

if TYPE_CHECKING:
    from contracts.model import Exchange
    from gateway.delivery import Delivery, Order
    from tests.support.deliveries import Bench
    from tests.support.stores import Place

PROBE_SECONDS, PROBES_TO_CLOSE = 0.2, 2
PER_SECOND, BURST, RAMP_FROM, RAMP_SECONDS = 60, 5, 10, 2
POLICY = {
    "breaker": {
        "failures": 3,
        "probe_seconds": PROBE_SECONDS,
        "probes_to_close": PROBES_TO_CLOSE,
        "silence_seconds": 3600,
    },
    "rate": {
        "per_second": PER_SECOND,
        "burst": BURST,
        "ramp_from_per_second": RAMP_FROM,
        "ramp_seconds": RAMP_SECONDS,
    },
}
BACKLOG = {AGENCY: 40, OTHER_AGENCY: 20}
LATER = {AGENCY: timedelta(), OTHER_AGENCY: timedelta(hours=2)}
"""All that the second agency has is less urgent than anything of the first."""
LIMIT = timedelta(hours=10)
OUTAGE, STEP = timedelta(hours=100), timedelta(hours=5)


async def test_after_days_of_outage_the_backlog_leaves_as_if_it_had_come_at_once(place: Place) -> None:
    """Only probes leave, and nobody is asked about a delivery; then agencies take turns, the most urgent first."""
    limit = LIMIT.total_seconds()
    async with bench(place, policy=POLICY, cap_seconds=3600, concurrency=1, time_limit_seconds=limit) as one:
        clock, left = asyncio.get_running_loop().time, 0

        async def gone(_order: Order, exchange: Exchange) -> bytes | None:
            nonlocal left
            left += 1
            raise NotSent("connect", operation=exchange.operation, layer=Layer.NETWORK)

        one.toy.always = gone
        made = await _pile_up(one)
        await one.running()
        await _closed_until(one, closed=False)
        opened, before = clock(), left
        for _ in range(OUTAGE // STEP):
            await one.move(STEP)
            await one.deliveries.workers[SYSTEM].tick()
            await asyncio.sleep(PROBE_SECONDS / 2)
        assert 1 <= left - before <= (clock() - opened) / PROBE_SECONDS + 1
        assert {found.state for found in await _all(one, made)} <= {"accepted", "waiting", "sending"}

        await one.move(STEP)
        one.toy.always = None
        back = await _closed_until(one, closed=True)
        for delivery in made:
            await one.until(delivery, "settled", seconds=60)
        assert clock() - back >= _least_seconds(len(made) - PROBES_TO_CLOSE)
        assert set(one.toy.effects.values()) == {1}
        _in_turns({found.id for found in await _all(one, made) if found.attempts == 1}, one)


async def _pile_up(one: Bench) -> list[Delivery]:
    """Accept for both agencies, the least urgent first, each in a lane of its own."""
    today = datetime.now(UTC)
    return [
        await one.accept(
            "add",
            f"{agency}-{number}",
            agency=agency,
            payload=f"{agency.value} {number:03}",
            legal_due_at=today + LATER[agency] + timedelta(minutes=number),
        )
        for agency, many in BACKLOG.items()
        for number in reversed(range(many))
    ]


async def _closed_until(one: Bench, *, closed: bool) -> float:
    """Wait until the breaker is closed, or is not, and return an instant at which it was not so yet."""
    clock, pipeline = asyncio.get_running_loop().time, one.deliveries._outlets[SYSTEM].pipeline
    while True:
        at = clock()
        if (pipeline.state().breaker is BreakerState.CLOSED) is closed:
            return at
        await asyncio.sleep(0.005)


async def _all(one: Bench, made: list[Delivery]) -> list[Delivery]:
    return [await one.get(delivery) for delivery in made]


def _least_seconds(many: int) -> float:
    """Return before when so many cannot have left: the rate climbs evenly, from a moment without tokens."""
    slope = (PER_SECOND - RAMP_FROM) / RAMP_SECONDS
    seconds = (math.sqrt(RAMP_FROM**2 + 2 * slope * many) - RAMP_FROM) / slope
    assert 1.5 * many / PER_SECOND < seconds < RAMP_SECONDS, "the ramp has to show"
    return seconds


def _in_turns(untried: set[str], one: Bench) -> None:
    """Look at who came when, of those that no probe had tried: the others stood before them."""
    came = [order.payload.decode() for order in one.toy.sends if order.delivery in untried]
    turns = {agency: [place for place, text in enumerate(came) if text.startswith(agency.value)] for agency in BACKLOG}
    for places in turns.values():
        texts = [came[place] for place in places]
        assert len(texts) > 5
        assert texts == sorted(texts), "the earliest legal deadline first"
    for nth, (first, second) in enumerate(zip(turns[AGENCY], turns[OTHER_AGENCY], strict=False)):
        assert max(first, second) <= 2 * nth + 4, "agencies take turns"
