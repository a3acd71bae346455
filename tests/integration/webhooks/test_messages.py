from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks import WebhookVerificationError

from contracts.model import DossierCode, ProcedureCode, Purpose
from gateway.delivery import FeedPage, cursor, position_of
from gateway.store.tables import webhooks as table
from gateway.webhooks import Refusal, event_id
from gateway.webhooks import messages as messages_module
from tests.support.hooks import CLIENT, hooks, told, verified
from tests.support.receiver import eventually, receiving
from tests.support.stores import AGENCY, OTHER_AGENCY, Place

if TYPE_CHECKING:
    from gateway.delivery.accept import Entry
    from tests.support.hooks import Hooks

PERSONAL = "999190000017"


async def _start(one: Hooks) -> None:
    await one.bench.running()
    one.webhooks.start()


async def test_an_endpoint_is_told_by_signed_thin_messages(place: Place) -> None:
    """What happens to a delivery is told in order, signed so that the specification's own library verifies it.

    Nothing that was written is in a message: only what happened to which delivery, and where in the feed.
    """
    async with receiving() as receiver, hooks(place, receiver) as one:
        issued = await one.add()
        delivery = await one.bench.accept(payload=PERSONAL)
        await _start(one)
        taken = await receiver.wait_for(2)
        first, second = (verified(each, issued.secret) for each in taken)
        assert [first["type"], second["type"]] == ["delivery.accepted", "delivery.settled"]
        assert taken[0].headers["webhook-id"] != taken[1].headers["webhook-id"]
        assert first["data"] == {
            "event_id": event_id(1),
            "cursor": cursor(1),
            "delivery": delivery.id,
            "agency": AGENCY.value,
            "system": "toy",
        }
        page = await one.bench.deliveries.events(after=position_of(first["data"]["cursor"]), limit=9)
        assert isinstance(page, FeedPage)
        assert [(event_id(event.position), event.what) for event in page.events] == [
            (second["data"]["event_id"], "settled")
        ]
        assert all(PERSONAL.encode() not in each.body for each in taken)
        await eventually(partial(one.behind, issued.endpoint), 0)
        spoilt = taken[0].body.replace(b"accepted", b"rejected")
        with pytest.raises(WebhookVerificationError):
            verified(type(taken[0])(taken[0].target, taken[0].headers, spoilt), issued.secret)


async def test_the_messages_themselves_are_told_to_nobody(place: Place) -> None:
    """A message is a delivery that makes no event, fills no agency's backlog and stands in no list unless asked for."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        endpoint = (await one.add()).endpoint
        await one.bench.accept()
        await _start(one)
        await receiver.wait_for(2)
        await eventually(partial(one.behind, endpoint), 0)
        page = await one.bench.deliveries.events(after=None, limit=99)
        assert isinstance(page, FeedPage)
        assert {event.system for event in page.events} == {"toy"}
        listed = await one.bench.deliveries.list(limit=9)
        assert {each.system for each in listed} == {"toy"}
        asked = await one.bench.deliveries.list(limit=9, system=endpoint.system)
        assert [(each.operation, each.state) for each in asked] == [("notify_event", "settled")] * 2
        entry = await one.bench.store.audit.call(asked[0].id)
        assert entry is not None
        assert (entry.client, entry.system) == (CLIENT, endpoint.system)


async def test_one_dossier_is_told_in_order_and_holds_no_other_up(place: Place) -> None:
    """A message that is not taken keeps those of its dossier behind it, and only those."""

    def purpose(dossier: str) -> Purpose:
        procedure = ProcedureCode("1.000001")
        return Purpose(agency=AGENCY, procedure=procedure, officer="canbo.mau", dossier=DossierCode(dossier))

    async with receiving() as receiver, hooks(place, receiver) as one:
        await one.add(types=["delivery.accepted"])
        blocked, free = "H99.1-260105-0001", "H99.1-260105-0002"
        ids = [
            (await one.bench.accept(lane=f"L-{n}", purpose=purpose(dossier))).id
            for n, dossier in enumerate((blocked, blocked, free, free, blocked))
        ]
        refused = {ids[0]: 5}

        def answer(taken: Any) -> int:
            about = taken.content["data"]["delivery"]
            if refused.get(about, 0):
                refused[about] -= 1
                return 500
            return 200

        receiver.decide = answer
        await _start(one)
        await receiver.wait_for(10)
        seen = [about for _, about in told(receiver)]
        of_blocked = [about for about in seen if about in {ids[0], ids[1], ids[4]}]
        assert of_blocked == [ids[0]] * 6 + [ids[1], ids[4]]
        assert [about for about in seen if about in {ids[2], ids[3]}] == [ids[2], ids[3]]
        same = {taken.headers["webhook-id"] for taken in receiver.taken if taken.content["data"]["delivery"] == ids[0]}
        assert len(same) == 1


async def test_a_new_endpoint_is_told_nothing_of_what_was_before_it(place: Place) -> None:
    """Also where nobody has read the feed until then, so that what happened had no place in it yet."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        await one.bench.accept(lane="A")
        await one.add(types=["delivery.accepted"])
        later = await one.bench.accept(lane="B")
        await _start(one)
        taken = await receiver.wait_for(1)
        assert taken[0].content["data"]["delivery"] == later.id


async def test_an_endpoint_is_told_what_it_asked_for_and_may_know(place: Place) -> None:
    """Types and agencies are chosen by the client; what its key no longer covers is not told any more."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        await one.add("/a", types=["delivery.settled"], agencies=(AGENCY, OTHER_AGENCY))
        await one.add("/b", agencies=(OTHER_AGENCY,))
        ours = await one.bench.accept(lane="A")
        theirs = await one.bench.accept(lane="B", agency=OTHER_AGENCY)
        await _start(one)
        await receiver.wait_for(4)
        by = {
            path: {each.content["data"]["delivery"] for each in receiver.taken if each.target == path}
            for path in ("/a", "/b")
        }
        assert by == {"/a": {ours.id, theirs.id}, "/b": {theirs.id}}
        await one.bench.store.clients.change(CLIENT, by="test", agencies=[AGENCY])
        await one.bench.accept(lane="C", agency=OTHER_AGENCY)
        last = await one.bench.accept(lane="D")
        await receiver.wait_for(5)
        assert receiver.taken[4].content["data"]["delivery"] == last.id
        assert len(receiver.taken) == 5


async def test_a_kill_between_neither_loses_nor_doubles_a_message(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages and the place in the feed are one transaction: cut short, both are missing; done, both are there.

    Two keepers that look at the same moment give an endpoint its messages once.
    """
    async with receiving() as receiver, hooks(place, receiver) as one:
        endpoint = (await one.add()).endpoint
        for n in range(6):
            await one.bench.accept(lane=f"A-{n}")
        await one.bench.deliveries.events(after=None, limit=1)
        row = await one.bench.store.engine.read(partial(table.get, endpoint.id))
        assert row is not None
        keeper = one.webhooks.keeper
        look = partial(messages_module.look, row, [AGENCY.value], keeper._settings)
        found = await one.bench.store.engine.read(look)
        real = messages_module.accept.post

        async def dies(entry: Entry, *given: Any) -> Any:
            if entry.topic == "4":
                raise LookupError("cut short")
            return await real(entry, *given)

        give = partial(messages_module.give, row, found, keeper._common, one.bench.store.seal, one.bench.store.engine)
        monkeypatch.setattr(messages_module.accept, "post", dies)
        with pytest.raises(LookupError, match="cut short"):
            await give()
        monkeypatch.setattr(messages_module.accept, "post", real)
        stopped = await one.get(endpoint)
        assert (stopped.position, stopped.behind) == (0, 0)
        assert sorted(await asyncio.gather(give(), give())) == [False, True]
        done = await one.get(endpoint)
        assert (done.position, done.behind) == (6, 6)


async def test_what_is_beyond_the_window_waits_in_the_feed(place: Place) -> None:
    """An endpoint that takes nothing has a window of messages under way, however much happens, and in the end all."""
    async with receiving() as receiver, hooks(place, receiver, window=3, batch=2) as one:
        receiver.decide = lambda _: 503
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        ids = [(await one.bench.accept(lane=f"A-{n}")).id for n in range(8)]
        one.bench.deliveries.start()
        one.webhooks.start()
        await receiver.wait_for(6)
        assert (await one.get(endpoint)).behind == 3
        assert one.webhooks.keeper.lags()[endpoint.id] > 0
        receiver.decide = lambda _: 200
        await eventually(partial(one.behind, endpoint), 0)
        await eventually(lambda: _distinct(one), set(ids))
        await eventually(lambda: _lag(one, endpoint.id), 0.0)


async def _distinct(one: Hooks) -> set[str | None]:
    return {about for _, about in told(one.receiver)}


async def _lag(one: Hooks, webhook: str) -> float | None:
    return one.webhooks.keeper.lags().get(webhook)


async def test_deleted_events_are_noted_as_missed(place: Place) -> None:
    """An endpoint that stood behind what retention deleted goes on with what there is, and its client can see that."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        await one.bench.accept(lane="A")
        kept = await one.bench.accept(lane="B")
        await one.bench.deliveries.events(after=None, limit=1)
        for statement in ("DELETE FROM event WHERE position <= 1", "UPDATE feed SET pruned_to = 1"):
            await one.bench.store.engine.write(lambda tx, said=statement: tx.execute(said))
        assert (await one.get(endpoint)).missed_at is None
        await _start(one)
        await receiver.wait_for(1)
        assert [about for _, about in told(receiver)] == [kept.id]
        assert (await one.get(endpoint)).missed_at is not None


async def test_the_stop_switch_stops_messages(place: Place) -> None:
    """While the switch of all webhooks is pressed nothing is sent; then everything is, in order."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        await one.bench.store.switches.pause("webhooks", by="test", why="thử")
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        first = await one.bench.accept()
        second = await one.bench.accept()
        await _start(one)
        await eventually(partial(one.behind, endpoint), 2)
        assert one.webhooks.state().paused is not None
        await asyncio.sleep(0.1)
        assert receiver.taken == []
        await one.bench.store.switches.resume("webhooks", by="test")
        await receiver.wait_for(2)
        assert {about for _, about in told(receiver)} == {first.id, second.id}


async def test_another_process_takes_over(place: Place) -> None:
    """Endpoints of a process that went without a word are looked after by another once its lease is over."""
    async with receiving() as receiver, hooks(place, receiver) as one, hooks(place, receiver, serving=False) as two:
        await one.add(types=["delivery.accepted"])
        await one.webhooks.keeper.round()  # has the lease and is never heard of again
        await one.bench.accept()
        two.bench.deliveries.start()
        two.webhooks.start()
        assert not two.webhooks.keeper.lags()
        await one.bench.move(timedelta(seconds=61))
        await receiver.wait_for(1)


async def test_a_client_without_the_scope_is_told_nothing(place: Place) -> None:
    """Taking the scope away silences a client's endpoints; what happened meanwhile comes when it has it again."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        await one.add(types=["delivery.accepted"])
        entry = next(each.client for each in await one.bench.store.clients.all() if each.client.name == CLIENT)
        await one.bench.store.clients.change(CLIENT, by="test", scopes=[])
        await one.bench.accept()
        await _start(one)
        for _ in range(3):
            await one.webhooks.keeper.round()
        assert receiver.taken == []
        await one.bench.store.clients.change(CLIENT, by="test", scopes=entry.scopes)
        await receiver.wait_for(1)


async def test_a_client_whose_keys_are_revoked_is_told_nothing(place: Place) -> None:
    """Who may not ask any more is not told either, until there is a new key; then it hears what happened meanwhile."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        made = (await one.add(types=["delivery.accepted"])).endpoint
        await one.bench.store.clients.revoke(CLIENT, by="test", why="hết hợp đồng")
        await one.bench.accept()
        await _start(one)
        for _ in range(3):
            await one.webhooks.keeper.round()
        assert (await one.get(made)).position == made.position
        await one.bench.store.clients.rotate(CLIENT, by="test")
        await receiver.wait_for(1)


async def test_a_defect_in_one_endpoint_keeps_no_other_from_being_told(place: Place) -> None:
    """One whose secret does not open any more says so in the log; the next is told as ever."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        broken, whole = (await one.add("/broken")).endpoint, (await one.add("/whole")).endpoint
        spoil = "UPDATE webhook SET secret = $2 WHERE id = $1"
        await one.bench.store.engine.write(lambda tx: tx.execute(spoil, broken.id, b"spoilt"))
        await one.bench.accept()
        await _start(one)
        (taken, *_) = await receiver.wait_for(1)
        assert taken.target == "/whole"
        assert (await one.get(whole)).position > (await one.get(broken)).position


async def test_no_more_endpoints_than_a_client_may_have(place: Place) -> None:
    """Each client has a limit, and an address that the operator does not list is refused."""
    async with receiving() as receiver, hooks(place, receiver, most_per_client=2) as one:
        await one.add()
        await one.add()
        third = await one.webhooks.add(CLIENT, f"{receiver.url}/x", agencies=[AGENCY])
        assert third is Refusal.TOO_MANY
        other = await one.webhooks.add(CLIENT, "https://elsewhere.example/hooks", agencies=[AGENCY])
        assert other is Refusal.TARGET_NOT_ALLOWED
        with pytest.raises(ValueError, match="an address"):
            await one.webhooks.add(CLIENT, "ftp://elsewhere.example/hooks", agencies=[AGENCY])
        assert len(await one.webhooks.list(CLIENT)) == 2
        assert await one.webhooks.list("two-stop") == ()


async def test_a_secret_is_kept_sealed(place: Place) -> None:
    """The secret is nowhere in the database as it is."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        issued = await one.add()
        rows = await one.bench.store.engine.read(lambda tx: tx.fetch("SELECT secret FROM webhook"))
        secret = issued.secret.get_secret_value()
        assert secret.startswith("whsec_")
        assert secret not in repr(issued)
        assert all(secret.encode() not in bytes(row[0]) for row in rows)
        assert json.dumps(secret) not in repr(await one.get(issued.endpoint))
