from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from contracts.model import AgencyCode
from gateway.security import Client, Scope
from gateway.webhooks import WebhooksSettings
from tests.support import gateways
from tests.support.hooks import FAST, verified
from tests.support.receiver import Receiver, eventually, receiving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gateway.settings import Settings
    from tests.support.gateways import Running

URL = "/v1/webhooks"


def _allowing(monkeypatch: pytest.MonkeyPatch, receiver: Receiver, **given: Any) -> None:
    """Have gateways of this test let messages go to the receiver."""
    plain = gateways.settings
    place = {"below": receiver.url, "private": True, "plain_http": True}
    webhooks = WebhooksSettings.model_validate({"allowed": [place], **FAST, **given})

    def settings(folder: Path, **server: Any) -> Settings:
        return plain(folder, **server).model_copy(update={"webhooks": webhooks})

    monkeypatch.setattr(gateways, "settings", settings)


async def _happen(run: Running, number: int, agency: str = gateways.AGENCY) -> None:
    """Let so many events happen, as deliveries would make them."""
    insert = "INSERT INTO event (at, delivery, agency, system, what) VALUES ($1, $2, $3, 'partner', 'settled')"
    for n in range(number):
        await run.gateway.store.engine.write(
            lambda tx, n=n: tx.execute(insert, 1_767_600_000_000_000 + n, f"delivery-{n}", agency)
        )


async def test_the_feed_is_read_on_from_a_cursor(tmp_path: Path) -> None:
    """Pages follow one another; at the end there is a cursor too; other agencies' events are not shown."""
    async with gateways.running(tmp_path) as run:
        await _happen(run, 3)
        await _happen(run, 1, agency="000.00.09.H99")
        first = (await run.client.get("/v1/events", params={"limit": 2})).json()
        assert [event["id"] for event in first["events"]] == ["evt_1", "evt_2"]
        assert first["more"]
        assert first["events"][0]["type"] == "delivery.settled"
        assert first["next_cursor"] == first["events"][-1]["cursor"]
        second = (await run.client.get("/v1/events", params={"cursor": first["next_cursor"]})).json()
        assert [event["delivery"] for event in second["events"]] == ["delivery-2"]
        last = (await run.client.get("/v1/events", params={"cursor": second["next_cursor"]})).json()
        assert (last["events"], last["more"]) == ([], False)
        assert last["next_cursor"] == second["next_cursor"]


async def test_a_reader_that_waits_is_answered_when_something_happens(tmp_path: Path) -> None:
    """`wait` holds the answer back until there is an event, or until it is over."""
    async with gateways.running(tmp_path) as run:
        waiting = asyncio.create_task(run.client.get("/v1/events", params={"wait": 30}))
        await asyncio.sleep(0)
        await _happen(run, 1)
        assert len((await waiting).json()["events"]) == 1


async def test_a_reader_waits_no_longer_than_any_caller_may(tmp_path: Path) -> None:
    """Where callers may wait for a shorter time, an empty page comes then, and not a refusal that it took too long."""
    waits = {"default_wait_seconds": 0.05, "max_wait_seconds": 0.05, "answer_seconds": 10}
    async with gateways.running(tmp_path, **waits) as run:
        answer = await run.client.get("/v1/events", params={"wait": 30})
        assert (answer.status_code, answer.json()["events"]) == (200, [])


async def test_a_wrong_cursor_is_told_from_one_that_has_expired(tmp_path: Path) -> None:
    """A cursor that was never given out is 422 and named; one behind deleted events is 410 and says how to go on."""
    async with gateways.running(tmp_path) as run:
        await _happen(run, 3)
        old = (await run.client.get("/v1/events", params={"limit": 1})).json()["next_cursor"]
        for statement in ("DELETE FROM event WHERE position <= 2", "UPDATE feed SET pruned_to = 2"):
            await run.gateway.store.engine.write(lambda tx, said=statement: tx.execute(said))
        gone = await run.client.get("/v1/events", params={"cursor": old}, headers={"Accept-Language": "en"})
        assert (gone.status_code, gone.json()["reason"]) == (410, "cursor_expired")
        assert "without a cursor" in gone.json()["detail"]
        wrong = await run.client.get("/v1/events", params={"cursor": "tomorrow", "limit": "x", "wait": "-1"})
        assert wrong.status_code == 422
        assert [error["pointer"] for error in wrong.json()["errors"]] == ["cursor", "limit", "wait"]
        assert len((await run.client.get("/v1/events")).json()["events"]) == 1


async def test_a_webhook_is_registered_told_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret is in the first answer and in no other; messages come until the webhook is removed."""
    async with receiving() as receiver:
        _allowing(monkeypatch, receiver)
        async with gateways.running(tmp_path) as run:
            made = await run.client.post(URL, json={"url": f"{receiver.url}/hooks", "types": ["delivery.settled"]})
            assert made.status_code == 200, made.text
            webhook, secret = made.json()["webhook"], made.json()["secret"]
            assert webhook["agencies"] == [gateways.AGENCY]
            await _happen(run, 1)
            (taken,) = await receiver.wait_for(1)
            assert verified(taken, secret)["data"]["event_id"] == "evt_1"
            one = await run.client.get(f"{URL}/{webhook['id']}")
            listed = await run.client.get(URL)
            assert [each["id"] for each in listed.json()["webhooks"]] == [webhook["id"]]
            assert all(secret not in answer.text for answer in (one, listed))
            systems = (await run.client.get("/v1/systems")).json()["systems"]
            assert "webhooks" in {each["system"] for each in systems}
            tested = await run.client.post(f"{URL}/{webhook['id']}/test")
            await receiver.wait_for(2)
            assert verified(receiver.taken[1], secret)["type"] == "webhook.test"
            delivery = f"/v1/deliveries/{tested.json()['delivery']}"
            await eventually(partial(_state, run, delivery), "settled")
            assert (await run.client.delete(f"{URL}/{webhook['id']}")).status_code == 200
            assert (await run.client.get(f"{URL}/{webhook['id']}")).status_code == 404
            assert (await run.client.get(URL)).json() == {"webhooks": []}


async def test_messages_to_a_webhook_are_its_clients_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another software of the same agency neither sees them nor takes them back, whatever its scopes are."""
    async with receiving() as receiver:
        _allowing(monkeypatch, receiver)
        async with gateways.running(tmp_path) as run:
            agencies = frozenset({AgencyCode(gateways.AGENCY)})
            another = Client(name="khac", scopes=frozenset(Scope), agencies=agencies)
            other = await run.gateway.store.clients.add(another, by="test")
            webhook = (await run.client.post(URL, json={"url": f"{receiver.url}/hooks"})).json()["webhook"]
            tested = (await run.client.post(f"{URL}/{webhook['id']}/test")).json()["delivery"]
            path, asked = f"/v1/deliveries/{tested}", {"system": webhook["system"]}
            theirs = {"Authorization": f"Bearer {other.text}"}
            word = {"officer": "canbo.thu01", "why": "thử"}
            assert (await run.client.get(path, headers=theirs)).status_code == 404
            assert (await run.client.post(f"{path}/cancel", json=word, headers=theirs)).status_code == 404
            listed = await run.client.get("/v1/deliveries", params=asked, headers=theirs)
            assert listed.json() == {"deliveries": [], "next_cursor": None}
            assert len((await run.client.get("/v1/deliveries", params=asked)).json()["deliveries"]) == 1


async def _state(run: Running, path: str) -> str:
    found: str = (await run.client.get(path)).json()["state"]
    return found


async def test_what_may_be_done_with_a_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable, enable, rotate and redeliver answer how it stands; what cannot be done is a problem document."""
    async with receiving() as receiver:
        _allowing(monkeypatch, receiver, most_per_client=1)
        async with gateways.running(tmp_path) as run:
            made = (await run.client.post(URL, json={"url": f"{receiver.url}/hooks"})).json()
            path = f"{URL}/{made['webhook']['id']}"
            off = await run.client.post(f"{path}/disable", json={"why": "bảo trì"})
            assert (off.json()["active"], off.json()["why"]) == (False, "bảo trì")
            for what, body in (("test", None), ("redeliver", {"since": "2026-01-05T00:00:00+07:00"})):
                assert (await run.client.post(f"{path}/{what}", json=body)).status_code == 409
            assert (await run.client.post(f"{path}/enable")).json()["active"]
            rotated = (await run.client.post(f"{path}/rotate-secret")).json()
            assert rotated["secret"] != made["secret"]
            assert rotated["webhook"]["two_secrets_until"] is not None
            assert (await run.client.post(f"{path}/redeliver", json={"cursor": "x"})).status_code == 422
            both = {"cursor": made["webhook"]["cursor"], "since": "2026-01-05T00:00:00+07:00"}
            assert (await run.client.post(f"{path}/redeliver", json=both)).status_code == 422
            again = await run.client.post(f"{path}/redeliver", json={"cursor": made["webhook"]["cursor"]})
            assert again.status_code == 200
            more = await run.client.post(URL, json={"url": f"{receiver.url}/hooks"})
            assert (more.status_code, more.json()["reason"]) == (409, "too_many_webhooks")
            refused = await run.client.post(URL, json={"url": "https://elsewhere.example/hooks"})
            assert (refused.status_code, refused.json()["reason"]) == (422, "target_not_allowed")
            wrong = await run.client.post(URL, json={"url": "https://a.example/../b"})
            assert [error["pointer"] for error in wrong.json()["errors"]] == ["/url"]
            stranger = await run.client.post(URL, json={"url": f"{receiver.url}/hooks", "agencies": ["000.00.09.H99"]})
            assert stranger.status_code == 404


async def test_another_clients_webhook_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever did not make a webhook cannot see or change it, whatever its scopes."""
    async with receiving() as receiver:
        _allowing(monkeypatch, receiver)
        async with gateways.running(tmp_path) as run:
            made = (await run.client.post(URL, json={"url": f"{receiver.url}/hooks"})).json()
            path = f"{URL}/{made['webhook']['id']}"
            agencies = frozenset({AgencyCode(gateways.AGENCY)})
            other = Client(name="khac", scopes=frozenset(Scope), agencies=agencies)
            key = (await run.gateway.store.clients.add(other, by="test")).text
            theirs = {"Authorization": f"Bearer {key}"}
            for method, where in (
                ("GET", path),
                ("DELETE", path),
                ("POST", f"{path}/enable"),
                ("POST", f"{path}/rotate-secret"),
                ("POST", f"{path}/test"),
            ):
                answer = await run.client.request(method, where, headers=theirs)
                assert (answer.status_code, answer.json()["reason"]) == (404, "webhook_unknown"), where
            assert (await run.client.get(URL, headers=theirs)).json() == {"webhooks": []}
            assert (await run.client.get(path)).status_code == 200
