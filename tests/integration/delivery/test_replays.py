from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from contracts.model import Rejected
from gateway.delivery import Choice, Replay, ReplayRefusal, replay_policy
from gateway.store.tables import replays
from tests.support.deliveries import SYSTEM, WORD, bench
from tests.support.replays import ALL, BOTH, FAST, asked, make, replayed, seen, states, stuck, turns, worked
from tests.support.stores import AGENCY, OTHER_AGENCY, Place

if TYPE_CHECKING:
    import pytest

    from gateway.store.engine import Transaction


async def test_counting_changes_nothing(place: Place) -> None:
    """How many would be chosen, by operation and by reason; and all stays as it is."""
    async with bench(place) as one:
        made = [*await stuck(one, 2), *await stuck(one, 1, "tell")]
        one.toy.behaviours = [one.toy.fails(Rejected)]
        await worked(one, [await one.accept("add", "R")], "rejected")
        found = await one.deliveries.replays.preview(Choice(system=SYSTEM, states=BOTH))
        assert found.chosen == 4
        assert found.by_operation == {"put": 2, "tell": 1, "add": 1}
        assert found.by_reason == {"contract_broken": 2, "may_have_acted": 1, "rejected": 1}
        assert (await one.deliveries.replays.preview(ALL)).chosen == 3
        assert (await one.deliveries.replays.page(limit=9), await replayed(one)) == ((), {})
        assert await states(one, made) == ["needs_person"] * 3


async def test_every_chosen_one_is_sent_again_and_what_became_of_it_is_counted(place: Place) -> None:
    """By itself, to the end: all have had their turn, and each took effect once."""
    async with bench(place) as one:
        made = await stuck(one, 5)
        replay = await make(one, per_second=FAST)
        assert (replay.state, replay.chosen, replay.left, replay.set_going) == ("running", 5, 5, 0)
        await one.running()
        for each in made:
            await one.until(each, "settled")
        while (await seen(one, replay)).settled < 5:
            await asyncio.sleep(0.01)
        found = await seen(one, replay)
        assert (found.state, found.left, found.set_going, found.under_way, found.came_back) == ("done", 0, 5, 0, 0)
        assert one.toy.effects == dict.fromkeys([each.id for each in made], 1)
        assert (found.by, found.why, found.choice, found.client) == (WORD.by, WORD.why, ALL, "one-stop")


async def test_each_one_says_who_had_it_sent_again_and_why(place: Place) -> None:
    """The ruling of each delivery has the person, the reason and the replay; the journal has the replay itself."""
    async with bench(place) as one:
        (delivery,) = await stuck(one, 1)
        replay = await make(one)
        await turns(one)
        (ruling,) = await one.deliveries.rulings(delivery.id)
        assert (ruling.by, ruling.what, ruling.why) == (WORD.by, "replay", f"{WORD.why} (replay {replay.id})")
        (change,) = await one.store.audit.changes(limit=1)
        assert (change.by, change.what, change.name, change.why) == (WORD.by, "replay.make", replay.id, WORD.why)


async def test_what_needs_a_person_later_is_not_drawn_in(place: Place) -> None:
    """The set is fixed when the replay is made, although the later ones are what it asks for."""
    async with bench(place) as one:
        before = await stuck(one, 2)
        replay = await make(one)
        await one.deliveries.replays.pause(replay.id, WORD)
        later = await stuck(one, 2, "create")
        await one.deliveries.replays.resume(replay.id, WORD)
        await turns(one)
        found = await seen(one, replay)
        assert (found.state, found.chosen, found.set_going) == ("done", 2, 2)
        assert await replayed(one) == dict.fromkeys([each.id for each in before], 1)
        assert await states(one, later) == ["needs_person"] * 2


async def test_only_what_is_asked_for_is_chosen(place: Place) -> None:
    """By operation, agency, state, kind, reason and time of acceptance; the end of a time is not part of it."""
    async with bench(place) as one:
        put, tell = (await stuck(one, 1))[0], (await stuck(one, 1, "tell"))[0]
        (other,) = await stuck(one, 1, "create", agency=OTHER_AGENCY)
        one.toy.behaviours = [one.toy.fails(Rejected)]
        rejected = await one.accept("add", "R")
        await worked(one, [rejected], "rejected")

        async def chosen(**fields: Any) -> list[str]:
            wanted = Choice(system=SYSTEM, **{"states": BOTH, **fields}).wanted(None)
            number = await one.store.engine.write(partial(_choose, wanted))
            found = await one.store.engine.read(
                lambda tx: tx.fetch("SELECT delivery FROM replay_item WHERE replay = $1 ORDER BY place", number)
            )
            return [row[0] for row in found]

        assert await chosen() == [put.id, tell.id, other.id, rejected.id]
        assert await chosen(states={"needs_person"}) == [put.id, tell.id, other.id]
        assert await chosen(operation="tell") == [tell.id]
        assert await chosen(agency=OTHER_AGENCY.value) == [other.id]
        assert await chosen(kind="rejected") == [rejected.id]
        assert await chosen(why="may_have_acted") == [tell.id]
        assert await chosen(accepted_from=tell.accepted_at, accepted_to=rejected.accepted_at) == [tell.id, other.id]
        assert await chosen(states=set()) == []
        assert (await one.deliveries.replays.preview(Choice(system="other"))).chosen == 0


async def _choose(wanted: replays.Wanted, tx: Transaction) -> int:
    """Choose into a set of its own and return its number."""
    number = int(await tx.fetchval("SELECT count(*) FROM replay_agency")) + 1000
    await replays.choose(number, wanted, tx)
    await tx.execute("INSERT INTO replay_agency (replay, agency) VALUES ($1, 'one more')", number)
    return number


async def test_another_agencys_deliveries_are_never_chosen(place: Place) -> None:
    """Whoever may act for one agency chooses its deliveries only, even when the other is asked for by name."""
    async with bench(place) as one:
        (mine,), (theirs,) = await stuck(one, 1), await stuck(one, 1, "create", agency=OTHER_AGENCY)
        preview = one.deliveries.replays.preview
        assert [(await preview(ALL, each)).chosen for each in (None, [AGENCY], [])] == [2, 1, 0]
        asking = Choice(system=SYSTEM, agency=OTHER_AGENCY.value)
        assert (await preview(asking, [AGENCY])).chosen == 0
        assert await asked(one, asking, agencies=[AGENCY]) is ReplayRefusal.NOTHING_CHOSEN
        replay = await make(one, agencies=[AGENCY])
        await turns(one)
        assert await replayed(one) == {mine.id: 1}
        assert await states(one, [theirs]) == ["needs_person"]
        assert (await seen(one, replay)).chosen == 1


async def test_a_replay_is_there_only_for_those_who_may_act_for_all_its_agencies(place: Place) -> None:
    """For anybody else there is none: neither to be seen nor to be stopped."""
    async with bench(place) as one:
        await stuck(one, 1)
        await stuck(one, 1, "create", agency=OTHER_AGENCY)
        replay, all_replays = await make(one), one.deliveries.replays
        both = [AGENCY, OTHER_AGENCY]
        assert [found.id for found in await all_replays.page(limit=9, agencies=both)] == [replay.id]
        for fewer in ([AGENCY], [OTHER_AGENCY], []):
            assert await all_replays.get(replay.id, fewer) is None
            assert await all_replays.page(limit=9, agencies=fewer) == ()
            for say in (all_replays.pause, all_replays.resume, all_replays.cancel):
                assert await say(replay.id, WORD, fewer) is ReplayRefusal.NO_SUCH_REPLAY
        assert (await seen(one, replay)).state == "running"
        assert await all_replays.cancel("nobody", WORD) is ReplayRefusal.NO_SUCH_REPLAY


async def test_one_replay_of_a_system_runs_at_a_time(place: Place) -> None:
    """Neither made nor resumed beside another; ten at once are one."""
    async with bench(place) as one:
        await stuck(one, 2)
        made = await asyncio.gather(*(asked(one) for _ in range(10)))
        running = [each for each in made if isinstance(each, Replay)]
        assert (len(running), {each for each in made if not isinstance(each, Replay)}) == (
            1,
            {ReplayRefusal.ANOTHER_RUNS},
        )
        await one.deliveries.replays.pause(running[0].id, WORD)
        second = await make(one)
        assert await one.deliveries.replays.resume(running[0].id, WORD) is ReplayRefusal.ANOTHER_RUNS
        await one.deliveries.replays.cancel(second.id, WORD)
        resumed = await one.deliveries.replays.resume(running[0].id, WORD)
        assert isinstance(resumed, Replay)
        assert [each.id for each in await one.deliveries.replays.page(limit=1)] == [second.id]
        older = await one.deliveries.replays.page(limit=9, before=second.number)
        assert [each.id for each in older] == [resumed.id]


async def test_of_two_that_are_resumed_at_once_one_runs(place: Place) -> None:
    """The other is told so, and both people get an answer."""
    async with bench(place) as one:
        await stuck(one, 1)
        paused = []
        for _ in range(6):
            paused.append(await make(one))
            await one.deliveries.replays.pause(paused[-1].id, WORD)
        done = await asyncio.gather(*(one.deliveries.replays.resume(each.id, WORD) for each in paused))
        refused = [each for each in done if not isinstance(each, Replay)]
        assert refused == [ReplayRefusal.ANOTHER_RUNS] * 5


async def test_nothing_and_too_much_are_no_replay(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is chosen there is nothing to make; where it is more than a person can oversee, likewise."""
    async with bench(place) as one:
        assert await asked(one) is ReplayRefusal.NOTHING_CHOSEN
        await stuck(one, 3)
        monkeypatch.setattr(replay_policy, "MOST", 2)
        assert await asked(one) is ReplayRefusal.TOO_MANY
        assert await one.deliveries.replays.page(limit=9) == ()
