"""Dossiers and their progress, handed in over HTTP, on their way to the national portal and back in the timeline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contracts.model.dossier import DossierStatus
from gateway.security import Scope
from tests.support.portal_adapter import FULL, PLAIN, STEPS
from tests.support.portal_desk import OTHER, body, desk, steps

if TYPE_CHECKING:
    from pathlib import Path

    from mocks.app import MockApp

UNIT = "H99.5-260302-0017"
PORTAL = "G22.99-260302-0042"


def pointers(answer: Any) -> dict[str, str]:
    """Return what is wrong, by where."""
    return {error["pointer"]: error["reason"] for error in answer.json()["errors"]}


async def test_a_dossier_goes_up_and_then_goes_up_again(app: MockApp, tmp_path: Path) -> None:
    """The first time it is made, after that its content takes the place of the one before: one dossier all the time."""
    async with desk(tmp_path, app) as stage:
        first = await stage.put(UNIT, body(PLAIN))
        again = await stage.put(UNIT, body(replace(PLAIN, status=DossierStatus.PROCESSING)))
        effects, stored = await stage.effects(), await stage.stored(UNIT)
    assert (first.status_code, first.json()["state"], again.json()["state"]) == (200, "settled", "settled")
    assert [one["name"] for one in first.json()["steps"]] == ["create"]
    assert [one["name"] for one in again.json()["steps"]] == ["update"]
    assert {key: count for (operation, key), count in effects.items() if operation == "create"} == {UNIT: 1}
    assert stored["content"]["TrangThaiHoSo"] == "4"


async def test_a_dossier_that_is_there_is_updated_and_one_that_is_lost_is_made(app: MockApp, tmp_path: Path) -> None:
    """What the gateway believes is corrected by what the portal says, in the same delivery."""
    async with desk(tmp_path, app) as stage:
        await stage.fault("ack_lost", **{"for": {"operation": "create"}, "with": {"seconds": 1}})
        made = await stage.put(UNIT, body(PLAIN))
        effects = await stage.effects()
    assert made.json()["state"] == "settled"
    assert [(one["name"], one["ending"]) for one in made.json()["steps"]] == [("create", "exists"), ("update", "done")]
    assert effects["create", UNIT] == 1


async def test_a_provinces_wrapper_is_gone_through_in_the_same_way(app: MockApp, tmp_path: Path) -> None:
    """The other form of the contract is a setting; nothing else is handed in otherwise, or told otherwise."""
    async with desk(tmp_path, app, adapter={"variant": "G1w"}) as stage:
        first = await stage.put(UNIT, body(FULL))
        again = await stage.put(UNIT, body(PLAIN))
        progress = await stage.progress(UNIT, steps(STEPS))
        told = await stage.follow(UNIT)
    assert [one.json()["state"] for one in (first, again, progress)] == ["settled"] * 3
    assert [one["name"] for one in again.json()["steps"]] == ["update"]
    assert told["dossier"] == body(PLAIN)


@pytest.mark.parametrize("shared", [True, False])
async def test_a_session_is_shared_where_that_is_set(app: MockApp, tmp_path: Path, *, shared: bool) -> None:
    """Whether a log-in ends the one before is assumed: if so, all processes have one session, in the store."""
    async with desk(tmp_path, app, adapter={"single_session": shared}) as stage:
        await stage.put(UNIT, body(PLAIN))
        engine = stage.gateway.store.engine
        sessions = await engine.read(lambda tx: tx.fetchval("SELECT count(*) FROM session"))
    assert sessions == int(shared)


async def test_progress_goes_up_in_parts_each_once(app: MockApp, tmp_path: Path) -> None:
    """More steps than one request takes are several exchanges of one delivery."""
    many = [{**steps(STEPS)[0], "at": f"2026-03-02T09:{minute:02}:00+07:00"} for minute in range(12)]
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PLAIN))
        done = await stage.progress(UNIT, many)
        effects = await stage.effects()
    assert [one["name"] for one in done.json()["steps"]] == ["progress/0-10", "progress/10-12"]
    added = [count for (operation, _), count in effects.items() if operation == "progress"]
    assert added == [1] * 12


async def test_either_code_leads_to_the_dossier_and_one_of_them_goes_up(app: MockApp, tmp_path: Path) -> None:
    """With the portal's own code told, that is the one which the portal hears, whichever is used here afterwards."""
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PLAIN), portal_code=PORTAL)
        await stage.put(UNIT, body(replace(PLAIN, status=DossierStatus.PROCESSING)))
        await stage.progress(UNIT, steps(STEPS))
        by_unit, by_portal = await stage.follow(UNIT), await stage.follow(PORTAL)
        effects = await stage.effects()
    assert by_unit == by_portal
    assert set(by_unit["codes"]) == {UNIT, PORTAL}
    assert [one["operation"] for one in by_unit["steps"]] == ["sync_dossier", "sync_dossier", "progress"]
    assert {one["state"] for one in by_unit["steps"]} == {"settled"}
    assert all(key.startswith(PORTAL) for operation, key in effects if operation != "login"), effects


async def test_the_code_under_which_the_portal_has_it_stays(app: MockApp, tmp_path: Path) -> None:
    """A code of the portal that is told later does not make a second dossier there."""
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PLAIN))
        later = await stage.put(UNIT, body(PLAIN), portal_code=PORTAL)
        effects = await stage.effects()
    assert later.json()["state"] == "settled"
    assert {key for operation, key in effects if operation in {"create", "update"}} == {UNIT}


async def test_the_units_code_goes_up_where_that_is_set(app: MockApp, tmp_path: Path) -> None:
    """Which of the two the portal hears is assumed, and therefore a setting."""
    async with desk(tmp_path, app, sent_code="unit") as stage:
        await stage.put(UNIT, body(PLAIN), portal_code=PORTAL)
        effects = await stage.effects()
    assert ("create", UNIT) in effects


async def test_progress_of_what_nobody_knows_is_refused(app: MockApp, tmp_path: Path) -> None:
    """Neither handed in here nor at the portal: 404 that says what to do first."""
    async with desk(tmp_path, app) as stage:
        refused = await stage.progress(UNIT, steps(STEPS))
        listed = (await stage.client.get("/v1/deliveries")).json()["deliveries"]
    assert (refused.status_code, refused.json()["reason"]) == (404, "no_such_dossier")
    assert "first" in refused.json()["detail"]
    assert listed == []


async def test_progress_of_a_dossier_that_only_the_portal_has_is_taken(app: MockApp, tmp_path: Path) -> None:
    """It was brought there by others; from now on it is known here under its code."""
    async with desk(tmp_path, app) as stage:
        await stage.bring(UNIT)
        taken = await stage.progress(UNIT, steps(STEPS))
        shown = await stage.follow(UNIT)
    assert taken.json()["state"] == "settled"
    assert [one["operation"] for one in shown["steps"]] == ["look_up", "progress"]
    assert (shown["dossier"], shown["dossier_absent"]["reason"]) == (None, "nothing_accepted")


async def test_progress_says_why_the_portal_could_not_be_asked(app: MockApp, tmp_path: Path) -> None:
    """Nothing is accepted on a guess; the read's own problem comes back."""
    async with desk(tmp_path, app) as stage:
        await stage.fault("busy", until={"count": 9})
        refused = await stage.progress(UNIT, steps(STEPS), wait=1)
    assert (refused.status_code, refused.json()["kind"]) == (503, "busy")


async def test_the_same_progress_under_the_same_key_is_the_same_delivery(app: MockApp, tmp_path: Path) -> None:
    """Also where the portal would have to be asked first, and cannot be."""
    async with desk(tmp_path, app) as stage:
        await stage.bring(UNIT)
        await stage.fault("busy", until={"count": 99}, **{"for": {"operation": "progress"}})
        first = await stage.progress(UNIT, steps(STEPS), wait=None, key="mot")
        await stage.fault("busy", until={"count": 99}, **{"for": {"operation": "look_up"}})
        again = await stage.progress(UNIT, steps(STEPS), wait=None, key="mot")
        other = await stage.progress(UNIT, steps(STEPS)[:1], wait=None, key="mot")
    assert first.json()["id"] == again.json()["id"]
    assert (other.status_code, other.json()["reason"]) == (409, "key_reused")


async def test_every_wrong_field_is_named_at_once(app: MockApp, tmp_path: Path) -> None:
    """Those of the schema, of the model, of the portal's own rules, of the path and of the purpose, without values."""
    wrong = body(FULL)
    wrong |= {"subject": " ", "status": 12, "received_at": "2026-02-30T00:00:00+07:00", "note": "ă" * 2000, "them": 1}
    wrong["documents"][0]["address"] = "https://10.0.0.7/tep/1"
    wrong["results"][0]["address"] = "https://khac.example/tep/1"
    wrong["fees"][0]["amount"] = "20000"
    wrong["databases"] = ["7", ""]
    del wrong["procedure_name"]
    async with desk(tmp_path, app) as stage:
        answer = await stage.put("khong-phai-ma", wrong, revision=0)
        listed = (await stage.client.get("/v1/deliveries")).json()["deliveries"]
    assert answer.status_code == 422
    assert pointers(answer) == {
        "code": "pattern",
        "/revision": "invalid",
        "/dossier/procedure_name": "required",
        "/dossier/subject": "required",
        "/dossier/status": "choice",
        "/dossier/received_at": "moment",
        "/dossier/note": "too_long",
        "/dossier/them": "unknown",
        "/dossier/documents/0/address": "attachment_address",
        "/dossier/results/0/address": "attachment_address",
        "/dossier/fees/0/amount": "number",
        "/dossier/databases/1": "required",
    }
    assert "khac.example" not in answer.text
    assert listed == []


async def test_a_write_serves_the_dossier_that_it_is_about(app: MockApp, tmp_path: Path) -> None:
    """A purpose that names another dossier, or none, is wrong."""
    async with desk(tmp_path, app) as stage:
        headers = {"Idempotency-Key": "mot"}
        purpose = {"agency": "000.00.01.H99", "procedure": "9.999001", "officer": "canbo.thu01"}
        asked = {"dossier": body(PLAIN), "purpose": {**purpose, "dossier": PORTAL}}
        other = await stage.client.put(f"/v1/dossiers/{UNIT}", json=asked, headers=headers)
        asked["purpose"] = {**purpose, "reason": "before_dossier"}
        none = await stage.client.put(f"/v1/dossiers/{UNIT}", json=asked, headers=headers)
    assert pointers(other) == {"/purpose/dossier": "other_dossier"}
    assert pointers(none) == {"/purpose/dossier": "required"}


async def test_newer_fields_are_refused_by_name_where_the_portal_does_not_take_them(
    app: MockApp, tmp_path: Path
) -> None:
    """Nothing is accepted that could never be sent, and nothing is left out in silence."""
    async with desk(tmp_path, app, adapter={"newer_fields": False}) as stage:
        answer = await stage.put(UNIT, body(FULL))
        plain = await stage.put(UNIT, body(PLAIN))
    assert set(pointers(answer).values()) == {"newer_field"}
    assert {"/dossier/channel", "/dossier/owner_numbers", "/dossier/documents/0/digitised"} <= pointers(answer).keys()
    assert plain.json()["state"] == "settled"


async def test_an_older_revision_is_refused(app: MockApp, tmp_path: Path) -> None:
    """The same may come again; one behind the last accepted may not."""
    async with desk(tmp_path, app) as stage:
        assert (await stage.put(UNIT, body(PLAIN), revision=2)).status_code == 200
        assert (await stage.put(UNIT, body(FULL), revision=2)).status_code == 200
        older = await stage.put(UNIT, body(PLAIN), revision=1)
        shown = await stage.follow(UNIT)
    assert (older.status_code, older.json()["reason"]) == (409, "revision_older")
    assert (shown["revision"], shown["dossier"]["status"]) == (2, 10)


async def test_two_dossiers_are_not_made_one(app: MockApp, tmp_path: Path) -> None:
    """Codes that lead to two dossiers here are refused together."""
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PLAIN))
        await stage.put(PORTAL, body(PLAIN))
        refused = await stage.put(UNIT, body(PLAIN), portal_code=PORTAL)
    assert (refused.status_code, refused.json()["reason"]) == (409, "dossier_codes_differ")


async def test_a_dossier_of_another_agency_does_not_exist(app: MockApp, tmp_path: Path) -> None:
    """Not to be followed, not to be written, and its agency is not to be acted for."""
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PLAIN))
        async with await stage.another(OTHER) as stranger:
            stage.client, own = stranger, stage.client
            put = await stage.put(UNIT, body(PLAIN), agency=OTHER)
            progress = await stage.progress(UNIT, steps(STEPS), agency=OTHER)
            followed = await stranger.get(f"/v1/dossiers/{UNIT}")
            acting = await stage.put(UNIT, body(PLAIN))
            stage.client = own
    assert [one.status_code for one in (put, progress, followed, acting)] == [404] * 4


@pytest.mark.parametrize("scope", [Scope.DOSSIERS_READ, Scope.DOSSIERS_WRITE])
async def test_each_right_opens_its_own(app: MockApp, tmp_path: Path, scope: Scope) -> None:
    """Who may follow may not write, and the other way round."""
    async with desk(tmp_path, app, scopes=frozenset({scope})) as stage:
        put = await stage.put(UNIT, body(PLAIN))
        followed = await stage.client.get(f"/v1/dossiers/{UNIT}")
    assert (put.status_code == 403, followed.status_code == 403) == (
        scope is Scope.DOSSIERS_READ,
        scope is Scope.DOSSIERS_WRITE,
    )
