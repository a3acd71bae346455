"""The synthetic partner: writes of all five kinds, in lanes.

A lane begins with the registration of a record. Whole contents and steps follow in any order, sometimes a second record
in the same lane, and at the end what nobody could look up: a handover, a notice, at times something behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from tests.support.durable.troubles import EVERYWHERE
from tests.support.durable.workload import Ask, spread

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

    from tests.support.durable.books import Attempt, Effect
    from tests.support.durable.workload import Asks

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
_PLACES: Final = {"append": "steps", "transfer": "transfers", "notify": "notices"}
_LOOKUPS: Final = {"append": "find_step", "transfer": "find_transfer"}
_FIELDS: Final = {
    "register": lambda _, title, record: {"code": record, "title": title, "amount": 20_000},
    "replace": lambda part, title, _: {"revision": int(part), "title": title, "amount": 5_000},
    "append": lambda part, *_: {"step": int(part), "state": "processing"},
    "transfer": lambda part, *_: {"transfer": part, "to": "000.00.02.H99"},
    "notify": lambda part, *_: {"notice": part, "text": "Mời đến nhận kết quả"},
}


def ask(
    *, lane: str, place: int, operation: str, record: str, part: str, agency: str, stated_lane: bool = False
) -> Ask:
    """Return one write; `part` is what tells it from others of its kind at the record."""
    whole = operation == "replace"
    title = f"Hồ sơ {record}, lần {part}" if whole else f"Hồ sơ {record}"
    below = {"register": "", "replace": f"/{record}"}.get(operation, f"/{record}/{_PLACES.get(operation)}")
    purpose = {"agency": agency, "procedure": "9.000001", "officer": "canbo.thu01", "reason": "before_dossier"}
    stated = {"lane": lane} if stated_lane else {}
    subject = f"{record}:{part}" if part else record
    return Ask(
        lane=lane,
        place=place,
        operation=operation,
        record=record,
        method="PUT" if whole else "POST",
        path=f"/v1/partner/records{below}",
        body={**_FIELDS[operation](part, title, record), **stated, "purpose": purpose},
        marks=(f"{operation} {subject}",),
        full_state=whole,
        untold=operation in Synthetic.untold,
        content=title if operation in {"register", "replace"} else None,
    )


class Synthetic:
    """The made-up partner of the mocks, with every kind of promise that a write may be declared with."""

    name = "partner"
    agencies = ("000.00.01.H99", "000.00.02.H99", "000.00.01.H98")
    writes = frozenset(_FIELDS)
    makes = frozenset({"register"})
    untold = frozenset({"notify", "transfer"})
    """They have neither a key nor a look-up that can tell."""
    seen = frozenset({"find_step", "login"})
    record = "record"
    troubles = EVERYWHERE
    entry = None
    dialects: ClassVar[Mapping[str, Any]] = {}

    def adapter(self, ready: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of the adapter: an account for each agency."""
        accounts = ready["credentials"]["partner"]["accounts"]
        own = {one["agency"]: {"username": one["username"], "secret": one["secret"]} for one in accounts}
        return {"endpoint": ready["partner"], "accounts": own}

    def workload(self, rng: random.Random, *, writes: int, lanes: int) -> Asks:
        """Return so many writes."""
        counts = enumerate(spread(writes, lanes))
        return tuple(tuple(self._lane(rng, number, count)) for number, count in counts)

    def mark(self, effect: Effect, asked: str | None) -> str:
        """Return operation and key: they tell every write from every other."""
        del asked
        return f"{effect.operation} {effect.key}"

    def exchange(self, write: str, attempt: Attempt) -> str:
        """Return the write's operation, or that of its look-up."""
        return _LOOKUPS.get(write, "") if attempt.purpose == "lookup" else write

    def content(self, fields: Mapping[str, Any]) -> str:
        """Return a record's title."""
        return str(fields["title"])

    def _lane(self, rng: random.Random, number: int, writes: int) -> Iterator[Ask]:
        name, agency = f"L{number:04}", rng.choice(self.agencies)
        tail = rng.choice(_TAILS)[: max(0, writes - 1)]
        records, counts = [f"{name}-A"], {"replace": 0, "append": 0}
        room = writes - len(tail)
        second = rng.randrange(1, room) if room > 2 and rng.random() < _SECOND_RECORD else None
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
            yield ask(
                lane=name if second is not None else records[0],
                place=place,
                operation=operation,
                record=record,
                part=part,
                agency=agency,
                stated_lane=second is not None,
            )
