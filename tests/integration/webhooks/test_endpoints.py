from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import WebhookVerificationError

from gateway.delivery import FeedPage
from gateway.store.times import from_micros
from gateway.webhooks import Endpoint, Issued, Refusal
from tests.support.hooks import CLIENT, hooks, told, verified
from tests.support.receiver import eventually, receiving
from tests.support.stores import AGENCY

if TYPE_CHECKING:
    from tests.support.hooks import Hooks
    from tests.support.receiver import Receiver
    from tests.support.stores import Place


async def _start(one: Hooks) -> None:
    await one.bench.running()
    one.webhooks.start()


def _about(receiver: Receiver) -> list[str]:
    return [about for _, about in told(receiver)]


async def test_both_secrets_sign_for_a_while(place: Place) -> None:
    """After a rotation each message is signed with both secrets; once the overlap is over, with the new one alone."""
    async with receiving() as receiver, hooks(place, receiver, overlap_hours=1) as one:
        first = await one.add(types=["delivery.accepted"])
        await _start(one)
        await one.bench.accept(lane="A")
        (alone,) = await receiver.wait_for(1)
        verified(alone, first.secret)
        second = await one.webhooks.rotate(first.endpoint.id, CLIENT)
        assert isinstance(second, Issued)
        await eventually(partial(_secrets, one), 2)
        await one.bench.accept(lane="B")
        (_, both) = await receiver.wait_for(2)
        for secret in (first.secret, second.secret):
            assert verified(both, secret) == verified(both, second.secret)
        assert len(both.headers["webhook-signature"].split()) == 2
        await one.bench.move(timedelta(hours=1, minutes=1))
        await eventually(partial(_secrets, one), 1)
        await one.bench.accept(lane="C")
        (_, _, after) = await receiver.wait_for(3)
        verified(after, second.secret)
        with pytest.raises(WebhookVerificationError):
            verified(after, first.secret)


async def _secrets(one: Hooks) -> int:
    ((_, line),) = one.webhooks.keeper._lines.values()
    return len(line.keychain.secrets.values)


async def test_an_endpoint_that_is_gone_is_disabled(place: Place) -> None:
    """410 says that nobody wants to be told: nothing more is sent, and an event says so."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        receiver.decide = lambda _: 410
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        await one.bench.accept()
        await _start(one)
        await eventually(partial(one.active, endpoint), wanted=False)
        found = await one.get(endpoint)
        assert (found.why, found.failure) == ("endpoint_gone", "endpoint_gone")
        page = await one.bench.deliveries.events(after=None, limit=99)
        assert isinstance(page, FeedPage)
        last = page.events[-1]
        assert (last.what, last.system, last.delivery) == ("webhook.disabled", endpoint.system, "")
        (change, *_) = await one.bench.store.audit.changes(limit=1)
        assert (change.what, change.by, change.why) == ("webhook.disable", "gateway", "endpoint_gone")


async def test_an_endpoint_that_fails_for_days_is_disabled_and_goes_on_where_it_stopped(place: Place) -> None:
    """Its clock runs from the first failure; once enabled it is told everything that it has not taken."""
    async with receiving() as receiver, hooks(place, receiver, disable_after_days=2) as one:
        receiver.decide = lambda _: 500
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        ids = [(await one.bench.accept(lane=f"A-{n}")).id for n in range(3)]
        await _start(one)
        await eventually(partial(_failing, one, endpoint), wanted=True)
        await one.bench.move(timedelta(days=1))
        await receiver.wait_for(len(receiver.taken) + 3)
        assert await one.active(endpoint)
        await one.bench.move(timedelta(days=1, hours=1))
        await eventually(partial(one.active, endpoint), wanted=False)
        assert (await one.get(endpoint)).why == "failing"
        ids.append((await one.bench.accept(lane="A-9")).id)
        receiver.taken.clear()
        receiver.decide = None
        assert isinstance(await one.webhooks.enable(endpoint.id, CLIENT), Endpoint)
        await receiver.wait_for(4)
        assert sorted(_about(receiver)) == sorted(ids)
        await eventually(partial(one.behind, endpoint), 0)
        await eventually(partial(_failing, one, endpoint), wanted=False)


async def _failing(one: Hooks, endpoint: Endpoint) -> bool:
    return (await one.get(endpoint)).failing_since is not None


async def test_a_success_in_between_is_not_days_of_failing(place: Place) -> None:
    """One message that is never taken does not disable an endpoint that takes others."""
    async with receiving() as receiver, hooks(place, receiver, disable_after_days=2) as one:
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        poison = (await one.bench.accept(lane="P")).id
        receiver.decide = lambda taken: 500 if taken.content["data"]["delivery"] == poison else 200
        await _start(one)
        await receiver.wait_for(2)
        for n in range(3):
            await one.bench.move(timedelta(days=1))
            other = await one.bench.accept(lane=f"A-{n}")
            await eventually(partial(_has, receiver, other.id), wanted=True)
            await receiver.wait_for(len(receiver.taken) + 2)
        assert await one.active(endpoint)


async def _has(receiver: Receiver, delivery: str) -> bool:
    return delivery in _about(receiver)


async def test_redelivering_sends_everything_once_more_under_the_same_ids(place: Place) -> None:
    """From a place in the feed or a moment on: the same messages with the same ids, and none of before."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        ids = []
        for n in range(4):
            ids.append((await one.bench.accept(lane=f"A-{n}")).id)
            await one.bench.move(timedelta(hours=1))
        await _start(one)
        taken = await receiver.wait_for(4)
        before = {each.content["data"]["delivery"]: each.headers["webhook-id"] for each in taken}
        await eventually(partial(one.behind, endpoint), 0)
        receiver.taken.clear()
        page = await one.bench.deliveries.events(after=None, limit=99)
        assert isinstance(page, FeedPage)
        second = next(event.position for event in page.events if event.delivery == ids[1])
        await one.webhooks.redeliver(endpoint.id, CLIENT, position=second)
        taken = await receiver.wait_for(2)
        assert sorted(_about(receiver)) == sorted(ids[2:])
        assert {each.headers["webhook-id"] for each in taken} == {before[each] for each in ids[2:]}
        await eventually(partial(one.behind, endpoint), 0)
        receiver.taken.clear()
        last = next(event for event in page.events if event.delivery == ids[3])
        await one.webhooks.redeliver(endpoint.id, CLIENT, since=from_micros(last.at))
        await receiver.wait_for(1)
        assert _about(receiver)[0] == ids[3]
        assert await one.webhooks.redeliver(endpoint.id, CLIENT, position=10**9) is Refusal.CURSOR_EXPIRED


async def test_redelivering_brings_what_nobody_took_again(place: Place) -> None:
    """What is under way is taken back first, so that a message which was never taken does not stand in the way."""
    async with receiving() as receiver, hooks(place, receiver, base_seconds=600, cap_seconds=600) as one:
        receiver.decide = lambda _: 500
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        ids = [(await one.bench.accept(lane=f"A-{n}")).id for n in range(3)]
        await _start(one)
        await receiver.wait_for(3)
        receiver.decide = None
        receiver.taken.clear()
        position = (await one.get(endpoint)).position
        await one.webhooks.redeliver(endpoint.id, CLIENT, position=position)
        await receiver.wait_for(3)
        assert sorted(_about(receiver)) == sorted(ids)
        listed = await one.bench.deliveries.list(limit=9, system=endpoint.system)
        assert sorted(each.state for each in listed)[:3] == ["cancelled"] * 3


async def test_a_removed_endpoint_is_sent_nothing_more(place: Place) -> None:
    """What was under way ends, and what happens later goes nowhere."""
    async with receiving() as receiver, hooks(place, receiver, base_seconds=600, cap_seconds=600) as one:
        receiver.decide = lambda _: 500
        endpoint = (await one.add()).endpoint
        await one.bench.accept()
        await _start(one)
        await receiver.wait_for(1)
        assert await one.webhooks.remove(endpoint.id, CLIENT) is None
        assert await one.webhooks.remove(endpoint.id, CLIENT) is Refusal.NO_SUCH_WEBHOOK
        listed = await one.bench.deliveries.list(limit=9, system=endpoint.system)
        await eventually(partial(_lines, one), 0)
        seen = len(receiver.taken)
        await one.bench.accept(lane="B")
        await one.webhooks.keeper.round()
        assert all(each.final for each in listed)
        assert len(receiver.taken) == seen


async def _lines(one: Hooks) -> int:
    return len(one.webhooks.keeper.states())


async def test_one_dead_endpoint_harms_no_other(place: Place) -> None:
    """An endpoint that never answers keeps its own messages waiting, and nobody else's."""
    async with receiving() as dead, receiving() as receiver, hooks(place, receiver, dead) as one:
        dead.decide = lambda _: 0
        await one.add()
        silent = await one.webhooks.add(CLIENT, f"{dead.url}/hooks", agencies=[AGENCY])
        assert isinstance(silent, Issued)
        for n in range(10):
            await one.bench.accept(lane=f"A-{n}")
        await _start(one)
        async with asyncio.timeout(20):
            await receiver.wait_for(20)
        await eventually(partial(one.behind, silent.endpoint), 20)


async def test_a_wait_that_the_receiver_asks_for_is_kept(place: Place) -> None:
    """After 503 with `Retry-After` nothing comes before that time, to any dossier of that endpoint."""
    async with receiving() as receiver, hooks(place, receiver, cap_seconds=600) as one:
        receiver.headers = "Retry-After: 300\r\n"
        receiver.statuses = [503]
        endpoint = (await one.add(types=["delivery.accepted"])).endpoint
        await one.bench.accept()
        await _start(one)
        await receiver.wait_for(1)
        await eventually(partial(_waiting, one, endpoint.system), wanted=True)
        (waiting,) = await one.bench.deliveries.list(limit=9, system=endpoint.system)
        assert waiting.next_at is not None
        assert waiting.next_at - waiting.accepted_at >= timedelta(seconds=300)


async def _waiting(one: Hooks, system: str) -> bool:
    return {each.state.value for each in await one.bench.deliveries.list(limit=9, system=system)} == {"waiting"}


async def test_a_redirect_is_not_followed(place: Place) -> None:
    """An answer that sends us elsewhere is no success, and nothing goes there."""
    async with receiving() as receiver, hooks(place, receiver) as one:
        receiver.statuses = [307, 301]
        await one.add(types=["delivery.accepted"])
        await one.bench.accept()
        await _start(one)
        await receiver.wait_for(3)
        assert {taken.target for taken in receiver.taken} == {"/hooks"}
