from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.model import Acted, ContractBroken, DeliveryState, LookupAnswer, Rejected, SystemFailed
from gateway.delivery import Accepted, Changed, KeyReused, Refusal, Refused, Resolution, Word
from tests.support.deliveries import SETTLE_AFTER, WORD, Bench, bench, changed
from tests.support.stores import OTHER_AGENCY, Place

if TYPE_CHECKING:
    from gateway.delivery import Delivery

FAILING = {"base_seconds": 3600, "cap_seconds": 7200}


async def needing(one: Bench, operation: str = "tell") -> Delivery:
    """Return a delivery that needs a person because it may have acted."""
    one.toy.behaviours = [one.toy.acts_and_is_silent()]
    one.toy.answers = [LookupAnswer.CANNOT_TELL] * 3
    delivery = await one.accept(operation)
    if not one.deliveries.workers:
        await one.running()
    if operation == "append":
        await one.until(delivery, "unknown")
        while (await one.get(delivery)).state == "unknown":
            await one.move(SETTLE_AFTER)
            await asyncio.sleep(0.05)
    return await one.until(delivery, "needs_person")


async def test_what_has_not_been_sent_can_be_taken_back(place: Place) -> None:
    """It is never sent, its lane goes on, a second time changes nothing, and who and why are kept."""
    async with bench(place) as one:
        first, second = await one.accept(), await one.accept()
        assert changed(await one.deliveries.cancel(first.id, WORD)).state is DeliveryState.CANCELLED
        assert changed(await one.deliveries.cancel(first.id, WORD)).state is DeliveryState.CANCELLED
        await one.running()
        await one.until(second, "settled")
        assert one.toy.order == ["2"]
        assert await one.deliveries.cancel(second.id, WORD) == Refused(Refusal.FINAL)
        assert await one.deliveries.cancel("nobody", WORD) == Refused(Refusal.NO_SUCH_DELIVERY)
        (ruling,) = await one.deliveries.rulings(first.id)
        assert (ruling.by, ruling.what, ruling.why) == ("canbo.mau", "cancel", "thử")


async def test_one_behind_another_can_be_taken_back_while_that_is_under_way(place: Place) -> None:
    """The attempt in front is not disturbed, and settles."""
    async with bench(place) as one:
        event = asyncio.Event()
        one.toy.behaviours = [one.toy.waits_for(event)]
        first, second, third = [await one.accept() for _ in range(3)]
        await one.running()
        await one.sending(first)
        assert await one.deliveries.cancel(first.id, WORD) == Refused(Refusal.IN_FLIGHT)
        changed(await one.deliveries.cancel(second.id, WORD))
        event.set()
        await one.until(third, "settled")
        assert one.toy.order == ["1", "3"]


@pytest.mark.parametrize("operation", ["put", "append", "tell"])
async def test_what_may_have_acted_cannot_be_taken_back(place: Place, operation: str) -> None:
    """Not while it is looked up, not while it waits to be sent again, not when it needs a person."""
    async with bench(place, **FAILING) as one:
        one.toy.behaviours = [one.toy.fails(SystemFailed)]
        delivery = await one.accept(operation)
        await one.running()
        await one.until(delivery, "waiting", "unknown", "needs_person")
        assert await one.deliveries.cancel(delivery.id, WORD) == Refused(Refusal.MAY_HAVE_ACTED)


@pytest.mark.parametrize(
    ("resolution", "state", "sends"),
    [(Resolution.DONE, "settled", 1), (Resolution.NOT_DONE, "cancelled", 1), (Resolution.SEND_AGAIN, "settled", 2)],
)
async def test_a_person_says_what_happened(place: Place, resolution: Resolution, state: str, sends: int) -> None:
    """With evidence: it took effect, it did not, or it is to be sent again; the lane goes on."""
    async with bench(place) as one:
        delivery = await needing(one)
        behind = await one.accept("tell")
        with pytest.raises(ValueError, match="evidence"):
            await one.deliveries.resolve(delivery.id, resolution, Word(by="a", why="b"))
        changed(await one.deliveries.resolve(delivery.id, resolution, WORD))
        await one.move(SETTLE_AFTER)
        await one.until(delivery, state)
        await one.until(behind, "settled")
        assert sum(order.delivery == delivery.id for order in one.toy.sends) == sends
        assert await one.deliveries.resolve(delivery.id, resolution, WORD) == Refused(Refusal.FINAL)
        (ruling,) = await one.deliveries.rulings(delivery.id)
        assert (ruling.what, ruling.evidence) == (f"resolve.{resolution}", "biên bản số 1")


@pytest.mark.parametrize("operation", ["create", "add"])
@pytest.mark.parametrize(
    ("resolution", "state", "sends"),
    [(Resolution.DONE, "settled", 2), (Resolution.NOT_DONE, "cancelled", 2), (Resolution.SEND_AGAIN, "settled", 3)],
)
async def test_a_person_says_what_happened_to_a_rejected_one_that_may_have_acted(
    place: Place, operation: str, resolution: Resolution, state: str, sends: int
) -> None:
    """No answer to one attempt, then a rejection: neither corrected nor taken back, but no lane waits for ever."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.acts_and_is_silent(), one.toy.fails(Rejected)]
        delivery = await one.accept(operation)
        await one.running()
        await one.until(delivery, "rejected")
        assert isinstance(await one.deliveries.cancel(delivery.id, WORD), Refused)
        correction = await one.deliveries.correct(delivery.id, one.submission(operation), WORD)
        assert correction == Refused(Refusal.MAY_HAVE_ACTED)
        changed(await one.deliveries.resolve(delivery.id, resolution, WORD))
        behind = await one.accept(operation)
        await one.move(SETTLE_AFTER)
        await one.until(delivery, state)
        await one.until(behind, "settled")
        assert sum(order.delivery == delivery.id for order in one.toy.sends) == sends
        counted = await one.store.engine.read(lambda tx: tx.fetchval("SELECT sum(open) FROM backlog"))
        assert int(counted) == 0


async def test_a_rejected_one_is_not_sent_again_behind_the_back_of_a_newer_one(place: Place) -> None:
    """Its lane went on meanwhile: a person may say that it was done or was not, and no more."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.acts_and_is_silent(), one.toy.fails(Rejected)]
        delivery, behind = await one.accept("add"), await one.accept("add")
        await one.running()
        await one.until(delivery, "rejected")
        await one.move(SETTLE_AFTER)
        await one.until(behind, "settled")
        again = await one.deliveries.resolve(delivery.id, Resolution.SEND_AGAIN, WORD)
        assert again == Refused(Refusal.OVERTAKEN)
        changed(await one.deliveries.resolve(delivery.id, Resolution.DONE, WORD))


async def test_what_goes_on_by_itself_is_not_resolved(place: Place) -> None:
    """Nobody has asked, and nothing has been sent."""
    async with bench(place) as one:
        delivery = await one.accept()
        assert await one.deliveries.resolve(delivery.id, Resolution.DONE, WORD) == Refused(Refusal.NOT_FINAL)


async def test_a_look_up_that_comes_back_after_the_resolution_is_dropped(place: Place) -> None:
    """The person's word stands, whatever a look-up that was under way says."""
    async with bench(place) as one:
        entered, go_on = asyncio.Event(), asyncio.Event()
        inner = one.toy.look_up

        async def slow(*arguments: object) -> object:
            entered.set()
            await go_on.wait()
            return await inner(*arguments)  # type: ignore[arg-type]

        one.toy.look_up = slow  # type: ignore[assignment,method-assign]
        one.deliveries._outlets = {"toy": _outlet(one)}
        one.toy.behaviours = [one.toy.acts_and_is_silent()]
        delivery = await one.accept("append")
        await one.running()
        await one.until(delivery, "unknown")
        await one.move(SETTLE_AFTER)
        await entered.wait()
        changed(await one.deliveries.resolve(delivery.id, Resolution.NOT_DONE, WORD))
        go_on.set()
        await asyncio.sleep(0.1)
        assert (await one.get(delivery)).state == "cancelled"
        one.toy.look_up = inner  # type: ignore[method-assign]


def _outlet(one: Bench) -> object:
    from tests.support.deliveries import outlet  # noqa: PLC0415 - made again, after the toy was changed

    return outlet(one.store, one.toy)


async def test_replaying_looks_up_first_and_keeps_the_key(place: Place) -> None:
    """It had taken effect: the look-up finds it now, and nothing is sent a second time."""
    async with bench(place) as one:
        delivery = await needing(one, "append")
        changed(await one.deliveries.replay(delivery.id, WORD))
        found = await one.until(delivery, "settled")
        assert (one.toy.effects[delivery.id], len(one.toy.sends), found.id) == (1, 1, delivery.id)
        assert len({order.key for order in (*one.toy.sends, *one.toy.lookups)}) == 1


async def test_two_replays_at_once_are_one(place: Place) -> None:
    """Both are heard, one does it; nothing is sent twice."""
    async with bench(place) as one:
        delivery = await needing(one, "append")
        one.toy.effects.clear()  # it had not taken effect after all
        done = await asyncio.gather(*(one.deliveries.replay(delivery.id, WORD) for _ in range(10)))
        assert all(isinstance(each, Changed) for each in done)
        while (await one.get(delivery)).state == "unknown":
            await one.move(timedelta(minutes=1))
            await asyncio.sleep(0.02)
        await one.until(delivery, "settled")
        assert (one.toy.effects[delivery.id], len(one.toy.sends)) == (1, 2)
        assert len(await one.deliveries.rulings(delivery.id)) == 1


async def test_what_must_never_be_repeated_is_not_replayed(place: Place) -> None:
    """Nobody can look: only a resolution with evidence sets it going again."""
    async with bench(place) as one:
        delivery = await needing(one)
        assert await one.deliveries.replay(delivery.id, WORD) == Refused(Refusal.MAY_HAVE_ACTED)


async def test_a_rejected_one_is_replayed_unless_it_was_overtaken(place: Place) -> None:
    """The partner's fault was mended: it goes again. Behind a newer one that took effect it never does."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected), one.toy.fails(Rejected)]
        alone, overtaken = await one.accept("add", lane="A"), await one.accept("add", lane="B")
        await one.running()
        for each in (alone, overtaken):
            await one.until(each, "rejected")
        await one.until(await one.accept("add", lane="B"), "settled")
        assert await one.deliveries.replay(overtaken.id, WORD) == Refused(Refusal.OVERTAKEN)
        changed(await one.deliveries.replay(alone.id, WORD))
        await one.until(alone, "settled")


async def test_a_correction_takes_the_place_of_what_was_rejected(place: Place) -> None:
    """The lane waited for it: the correction goes out first, then what stood behind; it points to the old one."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected)]
        first = await one.accept("create", payload="wrong")
        behind = await one.accept("create", payload="behind")
        await one.running()
        await one.until(first, "rejected")
        submission = one.submission("create", payload="right", key="again")
        done = await one.deliveries.correct(first.id, submission, WORD)
        assert isinstance(done, Accepted)
        await one.until(behind, "settled")
        assert one.toy.order == ["right", "behind"]
        new, old = await one.get(done.delivery), await one.get(first)
        assert (new.replaces, new.position, old.state, old.superseded_by) == (first.id, 1, "superseded", new.id)
        repeated = await one.deliveries.correct(first.id, submission, WORD)
        assert isinstance(repeated, Accepted)
        assert (repeated.new, repeated.delivery.id) == (False, new.id)
        other = one.submission("create", payload="other", key="again")
        assert await one.deliveries.correct(first.id, other, WORD) == KeyReused(new.id)
        assert await one.deliveries.correct(first.id, one.submission("create"), WORD) == Refused(Refusal.CORRECTED)


async def test_the_same_correction_many_times_at_once_is_one(place: Place) -> None:
    """Who repeats a correction because no answer came is given the same delivery, also while the first is written."""
    async with bench(place) as one:
        first = await one.accept("create")
        again = one.submission("create")
        done = await asyncio.gather(*(one.deliveries.correct(first.id, again, WORD) for _ in range(20)))
        accepted = [each for each in done if isinstance(each, Accepted)]
        assert len(accepted) == len(done)
        assert len({each.delivery.id for each in accepted}) == 1
        assert sum(each.new for each in accepted) == 1


async def test_taking_a_rejected_one_back_lets_its_lane_go_on(place: Place) -> None:
    """Nobody corrects it: what stood behind goes out."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected)]
        first, behind = await one.accept("create"), await one.accept("create")
        await one.running()
        await one.until(first, "rejected")
        changed(await one.deliveries.cancel(first.id, WORD))
        await one.until(behind, "settled")


async def test_a_correction_of_what_was_passed_goes_to_the_end(place: Place) -> None:
    """The lane went on meanwhile: what is corrected comes behind what has taken effect."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected)]
        first, second = await one.accept("add", payload="wrong"), await one.accept("add", payload="second")
        await one.running()
        await one.until(second, "settled")
        done = await one.deliveries.correct(first.id, one.submission("add", payload="right"), WORD)
        assert isinstance(done, Accepted)
        await one.until(done.delivery, "settled")
        assert (one.toy.order, done.delivery.position) == (["second", "right"], 3)


async def test_what_is_unsent_can_be_corrected_in_its_place(place: Place) -> None:
    """Not begun yet: the new content goes out at the old one's turn, and the old one never."""
    async with bench(place) as one:
        accepted = [await one.accept("add", payload=text) for text in ("a", "b", "c")]
        done = await one.deliveries.correct(accepted[1].id, one.submission("add", payload="B"), WORD)
        assert isinstance(done, Accepted)
        await one.running()
        await one.until(accepted[2], "settled")
        assert one.toy.order == ["a", "B", "c"]


async def test_a_whole_content_is_corrected_whatever_became_of_the_one_before(place: Place) -> None:
    """What a person is asked about is replaced in its place, and not before the old one can act no more."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(ContractBroken)]
        await one.running()
        first = await one.until(await one.accept("upsert"), "needs_person")
        behind = await one.accept("tell")
        assert first.may_have_acted is Acted.MAYBE
        assert await one.deliveries.cancel(first.id, WORD) == Refused(Refusal.MAY_HAVE_ACTED)
        done = await one.deliveries.correct(first.id, one.submission("upsert", payload="right"), WORD)
        assert isinstance(done, Accepted)
        assert len(one.toy.sends) == 1
        await one.move(SETTLE_AFTER)
        await one.until(behind, "settled")
        old = await one.get(first)
        assert (old.state, old.superseded_by, old.may_have_acted) == ("superseded", done.delivery.id, Acted.MAYBE)
        assert [order.delivery for order in one.toy.sends] == [first.id, done.delivery.id, behind.id]


async def test_a_correction_is_the_same_operation_of_the_same_agency_in_the_same_lane(place: Place) -> None:
    """Anything else is no correction, and what may have acted is not corrected."""
    async with bench(place) as one:
        first = await one.accept("add")
        others = [
            one.submission("put"),
            one.submission("add", agency=OTHER_AGENCY),
            one.submission("add", lane="H-2"),
        ]
        for other in others:
            assert await one.deliveries.correct(first.id, other, WORD) == Refused(Refusal.OTHER_REQUEST)
        changed(await one.deliveries.cancel(first.id, WORD))
        delivery = await needing(one, "tell")
        refused = await one.deliveries.correct(delivery.id, one.submission("tell"), WORD)
        assert refused == Refused(Refusal.MAY_HAVE_ACTED)


async def test_the_backlog_is_counted_through_every_word(place: Place) -> None:
    """However a delivery comes to its end, and back, the count of open ones is right."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected), one.toy.fails(Rejected)]
        rejected, corrected = await one.accept("create", lane="A"), await one.accept("create", lane="B")
        await one.running()
        for each in (rejected, corrected):
            await one.until(each, "rejected")
        changed(await one.deliveries.replay(rejected.id, WORD))
        await one.until(rejected, "settled")
        correction = await one.deliveries.correct(corrected.id, one.submission("create", lane="B"), WORD)
        assert isinstance(correction, Accepted)
        await one.until(correction.delivery, "settled")
        person = await needing(one)
        changed(await one.deliveries.resolve(person.id, Resolution.DONE, WORD))
        await one.accept("put", lane="C", topic="t")
        last = await one.accept("put", lane="C", topic="t")
        await one.until(last, "settled")
        await one.store.switches.pause("toy", by="admin", why="thử")
        waiting = await one.accept(lane="D")
        gone = await one.accept(lane="D")
        changed(await one.deliveries.cancel(gone.id, WORD))
        counted = await one.store.engine.read(lambda tx: tx.fetchval("SELECT sum(open) FROM backlog"))
        assert (int(counted), (await one.get(waiting)).may_have_acted) == (1, Acted.NO)
