from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.model import Acted, ContractBroken, Rejected
from gateway.delivery import Choice, Replay, ReplayRefusal, Resolution, StopRule, Word, replaying
from gateway.store.tables import replays
from tests.support.deliveries import SYSTEM, WORD, bench, changed
from tests.support.replays import BOTH, FAST, SLOWLY, make, replayed, seen, states, stuck, turns, worked

if TYPE_CHECKING:
    import pytest

    from gateway.store.engine import Transaction
    from tests.support.stores import Place

ROOT = Path(__file__).parents[3]


async def test_no_more_are_set_going_than_the_pace_allows(place: Place) -> None:
    """One turn, then none until its time has come; what was missed while nobody looked is not made up for."""
    async with bench(place) as one:
        await stuck(one, 4)
        replay = await make(one)
        take = one.deliveries.replays.take_turns
        for set_going in (1, 2):
            wait = await take()
            assert wait is not None
            assert 0 < wait <= SLOWLY.total_seconds()
            await take()
            assert (await seen(one, replay)).set_going == set_going
            await one.move(SLOWLY - timedelta(seconds=60))
            await take()
            assert (await seen(one, replay)).set_going == set_going
            await one.move(timedelta(seconds=60))
        await one.move(SLOWLY * 10)
        await take()
        await take()
        assert (await seen(one, replay)).set_going == 3


async def test_the_pace_is_one_for_all_processes(place: Place) -> None:
    """However many look for a turn at once, one has it."""
    async with bench(place) as one, place.opened(serving=False) as store:
        made = await stuck(one, 3)
        replay = await make(one)
        async with bench(place, store=store) as other:
            for number in range(1, len(made) + 1):
                looking = [each.deliveries.replays.take_turns() for each in (one, other) for _ in range(8)]
                await asyncio.gather(*looking)
                assert await replayed(one) == dict.fromkeys([each.id for each in made[:number]], 1)
                found = await seen(one, replay)
                assert (found.set_going, found.left, found.refused) == (number, 3 - number, {})
                await one.move(SLOWLY)


async def test_a_turn_that_is_cut_short_has_not_happened(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever dies in the middle of a turn leaves the delivery and the replay as they were; the next has the turn."""
    async with bench(place) as one:
        (delivery,) = await stuck(one, 1)
        replay = await make(one)

        async def dies(*_arguments: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patched:
            patched.setattr(replays, "change", dies)
            assert await one.deliveries.replays.take_turns() is None
        assert (await states(one, [delivery]), await replayed(one)) == (["needs_person"], {})
        found = await seen(one, replay)
        assert (found.state, found.left, found.set_going) == ("running", 1, 0)
        await turns(one)
        assert await replayed(one) == {delivery.id: 1}


async def test_a_defect_in_one_replay_keeps_no_other_from_going_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with it, the replays of other systems take their turns."""
    async with bench(place) as one:
        made = await stuck(one, 2)
        move = "UPDATE delivery SET system = 'beside' WHERE id = $1"
        await one.store.engine.write(lambda tx: tx.execute(move, made[1].id))
        writes = one.deliveries._outlets[SYSTEM].writes
        one.deliveries.replays._writes = {SYSTEM: writes, "beside": writes}
        broken, whole = await make(one), await make(one, Choice(system="beside"))
        take = replaying.turn

        async def turn(replay: str, *arguments: Any) -> replaying.Turn:
            if replay == broken.id:
                raise ZeroDivisionError
            return await take(replay, *arguments)

        monkeypatch.setattr(replaying, "turn", turn)
        await one.deliveries.replays.take_turns()
        assert ((await seen(one, broken)).left, (await seen(one, whole)).left) == (1, 0)


async def test_what_a_killed_process_began_another_ends(place: Place) -> None:
    """It is killed while it takes turns; whoever comes next goes on, and none is set going twice."""
    async with bench(place) as one:
        made = await stuck(one, 40)
        replay = await make(one, per_second=FAST)
    command = [sys.executable, "-W", "error", "-m", "tests.support.replay_process", json.dumps(place.given()), "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:  # noqa: S603, ASYNC220 - ours
        assert process.stdout is not None
        told = 0
        while told < 5:
            told = int(await asyncio.to_thread(process.stdout.readline))
        process.kill()
    async with bench(place) as one:
        assert 5 <= (await seen(one, replay)).set_going < 40
        await one.running()
        for each in made:
            await one.until(each, "settled")
        assert await replayed(one) == dict.fromkeys([each.id for each in made], 1)
        while (await seen(one, replay)).settled < 40:
            await asyncio.sleep(0.01)
        assert (await seen(one, replay)).state == "done"


async def test_pausing_resuming_and_taking_back_hold_at_once(place: Place) -> None:
    """For everything that has not had its turn: nothing more is set going until it is resumed, or ever."""
    async with bench(place) as one:
        made = await stuck(one, 4)
        replay, all_replays = await make(one), one.deliveries.replays
        await all_replays.take_turns()
        word = Word(by="truc.ban", why="hỏi lại đối tác")
        paused = await all_replays.pause(replay.id, word)
        assert isinstance(paused, Replay)
        assert (paused.state, paused.state_why) == ("paused", word.why)
        await one.move(SLOWLY)
        assert await all_replays.take_turns() is None
        assert await replayed(one) == {made[0].id: 1}
        await all_replays.resume(replay.id, word)
        await all_replays.take_turns()
        assert await replayed(one) == {made[0].id: 1, made[1].id: 1}
        await all_replays.cancel(replay.id, word)
        await one.move(SLOWLY)
        assert await all_replays.take_turns() is None
        found = await seen(one, replay)
        assert (found.state, found.left, found.set_going) == ("cancelled", 2, 2)
        assert await all_replays.resume(replay.id, word) is ReplayRefusal.FINISHED
        said = [(each.by, each.what) for each in await one.store.audit.changes(limit=3)]
        assert said == [(word.by, f"replay.{what}") for what in ("cancel", "resume", "pause")]


async def test_it_stops_by_itself_when_too_much_comes_back(place: Place) -> None:
    """Nothing more is set going; a person may resume it, and what came back before then no longer counts."""
    async with bench(place) as one:
        made = await stuck(one, 6)
        replay = await make(one, stop=StopRule(above=1, of=3))
        one.toy.always = one.toy.fails(ContractBroken, may_have_acted=Acted.NO)
        for count, state in ((1, "running"), (2, "stopped")):
            await one.deliveries.replays.take_turns()
            await worked(one, made, "needs_person")
            await one.deliveries.replays.count()
            found = await seen(one, replay)
            assert (found.state, found.came_back, found.under_way) == (state, count, 0)
            await one.move(SLOWLY)
        assert await one.deliveries.replays.take_turns() is None
        (change,) = await one.store.audit.changes(limit=1)
        assert (change.what, change.name) == ("replay.stop", replay.id)
        assert change.why == "2 of the last 2 came back"
        one.toy.always = None
        await one.deliveries.replays.resume(replay.id, WORD)
        await one.deliveries.replays.take_turns()
        await worked(one, made[2:3], "settled")
        await one.deliveries.replays.count()
        assert (await seen(one, replay)).state == "running"
        await turns(one)
        await worked(one, made[3:], "settled")
        await one.deliveries.replays.count()
        found = await seen(one, replay)
        assert (found.state, found.settled, found.came_back) == ("done", 4, 2)


async def test_what_settled_since_does_not_hide_that_too_much_came_back(place: Place) -> None:
    """Ends that are counted late, all at once, are judged one after the other."""
    async with bench(place) as one:
        made = await stuck(one, 5)
        replay = await make(one, stop=StopRule(above=1, of=2))
        for _ in range(4):
            await one.deliveries.replays.take_turns()
            await one.move(SLOWLY)
        for each, state in zip(made, ("needs_person", "needs_person", "settled", "settled"), strict=False):
            await one.store.engine.write(partial(_end, each.id, state))
        await one.deliveries.replays.count()
        found = await seen(one, replay)
        assert (found.state, found.came_back, found.settled) == ("stopped", 2, 2)


async def _end(delivery: str, state: str, tx: Transaction) -> None:
    await tx.execute("UPDATE delivery SET state = $2 WHERE id = $1", delivery, state)


async def test_a_paused_systems_replay_waits(place: Place) -> None:
    """From the moment in which the stop switch is pressed, whichever process has it, until it is released."""
    async with bench(place) as one:
        await stuck(one, 2)
        replay = await make(one)
        await one.store.switches.pause(SYSTEM, by="admin", why="thử")
        assert await one.deliveries.replays.take_turns() is None
        found = await seen(one, replay)
        assert (found.state, found.waits_for, found.left) == ("running", "stop_switch", 2)
        await one.store.switches.resume(SYSTEM, by="admin")
        await one.deliveries.replays.take_turns()
        assert (await seen(one, replay)).left == 1


async def test_it_waits_while_too_many_are_under_way(place: Place) -> None:
    """A system that answers nothing gets no more than so many, whatever the pace is."""
    async with bench(place, replay_under_way=2) as one:
        made = await stuck(one, 3)
        replay = await make(one)
        await turns(one)
        found = await seen(one, replay)
        assert (found.state, found.waits_for, found.left, found.under_way) == ("running", "under_way", 1, 2)
        await worked(one, made[:2], "settled")
        await one.deliveries.replays.count()
        await turns(one)
        found = await seen(one, replay)
        assert (found.state, found.left) == ("done", 0)
        assert found.settled >= 2
        assert found.under_way + found.settled == 3  # the workers may have come round to the third meanwhile


async def test_what_cannot_be_set_going_is_counted_by_reason_and_costs_no_pace(place: Place) -> None:
    """Somebody has dealt with it meanwhile, it may have acted and nobody can look: nothing of it is changed."""
    async with bench(place) as one:
        tell, resolved, going, last = *await stuck(one, 1, "tell"), *await stuck(one, 3)
        replay = await make(one)
        changed(await one.deliveries.resolve(resolved.id, Resolution.DONE, WORD))
        changed(await one.deliveries.replay(going.id, WORD))
        wait: float | None = 0
        while wait == 0:
            wait = await one.deliveries.replays.take_turns()
        found = await seen(one, replay)
        assert (found.state, found.set_going, found.left, wait) == ("done", 1, 0, None)
        assert found.refused == {"may_have_acted": 1, "final": 1, "not_final": 1}
        assert await states(one, [tell, resolved, last]) == ["needs_person", "settled", "waiting"]
        assert await replayed(one) == {going.id: 1, last.id: 1}


async def test_what_was_rejected_in_one_lane_goes_again_in_its_order(place: Place) -> None:
    """Each takes its old place behind the one before, which need not have settled; one that was passed is refused."""
    async with bench(place) as one:
        one.toy.always = one.toy.fails(Rejected)
        made = [await one.accept("add", lane, payload=f"{lane}{n}") for lane in ("A", "B") for n in range(3)]
        await worked(one, made, "rejected")
        one.toy.always = None
        await worked(one, [await one.accept("add", "B", payload="new")], "settled")
        replay = await make(one, Choice(system=SYSTEM, states=BOTH))
        await turns(one)
        await worked(one, made[:3], "settled")
        await one.deliveries.replays.count()
        found = await seen(one, replay)
        assert one.toy.order == ["new", "A0", "A1", "A2"]
        assert (found.settled, found.refused) == (3, {"overtaken": 3})


async def test_what_a_person_took_out_of_it_is_neither_settled_nor_back(place: Place) -> None:
    """Taken back after it was set going: its turn is over, and it does not count against the replay."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected)]
        delivery = await one.accept("add", "A")
        await worked(one, [delivery], "rejected")
        replay = await make(one, Choice(system=SYSTEM, states=BOTH))
        await turns(one)
        changed(await one.deliveries.cancel(delivery.id, WORD))
        await one.deliveries.replays.count()
        found = await seen(one, replay)
        assert (found.set_going, found.under_way, found.settled, found.came_back) == (1, 0, 0, 0)


async def test_an_operation_that_this_release_does_not_know_is_left_alone(place: Place) -> None:
    """It is counted as such, and the replay goes on."""
    async with bench(place) as one:
        first, _second = await stuck(one, 2)
        rename = "UPDATE delivery SET operation = 'gone' WHERE id = $1"
        await one.store.engine.write(lambda tx: tx.execute(rename, first.id))
        replay = await make(one)
        await turns(one)
        found = await seen(one, replay)
        assert (found.state, found.set_going, found.refused) == ("done", 1, {"unknown_operation": 1})
