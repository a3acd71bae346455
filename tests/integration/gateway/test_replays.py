from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from contracts.model import AgencyCode
from gateway.security import Client, Scope
from tests.support.desk import OTHER, Desk, desk, knock
from tests.support.gateways import AGENCY

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.support.mocks import Mocks

WHO = {"officer": "canbo.thu01", "why": "Đối tác đã khắc phục sự cố"}
SLOW = 0.001
PARTNER = {"system": "partner"}
_STUCK = """
UPDATE delivery SET state = 'needs_person', why = 'time_limit', kind = 'system_failed' WHERE state = 'accepted'
"""
_PARK = "UPDATE lane SET parked = 'needs_person', ready_at = NULL WHERE head IS NOT NULL"


async def stuck(one: Desk, many: int, *, first: int = 1) -> None:
    """Have writes accepted and then left to a person, as after days without the partner; it stays paused."""
    await one.pause()
    for number in range(first, first + many):
        answer = await one.register(f"H-{number}", wait=None)
        assert answer.status_code == 202, answer.text
    for statement in (_STUCK, _PARK):
        await one.gateway.store.engine.write(lambda tx, statement=statement: tx.execute(statement))  # type: ignore[misc]


async def order(one: Desk, **fields: Any) -> httpx.Response:
    """Ask for a replay of everything that needs a person."""
    return await one.client.post("/v1/replays", json={**WHO, "filter": PARTNER, "per_second": SLOW, **fields})


async def say(one: Desk, replay: str, what: str) -> httpx.Response:
    """Pause a replay, resume it or take it back."""
    return await one.client.post(f"/v1/replays/{replay}/{what}", json={"officer": "truc.ban", "why": "hỏi lại"})


async def beside(one: Desk, *agencies: str, scopes: frozenset[Scope] = frozenset(Scope)) -> Desk:
    """Return another client of the same gateway."""
    client = Client(name="khac", scopes=scopes, agencies=frozenset(map(AgencyCode, agencies)))
    return await knock(one.gateway, client, one.mocks, one.namespace)


async def test_counting_first_changes_nothing(tmp_path: Path, mocks: Mocks) -> None:
    """`dry_run` says how many would be chosen, by operation and by reason; there is no replay afterwards."""
    async with desk(tmp_path, mocks) as one:
        await stuck(one, 3)
        counted = await order(one, dry_run=True)
        narrowed = await order(one, dry_run=True, filter={**PARTNER, "asks": "interrupted"})
        listed = (await one.client.get("/v1/replays")).json()
    assert counted.status_code == 200
    assert counted.json() == {"chosen": 3, "by_operation": {"register": 3}, "by_reason": {"time_limit": 3}}
    assert (narrowed.json()["chosen"], listed) == (0, {"replays": [], "next_cursor": None})


async def test_many_are_sent_again_and_take_effect_once(tmp_path: Path, mocks: Mocks) -> None:
    """201 with its place; while the system is paused it waits and says so; then it goes on to the end by itself."""
    async with desk(tmp_path, mocks) as one:
        await stuck(one, 5)
        made = await order(one, per_second=100)
        replay = made.json()
        assert (made.status_code, made.headers["location"]) == (201, f"/v1/replays/{replay['id']}")
        assert (replay["state"], replay["waits_for"], replay["counts"]["left"]) == ("running", "stop_switch", 5)
        assert replay["summary"] == "The replay waits because the system is paused."
        await one.resume()
        while replay["counts"]["settled"] < 5:
            await asyncio.sleep(0.02)
            replay = (await one.client.get(made.headers["location"])).json()
        deliveries = (await one.client.get("/v1/deliveries?state=settled")).json()["deliveries"]
        (ruling,) = (await one.client.get(f"/v1/deliveries/{deliveries[0]['id']}")).json()["decided"]
        assert one.effects()["register"] == 5
    assert (replay["state"], replay["next"]) == ("done", None)
    assert replay["counts"] == {
        "chosen": 5, "left": 0, "set_going": 5, "under_way": 0, "settled": 5, "came_back": 0, "withdrawn": 0,
        "refused": [],
    }  # fmt: skip
    assert (ruling["by"], ruling["why"]) == ("motcua/canbo.thu01", f"{WHO['why']} (replay {replay['id']})")


async def test_a_person_steers_it(tmp_path: Path, mocks: Mocks) -> None:
    """Pause, resume, cancel, each with who and why; what cannot be done says so."""
    async with desk(tmp_path, mocks) as one:
        await stuck(one, 2)
        replay = (await order(one)).json()["id"]
        twice = await order(one)
        paused = (await say(one, replay, "pause")).json()
        resumed = (await say(one, replay, "resume")).json()
        cancelled = (await say(one, replay, "cancel")).json()
        late = await say(one, replay, "resume")
        unknown = await say(one, "khong-co", "pause")
        changes = await one.gateway.store.audit.changes(limit=3)
    assert (twice.status_code, twice.json()["reason"]) == (409, "replay_another_runs")
    assert (paused["state"], paused["state_why"], paused["next"]) == (
        "paused",
        "hỏi lại",
        "Resume it, or cancel what is left.",
    )
    assert (resumed["state"], cancelled["state"], cancelled["counts"]["left"]) == ("running", "cancelled", 2)
    assert (late.status_code, late.json()["reason"]) == (409, "replay_finished")
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "replay_no_such_replay")
    assert [(change.by, change.what) for change in changes] == [
        ("motcua/truc.ban", f"replay.{what}") for what in ("cancel", "resume", "pause")
    ]


async def test_a_key_reaches_its_agencies_only(tmp_path: Path, mocks: Mocks) -> None:
    """Another agency's deliveries are not chosen, and a replay over them is not there for that key."""
    async with desk(tmp_path, mocks) as one:
        await stuck(one, 2)
        other = await beside(one, OTHER)
        foreign = await order(other, dry_run=True)
        nothing = await order(other)
        named = await order(other, filter={**PARTNER, "agency": AGENCY})
        replay = (await order(one)).json()["id"]
        seen = await other.client.get(f"/v1/replays/{replay}")
        listed = (await other.client.get("/v1/replays")).json()["replays"]
        stopped = [await say(other, replay, what) for what in ("pause", "resume", "cancel")]
        still = (await one.client.get(f"/v1/replays/{replay}")).json()["state"]
    assert (foreign.json()["chosen"], listed, still) == (0, [], "running")
    assert (nothing.status_code, nothing.json()["reason"]) == (409, "replay_nothing_chosen")
    assert (named.status_code, named.json()["reason"]) == (404, "agency_unknown")
    assert {(each.status_code, each.json()["reason"]) for each in (seen, *stopped)} == {(404, "replay_no_such_replay")}


async def test_whoever_only_reads_sends_nothing_again(tmp_path: Path, mocks: Mocks) -> None:
    """Each of it needs the scope to operate deliveries."""
    async with desk(tmp_path, mocks) as one:
        await stuck(one, 1)
        replay = (await order(one)).json()["id"]
        reader = await beside(one, AGENCY, scopes=frozenset(Scope) - {Scope.DELIVERIES_OPERATE})
        answers = [
            await order(reader),
            await order(reader, dry_run=True),
            await reader.client.get("/v1/replays"),
            await reader.client.get(f"/v1/replays/{replay}"),
            *[await say(reader, replay, what) for what in ("pause", "resume", "cancel")],
        ]
    assert {(each.status_code, each.json()["reason"]) for each in answers} == {(403, "scope_missing")}


async def test_every_wrong_field_is_named(tmp_path: Path, mocks: Mocks) -> None:
    """A rule that could never stop anything is one of them; a system that is not here is none."""
    async with desk(tmp_path, mocks) as one:
        filter_ = {**PARTNER, "states": [], "accepted_from": "2026-01-05T09:00:00", "agency": "h99", "ten": 1}
        wrong = await order(one, filter=filter_, per_second=0, stop={"above": 5, "of": 5})
        elsewhere = await order(one, filter={"system": "other"})
        beyond = await one.client.get("/v1/replays?cursor=x&limit=-1")
    assert wrong.status_code == 422
    assert {error["pointer"] for error in wrong.json()["errors"]} == {
        "/filter/states",
        "/filter/accepted_from",
        "/filter/agency",
        "/filter/ten",
        "/per_second",
        "/stop",
    }
    assert "Such a rule never stops anything" in wrong.text
    assert (elsewhere.status_code, elsewhere.json()["reason"]) == (404, "system_unknown")
    assert [error["pointer"] for error in beyond.json()["errors"]] == ["limit", "cursor"]


async def test_the_list_is_paged(tmp_path: Path, mocks: Mocks) -> None:
    """The newest first; the cursor of a page leads to the next, and the last page has none."""
    async with desk(tmp_path, mocks) as one:
        await stuck(one, 1)
        await one.pause()  # else the first may have set it going before it is cancelled
        made = []
        for _ in range(3):
            made.append((await order(one)).json()["id"])
            await say(one, made[-1], "cancel")
        first = (await one.client.get("/v1/replays?limit=2")).json()
        second = (await one.client.get(f"/v1/replays?limit=2&cursor={first['next_cursor']}")).json()
    assert [each["id"] for each in (*first["replays"], *second["replays"])] == made[::-1]
    assert second["next_cursor"] is None


async def test_it_says_why_it_stopped_and_what_was_left_alone(tmp_path: Path, mocks: Mocks) -> None:
    """Rejected again at once: it stops by itself, with a sentence; what somebody dealt with is counted by reason."""
    async with desk(tmp_path, mocks) as one:
        for number in range(3):
            await one.register(f"H-{number}")
            assert (await one.register(f"H-{number}", key=f"again-{number}")).json()["state"] == "rejected"
        await one.pause()
        made = await order(one, filter={**PARTNER, "states": ["rejected"]}, stop={"above": 0, "of": 1})
        first = (await one.client.get("/v1/deliveries?state=rejected")).json()["deliveries"][-1]
        await one.client.post(f"/v1/deliveries/{first['id']}/cancel", json=WHO)
        await one.resume()
        replay = made.json()
        while replay["state"] == "running":
            await asyncio.sleep(0.02)
            replay = (await one.client.get(made.headers["location"])).json()
    assert replay["summary"] == (
        "The replay stopped by itself: more than 0 of the last 1 deliveries that came to an end came back."
    )
    assert replay["counts"] == {
        "chosen": 3, "left": 1, "set_going": 1, "under_way": 0, "settled": 0, "came_back": 1, "withdrawn": 0,
        "refused": [
            {
                "reason": "final",
                "deliveries": 1,
                "summary": "The delivery has come to its end and cannot be changed any more.",
            }
        ],
    }  # fmt: skip
