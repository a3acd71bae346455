from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.model import Acted
from gateway.resilience.ports import Ending
from gateway.store import AttemptExists, CallState, OutcomeCount, StoreUnavailable, Trouble
from tests.support.stores import AGENCY, ANSWERED, FAILED, OTHER_AGENCY, Hands, call, outcome

if TYPE_CHECKING:
    from tests.integration.store.conftest import Opened


async def test_an_open_attempt_is_in_the_audit(opened: Opened) -> None:
    """When `open_attempt` returns, the audit says who is asking, for which procedure and dossier, about whom."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await store.attempts.open_attempt(call(), 1, "request-1")
        entry = await store.audit.call("01HQCALL")
        assert entry is not None
        assert (entry.client, entry.agency, entry.officer) == ("one-stop", AGENCY.value, "canbo.mau")
        assert (entry.procedure, entry.dossier) == ("1.000001", "H99.1-260105-0001")
        assert (entry.system, entry.operation, entry.subject) == ("population", "verify", "5b" * 32)
        assert (entry.asked_at, entry.state, entry.finished_at) == (hands.now, CallState.OPEN, None)
        (attempt,) = await store.audit.attempts("01HQCALL")
        assert (attempt.ordinal, attempt.request_id, attempt.opened_at) == (1, "request-1", hands.now)
        assert (attempt.state, attempt.closed_at, attempt.evidence) == (CallState.OPEN, None, None)


async def test_a_call_before_the_dossier_has_none(opened: Opened) -> None:
    """A call made `before_dossier` is kept without a dossier code."""
    async with opened() as store:
        early = replace(call(), purpose=replace(call().purpose, dossier=None))
        await store.attempts.open_attempt(early, 1, "request-1")
        entry = await store.audit.call("01HQCALL")
        assert entry is not None
        assert entry.dossier is None


async def test_what_came_of_it_is_kept(opened: Opened) -> None:
    """A failed first attempt and an answered second one leave their evidence, and the call its outcome."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await store.attempts.open_attempt(call(), 1, "request-1")
        await store.attempts.close_attempt(call(), 1, FAILED)
        hands.now += timedelta(seconds=2)
        await store.attempts.open_attempt(call(), 2, "request-2")
        await store.attempts.close_attempt(call(), 2, ANSWERED)
        await store.attempts.close_call(call(), outcome(attempts=2, seconds=2.5))
        first, second = await store.audit.attempts("01HQCALL")
        assert (first.state, first.kind, first.layer, first.reason) == (
            CallState.FAILED,
            "busy",
            "system",
            "partner_busy",
        )
        assert (first.code, first.may_have_acted, first.retry_after, first.seconds) == ("429", "no", 1.5, 0.5)
        assert (second.state, second.kind, second.opened_at) == (CallState.ANSWERED, None, hands.now)
        assert second.evidence is not None
        evidence = json.loads(second.evidence)
        assert evidence["phases"] == {"connect": 0.001, "first_byte": 0.02}
        assert (evidence["status"], evidence["address"], evidence["response_bytes"]) == (200, "127.0.0.1:9", 2048)
        entry = await store.audit.call("01HQCALL")
        assert entry is not None
        assert (entry.state, entry.attempts, entry.seconds, entry.finished_at) == (
            CallState.ANSWERED,
            2,
            2.5,
            hands.now,
        )


async def test_a_call_refused_here_is_kept_too(opened: Opened) -> None:
    """A call that never got to an attempt has its row in the audit, asked when it came."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await store.attempts.close_call(call(), outcome(FAILED, attempts=0, seconds=1.5))
        entry = await store.audit.call("01HQCALL")
        assert entry is not None
        assert (entry.state, entry.kind, entry.attempts) == (CallState.FAILED, "busy", 0)
        assert (entry.asked_at, entry.finished_at) == (hands.now - timedelta(seconds=1.5), hands.now)
        assert await store.audit.attempts("01HQCALL") == ()


async def test_the_first_word_stands(opened: Opened) -> None:
    """Closing again changes nothing, for an attempt or a call; closing what was never opened does nothing."""
    async with opened() as store:
        await store.attempts.open_attempt(call(), 1, "request-1")
        await store.attempts.close_attempt(call(), 2, ANSWERED)
        await store.attempts.close_attempt(call(), 1, FAILED)
        await store.attempts.close_attempt(call(), 1, ANSWERED)
        await store.attempts.close_call(call(), outcome(FAILED))
        await store.attempts.close_call(call(), outcome(ANSWERED))
        (attempt,) = await store.audit.attempts("01HQCALL")
        entry = await store.audit.call("01HQCALL")
        assert entry is not None
        assert (attempt.state, entry.state) == (CallState.FAILED, CallState.FAILED)


async def test_an_opening_that_was_given_up_is_closed_all_the_same(opened: Opened) -> None:
    """When an opening is cancelled and closed at once, its row is closed if it was written, and else absent."""
    async with opened() as store:
        for number in range(50):
            this = call(f"call-{number}")
            opening = asyncio.create_task(store.attempts.open_attempt(this, 1, "request"))
            await asyncio.sleep(0 if number % 2 else 0.0005)
            opening.cancel()
            await store.attempts.close_attempt(this, 1, FAILED)
            await store.attempts.close_call(this, outcome(FAILED, attempts=0))
            assert {attempt.state for attempt in await store.audit.attempts(this.id)} <= {CallState.FAILED}
            entry = await store.audit.call(this.id)
            assert entry is not None
            assert entry.state is CallState.FAILED


async def test_an_abandoned_call_is_told_apart(opened: Opened) -> None:
    """A caller that went away leaves a call that says so, and that the partner may have acted."""
    gone = replace(ANSWERED, ending=Ending.ABANDONED, may_have_acted=Acted.MAYBE)
    async with opened() as store:
        await store.attempts.open_attempt(call(), 1, "request-1")
        await store.attempts.close_attempt(call(), 1, gone)
        await store.attempts.close_call(call(), outcome(gone))
        entry = await store.audit.call("01HQCALL")
        assert entry is not None
        assert (entry.state, entry.may_have_acted) == (CallState.ABANDONED, "maybe")


async def test_an_attempt_is_opened_once(opened: Opened) -> None:
    """The same attempt, or another call with the same id, is a defect and is refused; the first stays."""
    async with opened() as store:
        await store.attempts.open_attempt(call(), 1, "request-1")
        await store.attempts.open_attempt(call(), 2, "request-2")
        for ordinal in (1, 2):
            with pytest.raises(AttemptExists) as caught:
                await store.attempts.open_attempt(call(), ordinal, "request-9")
            assert (caught.value.call_id, caught.value.ordinal) == ("01HQCALL", ordinal)
        assert [attempt.request_id for attempt in await store.audit.attempts("01HQCALL")] == ["request-1", "request-2"]


async def test_an_opening_may_be_written_twice(opened: Opened) -> None:
    """The same opening again, because nobody knew that it had been committed, is the same attempt."""
    async with opened() as store:
        for ordinal in (1, 2):
            for _ in "12":
                await store.attempts.open_attempt(call(), ordinal, f"request-{ordinal}")
        assert [attempt.request_id for attempt in await store.audit.attempts("01HQCALL")] == ["request-1", "request-2"]


async def test_a_second_attempt_makes_up_for_a_lost_first(opened: Opened) -> None:
    """When the first opening was given up before it was written, the next one writes the audit row."""
    async with opened() as store:
        await store.attempts.open_attempt(call(), 2, "request-2")
        assert await store.audit.call("01HQCALL") is not None


async def test_after_closing_nothing_is_acknowledged(opened: Opened) -> None:
    """A store that is closed refuses to open an attempt: no audit row, no call."""
    async with opened() as store:
        await store.close()
        with pytest.raises(StoreUnavailable) as caught:
            await store.attempts.open_attempt(call(), 1, "request-1")
        assert caught.value.trouble is Trouble.CLOSED


async def test_a_restart_marks_what_was_interrupted(opened: Opened) -> None:
    """What was open when the gateway stopped is marked, as something the partner may have acted on."""
    async with opened() as store:
        await store.attempts.open_attempt(call("open"), 1, "request-1")
        await store.attempts.open_attempt(call("done"), 1, "request-2")
        await store.attempts.close_attempt(call("done"), 1, ANSWERED)
        await store.attempts.close_call(call("done"), outcome())
    async with opened(serving=False) as store:
        entry = await store.audit.call("open")
        assert entry is not None
        assert entry.state is CallState.OPEN  # a verb beside a server must not judge
    async with opened() as store:
        entry = await store.audit.call("open")
        done = await store.audit.call("done")
        assert entry is not None
        assert done is not None
        assert (entry.state, entry.may_have_acted, entry.attempts) == (CallState.INTERRUPTED, "maybe", 1)
        assert [attempt.state for attempt in await store.audit.attempts("open")] == [CallState.INTERRUPTED]
        assert done.state is CallState.ANSWERED


async def test_the_audit_can_be_paged_and_kept_to_agencies(opened: Opened) -> None:
    """The latest come first, a page goes on where the last ended, and other agencies' calls are not shown."""
    async with opened() as store:
        for number in range(6):
            agency = AGENCY if number % 2 else OTHER_AGENCY
            await store.attempts.close_call(call(f"call-{number}", agency=agency), outcome())
        page = await store.audit.recent(limit=4)
        assert [entry.call_id for entry in page] == ["call-5", "call-4", "call-3", "call-2"]
        rest = await store.audit.recent(limit=4, before=page[-1].number)
        assert [entry.call_id for entry in rest] == ["call-1", "call-0"]
        ours = await store.audit.recent(limit=9, agencies=[AGENCY])
        assert [entry.call_id for entry in ours] == ["call-5", "call-3", "call-1"]
        assert await store.audit.recent(limit=9, agencies=[]) == ()


async def test_who_asked_about_a_person_can_be_told(opened: Opened) -> None:
    """All calls about one pseudonym are found, and no others."""
    async with opened() as store:
        for number, subject in enumerate(("aa", "bb", "aa")):
            await store.attempts.close_call(call(f"call-{number}", subject=subject * 32), outcome())
        assert [entry.call_id for entry in await store.audit.about("aa" * 32, limit=9)] == ["call-2", "call-0"]


async def test_outcomes_are_counted(opened: Opened) -> None:
    """Calls since a moment are counted by how they ended, the most frequent first."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await store.attempts.close_call(call("too early"), outcome(seconds=0))
        hands.now += timedelta(hours=1)
        for number in range(3):
            await store.attempts.close_call(call(f"ok-{number}"), outcome(seconds=0))
        await store.attempts.close_call(call("busy"), outcome(FAILED, seconds=0))
        await store.attempts.open_attempt(call("open"), 1, "request-1")
        counts = await store.audit.outcomes(hands.now)
        common = {"system": "population", "operation": "verify"}
        assert counts == (
            OutcomeCount(**common, state=CallState.ANSWERED, kind=None, reason=None, calls=3),
            OutcomeCount(**common, state=CallState.FAILED, kind="busy", reason="partner_busy", calls=1),
            OutcomeCount(**common, state=CallState.OPEN, kind=None, reason=None, calls=1),
        )


async def test_attempts_can_go_before_their_calls(opened: Opened) -> None:
    """Attempts have a shorter retention: they are deleted by age, their calls stay; then calls go by age too."""
    hands = Hands()
    async with opened(hands=hands) as store:
        for number in range(3):
            await store.attempts.open_attempt(call(f"call-{number}"), 1, f"request-{number}")
            hands.now += timedelta(days=1)
        assert await store.audit.prune_attempts(hands.now - timedelta(days=2)) == 1
        assert await store.audit.attempts("call-0") == ()
        assert len(await store.audit.attempts("call-1")) == 1
        assert len(await store.audit.recent(limit=9)) == 3
        assert await store.audit.prune_calls(hands.now - timedelta(days=1)) == 2
        assert [entry.call_id for entry in await store.audit.recent(limit=9)] == ["call-2"]
        assert await store.audit.attempts("call-1") == ()
        assert await store.audit.prune_calls(hands.now - timedelta(days=1)) == 0


async def test_pruning_much_takes_many_small_bites(opened: Opened) -> None:
    """More rows than one bite holds are all deleted."""
    hands = Hands()
    async with opened(hands=hands) as store:
        for first in range(0, 1201, 100):  # not all at once: a slow machine turns away what waits too long
            numbers = range(first, min(first + 100, 1201))
            await asyncio.gather(*(store.attempts.open_attempt(call(f"call-{n}"), 1, f"request-{n}") for n in numbers))
        assert await store.audit.prune_calls(hands.now + timedelta(seconds=1)) == 1201
        assert await store.audit.recent(limit=1) == ()
