"""What is asked for in a chaos run: writes of all five kinds, in lanes, the same for the same seed.

A lane begins with the registration of a record. Whole contents and steps follow in any order, sometimes a second record
in the same lane, and at the end what nobody could look up: a handover, a notice, at times something behind them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

AGENCIES: Final = ("000.00.01.H99", "000.00.02.H99", "000.00.01.H98")
UNTOLD: Final = frozenset({"notify", "transfer"})
"""Operations that have neither a key nor a look-up that can tell."""
FULL_STATE: Final = "replace"
_SECOND_RECORD: Final = 0.3
_WHOLE: Final = 0.55
_TAILS: Final = (
    ("transfer",),
    ("notify",),
    ("transfer", "notify"),
    ("notify", "transfer"),
    ("notify", "append"),
    ("transfer", "replace"),
    (),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One write that somebody wants done. `place` counts inside the lane, from 0; `subject` is the ledger's key."""

    lane: str
    place: int
    operation: str
    record: str
    part: str
    agency: str
    stated_lane: bool

    @property
    def key(self) -> str:
        """The idempotency key."""
        return f"{self.lane}-{self.place}"

    @property
    def subject(self) -> str:
        """What the partner's ledger calls it."""
        return f"{self.record}:{self.part}" if self.part else self.record

    @property
    def method(self) -> str:
        """The method of the request."""
        return "PUT" if self.operation == "replace" else "POST"

    @property
    def path(self) -> str:
        """The address of the request."""
        below = {"register": "", "replace": f"/{self.record}"}
        return f"/v1/partner/records{below.get(self.operation, f'/{self.record}/{_PARTS.get(self.operation)}')}"

    def body(self) -> dict[str, Any]:
        """Return the body of the request."""
        purpose = {"agency": self.agency, "procedure": "9.000001", "officer": "canbo.thu01", "reason": "before_dossier"}
        stated = {"lane": self.lane} if self.stated_lane else {}
        return {**_FIELDS[self.operation](self), **stated, "purpose": purpose}


_PARTS: Final = {"append": "steps", "transfer": "transfers", "notify": "notices"}
_FIELDS: Final = {
    "register": lambda ask: {"code": ask.record, "title": f"Hồ sơ {ask.record}", "amount": 20_000},
    "replace": lambda ask: {"revision": int(ask.part), "title": f"Hồ sơ {ask.record}, lần {ask.part}", "amount": 5_000},
    "append": lambda ask: {"step": int(ask.part), "state": "processing"},
    "transfer": lambda ask: {"transfer": ask.part, "to": "000.00.02.H99"},
    "notify": lambda ask: {"notice": ask.part, "text": "Mời đến nhận kết quả"},
}


def workload(rng: random.Random, *, writes: int, lanes: int) -> tuple[tuple[Ask, ...], ...]:
    """Return so many writes, lane by lane, each lane in its order."""
    short, longer = divmod(writes, lanes)
    return tuple(tuple(_lane(rng, number, short + (number < longer))) for number in range(lanes))


def _lane(rng: random.Random, number: int, writes: int) -> Iterator[Ask]:
    name, agency = f"L{number:04}", rng.choice(AGENCIES)
    tail = rng.choice(_TAILS)[: max(0, writes - 1)]
    records, counts = [f"{name}-A"], {"replace": 0, "append": 0}
    second = rng.randrange(1, writes - len(tail)) if writes - len(tail) > 2 and rng.random() < _SECOND_RECORD else None
    for place in range(writes):
        behind = writes - place
        if place in {0, second}:
            operation = "register"
            if place:
                records.append(f"{name}-B")
        elif behind <= len(tail):
            operation = tail[-behind]
        else:
            operation = "replace" if rng.random() < _WHOLE else "append"
        record = records[-1] if operation == "register" else rng.choice(records)
        if operation in counts:
            counts[operation] += 1
            part = str(counts[operation])
        else:
            part = "" if operation == "register" else f"{name}-{operation[0].upper()}{place}"
        yield Ask(
            lane=name if second is not None else records[0],
            place=place,
            operation=operation,
            record=record,
            part=part,
            agency=agency,
            stated_lane=second is not None,
        )
