"""Claims about a ledger as values, and the verdict on each: what a test asserts, in Python or over the admin API.

A claim only reads. Instants and waits are measured on the system's clock (`wall`), order and overlap by the ledger's
ticks. A ledger that has forgotten its oldest entries confirms no claim about them: the sentence says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from mocks.ledger import Effect, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mocks.ledger import Ledger

SHOWN = 20
"""Exchanges, and likewise effects, that one verdict shows at most."""
MOST_CLAIMS = 100
Scope: TypeAlias = Literal["lane", "key", "agency", "door"]
Count: TypeAlias = Annotated[int, Field(ge=0, strict=True)]


class _Claim(BaseModel):
    """What every claim is narrowed by; what is not stated narrows nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)

    door: str | None = None
    operation: str | None = None
    key: str | None = None
    lane: str | None = None

    def about(self, one: Exchange | Effect) -> bool:
        """Say whether the claim is about this exchange or effect."""
        return all(getattr(self, name) in (None, getattr(one, name)) for name in ("door", "operation", "key", "lane"))


class _OfExchanges(_Claim):
    """Claims about exchanges can be narrowed further."""

    agency: str | None = None
    fault: str | None = None
    """Only exchanges that this fault struck."""

    def about(self, one: Exchange | Effect) -> bool:
        """Say whether the claim is about this exchange."""
        return (
            super().about(one)
            and isinstance(one, Exchange)
            and self.agency in (None, one.agency)
            and self.fault in (None, *one.faults)
        )


class _Number(_Claim):
    """How many there are: state `exactly`, or `at_least` and `at_most`."""

    exactly: Count | None = None
    at_least: Count | None = None
    at_most: Count | None = None
    keys: tuple[str, ...] | Literal["every"] | None = None
    """So many for each of these keys; "every": for each key that was asked about."""
    idempotency_key: str | None = None

    def about(self, one: Exchange | Effect) -> bool:
        """Say whether the claim is about this exchange or effect."""
        return super().about(one) and self.idempotency_key in (None, one.idempotency_key)

    @model_validator(mode="after")
    def _one_number(self) -> _Number:
        if (self.exactly is None) == (self.at_least is None and self.at_most is None):
            raise ValueError("state exactly, or else at_least, at_most or both")
        if self.keys is not None and self.key is not None:
            raise ValueError("state key or keys, not both")
        return self

    def allows(self, count: int) -> bool:
        """Say whether a count is as claimed."""
        if self.exactly is not None:
            return count == self.exactly
        return (self.at_least is None or count >= self.at_least) and (self.at_most is None or count <= self.at_most)

    @property
    def wanted(self) -> str:
        """How many, in words."""
        if self.exactly is not None:
            return f"exactly {self.exactly}"
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)


class Effects(_Number):
    """So many effects."""

    claim: Literal["effects"] = "effects"


class Exchanges(_Number, _OfExchanges):
    """So many exchanges."""

    claim: Literal["exchanges"] = "exchanges"


class EffectsInOrder(_Claim):
    """The effects are these, in this order."""

    claim: Literal["effects_in_order"] = "effects_in_order"
    order: tuple[str, ...]
    by: Literal["key", "operation", "idempotency_key", "lane"] = "key"
    others: bool = False
    """Whether effects that the list does not name may stand between."""


class OneAtATime(_OfExchanges):
    """Never two exchanges in flight at once. One that has not ended is in flight still."""

    claim: Literal["one_at_a_time"] = "one_at_a_time"
    scope: Scope = "lane"
    """For each lane, key, agency or door by itself. An exchange without a lane is in nobody's way."""


class Waited(_OfExchanges):
    """Nobody came back sooner than an answer had asked. Who began before that answer could be read is not meant."""

    claim: Literal["waited"] = "waited"
    scope: Scope = "key"
    """Whom the wait is for: whoever comes with this key, lane or agency to that door, or the whole door."""
    tolerance_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class NoneAfter(_OfExchanges):
    """No exchange began after an instant."""

    claim: Literal["none_after"] = "none_after"
    instant: Annotated[float, Field(allow_inf_nan=False, strict=True)] | AwareDatetime
    """Seconds since 1970, or ISO 8601 with an offset."""

    @property
    def seconds(self) -> float:
        """The instant in seconds since 1970."""
        return self.instant if isinstance(self.instant, float) else self.instant.timestamp()


class OnlyKnown(_OfExchanges):
    """Every exchange is a known one: it has one of each list that is given."""

    claim: Literal["only_known"] = "only_known"
    keys: frozenset[str] | None = None
    request_ids: frozenset[str] | None = None
    idempotency_keys: frozenset[str] | None = None

    @model_validator(mode="after")
    def _something(self) -> OnlyKnown:
        if self.keys is None and self.request_ids is None and self.idempotency_keys is None:
            raise ValueError("state what is known: keys, request_ids or idempotency_keys")
        return self

    def knows(self, exchange: Exchange) -> bool:
        """Say whether an exchange is a known one."""
        return (
            (self.keys is None or exchange.key in self.keys)
            and (self.request_ids is None or exchange.request_id in self.request_ids)
            and (self.idempotency_keys is None or exchange.idempotency_key in self.idempotency_keys)
        )


Claim: TypeAlias = Annotated[
    Effects | Exchanges | EffectsInOrder | OneAtATime | Waited | NoneAfter | OnlyKnown, Field(discriminator="claim")
]
CLAIMS: TypeAdapter[list[Claim]] = TypeAdapter(Annotated[list[Claim], Field(min_length=1, max_length=MOST_CLAIMS)])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a claim holds, why in a sentence, and the evidence: what contradicts it, or what was counted."""

    claim: Claim
    holds: bool
    sentence: str
    exchanges: tuple[Exchange, ...] = ()
    effects: tuple[Effect, ...] = ()
    left_out: int = 0
    """How much more evidence there is."""


def check(claim: Claim, ledger: Ledger) -> Verdict:
    """Return the verdict on a claim."""
    holds, sentence, evidence = _JUDGES[type(claim)](claim, ledger)
    forgotten = ledger.total - len(ledger.exchanges()), ledger.done - len(ledger.effects())
    if holds and any(forgotten):
        holds = False
        sentence += f"; but the ledger has forgotten its oldest {forgotten[0]} exchanges and {forgotten[1]} effects"
    exchanges = tuple(one for one in evidence if isinstance(one, Exchange))
    effects = tuple(one for one in evidence if isinstance(one, Effect))
    left_out = max(0, len(exchanges) - SHOWN) + max(0, len(effects) - SHOWN)
    return Verdict(claim, holds, sentence, exchanges[:SHOWN], effects[:SHOWN], left_out)


_Found: TypeAlias = "tuple[bool, str, list[Exchange] | list[Effect] | list[Exchange | Effect]]"


def _exchanges(claim: _Claim, ledger: Ledger) -> list[Exchange]:
    return [one for one in ledger.exchanges() if claim.about(one)]


def _effects(claim: _Claim, ledger: Ledger) -> list[Effect]:
    return [one for one in ledger.effects() if claim.about(one)]


def _number(claim: Effects | Exchanges, ledger: Ledger) -> _Found:
    name = claim.claim
    found: list[Exchange | Effect] = []
    found += _effects(claim, ledger) if isinstance(claim, Effects) else _exchanges(claim, ledger)
    if claim.keys is None:
        return claim.allows(len(found)), f"{claim.wanted} {name} claimed, {len(found)} found", found
    counts = Counter(one.key for one in found)
    asked = claim.keys if isinstance(claim.keys, tuple) else _asked(claim, ledger)
    wrong = {key: counts[key] for key in asked if not claim.allows(counts[key])}
    if not wrong:
        return True, f"each of {len(asked)} keys has {claim.wanted} {name}", []
    some = ", ".join(f"{key}: {count}" for key, count in list(wrong.items())[:SHOWN])
    evidence = [one for one in found if one.key in wrong]
    return False, f"{len(wrong)} of {len(asked)} keys do not have {claim.wanted} {name} ({some})", evidence


def _asked(claim: Effects | Exchanges, ledger: Ledger) -> list[str]:
    """Return every key that an exchange or an effect is about, as far as the claim looks."""
    every: list[Exchange | Effect] = [*ledger.exchanges(), *ledger.effects()]
    return list(dict.fromkeys(one.key for one in every if _Claim.about(claim, one)))


def _in_order(claim: EffectsInOrder, ledger: Ledger) -> _Found:
    found = _effects(claim, ledger)
    if claim.others:
        found = [one for one in found if getattr(one, claim.by) in claim.order]
    order = tuple(getattr(one, claim.by) for one in found)
    if order == claim.order:
        return True, f"{len(order)} effects stand in the order claimed", []
    place = next(
        (place for place, (given, wanted) in enumerate(zip(order, claim.order, strict=False)) if given != wanted),
        min(len(order), len(claim.order)),
    )
    given, wanted = (str(names[place]) if place < len(names) else "none" for names in (order, claim.order))
    return False, f"effect {place + 1} should be {wanted} and is {given}", [*found[max(0, place - 1) :]]


def _one_at_a_time(claim: OneAtATime, ledger: Ledger) -> _Found:
    overlaps: list[Exchange] = []
    pairs = 0
    for group in _groups(claim.scope, _exchanges(claim, ledger)):
        longest: Exchange | None = None
        for one in sorted(group, key=lambda exchange: exchange.began):
            if longest is not None and one.began < _end(longest, ledger):
                pairs += 1
                overlaps += [longest, one]
            if longest is None or _end(one, ledger) > _end(longest, ledger):
                longest = one
    if not pairs:
        return True, f"never two exchanges of one {claim.scope} in flight at once", []
    return False, f"{pairs} exchanges began while another of their {claim.scope} was in flight", _once(overlaps)


def _waited(claim: Waited, ledger: Ledger) -> _Found:
    early: list[Exchange] = []
    asked = worst = 0.0
    count = 0
    for group in _groups(claim.scope, _exchanges(claim, ledger)):
        # The group's life, tick by tick: an answer that could be read may put off when the next may begin.
        steps: list[tuple[float, bool, Exchange]] = [(one.began, False, one) for one in group]
        steps += [(_end(one, ledger), True, one) for one in group if one.wait_asked is not None and one.status]
        not_before, asker = 0.0, None
        for _, answered, one in sorted(steps, key=lambda step: step[:2]):
            if answered:
                asked += 1
                until = one.wall + (one.wait_asked or 0)
                if until > not_before:
                    not_before, asker = until, one
            elif asker is not None and one.wall + claim.tolerance_seconds < not_before:
                count += 1
                worst = max(worst, not_before - one.wall)
                early += [asker, one]
    if not count:
        return True, f"nobody came sooner than {asked:.0f} answers asked", []
    return False, f"{count} exchanges began too soon, one {worst:.3f} seconds before its time", _once(early)


def _none_after(claim: NoneAfter, ledger: Ledger) -> _Found:
    late = [one for one in _exchanges(claim, ledger) if one.wall > claim.seconds]
    return not late, f"{len(late) or 'no'} exchanges began after the instant", late


def _only_known(claim: OnlyKnown, ledger: Ledger) -> _Found:
    every = _exchanges(claim, ledger)
    strange = [one for one in every if not claim.knows(one)]
    return not strange, f"{len(strange) or 'none'} of {len(every)} exchanges are unknown", strange


_JUDGES: dict[type[BaseModel], Callable[[Any, Ledger], _Found]] = {
    Effects: _number,
    Exchanges: _number,
    EffectsInOrder: _in_order,
    OneAtATime: _one_at_a_time,
    Waited: _waited,
    NoneAfter: _none_after,
    OnlyKnown: _only_known,
}


def _groups(scope: Scope, exchanges: Iterable[Exchange]) -> Iterator[list[Exchange]]:
    """Return exchanges of one door that have the same lane, key or agency; those that have none are in no group."""
    groups: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for one in exchanges:
        name = getattr(one, scope)
        if name is not None:
            groups[one.door, name].append(one)
    return iter(groups.values())


def _end(exchange: Exchange, ledger: Ledger) -> float:
    """Return the tick at which an exchange ended; one that is open ends after all others."""
    end = ledger.end_of(exchange.began)
    return float("inf") if end is None else end


def _once(exchanges: Iterable[Exchange]) -> list[Exchange]:
    return list({one.seq: one for one in exchanges}.values())
