"""Processes that share a session: one logs in, the others take it up, and nobody ends what another has just opened."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from contracts.model import Busy, Kind, Layer, NotSent, UnknownOutcome
from gateway.resilience import Paused, StoreUnavailable
from tests.support.pipelines import AGENCY, OTHER_AGENCY, busiest
from tests.support.sessions import LOGIN, REFUSED, Door, MemoryShelf, Place, failed
from tests.support.virtualtime import now, virtual

PLACE = "population:common"
LOST = UnknownOutcome("answer_timeout", operation=LOGIN, layer=Layer.NETWORK)


def processes(count: int, door: Door, shelf: MemoryShelf | None, **settings: Any) -> list[Place]:
    """Return so many processes at one door."""
    return [Place(door, shelf, **settings) for _ in range(count)]


async def found(*places: Place) -> None:
    """Ask in each process at once; each gets its answer."""
    outcomes = await asyncio.gather(*(place.run() for place in places))
    assert [outcome.value for outcome in outcomes] == ["found"] * len(places)


async def settled(places: list[Place]) -> None:
    """Wait for what the processes left behind; each log-in has its row in one of them."""
    for place in places:
        await place.settle()
    assert sum(len(place.login_rows()) for place in places) == len(places[0].door.log_ins)


@pytest.mark.parametrize("shelf", [MemoryShelf(), None])
@virtual
async def test_eight_at_once_are_one_log_in(shelf: MemoryShelf | None) -> None:
    """One opens the session, seven wait for it. Without a shelf each opens its own."""
    places = processes(8, Door(), shelf)
    await found(*places)
    assert len(places[0].door.log_ins) == (8 if shelf is None else 1)
    await settled(places)


@pytest.mark.parametrize("shelf", [MemoryShelf(), None])
@virtual
async def test_processes_do_not_end_each_others_sessions(shelf: MemoryShelf | None) -> None:
    """A log-in ends the session before, and three processes take turns: one log-in. Without a shelf, one each turn."""
    places = processes(3, Door(single=True), shelf)
    for turn in range(30):
        await found(places[turn % 3])
        await asyncio.sleep(1)
    assert len(places[0].door.log_ins) == (30 if shelf is None else 1)
    await settled(places)


@virtual
async def test_a_session_that_is_refused_is_renewed_once_for_all() -> None:
    """Eight processes find out at once; one logs in, and no agency is held."""
    door = Door(single=True, life=None)
    places = processes(8, door, MemoryShelf())
    await found(*places)
    door.over.add("common/1")
    await found(*places)
    assert len(door.log_ins) == 2
    await asyncio.sleep(5)
    await found(*places)
    assert len(door.log_ins) == 2
    assert [place.watcher.holds for place in places] == [[]] * 8
    await settled(places)


@virtual
async def test_who_comes_later_takes_up_what_is_there() -> None:
    """A process that has just started logs in for nothing; before the session's date one renews it for all."""
    door = Door()
    places = processes(2, door, MemoryShelf())
    await found(places[0])
    await asyncio.sleep(20 * 60)
    await found(places[1])
    assert [place.used for place in places] == [["common/1"], ["common/1"]]
    await asyncio.sleep(9.5 * 60)
    await found(*places)
    assert [place.used[-1] for place in places] == ["common/2", "common/2"]
    assert len(door.log_ins) == 2
    await settled(places)


@virtual
async def test_a_process_that_lay_idle_looks_before_it_uses_what_it_has() -> None:
    """Both sessions it could know of are over; it is refused once, logs in once, and no agency is held."""
    door = Door(life=None)
    idle, busy = places = processes(2, door, MemoryShelf())
    await found(*places)
    door.over.add("common/1")
    await asyncio.sleep(600)
    await found(busy)
    await asyncio.sleep(600)
    door.over.add("common/2")
    await found(idle)
    assert idle.used == ["common/1", "common/2", "common/3"]
    assert idle.watcher.holds == []
    await found(busy)
    assert busy.used[-1] == "common/3"
    assert len(door.log_ins) == 3
    await settled(places)


@virtual
async def test_a_session_that_lay_idle_and_is_the_newest_goes_on() -> None:
    """Looking is not logging in."""
    (place,) = places = processes(1, Door(life=None), MemoryShelf())
    for _ in range(5):
        await found(place)
        await asyncio.sleep(3600)
    assert place.used == ["common/1"] * 5
    await settled(places)


@virtual
async def test_when_the_one_who_logs_in_dies_the_next_does_so_after_the_lease() -> None:
    """Until then others wait, no longer than a renewal may take, and send nothing."""
    door, shelf = Door(), MemoryShelf()
    (place,) = places = processes(1, door, shelf)
    assert await shelf.take(PLACE, await shelf.look(PLACE), 7) == 1
    began = now()
    failure = await failed(place)
    assert (type(failure), failure.reason) == (NotSent, "renewal_timed_out")
    assert now() - began <= 5.2
    await found(place)
    assert len(door.log_ins) == 1
    assert door.log_ins[0][0] - began >= 6.9
    await settled(places)


@virtual
async def test_whose_lease_ran_out_neither_keeps_nor_puts_what_it_opened() -> None:
    """It stood still while it logged in; another has logged in since: it takes that session up, as everybody does."""
    door, shelf = Door(single=True, seconds=1), MemoryShelf()
    late, other = places = processes(2, door, shelf)
    first = asyncio.create_task(late.run())
    await asyncio.sleep(0.9)
    shelf.passed += 60
    second = asyncio.create_task(other.run())
    assert [(await first).value, (await second).value] == ["found", "found"]
    assert len(door.log_ins) == 2
    assert (late.used, other.used) == (["common/2"], ["common/2"])
    assert shelf.lines[PLACE].generation == 2
    await settled(places)


@virtual
async def test_a_refused_account_is_tried_once_for_all() -> None:
    """Eight processes with two agencies: one log-in, and each agency of each process is held."""
    door = Door(behave=lambda _account, _exchange: REFUSED)
    places = processes(8, door, MemoryShelf())
    failures = await asyncio.gather(*(failed(place, agency=one) for place in places for one in (AGENCY, OTHER_AGENCY)))
    assert {failure.reason for failure in failures} == {"credential_refused"}
    assert len(door.log_ins) == 1
    for _ in range(100):
        for place in places:
            assert (await failed(place, agency=AGENCY)).reason in {"credential_refused", "credential_held"}
            await failed(place, agency=OTHER_AGENCY)
        await asyncio.sleep(10)
    assert all(place.watcher.holds == [(AGENCY, True), (OTHER_AGENCY, True)] for place in places)
    assert len(door.log_ins) > 2
    assert busiest([at for at, _ in door.log_ins], 290) == 1
    await settled(places)


@virtual
async def test_a_person_who_ends_the_hold_has_it_tried_at_once() -> None:
    """In all processes: one logs in, whichever it is, and the others take that up."""
    door = Door(behave=lambda _account, _exchange: REFUSED)
    places = processes(4, door, MemoryShelf())
    for place in places:
        await failed(place)
    assert len(door.log_ins) == 1
    assert [place.pipeline.resume(AGENCY) for place in places] == [True] * 4
    for place in places:
        assert (await failed(place)).reason == "credential_refused"
    assert len(door.log_ins) == 2
    door.behave = lambda _account, _exchange: None
    assert [place.pipeline.resume(AGENCY) for place in places] == [True] * 4
    await found(*places)
    assert len(door.log_ins) == 3
    await settled(places)


@virtual
async def test_a_session_refused_as_soon_as_it_is_opened_goes_up() -> None:
    """Whoever opened it: nobody goes round in circles."""
    door = Door()
    door.over |= {f"common/{number}" for number in range(1, 100)}
    places = processes(4, door, MemoryShelf(), credentials={"hold_seconds": 3000})
    for _ in range(20):
        for place in places:
            assert (await place.run()).failure is not None
        await asyncio.sleep(60)
    assert len(door.log_ins) <= 2 * 4
    assert [place.watcher.holds for place in places] == [[(AGENCY, True)]] * 4
    await settled(places)


@virtual
async def test_a_busy_partner_is_left_alone_by_all() -> None:
    """For as long as it asked; then one logs in."""
    door = Door(behave=lambda _account, _exchange: Busy("busy", operation=LOGIN, layer=Layer.SYSTEM, retry_after=30))
    places = processes(8, door, MemoryShelf())
    for _ in range(5):
        for place in places:
            failure = await failed(place, seconds=2)
            assert failure.kind is Kind.BUSY
            assert failure.retry_after is not None
            assert failure.retry_after <= 30
        await asyncio.sleep(1)
    assert len(door.log_ins) == 1
    door.behave = lambda _account, _exchange: None
    await asyncio.sleep(30)
    await found(*places)
    assert len(door.log_ins) == 2
    await settled(places)


@virtual
async def test_a_log_in_that_is_lost_is_its_own_failure_only() -> None:
    """The next may try at once."""
    door = Door(behave=lambda _account, _exchange: LOST)
    first, second = places = processes(2, door, MemoryShelf())
    failure = await failed(first)
    assert (failure.kind, failure.reason) == (Kind.NOT_SENT, "session_not_opened")
    door.behave = lambda _account, _exchange: None
    began = now()
    await found(second)
    assert now() - began < 1
    await settled(places)


@virtual
async def test_a_log_in_that_did_not_leave_gives_the_lease_back() -> None:
    """The stop switch is pressed in the moment of the log-in; when it is released nobody waits."""
    door = Door()
    (place,) = places = processes(1, door, MemoryShelf())
    with pytest.MonkeyPatch.context() as patch:
        stopped = NotSent("paused", operation=LOGIN, layer=Layer.OURS)
        patch.setattr(place.sessions, "_stopped", lambda _operation: stopped)
        assert (await failed(place)).reason == "paused"
    began = now()
    await found(place)
    assert now() - began < 1
    place.switch.paused = Paused(by="ops", why="test")
    assert (await failed(place)).reason == "paused"
    await settled(places)


@pytest.mark.parametrize("hangs", [False, True])
@virtual
async def test_no_shelf_no_log_in(hangs: bool) -> None:  # noqa: FBT001 - a case of the table
    """What cannot be agreed on is not done, and costs no more time than a commit may."""
    door, shelf = Door(), MemoryShelf()
    (place,) = places = processes(1, door, shelf)
    shelf.down, shelf.seconds = not hangs, 60 if hangs else 0.01
    failure = await failed(place)
    assert (type(failure), failure.reason, failure.layer) == (NotSent, "store_unavailable", Layer.OURS)
    assert now() <= 2.1
    assert place.watcher.log_failures["session"] == 1
    shelf.down, shelf.seconds = False, 0.01
    await found(place)
    assert len(door.log_ins) == 1
    await settled(places)


@virtual
async def test_a_session_that_could_not_be_put_there_is_used_by_who_opened_it() -> None:
    """It does not go back to an older one; the others log in when theirs is refused, and it follows them."""
    door, shelf = Door(single=True, life=None), MemoryShelf()
    first, second = places = processes(2, door, shelf)
    await found(*places)
    door.over.add("common/1")

    async def away(*_given: object) -> bool:
        raise StoreUnavailable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "put", away)
        await found(first)
    await asyncio.sleep(15)
    await found(first)
    assert first.used == ["common/1", "common/1", "common/2", "common/2"]
    await found(second)
    await found(first)
    assert (second.used[-1], first.used[-1]) == ("common/3", "common/3")
    assert len(door.log_ins) == 3
    await settled(places)


@virtual
async def test_of_two_openings_the_newer_session_stays_whichever_ends_last() -> None:
    """The store tells late that the first is there; it was refused and replaced meanwhile, and nobody gets it."""
    door, shelf = Door(single=True, life=None), MemoryShelf()
    (place,) = places = processes(1, door, shelf)
    put = shelf.put

    async def late(*given: Any) -> bool:
        done = await put(*given)
        await asyncio.sleep(1)
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "put", late)
        older = asyncio.create_task(place.sessions.renew(AGENCY))
        await asyncio.sleep(0.5)
        patch.setattr(shelf, "put", put)
        newer = await place.sessions.renew(AGENCY, refused="common/1")
        assert not older.done()
        assert await older == newer
    assert newer.fingerprint == "common/2"
    await found(place)
    assert place.used == ["common/2"]
    assert len(door.log_ins) == 2
    await settled(places)


@virtual
async def test_what_is_on_the_shelf_in_another_form_is_no_session() -> None:
    """Of a release that packs them otherwise: a log-in, and the older one is gone."""
    door, shelf = Door(), MemoryShelf()
    fence = await shelf.take(PLACE, await shelf.look(PLACE), 7)
    assert fence is not None
    assert await shelf.put(PLACE, fence, b"other", None)
    places = processes(2, door, shelf)
    await found(*places)
    assert len(door.log_ins) == 1
    await settled(places)


@virtual
async def test_a_partner_whose_clock_is_behind_is_not_logged_in_to_by_each() -> None:
    """A session that is over by its own date counts for the same while for all."""
    places = processes(4, Door(behind=timedelta(hours=5)), MemoryShelf())
    for _ in range(12):
        await found(*places)
        await asyncio.sleep(10)
    assert len(places[0].door.log_ins) <= 3
    await settled(places)
