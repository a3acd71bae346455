from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from contracts.model import AgencyCode
from gateway.api.app import create_app
from gateway.runtime import Gateway
from gateway.security import Client, Scope
from gateway.settings import Settings
from gateway.store import StoreUnavailable, Trouble
from tests.support.desk import OTHER, desk, knock
from tests.support.gateways import AGENCY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mocks import Mocks

WHO = {"officer": "canbo.thu01", "why": "Đã đối chiếu"}
PURPOSE = {"agency": AGENCY, "procedure": "9.000001", "officer": "canbo.thu01", "reason": "before_dossier"}


async def test_a_write_is_answered_once_it_is_settled(tmp_path: Path, mocks: Mocks) -> None:
    """200 with the partner's result within the wait; every attempt and its evidence can be looked at."""
    async with desk(tmp_path, mocks) as one:
        answer = await one.register()
        found = answer.json()
        seen = (await one.client.get(answer.headers["location"])).json()
    assert (answer.status_code, found["state"], found["final"]) == (200, "settled", True)
    assert answer.headers["preference-applied"] == "wait=20"
    assert found["result"]["code"] == "H-1"
    assert found["dossier"] == "H99.129-260105-0001"
    assert [(tried["purpose"], tried["state"]) for tried in seen["tried"]] == [("send", "answered")]
    assert {**seen, "tried": None, "decided": None} == {**found, "tried": None, "decided": None}


async def test_the_status_speaks_of_acceptance(tmp_path: Path, mocks: Mocks) -> None:
    """202 with place and time to look again while it is open; 200 when it is final, also when it was rejected."""
    async with desk(tmp_path, mocks) as one:
        await one.pause()
        waiting = await one.register(wait=None)
        await one.resume()
        settled = await one.register(wait=20, key="viec-1")
        rejected = await one.register(key="viec-khac")
    assert waiting.status_code == 202
    assert waiting.headers["location"] == f"/v1/deliveries/{waiting.json()['id']}"
    assert int(waiting.headers["retry-after"]) >= 1
    assert (waiting.json()["state"], waiting.json()["final"]) == ("accepted", False)
    assert (settled.status_code, settled.json()["state"]) == (200, "settled")
    assert settled.json()["id"] == waiting.json()["id"]
    assert (rejected.status_code, rejected.json()["state"]) == (200, "rejected")
    assert rejected.json()["failure"]["kind"] == "rejected"
    assert rejected.json()["next"]


async def test_a_key_is_for_one_write(tmp_path: Path, mocks: Mocks) -> None:
    """The same key and body give the same delivery, however often; another body is 409; no key is 422."""
    async with desk(tmp_path, mocks) as one:
        same = await asyncio.gather(*(one.register(key="viec-1") for _ in range(20)))
        other = await one.register("H-2", key="viec-1")
        elsewhere = await one.write("/H-1/steps", key="viec-1", step=1, state="processing")
        missing = await one.register(key="")
        too_long = await one.register(key="x" * 201)
        effects = one.effects()
    assert {answer.json()["id"] for answer in same} == {same[0].json()["id"]}
    assert {answer.status_code for answer in same} == {200}
    assert (other.status_code, other.json()["reason"]) == (409, "key_reused")
    assert elsewhere.status_code == 200  # the scope of a key is client, method and resource
    assert [answer.json()["reason"] for answer in (missing, too_long)] == ["idempotency_key"] * 2
    assert (missing.status_code, effects["register"]) == (422, 1)


async def test_two_keys_are_none(tmp_path: Path, mocks: Mocks) -> None:
    """Which of them would count is nobody's guess: a repetition might have them the other way round."""
    async with desk(tmp_path, mocks) as one:
        body = {"code": "H-1", "title": "Hồ sơ mẫu", "purpose": PURPOSE}
        twice = [("Idempotency-Key", "viec-1"), ("Idempotency-Key", "viec-2")]
        answer = await one.client.post("/v1/partner/records", json=body, headers=twice)
    assert (answer.status_code, answer.json()["reason"]) == (422, "idempotency_key")


@pytest.mark.parametrize("due", ["9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
async def test_a_deadline_at_the_end_of_the_calendar_is_wrong(tmp_path: Path, mocks: Mocks, due: str) -> None:
    """A moment that cannot be told in Vietnam's time is refused before it is stored: no list could show it."""
    async with desk(tmp_path, mocks) as one:
        answer = await one.register(legal_due_at=due)
        listed = await one.client.get("/v1/deliveries")
    assert answer.status_code == 422
    assert [wrong["pointer"] for wrong in answer.json()["errors"]] == ["/legal_due_at"]
    assert (listed.status_code, listed.json()["deliveries"]) == (200, [])


async def test_what_is_accepted_is_answered_so_although_the_store_goes_away(
    tmp_path: Path, mocks: Mocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait that is cut short is 202 and not said to have been kept; 503 would say that nothing was accepted."""

    async def away(*_: object) -> None:
        raise StoreUnavailable(Trouble.BROKEN)

    async with desk(tmp_path, mocks) as one:
        with monkeypatch.context() as patched:
            patched.setattr(one.gateway.deliveries, "get", away)
            answer = await one.register(key="viec-1")
        again = await one.register(key="viec-1")
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/deliveries/{answer.json()['id']}"
    assert "preference-applied" not in answer.headers
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])


async def test_a_wait_that_is_cut_short_is_not_said_to_have_been_kept(tmp_path: Path, mocks: Mocks) -> None:
    """A process that stops answers whoever waits: how it stands, and that it did not wait."""
    async with desk(tmp_path, mocks) as one:
        await one.pause()
        waiting = asyncio.create_task(one.register(wait=30))
        while not (await one.client.get("/v1/deliveries")).json()["deliveries"]:
            await asyncio.sleep(0.01)
        await one.gateway.retire()
        answer = await asyncio.wait_for(waiting, 20)
    assert (answer.status_code, answer.json()["state"]) == (202, "accepted")
    assert "preference-applied" not in answer.headers


async def test_it_is_worth_looking_again_when_a_person_may_have_spoken(tmp_path: Path, mocks: Mocks) -> None:
    """What needs a person is not asked for every second; the wait for it is over and said to have been kept."""
    async with desk(tmp_path, mocks) as one:
        await one.register()
        one.fault("reset_after", **{"for": {"operation": "notify"}})
        asked = await one.write("/H-1/notices", notice="TB-1", text="Mời đến", wait=20)
    assert (asked.status_code, asked.json()["state"]) == (202, "needs_person")
    assert asked.headers["preference-applied"] == "wait=20"
    assert int(asked.headers["retry-after"]) >= 60


async def test_who_waits_is_told_before_the_server_breaks_off_its_calls(
    tmp_path: Path, mocks: Mocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is under way is given less time than the calls that wait for it."""
    given: list[float] = []
    async with desk(tmp_path, mocks) as one:
        inner = one.gateway.deliveries.stop

        async def stop(seconds: float) -> None:
            given.append(seconds)
            await inner(seconds)

        monkeypatch.setattr(one.gateway.deliveries, "stop", stop)
        await one.gateway.retire()
        assert given[0] <= one.gateway.settings.server.stop_seconds - 1


async def test_each_write_of_the_partner_is_delivered(tmp_path: Path, mocks: Mocks) -> None:
    """Register, replace, append, transfer and notify arrive with what the caller wrote, in the order of the lane."""
    async with desk(tmp_path, mocks) as one:
        applicant = one.admin("GET", "world/citizens?limit=1")["citizens"][0]["identity_number"]
        answers = [
            await one.register(amount=20_000, applicant=applicant, legal_due_at="2026-12-01T17:00:00+07:00"),
            await one.write("/H-1", method="PUT", revision=2, title="Hồ sơ mẫu, sửa"),
            await one.write("/H-1/steps", step=1, state="processing", note="Đã nhận"),
            await one.write("/H-1/notices", notice="TB-1", text="Mời đến"),
            await one.write("/H-1/transfers", transfer="CG-1", to=OTHER),
        ]
        effects = one.effects()
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "settled")] * 5
    assert {name: effects[name] for name in ("register", "replace", "append", "notify", "transfer")} == dict.fromkeys(
        ("register", "replace", "append", "notify", "transfer"), 1
    )
    assert answers[0].json()["legal_due_at"] == "2026-12-01T17:00:00+07:00"


async def test_every_wrong_field_is_named(tmp_path: Path, mocks: Mocks) -> None:
    """A wrong write changes nothing, takes no key, and is told everything that is wrong with it."""
    async with desk(tmp_path, mocks) as one:
        wrong = await one.register("999190000017", title="", amount=-1, applicant="12", legal_due_at="mai")
        path = await one.write("/999190000017/steps", step=1, state="processing")
        again = await one.register(key="viec-1")
        listed = await one.client.get("/v1/deliveries")
    assert wrong.status_code == path.status_code == 422
    assert {one["pointer"] for one in wrong.json()["errors"]} == {
        "/code", "/title", "/amount", "/applicant", "/legal_due_at",
    }  # fmt: skip
    assert [one["pointer"] for one in path.json()["errors"]] == ["code"]
    assert again.status_code == 200
    assert len(listed.json()["deliveries"]) == 1


async def test_what_the_partner_finds_wrong_is_told(tmp_path: Path, mocks: Mocks) -> None:
    """Every field that the partner refuses is named with its sentence, and what it said is kept sealed."""
    async with desk(tmp_path, mocks) as one:
        found = (await one.register(applicant="999190000017")).json()
        stored = await one.gateway.store.engine.read(lambda tx: tx.fetchval("SELECT said FROM delivery"))
    assert (found["state"], found["failure"]["kind"]) == ("rejected", "invalid_request")
    assert [(each["pointer"], bool(each["detail"])) for each in found["failure"]["errors"]] == [("/applicant", True)]
    assert b"applicant" not in stored


async def test_what_needs_a_person_is_resolved_with_evidence(tmp_path: Path, mocks: Mocks) -> None:
    """A lost answer to a write that cannot be looked up asks a person, says so in a sentence, and hears the answer."""
    async with desk(tmp_path, mocks) as one:
        await one.register()
        one.fault("reset_after", **{"for": {"operation": "notify"}})
        asked = (await one.write("/H-1/notices", notice="TB-1", text="Mời đến", wait=20)).json()
        behind = await one.write("/H-1/steps", step=1, state="processing", wait=None)
        address = f"/v1/deliveries/{asked['id']}"
        cancelled = await one.client.post(f"{address}/cancel", json=WHO)
        replayed = await one.client.post(f"{address}/replay", json=WHO)
        no_evidence = await one.client.post(f"{address}/resolve", json={**WHO, "outcome": "done"})
        said = {**WHO, "outcome": "done", "evidence": "Biên bản 1"}
        resolved = await one.client.post(f"{address}/resolve", json=said)
        again = await one.client.post(f"{address}/resolve", json=said)
        seen = (await one.client.get(address)).json()
        went_on = await one.gateway.deliveries.wait(behind.json()["id"], 20)
        effects = one.effects()
    assert (asked["state"], asked["asks"], asked["may_have_acted"]) == ("needs_person", "may_have_acted", "maybe")
    assert "cannot be asked" in asked["summary"]
    assert [answer.status_code for answer in (cancelled, replayed)] == [409, 409]
    assert {answer.json()["reason"] for answer in (cancelled, replayed)} == {"delivery_may_have_acted"}
    assert [one["pointer"] for one in no_evidence.json()["errors"]] == ["/evidence"]
    assert (resolved.status_code, resolved.json()["state"]) == (200, "settled")
    assert (again.status_code, again.json()["reason"]) == (409, "delivery_final")
    assert [(ruled["what"], ruled["by"], ruled["evidence"]) for ruled in seen["decided"]] == [
        ("resolve.done", "motcua/canbo.thu01", "Biên bản 1")
    ]
    assert went_on is not None
    assert went_on.state == "settled"
    assert effects["notify"] == 1


async def test_what_was_not_sent_can_be_taken_back(tmp_path: Path, mocks: Mocks) -> None:
    """A cancelled write never leaves, and the one behind it goes on."""
    async with desk(tmp_path, mocks) as one:
        await one.register()
        await one.pause()
        first = await one.write("/H-1/steps", step=1, state="processing", wait=None)
        second = await one.write("/H-1/steps", step=2, state="processing", wait=None)
        cancelled = await one.client.post(f"/v1/deliveries/{first.json()['id']}/cancel", json=WHO)
        await one.resume()
        went_on = await one.gateway.deliveries.wait(second.json()["id"], 20)
        effects = one.effects()
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert went_on is not None
    assert went_on.state == "settled"
    assert effects["append"] == 1


async def test_a_correction_takes_the_place_of_what_was_rejected(tmp_path: Path, mocks: Mocks) -> None:
    """Corrected and sent again, it goes before what has waited for it; the old one points to it."""
    async with desk(tmp_path, mocks) as one:
        await one.register("H-0")
        rejected = (await one.register("H-0", lane="L-1")).json()
        behind = await one.register("H-2", lane="L-1", wait=None)
        corrects = {"delivery": rejected["id"], "why": "Sai mã"}
        elsewhere = await one.register("H-3", lane="L-2", corrects=corrects)
        unknown = await one.register("H-3", corrects={**corrects, "delivery": behind.json()["id"][:-4] + "0000"})
        corrected = await one.register("H-1", lane="L-1", corrects=corrects)
        old = (await one.client.get(f"/v1/deliveries/{rejected['id']}")).json()
        went_on = await one.gateway.deliveries.wait(behind.json()["id"], 20)
    assert rejected["state"] == "rejected"
    assert (elsewhere.status_code, elsewhere.json()["reason"]) == (409, "delivery_other_request")
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "delivery_unknown")
    assert (corrected.json()["state"], corrected.json()["replaces"]) == ("settled", rejected["id"])
    assert (old["state"], old["superseded_by"]) == ("superseded", corrected.json()["id"])
    assert went_on is not None
    assert went_on.state == "settled"


async def test_another_agencys_deliveries_are_not_there(tmp_path: Path, mocks: Mocks) -> None:
    """404 for each, no line in the list, and no write in its name."""
    async with desk(tmp_path, mocks) as one:
        mine = (await one.register()).json()
        client = Client(name="khac", scopes=frozenset(Scope), agencies=frozenset({AgencyCode(OTHER)}))
        other = await knock(one.gateway, client, mocks, one.namespace)
        address = f"/v1/deliveries/{mine['id']}"
        answers = [
            await other.client.get(address),
            await other.client.post(f"{address}/replay", json=WHO),
            await other.client.post(f"{address}/cancel", json=WHO),
            await other.client.post(f"{address}/resolve", json={**WHO, "outcome": "done", "evidence": "x"}),
            await other.register("H-9", agency=OTHER, corrects={"delivery": mine["id"], "why": "x"}),
            await other.register("H-9", agency=AGENCY),
        ]
        listed = (await other.client.get("/v1/deliveries")).json()
        named = (await other.client.get("/v1/deliveries", params={"agency": AGENCY})).json()
    assert [answer.status_code for answer in answers] == [404] * 6
    assert listed["deliveries"] == named["deliveries"] == []


async def test_the_list_is_filtered_and_paged(tmp_path: Path, mocks: Mocks) -> None:
    """The newest first, page by page, each once; by state, system and agency; a wrong parameter is named."""
    async with desk(tmp_path, mocks) as one:
        await one.pause()
        ids = [(await one.register(f"H-{n}", wait=None)).json()["id"] for n in range(1, 6)]
        first = (await one.client.get("/v1/deliveries", params={"limit": 2})).json()
        rest = (await one.client.get("/v1/deliveries", params={"cursor": first["next_cursor"]})).json()
        open_ = (await one.client.get("/v1/deliveries", params={"state": "open", "system": "partner"})).json()
        final = (await one.client.get("/v1/deliveries", params={"state": "settled,rejected"})).json()
        wrong = await one.client.get("/v1/deliveries", params={"state": "xong", "limit": "x", "cursor": "-1"})
    assert [each["id"] for each in first["deliveries"] + rest["deliveries"]] == ids[::-1]
    assert rest["next_cursor"] is None
    assert len(open_["deliveries"]) == 5
    assert final["deliveries"] == []
    assert wrong.status_code == 422
    assert {each["pointer"] for each in wrong.json()["errors"]} == {"state", "limit", "cursor"}


async def test_scopes_open_each_part(tmp_path: Path, mocks: Mocks) -> None:
    """Reading, deciding and writing are permissions of their own."""
    async with desk(tmp_path, mocks, scopes=frozenset({Scope.DELIVERIES_READ})) as one:
        statuses = [
            (await one.client.get("/v1/deliveries")).status_code,
            (await one.register()).status_code,
            (await one.client.post("/v1/deliveries/x/replay", json=WHO)).status_code,
        ]
    assert statuses == [200, 403, 403]


async def test_the_partners_routes_are_there_only_where_it_is_configured(tmp_path: Path, mocks: Mocks) -> None:
    """A gateway without the synthetic partner neither serves nor describes its routes."""
    async with desk(tmp_path, mocks) as one:
        described = (await one.client.get("/openapi.json")).json()["paths"]
    without = Settings.model_validate({"store": {"path": str(tmp_path / "x.db"), "keys": str(tmp_path / "k")}})
    async with Gateway.open(without) as gateway:
        transport = httpx.ASGITransport(create_app(gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            answer = await client.post("/v1/partner/records", json={})
            plain = (await client.get("/openapi.json")).json()["paths"]
    assert answer.status_code == 404
    assert {path for path in described if path not in plain} == {
        path for path in described if path.startswith("/v1/partner/")
    }
    assert any(path.startswith("/v1/partner/") for path in described)
