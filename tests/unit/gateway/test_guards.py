from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from gateway.api.guards import Guards, _extend
from tests.support.virtualtime import now, virtual

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

BODY_SECONDS, ANSWER_SECONDS = 10.0, 45.0


async def _answer(
    *, body_after: float, answer_after: float, length: bytes = b"2", path: str = "/v1/x"
) -> tuple[list[Any], float]:
    """Return what a caller is sent whose body takes so long, from an application that takes so long, and when."""
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(body_after)
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        if length != b"0":
            await receive()
        await asyncio.sleep(answer_after)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"reason": "none"}'})

    guards = Guards(
        app,
        max_body_bytes=100,
        body_seconds=BODY_SECONDS,
        answer_seconds=ANSWER_SECONDS,
        turned_away=lambda _reason: None,
    )
    scope = {"type": "http", "path": path, "headers": [(b"content-length", length)]}
    started = now()
    await guards(scope, receive, send)
    return sent, now() - started


async def _reason(*, body_after: float, answer_after: float, length: bytes = b"2") -> tuple[str, float]:
    """Return why a caller was refused, and when."""
    sent, at = await _answer(body_after=body_after, answer_after=answer_after, length=length)
    return json.loads(sent[-1]["body"])["reason"], at


@virtual
async def test_a_body_and_an_answer_have_each_their_own_time() -> None:
    """A slow body ends at its limit; one in time leaves the answer its own; no body, no limit of a body."""
    assert await _reason(body_after=60, answer_after=0) == ("body_too_slow", BODY_SECONDS)
    assert await _reason(body_after=9, answer_after=60) == ("too_slow", ANSWER_SECONDS)
    assert await _reason(body_after=9, answer_after=20) == ("none", 29)
    assert await _reason(body_after=0, answer_after=60, length=b"0") == ("too_slow", ANSWER_SECONDS)


@virtual
async def test_a_browser_is_shown_a_page_where_software_gets_a_document() -> None:
    """Time that is over and a body that is too large, at an address that a person is at."""
    for length, status in ((b"0", 503), (b"101", 413), (b"2", 408)):
        sent, _ = await _answer(body_after=60, answer_after=60, length=length, path="/sign-ins/callback")
        headers = dict(sent[0]["headers"])
        assert sent[0]["status"] == status
        assert headers[b"content-type"] == b"text/html; charset=utf-8"
        assert b"default-src 'none'" in headers[b"content-security-policy"]
        assert (b"connection" in headers) is (status != 503)


@virtual
async def test_time_that_has_run_out_is_not_given_again() -> None:
    """A body that becomes complete in the moment its time runs out is too late, and no defect."""
    try:
        async with asyncio.timeout(1) as limit:
            await asyncio.sleep(0)
            limit._on_timeout()
            _extend(limit, now() + 100)
            await asyncio.sleep(0)
    except TimeoutError:
        assert limit.expired()
    else:
        raise AssertionError("the time was given again")
