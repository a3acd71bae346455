"""Replays of what is stuck, their turns, and how they stand."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from contracts.model import Acted, ContractBroken, DeliveryState
from gateway.delivery import Choice, Replay, ReplayRefusal, StopRule
from tests.support.deliveries import SYSTEM, WORD, Bench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.delivery import Delivery

ALL = Choice(system=SYSTEM)
BOTH = frozenset({DeliveryState.NEEDS_PERSON, DeliveryState.REJECTED})
SLOW = 0.001
"""Per second: the next turn comes only when the clock is moved."""
SLOWLY = timedelta(seconds=1 / SLOW)
FAST = 100.0


async def stuck(one: Bench, many: int, operation: str = "put", **fields: Any) -> list[Delivery]:
    """Return deliveries that need a person, in lanes of their own; the workers stand still again."""
    one.toy.always = one.toy.fails(ContractBroken, may_have_acted=Acted.MAYBE if operation == "tell" else Acted.NO)
    made = [await one.accept(operation, f"{one.name}-{operation}-{number}", **fields) for number in range(many)]
    await worked(one, made, "needs_person")
    one.toy.always = None
    return made


async def worked(one: Bench, made: Sequence[Delivery], state: str) -> None:
    """Have the workers bring deliveries to this state, and stand still again."""
    await one.running()
    for each in made:
        await one.until(each, state)
    await one.deliveries.stop(5)


async def make(one: Bench, choice: Choice = ALL, **fields: Any) -> Replay:
    """Return a new replay."""
    made = await asked(one, choice, **fields)
    assert isinstance(made, Replay), made
    return made


async def asked(one: Bench, choice: Choice = ALL, **fields: Any) -> Replay | ReplayRefusal:
    """Ask for a replay."""
    given = {"client": "one-stop", "per_second": SLOW, "stop": StopRule(above=3, of=5), **fields}
    return await one.deliveries.replays.make(choice, WORD, **given)


async def seen(one: Bench, replay: Replay) -> Replay:
    """Return how a replay stands."""
    found = await one.deliveries.replays.get(replay.id)
    assert found is not None
    return found


async def turns(one: Bench) -> None:
    """Take every turn that there is, however slow the pace is."""
    while True:
        wait = await one.deliveries.replays.take_turns()
        if wait is None:
            return
        await one.move(timedelta(seconds=wait))


async def replayed(one: Bench) -> Counter[str]:
    """Return how often each delivery was set going."""
    rows = await one.store.engine.read(lambda tx: tx.fetch("SELECT delivery FROM ruling WHERE what = 'replay'"))
    return Counter(row[0] for row in rows)


async def states(one: Bench, made: Sequence[Delivery]) -> list[str]:
    """Return how deliveries stand."""
    return [str((await one.get(each)).state) for each in made]
