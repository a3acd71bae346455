from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mocks.claims import (
    CLAIMS,
    SHOWN,
    Claim,
    Effects,
    EffectsInOrder,
    Exchanges,
    NoneAfter,
    OneAtATime,
    OnlyKnown,
    Verdict,
    Waited,
    check,
)
from mocks.ledger import Effect, Exchange, Ledger

NOON = 1_767_675_600.0


class Story:
    """A ledger, told exchange by exchange."""

    def __init__(self, kept: int = 1000) -> None:
        self.ledger = Ledger(kept)
        self._beginnings: dict[int, float] = {}

    def begin(self, at: float = 0.0, *, lane: str | None = None) -> int:
        """Let an exchange begin so many seconds after noon and return its tick."""
        began = self.ledger.begin(lane)
        self._beginnings[began] = NOON + at
        return began

    def decide(self, began: int, *, acted: bool = True, **fields: Any) -> Exchange:
        """Let an exchange be decided, with an effect if it acted."""
        seq = self.ledger.total + 1
        known = {
            "door": "partner",
            "operation": "register",
            "key": "a",
            "lane": None,
            "request_id": f"r-{seq}",
            "agency": "H99",
            "faults": (),
            "status": 200,
            **fields,
        }
        exchange = Exchange(
            seq=seq,
            began=began,
            at="2026-01-06T12:00:00.000+07:00",
            wall=self._beginnings[began],
            repeated_id=False,
            attempt=1,
            outcome="done",
            acted=acted,
            **known,
        )
        names = ("door", "operation", "key", "lane")
        effect = Effect(
            seq=self.ledger.done + 1,
            exchange=seq,
            at=exchange.at,
            wall=exchange.wall,
            idempotency_key=exchange.idempotency_key,
            **{name: known[name] for name in names},
        )
        self.ledger.record(exchange, (effect,) if acted else ())
        return exchange

    def whole(self, at: float = 0.0, **fields: Any) -> Exchange:
        """Let an exchange begin, be decided and end."""
        lane = fields.get("lane")
        exchange = self.decide(self.begin(at, lane=lane), **fields)
        self.end(exchange)
        return exchange

    def end(self, exchange: Exchange) -> None:
        """Let an exchange end."""
        self.ledger.end(exchange.began, exchange.lane)

    def check(self, claim: Claim) -> Verdict:
        """Return the verdict on a claim."""
        return check(claim, self.ledger)


def numbers(verdict: Verdict) -> list[int]:
    """Return the exchanges that a verdict names."""
    return [exchange.seq for exchange in verdict.exchanges]


@pytest.mark.parametrize(
    ("bounds", "counts"),
    [
        ({"exactly": 2}, {2}),
        ({"exactly": 0}, {0}),
        ({"at_most": 1}, {0, 1}),
        ({"at_least": 2}, {2, 3}),
        ({"at_least": 1, "at_most": 2}, {1, 2}),
    ],
)
def test_effects_of_a_key_are_counted(bounds: dict[str, int], counts: set[int]) -> None:
    """A claim about the effects of one key holds for exactly the counts that it names."""
    for count in range(4):
        story = Story()
        story.whole(key="b")
        story.whole(acted=False)
        story.whole(door="population")
        for _ in range(count):
            story.whole()
        verdict = story.check(Effects(door="partner", key="a", **bounds))
        assert verdict.holds is (count in counts)
        assert len(verdict.effects) == count
        assert f"{count} found" in verdict.sentence


def test_each_key_is_counted_by_itself() -> None:
    """One key too many does not make up for one too few, and a key without any effect is missed."""
    story = Story()
    for key in "aab":
        story.whole(key=key)
    story.whole(key="c", acted=False)
    assert story.check(Effects(keys=("a",), exactly=2)).holds
    verdict = story.check(Effects(keys=("a", "b", "d"), exactly=1))
    assert not verdict.holds
    assert "2 of 3" in verdict.sentence
    assert "a: 2" in verdict.sentence
    assert "d: 0" in verdict.sentence
    assert [effect.key for effect in verdict.effects] == ["a", "a"]
    every = story.check(Effects(keys="every", exactly=1))
    assert not every.holds
    assert "c: 0" in every.sentence
    assert story.check(Exchanges(keys="every", at_least=1, at_most=2)).holds


def test_exchanges_are_counted_by_agency_and_fault() -> None:
    """Claims about exchanges see agency and fault; an idempotency key narrows further."""
    story = Story()
    story.whole(agency="H99", faults=("busy", "latency"), idempotency_key="k")
    story.whole(agency="H98", faults=("busy",), idempotency_key="k")
    assert story.check(Exchanges(fault="busy", exactly=2)).holds
    assert story.check(Exchanges(fault="latency", agency="H99", exactly=1)).holds
    assert story.check(Exchanges(fault="hang", exactly=0)).holds
    assert story.check(Exchanges(idempotency_key="k", agency="H98", exactly=1)).holds
    assert story.check(Effects(idempotency_key="k", exactly=2)).holds


def test_effects_stand_in_order() -> None:
    """The effects of a lane are the keys named, in that order; a stutter, a gap and a swap are found where they are."""
    story = Story()
    for key in "abc":
        story.whole(key=key, lane="l")
    story.whole(key="b", lane="other")
    assert story.check(EffectsInOrder(lane="l", order=("a", "b", "c"))).holds
    for order, sentence in (
        (("a", "c", "b"), "effect 2 should be c and is b"),
        (("a", "b"), "effect 3 should be none and is c"),
        (("a", "b", "c", "d"), "effect 4 should be d and is none"),
        ((), "effect 1 should be none and is a"),
    ):
        verdict = story.check(EffectsInOrder(lane="l", order=order))
        assert (verdict.holds, verdict.sentence) == (False, sentence)
    assert not story.check(EffectsInOrder(lane="l", order=("a", "c"))).holds
    assert story.check(EffectsInOrder(lane="l", order=("a", "c"), others=True)).holds
    assert not story.check(EffectsInOrder(lane="l", order=("c", "a"), others=True)).holds


def test_effects_stand_in_order_of_operations() -> None:
    """The order can be one of operations: of one dossier, first this, then that."""
    story = Story()
    for operation in ("register", "append", "append"):
        story.whole(operation=operation, lane="l")
    assert story.check(EffectsInOrder(lane="l", by="operation", order=("register", "append", "append"))).holds
    assert not story.check(EffectsInOrder(lane="l", by="operation", order=("register", "append"))).holds


def test_one_at_a_time_is_told_by_ticks() -> None:
    """Two exchanges of a lane are in flight at once exactly if one began before the other had ended."""
    story = Story()
    story.whole(lane="l")
    first, other = story.begin(lane="l"), story.begin(lane="m")
    story.end(story.decide(first, lane="l"))
    story.end(story.decide(other, lane="m"))
    story.whole(lane="l")
    assert story.check(OneAtATime()).holds
    one, two = story.begin(lane="l"), story.begin(lane="l")
    story.end(story.decide(two, lane="l"))
    story.end(story.decide(one, lane="l"))
    verdict = story.check(OneAtATime())
    assert not verdict.holds
    assert sorted(numbers(verdict)) == [5, 6]
    assert not story.check(OneAtATime(lane="l")).holds
    assert story.check(OneAtATime(lane="m")).holds


def test_one_that_is_open_is_in_flight() -> None:
    """An exchange that has not ended is in flight, however many have come and gone since."""
    story = Story()
    story.decide(story.begin(lane="l"), lane="l")
    assert story.check(OneAtATime()).holds
    story.whole(lane="l")
    story.whole(lane="l")
    verdict = story.check(OneAtATime(lane="l"))
    assert not verdict.holds
    assert numbers(verdict) == [1, 2, 3]


@pytest.mark.parametrize(("scope", "holds"), [("lane", True), ("key", True), ("agency", False), ("door", False)])
def test_one_at_a_time_for_whom(scope: Any, *, holds: bool) -> None:
    """What must not overlap is the claim's to say; without a lane an exchange is in no lane's way."""
    story = Story()
    one, two = story.begin(), story.begin()
    story.end(story.decide(one, key="a"))
    story.end(story.decide(two, key="b"))
    assert story.check(OneAtATime(scope=scope)).holds is holds


def test_nobody_comes_back_too_soon() -> None:
    """Whoever was asked to wait and came back before the time is found, with the answer that had asked."""
    story = Story()
    story.whole(0, wait_asked=5.0, status=429)
    story.whole(5)
    assert story.check(Waited()).holds
    story.whole(10, wait_asked=5.0, status=429)
    story.whole(14.5)
    verdict = story.check(Waited())
    assert not verdict.holds
    assert numbers(verdict) == [3, 4]
    assert "0.500" in verdict.sentence
    assert story.check(Waited(tolerance_seconds=0.6)).holds


def test_a_later_answer_does_not_shorten_a_wait() -> None:
    """The longest wait counts: a short one asked after it ends nothing."""
    story = Story()
    one, two = story.begin(0), story.begin(0)
    story.end(story.decide(one, wait_asked=60.0, status=503))
    story.end(story.decide(two, wait_asked=1.0, status=503))
    story.whole(2)
    verdict = story.check(Waited())
    assert not verdict.holds
    assert numbers(verdict) == [1, 3]


def test_who_could_not_know_is_not_blamed() -> None:
    """An exchange that began before the answer had been sent, or whose answer never arrived, breaks no wait."""
    story = Story()
    asker = story.begin(0)
    story.whole(1)
    exchange = story.decide(asker, wait_asked=60.0, status=429)
    story.whole(2)
    story.end(exchange)
    story.whole(70, wait_asked=60.0, status=None)
    story.whole(71)
    assert story.check(Waited()).holds
    story.whole(72, wait_asked=60.0, status=429)
    story.whole(73)
    assert numbers(story.check(Waited())) == [6, 7]


@pytest.mark.parametrize(("scope", "blamed"), [("key", [1, 2]), ("agency", [1, 3]), ("door", [1, 2, 3, 4])])
def test_a_wait_is_for_whom(scope: Any, blamed: list[int]) -> None:
    """A wait asked of one key, of one agency or of a whole door binds just those; never another door."""
    story = Story()
    story.whole(0, key="a", agency="H99", wait_asked=9.0, status=429)
    story.whole(1, key="a", agency="H98")
    story.whole(2, key="b", agency="H99")
    story.whole(3, key="b", agency="H98")
    story.whole(4, key="a", agency="H99", door="population")
    assert numbers(story.check(Waited(scope=scope))) == blamed


@pytest.mark.parametrize("instant", [NOON + 10, "2026-01-06T12:00:10+07:00", "2026-01-06T05:00:10Z"])
def test_silence_after_an_instant(instant: Any) -> None:
    """No exchange after an instant, said in seconds or in ISO 8601; one at the instant itself is allowed."""
    story = Story()
    story.whole(10)
    claim = NoneAfter.model_validate({"instant": instant})
    assert story.check(claim).holds
    story.whole(10.5, door="population")
    verdict = story.check(claim)
    assert (verdict.holds, numbers(verdict)) == (False, [2])
    assert story.check(claim.model_copy(update={"door": "partner"})).holds


def test_only_what_is_known() -> None:
    """Every exchange has one of the keys, of the request ids and of the idempotency keys that are given."""
    story = Story()
    story.whole(key="a", idempotency_key="k")
    story.whole(key="b")
    assert story.check(OnlyKnown(keys=frozenset("abc"))).holds
    assert numbers(story.check(OnlyKnown(keys=frozenset("a")))) == [2]
    assert numbers(story.check(OnlyKnown(request_ids=frozenset({"r-2"})))) == [1]
    assert numbers(story.check(OnlyKnown(idempotency_keys=frozenset("k")))) == [2]
    assert story.check(OnlyKnown(key="a", idempotency_keys=frozenset("k"))).holds
    assert not story.check(OnlyKnown(keys=frozenset("ab"), request_ids=frozenset({"r-1"}))).holds


def test_evidence_is_limited() -> None:
    """A verdict shows the first pieces of evidence and says how many more there are."""
    story = Story()
    for _ in range(SHOWN + 7):
        story.whole()
    verdict = story.check(Effects(exactly=0))
    assert len(verdict.effects) == SHOWN
    assert verdict.left_out == 7


def test_what_is_forgotten_confirms_nothing() -> None:
    """A ledger that has forgotten its oldest entries cannot confirm a claim, and says why."""
    story = Story(kept=2)
    for _ in range(2):
        story.whole()
    claim = Exchanges(at_most=2)
    assert story.check(claim).holds
    story.whole()
    verdict = story.check(claim)
    assert not verdict.holds
    assert "forgotten its oldest 1 exchanges" in verdict.sentence


@pytest.mark.parametrize(
    ("wrong", "paths"),
    [
        ({"claim": "effects"}, ["0/effects"]),
        ({"claim": "effects", "exactly": 1, "at_most": 2}, ["0/effects"]),
        ({"claim": "effects", "exactly": -1, "colour": "red"}, ["0/effects/colour", "0/effects/exactly"]),
        ({"claim": "effects", "exactly": 1, "agency": "H99"}, ["0/effects/agency"]),
        ({"claim": "effects", "exactly": 1, "key": "a", "keys": ["b"]}, ["0/effects"]),
        ({"claim": "only_known"}, ["0/only_known"]),
        ({"claim": "waited", "scope": "world"}, ["0/waited/scope"]),
        ({"claim": "luck"}, ["0"]),
        ({}, ["0"]),
    ],
)
def test_wrong_claims_are_refused(wrong: dict[str, Any], paths: list[str]) -> None:
    """A claim that says too little, too much or nothing known is refused, every wrong field by its path."""
    with pytest.raises(ValidationError) as caught:
        CLAIMS.validate_python([wrong])
    assert sorted("/".join(map(str, error["loc"])) for error in caught.value.errors()) == paths


@pytest.mark.parametrize("instant", ["2026-01-06T12:00:10", "noon", True, None, float("nan")])
def test_an_instant_is_exact(instant: Any) -> None:
    """An instant without an offset, or none at all, is refused."""
    with pytest.raises(ValidationError):
        CLAIMS.validate_python([{"claim": "none_after", "instant": instant}])


@pytest.mark.parametrize(
    "claim",
    [
        {"claim": "effects", "keys": ["a"], "exactly": 1},
        {"claim": "exchanges", "agency": "H99", "at_most": 3},
        {"claim": "effects_in_order", "order": ["a", "b"], "by": "operation"},
        {"claim": "one_at_a_time"},
        {"claim": "waited", "scope": "door"},
        {"claim": "none_after", "instant": 1_767_675_600},
        {"claim": "only_known", "keys": ["a"]},
    ],
)
def test_every_claim_is_told_in_json(claim: dict[str, Any]) -> None:
    """Each claim is read from JSON, holds of an empty ledger or not, and is shown again as it was said."""
    (read,) = CLAIMS.validate_python([claim])
    verdict = check(read, Ledger())
    assert verdict.sentence
    shown = verdict.claim.model_dump(mode="json", exclude_none=True)
    assert claim.items() <= shown.items()
