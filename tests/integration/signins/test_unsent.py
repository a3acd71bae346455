"""What becomes of a sign-in where nothing could be sent: the code was not used, but no browser waits for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from contracts.model import Layer, NotSent
from tests.support.signins import GATEWAY, VENDOR, bench, heading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from adapters.transport import Transport
    from contracts.model import Exchange
    from tests.support.signins import Bench, Browser

CALLBACK = f"{GATEWAY}/sign-ins/callback"
UNAVAILABLE = "Chưa kết nối được để đăng nhập"
BEGIN_AGAIN = "Chưa đăng nhập được"
BEFORE = ("discover", "keys")
"""Steps that need no code, and so come before it is used up."""
AFTER = ("exchange_code", "userinfo")
STEPS = (*BEFORE, *AFTER)
MOST = 3
"""Attempts that the policy allows."""


@dataclass
class Line:
    """Stands between the gateway and the door, and lets no byte through where it is cut."""

    inner: Transport
    cut: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    held: asyncio.Event | None = None
    """Until this is set nothing comes through."""

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        """Let a message pass, or fail before anything left."""
        name = exchange.operation.name
        self.tried[name] += 1
        if self.held is not None:
            await self.held.wait()
        if self.cut[name]:
            self.cut[name] -= 1
            raise NotSent("connection_failed", operation=exchange.operation, layer=Layer.NETWORK)
        return await self.inner.send(request, exchange)


@pytest.fixture
def lines() -> list[Line]:
    return []


@pytest.fixture
def cutting(lines: list[Line]) -> Callable[[Transport], Transport]:
    """Return what puts the line between the gateway and the door."""

    def put(inner: Transport) -> Transport:
        lines.append(Line(inner))
        return lines[0]

    return put


async def at_the_callback(one: Bench, *, warm: bool = False) -> tuple[dict[str, Any], Browser, str]:
    """Bring a browser to the gateway's door again. `warm`: the door's addresses and keys have been asked for before."""
    if warm:
        await one.signed_in()
    made, browser = await one.make(), one.browser()
    return made, browser, await browser.follow(made["start_url"], CALLBACK)


async def begins_again(one: Bench, made: dict[str, Any], browser: Browser, callback: str) -> None:
    """Check that it is over with a page that says so and leads back, that it stays so, and that it is counted once."""
    for _ in range(2):
        answer = await browser.open(callback)
        assert (answer.status_code, heading(answer)) == (503, BEGIN_AGAIN)
        assert (
            f'<a href="{VENDOR}?sign_in={made["id"]}&amp;outcome=unavailable">Quay lại trang dịch vụ công'
            in answer.text
        )
        assert "Thử đăng nhập lại" not in answer.text
    row = await one.row(made["id"])
    assert (row["state"], row["outcome"], row["person"], row["pending"]) == ("failed", "unavailable", None, None)
    assert one.counted()["unavailable"] == 1


async def goes_on(one: Bench, made: dict[str, Any], browser: Browser, callback: str) -> None:
    """Check that nothing is over yet: the page leads to the same sign-in, and the code is not used."""
    answer = await browser.open(callback)
    assert (answer.status_code, heading(answer)) == (503, UNAVAILABLE)
    assert f'<a href="{made["start_url"]}">Thử đăng nhập lại</a>' in answer.text
    assert (await one.row(made["id"]))["state"] == "started"


@pytest.mark.parametrize("step", STEPS)
async def test_what_was_not_sent_is_tried_once_more(
    tmp_path: Path, lines: list[Line], cutting: Callable[[Transport], Transport], step: str
) -> None:
    """At every step: one connection that does not come about is no reason to send anybody away."""
    async with bench(tmp_path, "standard", transport=cutting) as one:
        lines[0].cut[step] = 1
        assert (await one.claim(await one.signed_in())).status_code == 200
        assert lines[0].tried[step] == 2
        assert await one.ledger("token") == ["issued"]


@pytest.mark.parametrize("step", STEPS)
async def test_what_cannot_be_sent_ends_within_the_deadline(
    tmp_path: Path, lines: list[Line], cutting: Callable[[Transport], Transport], step: str
) -> None:
    """Before the code is used the sign-in goes on, and ends in time; after that it is over, with the way back."""
    async with bench(tmp_path, "standard", transport=cutting) as one:
        line = lines[0]
        made, browser, callback = await at_the_callback(one)
        if step == "discover":
            one.gateway.vneid._providers._held = None  # type: ignore[union-attr]  # as after a restart
        line.cut[step], line.tried[step] = 99, 0
        await (goes_on if step in BEFORE else begins_again)(one, made, browser, callback)
        assert line.tried[step] == MOST
        assert await one.ledger("token") == (["issued"] if step == "userinfo" else [])
        line.cut.clear()
        if step in BEFORE:
            assert (await one.claim((await browser.open(callback)).headers["location"])).status_code == 200
        else:
            assert (await one.claim(await one.signed_in(browser))).status_code == 200


@pytest.mark.parametrize("warm", [False, True])
async def test_a_stop_switch_amid_a_sign_in_keeps_nobody_waiting(tmp_path: Path, warm: bool) -> None:  # noqa: FBT001
    """While keys are missing it goes on and its code is good afterwards; with them the code is refused, and it ends."""
    async with bench(tmp_path) as one:
        made, browser, callback = await at_the_callback(one, warm=warm)
        used = await one.ledger("token")
        await one.gateway.store.switches.pause("vneid", by="test", why="thử")
        await (begins_again if warm else goes_on)(one, made, browser, callback)
        assert await one.ledger("token") == used
        await one.gateway.store.switches.resume("vneid", by="test")
        if not warm:
            assert (await one.claim((await browser.open(callback)).headers["location"])).status_code == 200


async def test_a_breaker_that_opens_amid_a_sign_in_keeps_nobody_waiting(
    tmp_path: Path, lines: list[Line], cutting: Callable[[Transport], Transport]
) -> None:
    """The failure that opens it is not followed by another, and what it refuses is not sent: both are over."""
    breaker = {"failures": 1, "sample": 1, "share": 0.1, "probe_seconds": 3600}
    async with bench(tmp_path, transport=cutting, policy={"breaker": breaker}) as one:
        first, second = [await at_the_callback(one, warm=warm) for warm in (True, False)]
        lines[0].cut["exchange_code"], lines[0].tried["exchange_code"] = 99, 0
        await begins_again(one, *first)
        answer = await second[1].open(second[2])
        assert (answer.status_code, heading(answer)) == (503, BEGIN_AGAIN)
        assert lines[0].tried["exchange_code"] == 1
        assert one.counted()["unavailable"] == 2


async def test_whoever_finds_no_place_keeps_the_code_and_whoever_gave_theirs_finishes(
    tmp_path: Path, lines: list[Line], cutting: Callable[[Transport], Transport]
) -> None:
    """A gateway that is full turns browsers away before their code is used up: the same callback is good afterwards."""
    full = {"slots": 1, "room": 1, "wait_seconds": 0.2}
    async with bench(tmp_path, transport=cutting, policy={"bulkhead": full}) as one:
        first, second = [await at_the_callback(one, warm=warm) for warm in (True, False)]
        lines[0].held = asyncio.Event()
        entering = asyncio.create_task(first[1].open(first[2]))
        async with asyncio.timeout(20):
            while (await one.row(first[0]["id"]))["state"] != "returning":
                await asyncio.sleep(0.01)
        await goes_on(one, *second)
        lines[0].held.set()
        for location in ((await entering).headers["location"], (await second[1].open(second[2])).headers["location"]):
            assert (await one.claim(location)).status_code == 200
        assert one.counted() == {"claimed": 2}


async def test_a_deadline_that_is_gone_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no time left for the exchange nothing is sent, and the sign-in is over."""
    async with bench(tmp_path) as one:
        found = await at_the_callback(one, warm=True)
        assert one.gateway.signins is not None
        short = one.gateway.settings.signins.model_copy(update={"exchange_seconds": 0.2})
        monkeypatch.setattr(one.gateway.signins, "_settings", short)
        await begins_again(one, *found)
        assert await one.ledger("token") == ["issued"]
