"""What is known to go wrong between one-stop software and the portal, and what the gateway makes of it: over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contracts.model.dossier import DossierStatus
from tests.support.hosting import URL
from tests.support.portal import Portal, dossier
from tests.support.portal_adapter import PLAIN, STEPS
from tests.support.portal_desk import OTHER as OTHER_AGENCY
from tests.support.portal_desk import Desk, body, desk, steps

if TYPE_CHECKING:
    from pathlib import Path

    from mocks.app import MockApp

UNIT, OTHER = "H99.5-260302-0017", "H99.5-260302-0018"
PROCESSING = replace(PLAIN, status=DossierStatus.PROCESSING)
LISTED: dict[str, Any] = {"adapter": {"answers": [{"meaning": "rejected", "code": "123"}]}}
"""An installation that has learned a refusal of the portal: none is published."""
ITS_OWN = {"correlation_id": None, "instance": None}
"""What no two problems have in common."""
WORD = {"officer": "canbo.thu01", "why": "đã đối chiếu trên Cổng", "evidence": "biên bản số 1"}


def many(count: int) -> list[dict[str, Any]]:
    """Return so many steps, a minute apart."""
    return [{**steps(STEPS)[0], "at": f"2026-03-02T09:{minute:02}:00+07:00"} for minute in range(count)]


async def added(stage: Desk) -> list[int]:
    """Return how often each step was added at the portal."""
    return [times for (operation, _), times in (await stage.effects()).items() if operation == "progress"]


async def ended(stage: Desk, delivery: str) -> Any:
    """Wait for the end of a delivery."""
    found = await stage.gateway.deliveries.wait(delivery, 20)
    assert found is not None
    assert found.final, found
    return await detail(stage, delivery)


async def update(stage: Desk, code: str, **fields: object) -> None:
    """Let somebody else change a dossier at the portal."""
    portal = Portal(stage.mocks, f"{URL}/portal")
    await portal.log_in()
    answer = await portal.update(dossier(code, **fields))
    assert "thành công" in answer.text


async def detail(stage: Desk, delivery: str) -> Any:
    """Return a delivery with its attempts."""
    return (await stage.client.get(f"/v1/deliveries/{delivery}")).json()


async def _states(stage: Desk) -> set[str]:
    listed = (await stage.client.get("/v1/deliveries", params={"limit": 50})).json()["deliveries"]
    return {one["state"] for one in listed}


async def test_a_session_that_ends_between_two_calls_is_renewed_and_nobody_notices(
    app: MockApp, tmp_path: Path
) -> None:
    """The call that met it is sent again with a new session; no other call fails, however long the old one was kept."""
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PLAIN))
        await stage.fault("session_expired")
        again = await stage.put(UNIT, body(PROCESSING))
        tried = await detail(stage, again.json()["id"])
        next_one = await detail(stage, (await stage.put(OTHER, body(PLAIN))).json()["id"])
    assert again.json()["state"] == "settled"
    assert [one["kind"] for one in tried["tried"]] == ["credential_refused", None]
    assert (next_one["state"], next_one["attempts"]) == ("settled", 1)


async def test_progress_whose_answer_is_lost_is_a_persons_and_is_never_sent_twice(app: MockApp, tmp_path: Path) -> None:
    """The part in doubt waits for a word; with it the rest follows, and each step is there once."""
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PLAIN))
        await stage.fault("ack_lost", **{"for": {"operation": "progress"}, "with": {"seconds": 1}})
        asked = (await stage.progress(UNIT, many(12))).json()
        assert (asked["state"], asked["asks"], asked["attempts"]) == ("needs_person", "may_have_acted", 1)
        assert asked["next"]
        assert await added(stage) == [1] * 10
        await stage.gateway.store.switches.pause("portal", by="admin", why="thử")
        path = f"/v1/deliveries/{asked['id']}/resolve"
        said = await stage.client.post(path, json={**WORD, "outcome": "done"})
        assert said.status_code == 200, said.text
        assert "recorded" in said.json()["summary"]  # and not that nothing could be sent
        assert said.json()["asks"] is None
        assert "recorded" in (await stage.follow(UNIT))["standing"]["sentence"]
        await stage.gateway.store.switches.resume("portal", by="admin")
        over = await ended(stage, asked["id"])
        assert await added(stage) == [1] * 12
    assert [one["name"] for one in over["steps"]] == ["progress/0-10", "progress/10-12"]


async def test_a_refused_dossier_holds_up_its_own_progress_and_nothing_else(app: MockApp, tmp_path: Path) -> None:
    """Its progress waits behind it and is not failed; other dossiers pass; once it is corrected the rest follows."""
    async with desk(tmp_path, app, **LISTED) as stage:
        await stage.fault("item_failed")
        refused = (await stage.put(UNIT, body(PLAIN))).json()
        assert refused["state"] == "rejected"
        behind = (await stage.progress(UNIT, many(1), wait=None)).json()
        passes = (await stage.put(OTHER, body(PLAIN))).json()
        assert (behind["state"], passes["state"]) == ("accepted", "settled")
        corrects = {"delivery": refused["id"], "why": "đã sửa"}
        mended = await stage.put(UNIT, body(PROCESSING), corrects=corrects)
        assert mended.json()["state"] == "settled", mended.text
        assert (await ended(stage, behind["id"]))["state"] == "settled"


async def test_a_refusal_that_no_table_knows_is_shown_and_can_be_corrected(app: MockApp, tmp_path: Path) -> None:
    """It is not guessed at: a person is asked, with the portal's own words, and a corrected content takes its place."""
    async with desk(tmp_path, app) as stage:
        await stage.fault("item_failed")
        asked = (await stage.put(UNIT, body(PLAIN))).json()
        assert (asked["state"], asked["failure"]["text"]) == ("needs_person", "Không xử lý được hồ sơ")
        mended = await stage.put(UNIT, body(PROCESSING), corrects={"delivery": asked["id"], "why": "đã sửa"})
        assert mended.json()["state"] == "settled", mended.text
        assert (await stage.effects())["create", UNIT] == 1


async def test_what_decides_how_a_dossier_goes_on_is_what_stands_first(app: MockApp, tmp_path: Path) -> None:
    """A correction is younger than what waits behind it, and comes before it all the same."""
    async with desk(tmp_path, app, **LISTED) as stage:
        await stage.fault("item_failed")
        refused = (await stage.put(UNIT, body(PLAIN))).json()
        await stage.progress(UNIT, many(1), wait=None)
        await stage.fault("busy", until={"count": 99})
        mended = await stage.put(UNIT, body(PLAIN), wait=None, corrects={"delivery": refused["id"], "why": "đã sửa"})
        shown = await stage.follow(UNIT)
    assert shown["standing"]["delivery"] == mended.json()["id"]


async def test_nobody_asks_the_portal_for_another_agencys_dossier(app: MockApp, tmp_path: Path) -> None:
    """Also where it has not come to the portal: who brings progress of it is told what is told of one nobody has."""
    async with desk(tmp_path, app, **LISTED) as stage:
        await stage.fault("item_failed")
        refused = (await stage.put(UNIT, body(PLAIN))).json()
        word = {"officer": "canbo.thu01", "why": "không cần nữa"}
        gone = await stage.client.post(f"/v1/deliveries/{refused['id']}/cancel", json=word)
        assert gone.json()["state"] == "cancelled", gone.text
        async with await stage.another(OTHER_AGENCY) as stranger:
            stage.client, own = stranger, stage.client
            told = await stage.progress(UNIT, many(1), agency=OTHER_AGENCY)
            asked = await stage.told("exchanges?operation=look_up")
            unknown = await stage.progress(OTHER, many(1), agency=OTHER_AGENCY)
            stage.client = own
    assert (told.status_code, asked["exchanges"]) == (404, [])
    assert unknown.status_code == 404
    assert {**told.json(), **ITS_OWN} == {**unknown.json(), **ITS_OWN}


async def test_progress_is_not_called_done_before_all_of_it_is(app: MockApp, tmp_path: Path) -> None:
    """While the second part cannot be sent, the delivery says that the first is there, and is open."""
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PLAIN))
        eleventh = {"key": f"{UNIT}:20260302091000-2"}
        await stage.fault("busy", until={"count": 3}, **{"for": eleventh, "with": {"retry_after": 1}})
        first = (await stage.progress(UNIT, many(12), wait=1)).json()
        assert [one["name"] for one in first["steps"]] == ["progress/0-10"], first
        assert (first["final"], first["may_have_acted"]) == (False, "yes")
        over = await ended(stage, first["id"])
        assert await added(stage) == [1] * 12
    assert len(over["steps"]) == 2


async def test_a_failure_inside_a_success_is_a_failure(app: MockApp, tmp_path: Path) -> None:
    """HTTP 201 with the error further in: nothing was done, and nothing is called done."""
    async with desk(tmp_path, app) as stage:
        await stage.fault("error_in_success", **{"for": {"operation": "create"}})
        found = (await stage.put(UNIT, body(PLAIN))).json()
        tried = await detail(stage, found["id"])
        effects = await stage.effects()
    first = tried["tried"][0]
    assert (first["kind"] is not None, found["state"] == "settled") == (True, bool(effects.get(("create", UNIT))))


@pytest.mark.parametrize(
    "dialects",
    [{"error_code": "string", "result": "object"}, {"success": "text"}, {"exists": "text"}, {"exists": "-3"}],
    ids=str,
)
async def test_however_the_portal_says_it_the_dossier_is_there_once(
    app: MockApp, tmp_path: Path, dialects: dict[str, str]
) -> None:
    """Numbers or texts, lists or objects, JSON or plain text: create, "exists", update and look-up end the same way."""
    async with desk(tmp_path, app) as stage:
        await stage.told("dialects", {"portal": dialects}, "PATCH")
        await stage.bring(UNIT)
        found = (await stage.put(UNIT, body(PROCESSING))).json()
        there = (await stage.look_up(UNIT)).json()
    assert [(one["name"], one["ending"]) for one in found["steps"]] == [("create", "exists"), ("update", "done")]
    assert (found["state"], there["found"]) == ("settled", True)


async def test_where_portal_and_province_disagree_both_are_shown_and_ours_can_be_said_again(
    app: MockApp, tmp_path: Path
) -> None:
    """What the portal has, asked now, beside what was handed in here; a new delivery brings the two together."""
    async with desk(tmp_path, app) as stage:
        await stage.put(UNIT, body(PROCESSING))
        await update(stage, UNIT, TrangThaiHoSo="9")
        theirs, ours = (await stage.look_up(UNIT)).json(), await stage.follow(UNIT)
        await stage.put(UNIT, body(PROCESSING))
        stored = await stage.stored(UNIT)
    assert (theirs["dossier"]["status"], ours["dossier"]["status"]) == (9, 4)
    assert stored["content"]["TrangThaiHoSo"] == "4"


async def test_a_portal_that_hangs_keeps_nobody_waiting(app: MockApp, tmp_path: Path) -> None:
    """What is handed in is taken at once; a question is answered within its deadline; both are explained."""
    async with desk(tmp_path, app) as stage:
        await stage.fault("hang", until={"count": 50}, **{"with": {"seconds": 4}})
        taken = await stage.put(UNIT, body(PLAIN), wait=None)
        asked = await stage.look_up(OTHER, wait=1)
        assert (taken.status_code, asked.status_code) == (202, 503)
        assert taken.json()["summary"]
        assert asked.json()["detail"]
        await stage.told("faults", None, "DELETE")
        assert (await ended(stage, taken.json()["id"]))["state"] == "settled"


async def test_what_was_left_behind_is_set_going_with_one_request(app: MockApp, tmp_path: Path) -> None:
    """Dossiers that were refused while the portal was wrong go up without a hand for each."""
    codes = [f"H99.5-260302-{number:04}" for number in range(100, 105)]
    async with desk(tmp_path, app, **LISTED) as stage:
        await stage.fault("item_failed", until={"count": len(codes)})
        for code in codes:
            assert (await stage.put(code, body(PLAIN))).json()["state"] == "rejected"
        chosen = {"system": "portal", "states": ["rejected"]}
        asked = {"officer": "canbo.thu01", "why": "Cổng đã sửa", "filter": chosen, "per_second": 100}
        made = await stage.client.post("/v1/replays", json=asked)
        assert made.status_code in {200, 201, 202}, made.text
        async with asyncio.timeout(30):
            while await _states(stage) != {"settled"}:
                await asyncio.sleep(0.05)
        effects = await stage.effects()
    assert [effects.get(("create", code)) for code in codes] == [1] * len(codes)
