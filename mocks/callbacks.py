"""What a system sends by itself: planned as a resource of the world, sent when its clock says so.

Planning is part of the decision that causes it, so a killed mock still knows what it owes. Sending is tried a few
times; each try is a change of the resource, journalled before the request leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocks.faults import Stage, Visit
from mocks.world import Lifecycle, Plain, Verb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mocks.doors import Callback, Door, Site
    from mocks.spaces import Space

KIND = "callback"
CALLBACKS = Plain(
    Lifecycle(
        kind=KIND,
        starts=("due", "held", "lost"),
        verbs={
            "try": Verb(("due",), None, "It is sent once more.", ("tries", "due")),
            "release": Verb(("held",), "due", "The one after it has been sent.", ("due",)),
            "arrive": Verb(("due",), "sent", "The other side said 2xx.", ("status",)),
            "give_up": Verb(("due", "held"), "failed", "Nobody took it in all its tries.", ("status",)),
        },
    )
)


def plan(space: Space, door: Door[Any], agency: str | None, site: Site[Any], callbacks: Iterable[Callback]) -> None:
    """Write down what is to be sent, as faults change it."""
    for callback in callbacks:
        ordinal = 1
        while site.world.get(KIND, _id(door.name, callback, ordinal)) is not None:
            ordinal += 1
        visit = Visit(door.name, callback.name, agency, callback.key, ordinal, door.platform, frozenset(door.plays))
        struck = space.faults.strike(visit, {Stage.CALLBACK})
        site.world.create(
            KIND,
            _id(door.name, callback, ordinal),
            "due",
            door=door.name,
            name=callback.name,
            key=callback.key,
            body=callback.body,
            content_type=callback.content_type,
            headers=[list(header) for header in callback.headers],
            due=space.clock.seconds() + callback.after,
            tries=0,
            faults=[armed.fault.what for armed in struck],
            fault_ids=[armed.id for armed in struck],
        )


def _id(door: str, callback: Callback, ordinal: int) -> str:
    return f"{door}/{callback.name}/{callback.key}/{ordinal}"
