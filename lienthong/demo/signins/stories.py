"""The stories of sign-ins as data: how many citizens are in each, and how the door fails them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lienthong.demo.people import Person

DOOR = "vneid"
CLIENT = "Mau0H99XaThuNghiemMotCua0002"
"""Who the gateway is to the door."""


@dataclass(frozen=True, slots=True)
class Story:
    """One story, with so many citizens in it."""

    name: str
    citizens: int


CLEAR = Story("signins_clear", 8)
LOW = Story("signins_low", 3)
FORGED = Story("signins_forged", 5)
STOLEN = Story("signins_stolen", 4)
DOWN = Story("signins_down", 6)
STORIES = (CLEAR, LOW, FORGED, STOLEN, DOWN)
"""In the order in which they are told."""
FORGERIES = ("wrong_audience", "wrong_signature", "token_expired", "wrong_nonce", "delivered_twice")
"""What the door answers to the exchange of a code, one for each citizen: the last is a code that comes twice."""
DOWN_STATUS = 503
DOOR_DOWN = {"what": "bad_gateway", "for": {"door": DOOR}, "until": {"seconds": 120}, "with": {"status": DOWN_STATUS}}


def at_exchange(what: str, **details: Any) -> dict[str, Any]:
    """Return a fault that strikes one exchange of a code."""
    return {"what": what, "for": {"door": DOOR, "operation": "token"}, "until": {"count": 1}, "with": details}


def shared_out(people: Sequence[Person]) -> Iterator[tuple[Story, list[Person]]]:
    """Yield each story with its citizens: grown up, alive, and nothing odd about them."""
    grown = (one for one in people if one.number and not one.oddities)
    for story in STORIES:
        yield story, [next(grown) for _ in range(story.citizens)]
