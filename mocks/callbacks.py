"""What a system sends by itself: planned as a resource of the world, sent when its clock says so (`mocks.sender`).

Planning is part of the decision that causes it, so a killed mock still knows what it owes. Faults strike here; what
becomes of a callback is then a function of the plan alone.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mocks.faults import Stage, Visit, What
from mocks.world import Lifecycle, Verb
from mocks.world.shaped import Shape, Shaped

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

    from mocks.doors import Callback, Door, Site
    from mocks.faults import Fault
    from mocks.spaces import Space

KIND = "callback"
DUE, HELD, LOST, SENT, FAILED = "due", "held", "lost", "sent", "failed"
LATE_SECONDS = 30.0
HELD_SECONDS = 60.0

Seconds = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class CallbackSettings(BaseModel):
    """How callbacks are sent. Assumed, all of it: no system says how often it tries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tries: Annotated[int, Field(ge=1, description="how often one is sent before it is given up; assumed")] = 5
    pause_seconds: Annotated[float, Field(gt=0, description="between two tries, by the mocks' clock; assumed")] = 30
    timeout_seconds: Annotated[float, Field(gt=0, description="for one try, on the system's clock; assumed")] = 5
    at_once: Annotated[int, Field(ge=1, description="under way at once in one namespace; assumed")] = 16
    anywhere: bool = Field(default=False, description="whether targets may lie beyond this machine")


class _Fields(Shape):
    door: str = ""
    name: str = ""
    key: str = ""
    body: str = ""
    content_type: str = ""
    headers: Annotated[list[list[str]], Field(default_factory=list)]
    due: Seconds = 0
    """When it is sent, or sent again if nobody took it; for one that is held: until when at most."""
    tries: Count = 0
    left: Count = 1
    """How many times it is still to arrive."""
    status: int | None = None
    faults: Annotated[list[str], Field(default_factory=list)]
    fault_ids: Annotated[list[int], Field(default_factory=list)]


CALLBACKS = Shaped(
    Lifecycle(
        kind=KIND,
        starts=(DUE, HELD, LOST),
        verbs={
            "try": Verb((DUE,), None, "It is sent once more.", ("tries", "due")),
            "release": Verb((HELD,), DUE, "The one after it has been sent, or none came for a while.", ("due",)),
            "repeat": Verb((DUE,), None, "The other side said 2xx, and gets it again.", ("left", "due", "status")),
            "arrive": Verb((DUE,), SENT, "The other side said 2xx.", ("left", "status")),
            "give_up": Verb((DUE,), FAILED, "Nobody took it in all its tries.", ("status",)),
        },
    ),
    _Fields,
)


def on_this_machine(url: httpx.URL) -> bool:
    """Say whether an address is one of loopback."""
    try:
        return url.host == "localhost" or ip_address(url.host).is_loopback
    except ValueError:
        return False


def plan(space: Space, door: Door[Any], agency: str | None, site: Site[Any], callbacks: Iterable[Callback]) -> None:
    """Write down what is to be sent, as faults change it."""
    for callback in callbacks:
        ordinal = 1
        while site.world.get(KIND, _id(door.name, callback, ordinal)) is not None:
            ordinal += 1
        visit = Visit(
            door.name,
            callback.name,
            agency or callback.agency,
            callback.key,
            ordinal,
            door.platform,
            frozenset(what for what, names in door.plays.items() if callback.name in names),
        )
        struck = space.faults.strike(visit, {Stage.CALLBACK})
        faults = {armed.fault.what: armed.fault for armed in struck}
        state = LOST if What.CALLBACK_LOST in faults else HELD if What.CALLBACK_OUT_OF_ORDER in faults else DUE
        wait = callback.after + _seconds(faults.get(What.CALLBACK_LATE), LATE_SECONDS)
        if state == HELD:
            wait += _seconds(faults[What.CALLBACK_OUT_OF_ORDER], HELD_SECONDS)
        site.world.create(
            KIND,
            _id(door.name, callback, ordinal),
            state,
            door=door.name,
            name=callback.name,
            key=callback.key,
            body=callback.body,
            content_type=callback.content_type,
            headers=[list(header) for header in callback.headers],
            due=space.clock.seconds() + wait,
            tries=0,
            left=2 if What.CALLBACK_TWICE in faults else 1,
            faults=list(faults),
            fault_ids=[armed.id for armed in struck],
        )


def _seconds(fault: Fault | None, usual: float) -> float:
    if fault is None:
        return 0.0
    return usual if fault.details.seconds is None else fault.details.seconds


def _id(door: str, callback: Callback, ordinal: int) -> str:
    return f"{door}/{callback.name}/{callback.key}/{ordinal}"
