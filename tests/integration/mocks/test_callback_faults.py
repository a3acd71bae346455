"""What faults make of callbacks."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.partner_door import opened
from tests.support.receiver import eventually, receiving


async def test_twice() -> None:
    """A callback that is struck by `callback_twice` arrives twice, the same each time."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        await door.fault("callback_twice")
        for code in ("H-1", "H-2"):
            await door.partner.register(code)
        await door.clock(advance_seconds=5)
        await receiver.wait_for(3)
        await eventually(door.states, ["sent", "sent"])
        assert (receiver.sequences("H-1"), receiver.sequences("H-2")) == ([1, 1], [1])


async def test_late() -> None:
    """A callback that is struck by `callback_late` comes so many seconds after its time, and may be overtaken."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        await door.fault("callback_late", details={"seconds": 10})
        await door.partner.register("H-1")
        await door.officer("H-1", "take_up")
        await door.clock(advance_seconds=14)
        await receiver.wait_for(1)
        await door.still()
        assert receiver.sequences("H-1") == [2]
        await door.clock(advance_seconds=1)
        await receiver.wait_for(2)
        assert receiver.sequences("H-1") == [2, 1]


async def test_out_of_order() -> None:
    """A callback that is struck by `callback_out_of_order` waits for the next one about its key, and for no other."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        await door.fault("callback_out_of_order", whom={"operation": "registered", "key": "H-1"})
        for code in ("H-1", "H-2"):
            await door.partner.register(code)
        await door.clock(advance_seconds=5)
        await receiver.wait_for(1)
        await eventually(door.states, ["held", "sent"])
        await door.still()
        assert await door.states() == ["held", "sent"]
        await door.officer("H-1", "take_up")
        await door.clock(advance_seconds=1)
        await receiver.wait_for(3)
        assert receiver.sequences("H-1") == [2, 1]


async def test_out_of_order_with_nothing_after_it() -> None:
    """If no other comes, a held callback is sent after a while all the same."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        await door.fault("callback_out_of_order", details={"seconds": 40})
        await door.partner.register("H-1")
        await door.clock(advance_seconds=44)
        await door.still()
        assert await door.states() == ["held"]
        await door.clock(advance_seconds=1)
        await receiver.wait_for(1)


async def test_lost() -> None:
    """A callback that is struck by `callback_lost` is never sent, and says so."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        await door.fault("callback_lost", whom={"key": "H-1"})
        for code in ("H-1", "H-2"):
            await door.partner.register(code)
        await door.clock(advance_seconds=86_400)
        await receiver.wait_for(1)
        await door.still()
        lost = (await door.callbacks())[0]
        assert (lost["state"], lost["faults"]) == ("lost", ["callback_lost"])
        assert receiver.sequences("H-1") == []


@pytest.mark.parametrize(
    "whom", [{"agency": "000.00.01.H99"}, {"province": "H99"}, {"platform": "ndxp"}, {"door": "partner"}]
)
async def test_faults_find_callbacks_that_no_request_caused(whom: dict[str, str]) -> None:
    """A callback after an officer's step concerns the agency of the record, and is struck for it."""
    async with opened() as door:
        await door.partner.register("H-1")
        await door.fault("callback_lost", whom={**whom, "operation": "progressed"})
        await door.officer("H-1", "take_up")
        assert await door.states() == ["due", "lost"]
        armed = await door.admin("GET", "faults")
        assert armed["faults"] == []


async def test_a_fault_names_a_callback() -> None:
    """A fault of callbacks for something that is none is refused."""
    async with opened() as door:
        answer = await door.client.post(
            "http://mocks.example/__mock__/faults",
            json={"what": "callback_lost", "until": {"count": 1}, "for": {"operation": "register"}},
        )
        assert answer.status_code == 422


async def test_the_same_seed_strikes_the_same_callbacks() -> None:
    """Which callbacks a share of faults strikes is decided by seed and key, not by who came first."""

    async def struck(codes: list[str], seed: int) -> set[str]:
        async with opened(seed=seed) as door:
            await door.fault("callback_lost", when={"share": 0.5}, until={"count": 100})
            await asyncio.gather(*(door.partner.register(code) for code in codes))
            return {one["key"] for one in await door.callbacks() if one["state"] == "lost"}

    codes = [f"H-{number}" for number in range(40)]
    lost = await struck(codes, 1)
    assert 5 < len(lost) < 35
    assert await struck(codes[::-1], 1) == lost
    assert await struck(codes, 2) != lost
