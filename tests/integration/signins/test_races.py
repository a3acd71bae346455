"""What comes twice at once, at two gateways or two connections on one store, on each engine: it is done once."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from adapters.vneid import Vneid
from contracts.model import AgencyCode, Layer, NotSent
from gateway.signins import steps
from gateway.signins.policy import Outcome, Refusal, Shown
from gateway.store.tables import instant, signins
from tests.support.signins import ACCOUNT, GATEWAY, bench, doubled, query_of, started

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.assembly import Assembly
    from gateway.store.tables.signins import SignInRow
    from tests.support.signins import Bench
    from tests.support.stores import Place

CALLBACK = f"{GATEWAY}/sign-ins/callback"
HOUR = 3_600_000_000
SOON = 40_000
"""Microseconds in which a claim's time ends: some are made before it, some after."""
MANY = 30
AT_ONCE = 6
FAILURE = NotSent("connection_failed", operation=Vneid.operations.exchange_code, layer=Layer.NETWORK)


async def test_a_callback_at_two_gateways_goes_to_the_door_once(tmp_path: Path, place: Place) -> None:
    """The same browser, at both at the same moment, and again: one exchange, and all are sent to the same place."""
    async with bench(tmp_path, store=place.given()) as one, doubled(one) as other:
        made, browser = await one.make(), one.browser()
        callback = await browser.follow(made["start_url"], CALLBACK)
        await one.fault("latency", "token", seconds=0.3)
        answers = await asyncio.gather(*(browser.open(callback) for _ in range(AT_ONCE)))
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert await one.ledger("token") == ["issued"]
        assert (await one.claim(answers[0].headers["location"])).status_code == 200
        assert counted(one, one.counted(other)) == {"claimed": 1}


async def test_a_claim_at_two_gateways_is_one_person(tmp_path: Path, place: Place) -> None:
    """Its client gets the same answer each time, counted once; another client gets nothing, whoever is first."""
    async with bench(tmp_path, store=place.given()) as one:
        thief = await one.client("khac")
        async with doubled(one) as other:
            for _ in range(3):
                back = await one.signed_in()
                claims = [one.claim(back, *((thief,) if which % 2 else ())) for which in range(2 * AT_ONCE)]
                answers = await asyncio.gather(*claims)
                assert {answer.status_code for answer in answers[::2]} == {200}
                assert len({answer.text for answer in answers[::2]}) == 1
                assert {answer.status_code for answer in answers[1::2]} == {404}
            assert counted(one, one.counted(other)) == {"claimed": 3}


async def test_a_log_out_at_two_gateways_ends_each_thing_once(tmp_path: Path, place: Place) -> None:
    """Tokens and the linked session are ended once; each answer has the same page to leave by, or waits for it."""
    async with bench(tmp_path, store=place.given()) as one, doubled(one):
        back = await one.signed_in()
        await one.claim(back)
        await one.fault("latency", "revoke", seconds=0.3)
        path = f"/{query_of(back)['sign_in']}/logout"
        answers = [answer.json() for answer in await asyncio.gather(*(one.ask(path) for _ in range(AT_ONCE)))]
        assert await one.ledger("revoke") == ["revoked"]
        assert await one.ledger("idp_logout") == ["ended"]
        assert Counter((answer["tokens"], answer["linked"]) for answer in answers) == {
            ("ended", "ended"): 1,
            ("none", "none"): AT_ONCE - 1,
        }
        assert len({answer["leave_url"] for answer in answers}) == 1
        assert answers[0]["leave_url"] is not None


async def test_a_log_out_that_was_cut_off_is_done_by_the_next(tmp_path: Path, place: Place) -> None:
    """What a process that died had begun is begun anew when its time is over, and only then."""
    async with bench(tmp_path, store=place.given(), exchange_seconds=1) as one:
        back = await one.signed_in()
        await one.claim(back)
        sign_in = query_of(back)["sign_in"]
        lease = 60_000_000
        assert await one.gateway.store.engine.write(partial(signins.take_leave, sign_in, lease))
        assert not await one.gateway.store.engine.write(partial(signins.take_leave, sign_in, lease))
        await one.move(61)
        assert (await one.ask(f"/{sign_in}/logout")).json()["tokens"] == "ended"
        assert await one.ledger("revoke") == ["revoked"]


async def test_a_log_out_that_waits_for_another_in_vain_says_that_it_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells nobody that there was nothing to end, and asks nothing of the door; a later one ends it."""
    async with bench(tmp_path) as one:
        back = await one.signed_in()
        await one.claim(back)
        sign_in = query_of(back)["sign_in"]
        assert await one.gateway.store.engine.write(partial(signins.take_leave, sign_in, 60_000_000))
        assert one.gateway.signins is not None
        times = iter((0.0,))
        with monkeypatch.context() as patched:
            patched.setattr(one.gateway.signins.way_out, "_clock", lambda: next(times, 3600.0))
            out = (await one.ask(f"/{sign_in}/logout")).json()
        assert out == {"tokens": "failed", "linked": "failed", "leave_url": None}
        assert await one.ledger("revoke") == []
        await one.move(61)
        assert (await one.ask(f"/{sign_in}/logout")).json()["tokens"] == "ended"


@pytest.mark.parametrize("came", ["denied", "failed", "kept"])
async def test_whoever_comes_at_the_moment_of_the_sweep_is_counted_once(place: Place, came: str) -> None:
    """A browser that is just coming back, or whose exchange is just done, and the sweep: one of them ends it."""
    async with place.opened() as store, place.opened(serving=False) as other:
        rows = [await at_the_door(store, returning=came != "denied") for _ in range(MANY)]
        await store.engine.write(partial(instant.move, HOUR + 1))
        swept: list[Outcome | None] = []
        came_in: list[bool] = []

        async def sweeps() -> None:
            swept.extend(await store.engine.write(partial(steps.sweep, "vneid", 3)))

        async def browses(row: SignInRow) -> None:
            came_in.append(await comes(other, row, came))

        await asyncio.gather(*(work for row in rows for work in (browses(row), sweeps())))
        assert len(swept) + sum(came_in) == MANY
        assert all(swept)
        told = await store.audit.recent(limit=2 * MANY, agencies=[AgencyCode(ACCOUNT.agency)])
        assert sorted(entry.call_id for entry in told) == sorted(row.id for row in rows)


async def test_whoever_claims_at_the_moment_of_the_sweep_is_counted_once(place: Place) -> None:
    """While their time ends, persons are handed over or forgotten, and each sign-in is counted as one of the two."""

    def right(_: Any) -> Shown:
        return Shown(client=True, code=True, session=True)

    def outcome(_: Any) -> Outcome:
        return Outcome.CLAIMED

    async with place.opened() as store, place.opened(serving=False) as other:
        rows = [await at_the_door(store, returning=True) for _ in range(MANY)]
        for row in rows:
            await store.engine.write(partial(signins.keep, row.id, b"who", b"t", "s", SOON, HOUR))

        async def claims(row: SignInRow, number: int) -> bool:
            work = partial(steps.claimed, row.id, right, outcome, HOUR, f"call-{number}", "vneid")
            taken = await other.engine.write(work)
            return not isinstance(taken, Refusal) and taken.first is Outcome.CLAIMED

        claimed = sum(await asyncio.gather(*(claims(row, number) for number, row in enumerate(rows * 2))))
        swept = await sweeping(store)
        await store.engine.write(partial(instant.move, SOON))
        swept += await sweeping(store)
        assert claimed + swept.count(Outcome.NEVER_CLAIMED) == MANY


def counted(one: Bench, others: dict[str, float]) -> dict[str, float]:
    """Return how sign-ins ended, at both gateways together."""
    return dict(Counter(one.counted()) + Counter(others))


async def at_the_door(store: Assembly, *, returning: bool) -> SignInRow:
    """Return a sign-in whose browser is at the door, or has come back and is being looked at."""
    sign_in = await started(store, HOUR)
    if returning:
        assert await store.engine.write(partial(signins.consume, sign_in, HOUR))
    found = await store.engine.read(partial(signins.get, sign_in))
    assert found is not None
    return found


async def comes(store: Assembly, row: SignInRow, came: str) -> bool:
    """Do what a browser that comes, or its exchange, does last. Returns whether that was the end."""
    if came == "denied":
        return await store.engine.write(partial(steps.denied, row, Outcome.DENIED, None, "vneid"))
    if came == "failed":
        return await store.engine.write(partial(steps.failed, row, Outcome.UNAVAILABLE, FAILURE, "vneid"))
    return await store.engine.write(partial(steps.kept, row, b"who", b"t", "s", HOUR, HOUR, "vneid"))


async def sweeping(store: Assembly) -> list[Outcome | None]:
    """Sweep in small pieces until nothing is left; return how each sign-in ended."""
    ended: list[Outcome | None] = []
    for _ in range(MANY):
        ended += await store.engine.write(partial(steps.sweep, "vneid", 3))
    return ended
