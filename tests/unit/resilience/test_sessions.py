"""A session is opened when it is needed, once for all who share an account, and leaves evidence like any exchange."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.model import Acted, Busy, Kind, Layer, NotSent, UnknownOutcome
from gateway.resilience import BreakerState, Paused
from gateway.resilience.sessions import CLIENT
from tests.support.pipelines import AGENCY, OTHER_AGENCY, busiest
from tests.support.sessions import FOREIGN, LOGIN, REFUSED, Door, Place, failed
from tests.support.virtualtime import now, virtual

if TYPE_CHECKING:
    from gateway.resilience import Call

LOST = UnknownOutcome("answer_timeout", operation=LOGIN, layer=Layer.NETWORK)


@virtual
async def test_the_first_call_opens_a_session_and_the_next_uses_it() -> None:
    """The caller does not notice; the log-in has a row of its own, with who, what and evidence."""
    place = Place()
    assert [(await place.run()).value for _ in range(2)] == ["found", "found"]
    assert (len(place.door.log_ins), place.used) == (1, ["common/1", "common/1"])
    await place.settle()
    (row,) = place.login_rows()
    assert (row.call.client, row.call.purpose.agency, row.request_id) == (CLIENT, AGENCY, row.call.id)
    assert row.result is not None
    assert (row.result.kind, row.result.may_have_acted) == (None, Acted.YES)
    assert place.log.calls[row.call.id].attempts == 1


@virtual
async def test_agencies_of_one_account_share_one_log_in() -> None:
    """Thirty calls of two agencies, at once: one exchange; another account opens its own."""
    place = Place()
    agencies = [AGENCY, OTHER_AGENCY, FOREIGN] * 10
    outcomes = await asyncio.gather(*(place.run(agency=agency) for agency in agencies))
    assert [outcome.value for outcome in outcomes] == ["found"] * 30
    assert sorted(account for _, account in place.door.log_ins) == ["common", "foreign"]
    await place.settle()


@virtual
async def test_a_session_is_opened_anew_before_it_ends() -> None:
    """No operation is spent on finding out what was known."""
    place = Place()
    for _ in range(4):
        assert (await place.run()).value == "found"
        await asyncio.sleep(15 * 60)
    assert place.used == ["common/1", "common/1", "common/2", "common/2"]
    await place.settle()


@virtual
async def test_a_partner_whose_clock_is_behind_is_not_logged_in_to_each_time() -> None:
    """A session that is over by its own date counts for a while all the same: refused is what tells."""
    place = Place(Door(behind=timedelta(hours=5)))
    for _ in range(30):
        assert (await place.run()).value == "found"
        await asyncio.sleep(10)
    assert len(place.door.log_ins) <= 6
    await place.settle()


@virtual
async def test_a_session_without_a_date_counts_until_it_is_refused() -> None:
    """And is then renewed once."""
    place = Place(Door(life=None))
    assert (await place.run()).value == "found"
    await asyncio.sleep(86_400)
    place.door.over.add("common/1")
    assert (await place.run()).value == "found"
    assert place.used == ["common/1", "common/1", "common/2"]
    assert place.watcher.holds == []
    await place.settle()


@virtual
async def test_many_who_are_refused_share_the_renewal() -> None:
    """Of two agencies, too: the session was one."""
    place = Place(budget={"floor": 100})
    await place.run()
    place.door.over.add("common/1")
    agencies = [AGENCY, OTHER_AGENCY] * 15
    outcomes = await asyncio.gather(*(place.run(agency=agency) for agency in agencies))
    assert [outcome.value for outcome in outcomes] == ["found"] * 30
    assert len(place.door.log_ins) == 2
    await place.settle()


@virtual
async def test_an_account_that_is_refused_is_held_after_one_log_in() -> None:
    """Accounts get locked; other accounts go on; an alarm is raised; a new secret ends it at once."""
    door = Door(behave=lambda account, _exchange: REFUSED if account == "common" else None)
    place = Place(door)
    first = await failed(place)
    assert (first.kind, first.reason) == (Kind.CREDENTIAL_REFUSED, "credential_refused")
    second = await failed(place)
    assert (second.reason, second.retry_after) == ("credential_held", pytest.approx(300, abs=1))
    assert (await place.run(agency=FOREIGN)).value == "found"
    assert [account for _, account in door.log_ins] == ["common", "foreign"]
    assert place.watcher.holds == [(AGENCY, True)]
    door.accounts[AGENCY] = "new"
    assert (await place.run()).value == "found"
    assert place.watcher.holds == [(AGENCY, True), (AGENCY, False)]
    await place.settle()


@virtual
async def test_an_account_that_is_refused_when_a_session_ends_is_held_just_so() -> None:
    """One log-in in the time of a hold, also when the old session's date passes meanwhile."""
    door = Door()
    place = Place(door, credentials={"hold_seconds": 3000})
    await place.run()
    door.over.add("common/1")
    door.behave = lambda _account, _exchange: REFUSED
    await place.run()
    for _ in range(40):
        assert (await failed(place)).reason == "credential_held"
        await asyncio.sleep(60)
    assert len(door.log_ins) == 2
    door.behave = lambda _account, _exchange: None
    await asyncio.sleep(600)
    assert (await place.run()).value == "found"
    assert place.watcher.holds == [(AGENCY, True), (AGENCY, False)]
    await place.settle()


@virtual
async def test_a_session_that_is_refused_as_soon_as_it_is_opened_holds_the_agency() -> None:
    """Logging in again and again would not mend it."""
    place = Place()
    place.door.over |= {"common/1", "common/2", "common/3"}
    outcome = await place.run()
    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.CREDENTIAL_REFUSED
    assert (await failed(place)).reason == "credential_held"
    assert len(place.door.log_ins) == 2
    assert place.watcher.holds == [(AGENCY, True)]
    await place.settle()


@virtual
async def test_a_log_in_that_is_lost_says_nothing_of_the_call() -> None:
    """Whatever became of the log-in, the operation has not been sent; the log-in's own row says "unknown"."""
    place = Place(Door(behave=lambda _account, _exchange: LOST))
    failure = await failed(place)
    assert (type(failure), failure.reason, failure.layer) == (NotSent, "session_not_opened", Layer.NETWORK)
    assert failure.may_have_acted is Acted.NO
    await place.settle()
    result = place.login_rows()[0].result
    assert (result.kind, result.may_have_acted) == (Kind.UNKNOWN_OUTCOME, Acted.MAYBE)


@virtual
async def test_a_wait_that_a_log_in_is_told_comes_through() -> None:
    """Busy is busy, and sends nothing."""
    busy = Busy("busy", operation=LOGIN, layer=Layer.SYSTEM, retry_after=7)
    failure = await failed(Place(Door(behave=lambda _account, _exchange: busy)))
    assert failure is busy


@pytest.mark.parametrize(("behave", "layer"), [(None, Layer.NETWORK), (ValueError("secret"), Layer.OURS)])
@virtual
async def test_a_log_in_that_hangs_or_breaks_ends_in_time(behave: Exception | None, layer: Layer) -> None:
    """Its time limit is its own, and a defect is told without its words."""
    place = Place(Door(behave=lambda _account, _exchange: behave, seconds=60 if behave is None else 0))
    failure = await failed(place)
    assert (failure.reason, failure.layer) == ("session_not_opened", layer)
    assert now() <= 5
    assert "secret" not in f"{failure} {failure.note}"
    await place.settle()


@virtual
async def test_no_log_in_leaves_while_the_switch_is_pressed() -> None:
    """Neither before it begins nor between its row and its first byte."""
    place = Place()
    place.switch.paused = Paused(by="ops", why="test")
    assert (await failed(place)).reason == "paused"
    with pytest.raises(NotSent):
        await place.sessions.renew(AGENCY)
    assert place.login_rows() == []
    place.switch.paused = None
    place.log.commit_seconds = 0.5
    call = asyncio.create_task(failed(place))
    await asyncio.sleep(0.25)
    place.switch.paused = Paused(by="ops", why="test")
    assert (await call).reason == "paused"
    assert place.door.log_ins == []
    await place.settle()


@virtual
async def test_no_row_no_log_in() -> None:
    """What cannot be written is not sent."""
    place = Place()
    place.log.down = True
    assert (await failed(place)).reason == "store_unavailable"
    assert place.door.log_ins == []


@virtual
async def test_a_row_that_was_committed_too_late_is_closed() -> None:
    """The log-in has been given up when its row is written all the same: it does not stay open for ever."""
    place = Place()
    opened = place.log.open_attempt

    async def too_late(call: Call, ordinal: int, request_id: str) -> None:
        await opened(call, ordinal, request_id)
        await asyncio.sleep(60)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place.log, "open_attempt", too_late)
        assert (await failed(place)).reason == "store_unavailable"
    await place.settle()
    (row,) = place.login_rows()
    assert row.result.kind is Kind.NOT_SENT
    assert place.log.calls[row.call.id].kind is Kind.NOT_SENT
    assert place.door.log_ins == []


@virtual
async def test_what_came_of_a_log_in_is_written_also_when_the_store_was_away() -> None:
    """The store is away when the log-in ends, and back a few seconds later: its row is closed then."""
    place = Place(Door(seconds=1))
    call = asyncio.create_task(place.run())
    await asyncio.sleep(0.5)
    place.log.down = True
    await asyncio.sleep(5)
    assert [row.result for row in place.login_rows()] == [None]
    place.log.down = False
    await call
    await place.settle()
    (row,) = place.login_rows()
    assert row.result is not None
    assert row.call.id in place.log.calls


@virtual
async def test_who_leaves_takes_no_log_in_away_from_the_others() -> None:
    """The first caller's patience is not everybody's."""
    place = Place(Door(seconds=1))
    first, second = (asyncio.create_task(place.run()) for _ in range(2))
    await asyncio.sleep(0.5)
    first.cancel()
    assert (await second).value == "found"
    assert len(place.door.log_ins) == 1
    await place.settle()


@virtual
async def test_a_system_that_is_down_at_the_log_in_is_seen_to_be_down() -> None:
    """The breaker opens by log-ins alone; then they leave at the pace of probes, and the system's return is noticed."""
    door = Door(behave=lambda _account, _exchange: LOST)
    place = Place(door)
    for _ in range(600):
        await place.run(seconds=2)
        await asyncio.sleep(0.1)
    assert place.pipeline.state().breaker is not BreakerState.CLOSED
    late = [at for at, _ in door.log_ins if at > 30]
    assert late
    assert busiest(late, 4.9) == 1
    door.behave = lambda _account, _exchange: None
    await asyncio.sleep(30)
    values = []
    for _ in range(4):
        values.append((await place.run()).value)
        await asyncio.sleep(5.1)
    assert values[-1] == "found"
    assert place.pipeline.state().breaker is BreakerState.CLOSED
    await place.settle()


@virtual
async def test_one_lost_log_in_counts_once_however_many_wait_for_it() -> None:
    """Fifty callers behind one log-in are not fifty failures."""
    door = Door(behave=lambda _account, _exchange: LOST, seconds=0.5)
    place = Place(door, bulkhead={"slots": 64})
    outcomes = await asyncio.gather(*(place.run(seconds=3) for _ in range(20)))
    assert all(isinstance(outcome.failure, NotSent) for outcome in outcomes)
    assert len(door.log_ins) == 1
    assert place.pipeline.state().breaker is BreakerState.CLOSED
    await place.settle()
