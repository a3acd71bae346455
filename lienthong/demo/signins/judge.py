"""Who came beside who got in: pure, so that each verdict can be seen to fail.

Three books are compared: what the vendor did, what the gateway counted, and what the mock of the door did.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

IN = "in"
"""What came of a visit that ended with somebody being let in; else it is the word of whoever said no."""
COUNTED = {IN: "claimed", "level_too_low": "level_too_low", "failed": "failed", "begin_again": "unavailable"}
"""How the gateway counts what came of a visit."""
_COUNT = re.compile(r'^lienthong_sign_ins_total\{.*outcome="([a-z_]+)".*\} ([0-9.e+]+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Visit:
    """One try to get in: at whose sign-in, what had to come of it, and what did."""

    owner: str = field(repr=False)
    """The identity number of whoever proved themselves, if anybody did."""
    expected: str
    came: str
    number: str | None = field(default=None, repr=False)
    """The identity number that the vendor was told."""
    at_the_door: str = ""
    """The sign-in as the door calls it."""
    stranger: bool = False
    """Whether somebody else than the citizen tried."""

    @property
    def wrongly_in(self) -> bool:
        """Whether somebody got in who should not have, or as somebody else."""
        return self.came == IN and (self.expected != IN or self.number != self.owner)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who got in, who did not, and where the books differ."""

    visits: int
    let_in: int
    told: int
    """Citizens who were not let in, and were told why."""
    strangers: int
    wrongly_in: int
    kept_out: int
    """Citizens who should have got in."""
    counted: bool
    """Whether the gateway has counted the same."""
    exchanged: bool
    """Whether the door has exchanged exactly one code for each who got in, and none twice."""

    @property
    def holds(self) -> bool:
        """Whether everything is as it has to be."""
        return self.wrongly_in == self.kept_out == 0 and self.counted and self.exchanged


def judge(visits: Sequence[Visit], counted: Mapping[str, int], exchanged: Mapping[str, int]) -> Verdict:
    """Return the verdict. `exchanged`: how often the door gave tokens, by its name for the sign-in."""
    citizens = [one for one in visits if not one.stranger]
    let_in = [one for one in citizens if one.came == IN]
    wanted = {name: sum(one.came == came for one in citizens) for came, name in COUNTED.items()}
    return Verdict(
        visits=len(citizens),
        let_in=len(let_in),
        told=sum(one.came != IN and one.came == one.expected for one in citizens),
        strangers=sum(one.stranger for one in visits),
        wrongly_in=sum(one.wrongly_in for one in visits),
        kept_out=sum(one.expected == IN and one.came != IN for one in citizens),
        counted=all(counted.get(name, 0) == count for name, count in wanted.items()),
        exchanged=all(exchanged.get(one.at_the_door, 0) == 1 for one in let_in)
        and max(exchanged.values(), default=0) <= 1,
    )


def counts(metrics: str) -> dict[str, int]:
    """Return how sign-ins ended, from the gateway's metrics."""
    return {name: int(float(value)) for name, value in _COUNT.findall(metrics)}


def exchanges(effects: Iterable[Mapping[str, object]]) -> dict[str, int]:
    """Return how often the door gave tokens, from the counts of its ledger."""
    return {str(one["key"]): int(str(one["count"])) for one in effects if one["operation"] == "token"}
