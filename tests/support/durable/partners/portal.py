"""The national portal: a dossier's whole state and its progress, under either of its two codes.

A lane is a dossier. The first write tells both codes; each later one names one of them, as it happens. Progress goes up
in parts of two steps, and nobody can tell of a part that went unanswered whether it was added.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from contracts import VIETNAM
from tests.support.durable.launchers import TRACING
from tests.support.durable.troubles import at
from tests.support.durable.workload import Ask, spread

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.durable.books import Attempt, Effect
    from tests.support.durable.workload import Asks

STEPS_PER_REQUEST: Final = 2
_MOST_STEPS: Final = 5
_WHOLE: Final = 0.5
_NAMED_AGAIN: Final = 0.3
"""How many of the later states tell the other code too."""
_PROVINCES: Final = {"H99": "dvc_h99", "H98": "dvc_h98"}
_BEGINNING: Final = datetime(2026, 3, 2, 8, tzinfo=VIETNAM)
_PROCESSING: Final = 4
_SELDOM: Final = 0.12
"""Of how many troubles that befall states progress is to have its share: each one parks a lane."""


class Portal:
    """The national portal as it is assumed to be at its worst.

    It knows no key, a step that comes twice is there twice, and a log-in ends the session that the account had. Its
    contract has no place for a request's id either: the gateways are made to show it.
    """

    name = "portal"
    agencies = ("000.00.01.H99", "H99.5", "000.00.01.H98")
    writes = frozenset({"create", "update", "progress"})
    makes = frozenset({"create"})
    untold = frozenset({"progress"})
    seen = frozenset({"create", "update", "progress", "login"})
    record = "dossier"
    troubles = (
        *at("create"),
        *at("update"),
        *(one for one in at("login") if one["what"] != "session_expired"),
        *at("progress", _SELDOM),
    )
    entry = TRACING
    dialects: ClassVar[Mapping[str, Any]] = {"single_session": True}

    def adapter(self, ready: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of the adapter: one account for each province."""
        known = {one["username"]: one for one in ready["credentials"]["portal"]["accounts"]}
        accounts = {province: known[username] for province, username in _PROVINCES.items()}
        own = {
            agency: {"account": {name: account[name] for name in ("username", "secret")}}
            for agency in self.agencies
            for province, account in accounts.items()
            if province in agency
        }
        steps = {"steps_per_request": STEPS_PER_REQUEST}
        return {"endpoint": ready["portal"], "plain_http": True, "agencies": own, **steps}

    def workload(self, rng: random.Random, *, writes: int, lanes: int) -> Asks:
        """Return so many writes."""
        counts = enumerate(spread(writes, lanes))
        return tuple(tuple(self._lane(rng, number, count)) for number, count in counts)

    def mark(self, effect: Effect, asked: str | None) -> str:
        """Return the key of a step. The portal tells no state from another, so that the write is named itself."""
        return f"{effect.operation} {effect.key}" if effect.operation == "progress" else f"state {effect.key} {asked}"

    def exchange(self, write: str, attempt: Attempt) -> str:
        """Return the operation that the attempt's step is."""
        del write
        return attempt.step.partition("/")[0]

    def content(self, fields: Mapping[str, Any]) -> str:
        """Return a dossier's subject."""
        return str(fields["content"].get("TrichYeuHoSo"))

    def _lane(self, rng: random.Random, number: int, writes: int) -> Iterator[Ask]:
        agency = rng.choice(self.agencies)
        file = File(f"D{number:04}", agency, f"{agency}-260302-{number:04}", f"G22.99-260302-{number:04}")
        steps = 0
        for place in range(writes):
            code = rng.choice((file.unit, file.portal)) if place else file.unit
            if not place or rng.random() < _WHOLE:
                yield file.state(place, code, tells=not place or rng.random() < _NAMED_AGAIN)
            else:
                count = rng.randint(1, _MOST_STEPS)
                yield file.progress(place, code, moments(steps, count))
                steps += count


def moments(before: int, count: int) -> list[datetime]:
    """Return when so many steps were taken, `before` of the dossier's others were."""
    return [_BEGINNING + timedelta(minutes=number) for number in range(before, before + count)]


class File:
    """One dossier, of which writes are made."""

    def __init__(self, name: str, agency: str, unit: str, portal: str) -> None:
        self.name = name
        self.unit = unit
        self.portal = portal
        self._agency = agency

    def state(self, place: int, code: str, *, tells: bool) -> Ask:
        """Return the write of a whole state under one of the codes; where that is the unit's, it may tell the other."""
        key, told = f"{self.name}-{place}", {"portal_code": self.portal} if tells and code == self.unit else {}
        subject = f"Hồ sơ mẫu {key}"
        dossier = {
            "procedure": "9.999001",
            "procedure_name": "Thủ tục mẫu có kết quả",
            "field_code": "G99-XX01",
            "field_name": "Lĩnh vực mẫu",
            "owner": "Chủ hồ sơ mẫu",
            "owner_kind": "citizen",
            "phone": "0000000000",
            "subject": subject,
            "received_at": _BEGINNING.isoformat(),
            "due_at": (_BEGINNING + timedelta(days=7)).isoformat(),
            "status": _PROCESSING,
            "result_delivery": "direct",
            "processing_unit": "UBND xã Mẫu",
        }
        return Ask(
            lane=self.name,
            place=place,
            operation="sync_dossier",
            record=self.portal,
            method="PUT",
            path=f"/v1/dossiers/{code}",
            body={"dossier": dossier, "revision": place + 1, **told, "purpose": self._purpose(code)},
            marks=(f"state {self.portal} {key}",),
            full_state=True,
            content=subject,
        )

    def progress(self, place: int, code: str, moments: Sequence[datetime]) -> Ask:
        """Return the write of a step at each of these moments."""
        said = {"officer": "Cán bộ mẫu", "content": "Đang thẩm định", "status": _PROCESSING}
        return Ask(
            lane=self.name,
            place=place,
            operation="progress",
            record=self.portal,
            method="POST",
            path=f"/v1/dossiers/{code}/progress",
            body={"steps": [{**said, "at": at.isoformat()} for at in moments], "purpose": self._purpose(code)},
            marks=tuple(f"progress {self.portal}:{at:%Y%m%d%H%M%S}-{_PROCESSING}" for at in moments),
            untold=True,
        )

    def _purpose(self, code: str) -> dict[str, str]:
        return {"agency": self._agency, "procedure": "9.999001", "officer": "canbo.thu01", "dossier": code}
