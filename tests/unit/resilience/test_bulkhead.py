from __future__ import annotations

import asyncio
import random

import pytest

from gateway.resilience.bulkhead import Bulkhead, Entry
from gateway.resilience.rate import Pace
from gateway.resilience.settings import BulkheadSettings, RateSettings
from tests.support.virtualtime import now, virtual


def bulkhead(slots: int = 4, room: int = 1000, per_second: float = 1000, burst: int = 1000) -> tuple[Bulkhead, Pace]:
    """Return a bulkhead whose pace is out of the way unless asked for."""
    clock = asyncio.get_running_loop().time
    pace = Pace(RateSettings(per_second=per_second, burst=burst), clock())
    return Bulkhead(BulkheadSettings(slots=slots, room=room), pace, clock), pace


@virtual
async def test_turns_come_in_the_order_of_asking() -> None:
    """Nobody overtakes, whoever holds a slot for how long."""
    gate, _ = bulkhead(slots=3)
    order: list[int] = []

    async def guest(number: int) -> None:
        assert (await gate.enter(1000)).entry is Entry.ADMITTED
        order.append(number)
        await asyncio.sleep(0.1 + number % 7 / 10)
        gate.leave()

    async with asyncio.TaskGroup() as group:
        for number in range(300):
            group.create_task(guest(number))
    assert order == list(range(300))
    assert (gate.taken, gate.waiting) == (0, 0)


@virtual
async def test_never_more_than_the_slots_and_none_lost_when_callers_go_away() -> None:
    """Two thousand callers, a third of them cancelled at random instants: the limit holds and every slot comes back."""
    gate, _ = bulkhead(slots=8, room=2000)
    rng = random.Random(3)  # noqa: S311 - repeatable on purpose
    inside = most = served = 0

    async def guest(hold: float) -> None:
        nonlocal inside, most, served
        if (await gate.enter(5)).entry is not Entry.ADMITTED:
            return
        inside += 1
        most = max(most, inside)
        try:
            await asyncio.sleep(hold)
            served += 1
        finally:
            inside -= 1
            gate.leave()

    tasks = [asyncio.create_task(guest(rng.choice((0, 0.01, 0.01, 0.05)))) for _ in range(2000)]
    for task in tasks:
        if rng.random() < 0.33:
            # multiples of the hold, so that many cancellations meet their turn in the same instant
            asyncio.get_running_loop().call_later(rng.randrange(100) / 100, task.cancel)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 8
    assert 500 < served < 2000
    assert (gate.taken, gate.waiting) == (0, 0)
    assert [(await gate.enter(0)).entry for _ in range(8)] == [Entry.ADMITTED] * 8


@pytest.mark.parametrize("cancelled_first", [True, False])
def test_a_turn_that_meets_its_cancellation_goes_to_the_next(cancelled_first: bool) -> None:  # noqa: FBT001
    """A slot freed in the very instant in which the first in line is cancelled is not lost, nor is its token."""

    @virtual
    async def run() -> None:
        gate, pace = bulkhead(slots=1, per_second=1, burst=2)
        assert (await gate.enter(1)).entry is Entry.ADMITTED
        first = asyncio.create_task(gate.enter(50))
        second = asyncio.create_task(gate.enter(50))
        await asyncio.sleep(0)
        if cancelled_first:
            first.cancel()
        gate.leave()
        first.cancel()
        assert (await second).entry is Entry.ADMITTED
        assert first.cancelled()
        assert now() == 0.0
        assert (gate.taken, gate.waiting) == (1, 0)
        gate.leave()
        assert pace.ready_in(0.0) == pytest.approx(1.0)

    run()


@virtual
async def test_the_waiting_room_is_bounded() -> None:
    """Whoever finds it full is told so at once."""
    gate, _ = bulkhead(slots=1, room=2)
    await gate.enter(1)
    waiting = [asyncio.create_task(gate.enter(10)) for _ in range(2)]
    await asyncio.sleep(0)
    assert (await gate.enter(10)).entry is Entry.NO_ROOM
    assert now() == 0.0
    assert [(await task).entry for task in waiting] == [Entry.NO_SLOT] * 2
    assert now() == 10.0
    assert gate.waiting == 0


@virtual
async def test_whoever_cannot_be_served_in_time_does_not_wait() -> None:
    """With one token a second, the fourth in line is sent away at once, with the time to come."""
    gate, _ = bulkhead(slots=10, per_second=1, burst=1)
    await gate.enter(1)
    waiting = [asyncio.create_task(gate.enter(3.5)) for _ in range(3)]
    await asyncio.sleep(0)
    answer = await gate.enter(3.5)
    assert answer.entry is Entry.TOO_FAR
    assert answer.retry_after == pytest.approx(4.0)
    assert now() == 0.0
    assert [(await task).entry for task in waiting] == [Entry.ADMITTED] * 3
    assert now() == pytest.approx(3.0)


@virtual
async def test_tokens_are_exact_for_a_thousand_waiters() -> None:
    """A thousand callers at once leave at the pace to the tick, although slots fall free in lumps."""
    gate, _ = bulkhead(slots=60, per_second=100, burst=10)
    left: list[float] = []

    async def guest(number: int) -> None:
        assert (await gate.enter(1000)).entry is Entry.ADMITTED
        left.append(now())
        await asyncio.sleep(0.5 if number % 3 else 0.001)
        gate.leave()

    async with asyncio.TaskGroup() as group:
        for number in range(1000):
            group.create_task(guest(number))
    for first in range(0, 1000, 13):
        for last in range(first, 1000, 7):
            assert last - first + 1 <= 10 + 100 * (left[last] - left[first]) + 0.01
    assert left[-1] == pytest.approx(9.9, abs=0.01)


@virtual
async def test_slots_that_fall_free_together_release_no_burst() -> None:
    """A token is not kept while waiting for a slot: after a hang the pace is still the pace."""
    gate, _ = bulkhead(slots=20, per_second=10, burst=1)
    left: list[float] = []

    async def guest(until: float) -> None:
        assert (await gate.enter(1000)).entry is Entry.ADMITTED
        left.append(now())
        await asyncio.sleep(max(0.0, until - now()))
        gate.leave()

    async with asyncio.TaskGroup() as group:
        for _ in range(60):
            group.create_task(guest(10.0))
    after = [at for at in left if at >= 10.0]
    assert len(after) == 40
    assert after[-1] - after[0] >= 3.8


@virtual
async def test_nobody_slips_in_before_those_who_wait() -> None:
    """A newcomer who finds a token a moment before the waiting line is woken for it still goes to its end."""
    gate, _ = bulkhead(slots=10, per_second=1, burst=1)
    await gate.enter(1)
    waiting = asyncio.create_task(gate.enter(5))
    await asyncio.sleep(0.999_999_5)
    newcomer = asyncio.create_task(gate.enter(5))
    assert (await waiting).entry is Entry.ADMITTED
    assert not newcomer.done()
    assert (await newcomer).entry is Entry.ADMITTED
    assert now() == pytest.approx(2.0, abs=1e-3)
