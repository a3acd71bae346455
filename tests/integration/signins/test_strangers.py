"""What anybody can have the gateway do who has nothing to show: little, and as often as the operator allows."""

from __future__ import annotations

import uuid
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tests.support.signins import GATEWAY, bench, heading

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.stores import Place

UNKNOWN = "Không tìm thấy lần đăng nhập này"
LEFT = "Đã đăng xuất"
BUSY = "Có quá nhiều lượt truy cập"
LIMIT = 6
asked: ContextVar[int] = ContextVar("asked", default=0)
"""One in what this test asks for, and none in what the gateway does beside it."""


async def test_what_is_made_up_costs_one_look_and_nothing_at_the_door(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids, states and codes that nobody was given, of any form: at most one indexed read each, and no write."""
    async with bench(tmp_path, "standard", store=place.given()) as one:
        cost = {"read": 0, "write": 0}
        engine = one.gateway.store.engine
        browser, some = one.browser(), str(uuid.uuid4())
        ids = (some, some.upper(), "x", "%00", f"{some}%00", "%f0%9f", "%ed%a0%80", "a" * 4000, "callback%20", "..%2fx")

        def counting(name: str) -> Any:
            real = getattr(engine, name)

            async def counted(work: Any, **how: Any) -> Any:
                cost[name] += asked.get()
                return await real(work, **how)

            return counted

        with monkeypatch.context() as patched:
            asked.set(1)
            for name in cost:
                patched.setattr(engine, name, counting(name))
            for made_up in ids:
                for path, titles in (
                    (made_up, {UNKNOWN, "Không có trang này"}),
                    (f"{made_up}/leave?code={made_up}", {UNKNOWN, "Không có trang này"}),
                    (f"callback?state={made_up}&code=x", {UNKNOWN}),
                    (f"left?state={made_up}", {LEFT}),
                ):
                    before = dict(cost)
                    answer = await browser.open(f"{GATEWAY}/sign-ins/{path}")
                    assert heading(answer) in titles, path
                    assert cost["read"] - before["read"] <= 1, path
                    assert cost["write"] == before["write"], path
        for made_up in ids:
            for path in ("claim", "logout"):
                answer = await one.ask(f"/{made_up}/{path}", **({"code": "x"} if path == "claim" else {}))
                assert answer.status_code == 404, (made_up, answer.text)
        assert [await one.ledger(name) for name in ("discovery", "jwks", "token")] == [[], [], []]
        assert (await engine.read(indexed)) or place.postgres


async def indexed(tx: Any) -> bool:
    """Return whether both ways to look for a sign-in use an index. Asked of SQLite alone: both have the same."""
    if tx.passing_over:
        return False
    plan = "EXPLAIN QUERY PLAN SELECT * FROM sign_in WHERE"
    plans = [await tx.fetch(f"{plan} {by} = $1", "x") for by in ("id", "state_mac")]
    return all("USING INDEX" in str(tuple(row)[-1]) for plan in plans for row in plan)


async def test_an_address_opens_no_more_pages_than_it_may(tmp_path: Path) -> None:
    """Where a limit is set: then a page that says when to come back, counted; what has a key is not touched by it."""
    async with bench(tmp_path, pages_per_minute=LIMIT) as one:
        browser = one.browser()
        for _ in range(LIMIT):
            assert heading(await browser.open(f"{GATEWAY}/sign-ins/left")) == LEFT
        made = await one.make()
        for address in (made["start_url"], f"{GATEWAY}/sign-ins/callback?state=x", f"{made['start_url']}/leave"):
            answer = await browser.open(address)
            assert (answer.status_code, heading(answer)) == (429, BUSY)
            assert 0 < int(answer.headers["retry-after"]) <= 60 / LIMIT
        assert (await one.row(made["id"]))["state"] == "made"
        told = (await one.vendor.get("/metrics")).text
        assert 'lienthong_turned_away_total{reason="too_many_visits"} 3.0' in told


async def test_without_a_limit_there_is_none(tmp_path: Path) -> None:
    """Unless it is set: thousands may sit behind one address."""
    async with bench(tmp_path) as one:
        browser = one.browser()
        assert {(await browser.open(f"{GATEWAY}/sign-ins/left")).status_code for _ in range(50)} == {200}
