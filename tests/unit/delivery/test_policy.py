from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model import (
    Acted,
    AlreadyDone,
    Busy,
    CallerRefused,
    ContractBroken,
    CredentialRefused,
    Effect,
    Failure,
    InvalidRequest,
    Kind,
    Layer,
    LookupAnswer,
    NotSent,
    Operation,
    PlatformFailed,
    Rejected,
    Repeat,
    SystemFailed,
    UnknownOutcome,
)
from gateway.delivery.policy import (
    Action,
    Chance,
    History,
    Hold,
    LookUp,
    Person,
    Reject,
    Settle,
    Verdict,
    Wait,
    action,
    after_crash,
    after_lookup,
    after_send,
    pause,
)
from gateway.delivery.settings import DeliverySettings

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = DeliverySettings()
CHANCE = Chance(SETTINGS, 0.5)
KINDS: dict[Kind, type[Failure]] = {
    one.kind: one
    for one in (
        NotSent, InvalidRequest, CredentialRefused, CallerRefused, Busy, UnknownOutcome, PlatformFailed, SystemFailed,
        Rejected, AlreadyDone, ContractBroken,
    )
}  # fmt: skip
FIND = Operation(system="partner", name="find", effect=Effect.READ, repeat=Repeat.SAFE)


def operation(repeat: Repeat) -> Operation:
    """Return a write that may be repeated in this way."""
    return Operation(
        system="partner",
        name="write",
        effect=Effect.WRITE,
        repeat=repeat,
        lookup=FIND if repeat is Repeat.AFTER_LOOKUP else None,
        settle_after=timedelta(seconds=90),
        lane=str,
    )


def failure(kind: Kind, acted: Acted | None = None, retry_after: float | None = None) -> Failure:
    """Return a failure of this kind."""
    return KINDS[kind]("some_reason", operation=FIND, layer=Layer.SYSTEM, may_have_acted=acted, retry_after=retry_after)


def histories() -> Iterator[History]:
    """Return every history that a decision can tell from another."""
    for acted, absent, unclear, said, refused, used in itertools.product(
        Acted, (0, 1), (0, 2), (False, True), (False, True), (0.0, SETTINGS.time_limit_seconds)
    ):
        yield History(
            acted=acted, tries=3, absent=absent, unclear=unclear, said_done=said, credential_refused=refused, used=used
        )


def test_every_kind_is_tried() -> None:
    """The tables below know every kind that there is."""
    assert set(KINDS) == set(Kind)


def _expected(  # noqa: PLR0911 - a table, row by row
    repeat: Repeat, kind: Kind, acted: Acted, history: History
) -> object:
    """Return what the design's table says, written down without the code's own steps."""
    spent = history.used > 0
    if kind is Kind.ALREADY_DONE:
        return LookUp if repeat is Repeat.AFTER_LOOKUP else Settle
    if acted is not Acted.NO:
        if repeat is Repeat.AFTER_LOOKUP:
            return LookUp
        if repeat is Repeat.NEVER:
            return Person
        if kind in {Kind.NOT_SENT, Kind.BUSY, Kind.UNKNOWN_OUTCOME, Kind.PLATFORM_FAILED, Kind.SYSTEM_FAILED}:
            return Person if spent else Wait
        return Person
    if kind is Kind.REJECTED:
        return Reject
    if kind in {Kind.INVALID_REQUEST, Kind.CALLER_REFUSED}:
        return Reject if history.acted is Acted.NO else Person
    if kind is Kind.CREDENTIAL_REFUSED:
        return Hold if history.credential_refused else Wait
    if kind is Kind.CONTRACT_BROKEN or spent:
        return Person
    return Wait


@pytest.mark.parametrize("repeat", Repeat)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("acted", Acted)
def test_after_each_failed_send_the_table_decides(repeat: Repeat, kind: Kind, acted: Acted) -> None:
    """For every kind, every "may have acted", every repeat class and every history: what the table says, no other."""
    for history in histories():
        verdict = after_send(operation(repeat), history, failure(kind, acted), CHANCE)
        assert type(verdict.next) is _expected(repeat, kind, acted, history), history


@pytest.mark.parametrize("repeat", Repeat)
def test_an_answer_settles(repeat: Repeat) -> None:
    """A result is the end, whatever was before it."""
    for history in histories():
        verdict = after_send(operation(repeat), history, None, CHANCE)
        assert (verdict.next, verdict.history.acted) == (Settle(), Acted.YES)


@pytest.mark.parametrize("repeat", Repeat)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("acted", Acted)
def test_no_verdict_allows_a_second_send_that_the_declaration_forbids(repeat: Repeat, kind: Kind, acted: Acted) -> None:
    """After a send that may have acted, the next action is a send only where a second one does nothing."""
    for history in histories():
        verdict = after_send(operation(repeat), history, failure(kind, acted), CHANCE)
        unproven = acted is not Acted.NO or history.acted is not Acted.NO
        if unproven and repeat in {Repeat.NEVER, Repeat.AFTER_LOOKUP}:
            assert action(operation(repeat), verdict.history) is not Action.SEND


def test_what_may_be_sent_again() -> None:
    """Safe and keyed writes at any time; others while nothing may have acted; then a look-up, or a person."""
    assert {
        (repeat, acted): action(operation(repeat), History(acted=acted)) for repeat in Repeat for acted in Acted
    } == {
        (repeat, acted): Action.SEND
        if repeat in {Repeat.SAFE, Repeat.BY_KEY} or acted is Acted.NO
        else Action.LOOK_UP
        if repeat is Repeat.AFTER_LOOKUP
        else Action.ASK
        for repeat in Repeat
        for acted in Acted
    }


UNKNOWN = History(acted=Acted.MAYBE, tries=1)
WRITE = operation(Repeat.AFTER_LOOKUP)


def test_a_look_up_waits_until_the_partner_cannot_act_any_more() -> None:
    """After an unknown outcome nobody looks before the declared time is over."""
    verdict = after_send(WRITE, History(), failure(Kind.UNKNOWN_OUTCOME), CHANCE)
    assert verdict.next == LookUp(90.0)


def test_not_there_counts_only_when_it_repeats() -> None:
    """The first "not there" asks again after a pause, the second lets it be sent; anything in between starts anew."""
    first = after_lookup(WRITE, UNKNOWN, LookupAnswer.NOT_THERE, CHANCE)
    assert first.next == LookUp(SETTINGS.absent_pause_seconds)
    assert action(WRITE, first.history) is Action.LOOK_UP
    unclear = after_lookup(WRITE, first.history, LookupAnswer.CANNOT_TELL, CHANCE)
    assert unclear.history.absent == 0
    second = after_lookup(WRITE, first.history, LookupAnswer.NOT_THERE, CHANCE)
    assert second.next == Wait(0.0)
    assert action(WRITE, second.history) is Action.SEND


def test_done_settles_and_cannot_tell_goes_to_a_person() -> None:
    """One "done" is enough; after three look-ups that cannot tell a person is asked."""
    assert after_lookup(WRITE, UNKNOWN, LookupAnswer.DONE, CHANCE).next == Settle()
    verdict = Verdict(LookUp(0), UNKNOWN)
    for _ in range(SETTINGS.unclear_answers):
        assert isinstance(verdict.next, LookUp)
        verdict = after_lookup(WRITE, verdict.history, LookupAnswer.CANNOT_TELL, CHANCE)
    assert verdict.next == Person("cannot_tell")


def test_already_done_is_checked_and_a_contradiction_goes_to_a_person() -> None:
    """That it was already received is looked up; if it is not there after all, it is never simply sent again."""
    verdict = after_send(WRITE, History(), failure(Kind.ALREADY_DONE), CHANCE)
    assert verdict.next == LookUp(0.0)
    for _ in range(SETTINGS.absent_answers):
        verdict = after_lookup(WRITE, verdict.history, LookupAnswer.NOT_THERE, CHANCE)
    assert verdict.next == Person("contradiction")


@pytest.mark.parametrize("kind", Kind)
def test_a_look_up_that_fails_never_leads_to_a_send(kind: Kind) -> None:
    """Whatever becomes of a look-up, only "not there" opens the way to another send."""
    for history in histories():
        if history.acted is not Acted.NO:
            verdict = after_lookup(WRITE, history, failure(kind), CHANCE)
            assert action(WRITE, verdict.history) is Action.LOOK_UP
            assert not isinstance(verdict.next, Wait | Settle | Reject)


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        (Repeat.SAFE, Wait(0.0)),
        (Repeat.BY_KEY, Wait(0.0)),
        (Repeat.AFTER_LOOKUP, LookUp(12.5)),
        (Repeat.NEVER, Person("interrupted")),
    ],
)
def test_a_crash_is_never_taken_for_not_sent(repeat: Repeat, expected: object) -> None:
    """After a crash in the middle of a send it may have acted, and the declaration says what follows."""
    verdict = after_crash(operation(repeat), History(), settle_in=12.5)
    assert (verdict.next, verdict.history.acted) == (expected, Acted.MAYBE)


def test_a_refused_credential_is_renewed_once_then_held() -> None:
    """The first refusal is tried again at once, the second in a row holds the agency."""
    write = operation(Repeat.SAFE)
    first = after_send(write, History(), failure(Kind.CREDENTIAL_REFUSED), CHANCE)
    assert first.next == Wait(0.0)
    assert after_send(write, first.history, failure(Kind.CREDENTIAL_REFUSED), CHANCE).next == Hold()
    between = after_send(write, first.history, failure(Kind.BUSY), CHANCE)
    assert after_send(write, between.history, failure(Kind.CREDENTIAL_REFUSED), CHANCE).next == Wait(0.0)


@given(tries=st.integers(0, 10_000), jitter=st.floats(0, 1, exclude_max=True), told=st.none() | st.floats(0, 1e6))
def test_waits_are_random_bounded_and_never_shorter_than_told(tries: int, jitter: float, told: float | None) -> None:
    """Full jitter from seconds to hours, on top of what the partner told, itself capped."""
    wait = pause(tries, told, Chance(SETTINGS, jitter))
    least = min(told or 0.0, SETTINGS.told_cap_seconds)
    assert least <= wait <= SETTINGS.cap_seconds + SETTINGS.told_cap_seconds
    ceiling = pause(tries, None, Chance(SETTINGS, 1.0))
    assert ceiling == min(SETTINGS.cap_seconds, SETTINGS.base_seconds * 2 ** max(0, min(tries, 60) - 1))


OUTCOMES = st.one_of(st.none(), st.builds(failure, st.sampled_from(Kind), st.sampled_from(Acted)), st.just("crash"))
ANSWERS = st.one_of(st.sampled_from(LookupAnswer), st.builds(failure, st.sampled_from(Kind), st.sampled_from(Acted)))


@given(st.data(), st.sampled_from(Repeat))
def test_no_history_leads_to_a_forbidden_second_send(data: st.DataObject, repeat: Repeat) -> None:
    """Along any course of outcomes, crashes and look-ups no second send leaves that the declaration forbids.

    `never` is sent again only after sends that cannot have acted, `after_lookup` only after two look-ups in a row have
    said, since the last such send, that it is not there.
    """
    write, history, unproven, absent = operation(repeat), History(), False, 0
    for _ in range(12):
        now = action(write, history)
        if now is Action.ASK:
            assert unproven
            return
        if now is Action.LOOK_UP:
            answer = data.draw(ANSWERS)
            verdict = after_lookup(write, history, answer, CHANCE)
            if answer is LookupAnswer.NOT_THERE:
                absent += 1
            elif isinstance(answer, LookupAnswer):
                absent = 0
        else:
            if unproven and repeat not in {Repeat.SAFE, Repeat.BY_KEY}:
                assert repeat is Repeat.AFTER_LOOKUP
                assert absent >= SETTINGS.absent_answers
            unproven, absent = unproven and repeat in {Repeat.SAFE, Repeat.BY_KEY}, 0
            outcome = data.draw(OUTCOMES)
            if isinstance(outcome, str):
                verdict = after_crash(write, history, settle_in=1.0)
                unproven = True
            else:
                verdict = after_send(write, history, outcome, CHANCE)
                unproven |= (
                    outcome is None or outcome.may_have_acted is not Acted.NO or (outcome.kind is Kind.ALREADY_DONE)
                )
        if isinstance(verdict.next, Settle | Reject | Person):
            return
        history = verdict.history


def test_the_time_limit_asks_a_person() -> None:
    """Once the reachable time is used up, a send and a look-up that have to wait once more go to a person instead."""
    late = replace(UNKNOWN, used=SETTINGS.time_limit_seconds)
    assert after_send(operation(Repeat.SAFE), late, failure(Kind.BUSY), CHANCE).next == Person("time_limit")
    assert after_lookup(WRITE, late, failure(Kind.BUSY), CHANCE).next == Person("time_limit")
