from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from adapters.vneid.operations import OPERATIONS
from contracts.model import Failure, Layer, NotSent
from gateway.systems.kept import MOST, WITHIN_SECONDS, Kept

if TYPE_CHECKING:
    from gateway.signins import Asking

ASKING: Any = None
HOUR = 3600.0


@dataclass
class Door:
    """Tells how often it was asked, or is away."""

    asked: int = 0
    away: bool = False
    now: float = 1000.0
    answers: list[object] = field(default_factory=list)
    hangs: asyncio.Event | None = None

    async def fetch(self, asking: Asking) -> object:
        """Answer."""
        del asking
        await asyncio.sleep(0)
        self.asked += 1
        if self.hangs is not None:
            await self.hangs.wait()
        if self.away:
            raise NotSent("connection_failed", operation=OPERATIONS.keys, layer=Layer.NETWORK)
        self.answers.append(object())
        return self.answers[-1]

    def kept(self) -> Kept[object]:
        """Return what keeps its answer for an hour, at most for two."""
        return Kept(self.fetch, lambda: self.now, fresh_seconds=HOUR, good_seconds=2 * HOUR)


async def test_it_is_asked_for_once_and_again_when_it_is_old() -> None:
    """Many at once wait for one answer; after an hour there is another."""
    door = Door()
    kept = door.kept()
    assert kept.age is None
    first = await asyncio.gather(*(kept.get(ASKING) for _ in range(5)))
    assert (door.asked, set(first)) == (1, set(door.answers))
    door.now += HOUR + 1
    assert kept.age == HOUR + 1
    assert await kept.get(ASKING) is not first[0]


async def test_the_old_one_goes_on_while_the_door_is_away_but_not_for_ever() -> None:
    """Neither is the door asked for every sign-in meanwhile."""
    door = Door()
    kept = door.kept()
    first = await kept.get(ASKING)
    door.away = True
    door.now += HOUR + 1
    assert [await kept.get(ASKING) for _ in range(3)] == [first] * 3
    assert door.asked == 2
    door.now += HOUR
    with pytest.raises(Failure):
        await kept.get(ASKING)


async def test_nobody_waits_for_a_newer_one_while_the_old_one_is_good() -> None:
    """But for the one that asks: a door that hangs holds up one sign-in, and not all of them."""
    door = Door()
    kept = door.kept()
    held = await kept.get(ASKING)
    door.now += HOUR + 1
    door.hangs = asyncio.Event()
    asks = asyncio.create_task(kept.get(ASKING))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(kept.get(ASKING), 5) is held
    door.now += HOUR
    late = asyncio.create_task(kept.get(ASKING))
    await asyncio.sleep(0)
    assert not late.done()  # it is too old by now
    door.hangs.set()
    assert await asks is await late is not held


async def test_what_is_missing_is_asked_for_at_once_but_not_without_limit() -> None:
    """Whoever names a key that nobody has cannot have the door asked for ever."""
    door = Door()
    kept = door.kept()
    held = await kept.get(ASKING)
    for _ in range(MOST):
        newer = await kept.again(held, ASKING)
        assert newer is not held
        held = newer
    assert await kept.again(held, ASKING) is held
    door.now += WITHIN_SECONDS
    assert await kept.again(held, ASKING) is not held


async def test_many_that_miss_the_same_are_answered_by_one_question() -> None:
    """Who comes after another has asked is given what that brought."""
    door = Door()
    kept = door.kept()
    held = await kept.get(ASKING)
    newer = await asyncio.gather(*(kept.again(held, ASKING) for _ in range(5)))
    assert (door.asked, len(set(newer))) == (2, 1)
