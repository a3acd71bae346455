from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from contracts.model import Busy, Exchange, Kind, Layer, NotSent, Phase, Rejected, SystemFailed, UnknownOutcome
from gateway.resilience import BreakerState, Paused
from tests.support.pipelines import AGENCY, Bench, Key, Partner, failure_of, policy
from tests.support.virtualtime import now, virtual

if TYPE_CHECKING:
    from contracts.model import AgencyCode
    from gateway.resilience import Outcome


def reason_of(outcome: Outcome[object]) -> tuple[str, Kind, Layer]:
    """Return what tells a failure apart."""
    assert outcome.failure is not None
    return outcome.failure.reason, outcome.failure.kind, outcome.failure.layer


@virtual
async def test_rows_are_committed_before_anything_leaves() -> None:
    """When the operation begins, audit and attempt row are there; when the call returns, both are closed."""
    bench = Bench()
    seen: list[int] = []

    async def look(_key: Key, exchange: Exchange) -> str:
        seen.append(len(bench.log.rows))
        exchange.status = 200
        exchange.phases[Phase.SEND] = 0.001
        return "found"

    bench.log.commit_seconds = 0.2
    outcome = await bench.run(operation=look)
    assert outcome.result() == "found"
    assert seen == [1]
    (row,) = bench.log.rows.values()
    assert row.result is not None
    assert row.result.evidence.status == 200
    assert row.request_id == outcome.attempts[0].request_id
    assert len(row.request_id) <= 40
    assert bench.log.calls[row.call.id].attempts == 1
    await bench.settle()


@virtual
async def test_every_attempt_has_its_own_row_and_request_id() -> None:
    """Three attempts, three rows in order, each with what came of it."""
    bench = Bench(partner=Partner(lambda at, _key: failure_of(SystemFailed) if at < 0.03 else "found"))
    outcome = await bench.run()
    assert outcome.value == "found"
    rows = list(bench.log.rows.values())
    assert [row.ordinal for row in rows] == [1, 2]
    assert len({row.request_id for row in rows}) == 2
    assert [row.result.kind if row.result else "open" for row in rows] == [Kind.SYSTEM_FAILED, None]
    assert [attempt.failure is None for attempt in outcome.attempts] == [False, True]


@virtual
async def test_no_committed_row_no_call() -> None:
    """With the store down nothing leaves, the partner is not blamed, and the caller learns that it is ours."""
    bench = Bench()
    bench.log.down = True
    for _ in range(30):
        outcome = await bench.run()
        assert reason_of(outcome) == ("store_unavailable", Kind.NOT_SENT, Layer.OURS)
        assert outcome.attempts == ()
    assert bench.partner.arrivals == []
    assert bench.pipeline.state().breaker is BreakerState.CLOSED
    assert bench.pipeline.state().budget_left == 10
    await bench.settle()


@virtual
async def test_a_store_that_hangs_is_one_that_is_down() -> None:
    """The commit has its own time limit, and a row that was written late is closed."""
    bench = Bench()
    bench.log.commit_seconds = 100
    outcome = await bench.run()
    assert reason_of(outcome) == ("store_unavailable", Kind.NOT_SENT, Layer.OURS)
    assert now() == pytest.approx(2)
    assert bench.watcher.log_failures["open_attempt"] == 1
    await bench.settle()


@virtual
async def test_an_answer_is_not_lost_because_its_evidence_is() -> None:
    """When closing the rows fails or hangs, the caller still gets the answer, in time."""
    bench = Bench()

    async def then_down(_key: Key, _exchange: Exchange) -> str:
        bench.log.down = True
        return "found"

    assert (await bench.run(operation=then_down)).value == "found"
    assert bench.watcher.log_failures == {"close_attempt": 1, "close_call": 1}
    bench.log.down = False
    bench.log.rows.clear()
    bench.log.close_seconds = 3
    began = now()
    assert (await bench.run(3)).value == "found"
    assert now() - began <= 3
    await bench.settle()
    assert all(outcome.attempts == 1 for outcome in bench.log.calls.values())


@virtual
async def test_a_paused_system_sends_nothing() -> None:
    """The switch is asked first; who pressed it and an unreadable switch are told apart."""
    bench = Bench()
    bench.switch.paused = Paused(by="operator")
    assert reason_of(await bench.run()) == ("paused", Kind.NOT_SENT, Layer.OURS)
    bench.switch.paused = Paused(unreadable=True)
    assert reason_of(await bench.run()) == ("pause_unreadable", Kind.NOT_SENT, Layer.OURS)
    assert (bench.partner.arrivals, bench.log.rows) == ([], {})
    assert len(bench.log.calls) == 2
    await bench.settle()


@virtual
async def test_pressed_while_they_wait_nothing_leaves_after() -> None:
    """Callers that wait for a slot, for a commit or for their next attempt all see the switch before they leave."""
    bench = Bench(policy(bulkhead={"slots": 4, "room": 1000, "wait_seconds": 60}))
    bench.partner.seconds = 1
    bench.log.commit_seconds = 0.1
    bench.partner.behave = lambda at, _key: failure_of(SystemFailed) if at < 1 else "found"
    calls = [asyncio.create_task(bench.run()) for _ in range(500)]
    await asyncio.sleep(3.25)  # some under way, some between attempts, some in their commit, most waiting
    bench.switch.paused = Paused(by="operator")
    pressed = now()
    outcomes = await asyncio.gather(*calls)
    assert 0 < len(bench.partner.arrivals) < 30
    assert all(at <= pressed for at in bench.partner.arrivals)
    assert sum(reason_of(one)[0] == "paused" for one in outcomes if one.failure is not None) > 450
    await bench.settle()
    assert len(bench.log.rows) <= len(bench.partner.arrivals) + 4, "who waited for a slot is refused before any row"


@virtual
async def test_pressed_during_the_commit_the_row_says_not_sent() -> None:
    """The only refusal that has a row is one that came after the row; it is closed as such."""
    bench = Bench()
    bench.log.commit_seconds = 1
    call = asyncio.create_task(bench.run())
    await asyncio.sleep(0.5)
    bench.switch.paused = Paused(by="operator")
    outcome = await call
    assert outcome.attempts == ()
    await bench.settle()
    (row,) = bench.log.rows.values()
    assert row.result is not None
    assert (row.result.kind, row.result.reason) == (Kind.NOT_SENT, "paused")
    assert bench.partner.arrivals == []


@virtual
async def test_waiters_are_answered_when_the_breaker_opens() -> None:
    """Nobody keeps waiting for a slot at a partner that is known to be down."""
    bench = Bench(policy(bulkhead={"slots": 10, "room": 1000, "wait_seconds": 60}, rate={"burst": 1000}))
    bench.partner.seconds = 1
    bench.partner.behave = lambda _at, _key: failure_of(SystemFailed, layer=Layer.SYSTEM)
    outcomes = await asyncio.gather(*(bench.run(60) for _ in range(300)))
    assert now() < 3
    assert len(bench.partner.arrivals) < 40
    refused = [one for one in outcomes if not one.attempts]
    assert {reason_of(one) for one in refused} == {("breaker_open", Kind.NOT_SENT, Layer.SYSTEM)}
    assert all(one.failure and one.failure.retry_after for one in refused)
    await bench.settle()


@virtual
async def test_time_that_runs_out_under_way_is_an_unknown_outcome() -> None:
    """A partner that hangs costs the caller its deadline and not a moment more."""
    bench = Bench(partner=Partner(seconds=1000))
    outcome = await bench.run(3)
    assert reason_of(outcome) == ("deadline_passed", Kind.UNKNOWN_OUTCOME, Layer.NETWORK)
    assert now() <= 3
    assert bench.partner.timeouts == [pytest.approx(2.95)]
    await bench.settle()


@virtual
async def test_one_attempt_does_not_take_all_the_time() -> None:
    """The cap of an attempt leaves room for another, which gets what remains."""
    bench = Bench(partner=Partner(seconds=1000))
    outcome = await bench.run(10)
    assert now() <= 10
    assert bench.partner.timeouts[0] == 6
    assert len(bench.partner.timeouts) == 2
    assert sum(bench.partner.timeouts) < 10
    assert [one.failure.reason for one in outcome.attempts if one.failure] == ["attempt_timed_out", "deadline_passed"]


@virtual
async def test_time_that_runs_out_while_waiting_is_not_sent() -> None:
    """A caller that only ever waited is told that nothing left."""
    bench = Bench(policy(bulkhead={"slots": 1, "wait_seconds": 60}), Partner(seconds=5))
    first = asyncio.create_task(bench.run())
    await asyncio.sleep(0)
    outcome = await bench.run(2)
    assert reason_of(outcome) == ("no_slot", Kind.NOT_SENT, Layer.OURS)
    assert now() <= 2
    assert reason_of(await bench.run(0.1)) == ("no_time_left", Kind.NOT_SENT, Layer.OURS)
    assert (await first).value == "found"
    await bench.settle()


@virtual
async def test_what_the_partner_said_tells_more_than_a_later_refusal() -> None:
    """When the second attempt is refused here, the caller gets the failure of the first."""
    bench = Bench(policy(retry={"base_seconds": 2}))
    bench.partner.behave = lambda _at, _key: failure_of(SystemFailed, "server_fault", Layer.SYSTEM)
    call = asyncio.create_task(bench.run())
    await asyncio.sleep(0.05)
    bench.switch.paused = Paused(by="operator")
    outcome = await call
    assert reason_of(outcome) == ("server_fault", Kind.SYSTEM_FAILED, Layer.SYSTEM)
    assert len(outcome.attempts) == 1
    assert bench.pipeline.state().budget_left == 10
    await bench.settle()


@virtual
async def test_nothing_is_held_between_attempts() -> None:
    """While a call waits for its next attempt, its slot serves others."""
    bench = Bench(policy(bulkhead={"slots": 1}, retry={"base_seconds": 4, "cap_seconds": 5}))
    bench.partner.behave = lambda at, _key: failure_of(SystemFailed, layer=Layer.SYSTEM) if at == 0 else "found"
    first = asyncio.create_task(bench.run())
    await asyncio.sleep(0.03)
    state = bench.pipeline.state()
    assert (state.in_flight, state.waiting) == (0, 0)
    assert len(bench.log.rows) == 1
    assert bench.log.open_rows == []
    assert (await bench.run(1)).value == "found"
    assert not first.done()
    assert (await first).value == "found"


@virtual
async def test_a_defect_of_ours_is_a_failure_of_ours() -> None:
    """An exception that nobody expected is recorded, not repeated, not the partner's fault, and tells no secrets."""
    bench = Bench()

    async def broken(_key: Key, _exchange: Exchange) -> str:
        raise KeyError("999012345678")

    for _ in range(20):
        outcome = await bench.run(operation=broken)
        assert reason_of(outcome) == ("internal_error", Kind.UNKNOWN_OUTCOME, Layer.OURS)
        assert outcome.failure is not None
        assert outcome.failure.note is not None
        assert outcome.failure.note.startswith("KeyError at ")
        assert "999012345678" not in str(outcome.failure) + outcome.failure.note
        assert isinstance(outcome.failure.__cause__, KeyError)
        assert len(outcome.attempts) == 1
    assert bench.pipeline.state().breaker is BreakerState.CLOSED
    await bench.settle()


@virtual
async def test_defects_before_the_wire_are_not_sent() -> None:
    """A defect in the store or in the credentials is ours too, and certainly nothing left."""
    bench = Bench()
    bench.log.defect = ZeroDivisionError()
    assert reason_of(await bench.run()) == ("internal_error", Kind.NOT_SENT, Layer.OURS)
    bench.log.defect = None
    bench.keys.current = None  # type: ignore[assignment]
    assert reason_of(await bench.run()) == ("internal_error", Kind.NOT_SENT, Layer.OURS)
    await bench.settle()


@virtual
async def test_a_row_that_is_another_calls_is_left_alone() -> None:
    """Two calls with one id are a defect of ours: the second is refused and does not close the first one's row."""
    bench = Bench()
    bench.partner.seconds = 1
    call = bench.call()
    first = asyncio.create_task(bench.pipeline.run(call, bench.partner))
    await asyncio.sleep(0.5)
    assert reason_of(await bench.pipeline.run(call, bench.partner)) == ("internal_error", Kind.NOT_SENT, Layer.OURS)
    await asyncio.sleep(0.1)
    assert len(bench.log.open_rows) == 1
    assert (await first).value == "found"
    await bench.settle()


@virtual
async def test_a_time_limit_inside_the_adapter_is_a_defect_and_not_a_deadline() -> None:
    """A stray `TimeoutError` is not mistaken for the pipeline's own."""
    bench = Bench()

    async def stray(_key: Key, _exchange: Exchange) -> str:
        raise TimeoutError

    assert reason_of(await bench.run(operation=stray))[0] == "internal_error"


@virtual
async def test_an_agency_without_credential_is_refused_before_any_row() -> None:
    """What the credentials raise reaches the caller as it is."""
    bench = Bench()

    def none(agency: AgencyCode) -> Key:  # noqa: ARG001
        raise failure_of(NotSent, "no_credential", Layer.OURS)

    bench.keys.get = none  # type: ignore[method-assign]
    assert reason_of(await bench.run()) == ("no_credential", Kind.NOT_SENT, Layer.OURS)
    assert bench.log.rows == {}


@virtual
async def test_a_busy_partner_is_left_alone_by_everybody() -> None:
    """One caller is told to wait four seconds: nobody leaves before, whoever has no time is told how long."""
    bench = Bench(policy(bulkhead={"room": 1000, "wait_seconds": 30}))
    bench.partner.behave = lambda at, _key: (
        failure_of(Busy, "busy", Layer.SYSTEM, retry_after=4.0) if at == 0 else "found"
    )
    first = asyncio.create_task(bench.run())
    await asyncio.sleep(0.1)
    hurried = await asyncio.gather(*(bench.run(2) for _ in range(100)))
    patient = await asyncio.gather(*(bench.run(10) for _ in range(100)))
    assert {reason_of(one) for one in hurried} == {("partner_busy", Kind.NOT_SENT, Layer.SYSTEM)}
    assert all(one.failure and 3.8 < (one.failure.retry_after or 0) < 5 for one in hurried)
    assert [one.value for one in patient] == ["found"] * 100
    assert (await first).value == "found"
    assert min(bench.partner.arrivals[1:]) >= 4.02
    assert bench.pipeline.state().breaker is BreakerState.CLOSED
    await bench.settle()


@virtual
async def test_impatient_callers_do_not_make_the_partner_look_down() -> None:
    """A time-out after half a second says more about the caller; after a fair time it counts."""
    bench = Bench(partner=Partner(seconds=0.8))
    for _ in range(40):
        await bench.run(0.5)
    assert bench.pipeline.state().breaker is BreakerState.CLOSED
    bench.partner.seconds = 100
    for _ in range(10):
        await bench.run(2)
    assert bench.pipeline.state().breaker is not BreakerState.CLOSED
    await bench.settle()


@virtual
async def test_answers_that_are_failures_do_not_open_the_breaker() -> None:
    """A day of rejected requests is a partner in good health."""
    bench = Bench()
    bench.partner.behave = lambda _at, _key: failure_of(Rejected, "rejected", Layer.BUSINESS)
    for _ in range(100):
        assert reason_of(await bench.run())[1] is Kind.REJECTED
    assert bench.pipeline.state().breaker is BreakerState.CLOSED
    assert len(bench.partner.arrivals) == 100
    await bench.settle()


@virtual
async def test_state_tells_what_is_going_on() -> None:
    """The page sees slots, waiters, the breaker with its next probe, and the budget."""
    bench = Bench(policy(bulkhead={"slots": 2, "room": 5}))
    bench.partner.seconds = 1
    calls = [asyncio.create_task(bench.run()) for _ in range(5)]
    await asyncio.sleep(0.5)
    state = bench.pipeline.state()
    assert (state.in_flight, state.slots, state.waiting, state.room) == (2, 2, 3, 5)
    assert (state.system, state.paused, state.rate, state.full_rate) == ("population", None, 100, 100)
    await asyncio.gather(*calls)
    bench.partner.seconds = 0
    bench.partner.behave = lambda _at, _key: failure_of(UnknownOutcome)
    for _ in range(10):
        await bench.run(1, AGENCY)
    state = bench.pipeline.state()
    assert state.breaker is BreakerState.OPEN
    assert state.next_probe_in is not None
    assert 0 < state.next_probe_in <= 5
    assert state.budget_left < 10


@virtual
async def test_a_switch_pressed_while_a_connection_opens_keeps_the_request_back() -> None:
    """The transport asks again before the first byte; what the switch keeps back says nothing about the partner."""
    bench = Bench()

    async def connecting(_key: Key, exchange: Exchange) -> object:
        await asyncio.sleep(3)
        assert exchange.gate is not None
        refusal = exchange.gate()
        if refusal is not None:
            raise refusal
        return "found"

    asking = asyncio.ensure_future(bench.run(operation=connecting))
    await asyncio.sleep(1)
    bench.switch.paused = Paused(by="so-khcn", why="x")
    outcome = await asking
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.reason) == (Kind.NOT_SENT, "paused")
    assert len(outcome.attempts) == 1
    await bench.settle()
