"""What a browser is shown that is turned away: the plain page, whatever turned it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.store import StoreUnavailable, Trouble
from tests.support.signins import GATEWAY, bench, heading

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    import pytest

NOT_FOUND = "Không có trang này"
NOT_SO = "Không mở được trang theo cách này"
UNAVAILABLE = "Chưa kết nối được để đăng nhập"
BROKEN = "Cổng đang gặp lỗi"


def is_a_page(answer: httpx.Response, status: int, title: str) -> None:
    """Check that a person is told this, on a page that can do nothing, with an id to read out."""
    assert (answer.status_code, heading(answer)) == (status, title)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'none'; frame-ancestors 'none'; base-uri 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-correlation-id"] in answer.text


async def test_a_wrong_address_or_method_is_a_page_for_browsers_and_a_document_for_software(tmp_path: Path) -> None:
    """Below `/sign-ins` whatever is not there is told to a person; `/v1/sign-ins` and the rest stay as they are."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        for path in ("", "/", f"/{made['id']}/x", f"/{made['id']}/leave/", "/callback/x", "/a/b/c"):
            is_a_page(await browser.open(f"{GATEWAY}/sign-ins{path}"), 404, NOT_FOUND)
        for path in ("/callback", "/left", f"/{made['id']}", f"/{made['id']}/leave"):
            answer = await browser.open(f"{GATEWAY}/sign-ins{path}", method="POST", content=b"x")
            is_a_page(answer, 405, NOT_SO)
            assert answer.headers["allow"] == "GET"
        english = await browser.open(f"{GATEWAY}/sign-ins/a/b", headers={"Accept-Language": "en"})
        assert heading(english) == "There is no such page"
        assert (await one.row(made["id"]))["state"] == "made"
        for path in ("/v1/sign-ins/x/y", "/v1/sign-ins", "/sign-insx", "/"):
            answer = await one.vendor.get(path)
            assert answer.headers["content-type"] == "application/problem+json", path


async def test_a_store_that_is_away_and_a_defect_are_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each address of a browser; when it is worth coming back is told; and nothing has changed afterwards."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        callback = await browser.follow(made["start_url"], f"{GATEWAY}/sign-ins/callback")
        addresses = (
            made["start_url"],
            callback,
            f"{made['start_url']}/leave?code=x",
            f"{GATEWAY}/sign-ins/left?state=x",
        )

        async def away(*_: Any, **__: Any) -> None:
            raise StoreUnavailable(Trouble.BROKEN)

        async def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError

        for what, status, title in ((away, 503, UNAVAILABLE), (broken, 500, BROKEN)):
            with monkeypatch.context() as patched:
                patched.setattr(one.gateway.store.engine, "read", what)
                for address in addresses:
                    answer = await browser.open(address)
                    is_a_page(answer, status, title)
                    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)
        assert await one.ledger("token") == []
        assert (await browser.open(callback)).is_redirect


async def test_a_gateway_without_sign_ins_has_no_pages(tmp_path: Path) -> None:
    """What is not set up here is told to a person as well."""
    async with bench(tmp_path) as one:
        one.gateway.signins = None
        is_a_page(await one.browser().open(f"{GATEWAY}/sign-ins/callback?state=x"), 404, NOT_FOUND)
