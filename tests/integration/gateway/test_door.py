from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
import trustme
import uvicorn

from gateway import server
from gateway.api.app import create_app
from tests.support.gateways import QUESTION, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.runtime import Gateway


async def test_unknown_addresses_and_methods_are_problem_documents(tmp_path: Path) -> None:
    """404 and 405 look like every other problem, and carry a correlation id."""
    async with running(tmp_path) as run:
        missing = await run.client.get("/v2/citizens")
        method = await run.client.get("/v1/citizens/verify")
        system = await run.client.get("/v1/systems/cadastre")
    for answer, status in ((missing, 404), (method, 405), (system, 404)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]
    assert method.headers["allow"] == "POST"  # RFC 9110 §15.5.6: a 405 says what would be allowed


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 422),
        (b"", "application/json", 422),
        (b"[" * 50_000, "application/json", 422),
        (b'{"citizen":' * 5_000, "application/json", 422),
        (b'{"citizen": "\xff\xfe"}', "application/json", 422),
        (b" " * 70_000, "application/json", 413),
    ],
)
async def test_a_body_that_is_no_request_is_refused(
    tmp_path: Path, content: bytes, media_type: str, status: int
) -> None:
    """Wrong media type, broken, empty, deep, badly encoded and oversized bodies are refused before anything leaves."""
    async with running(tmp_path) as run:
        answer = await run.client.post("/v1/citizens/verify", content=content, headers={"Content-Type": media_type})
        assert run.partner.seen == []
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_callers_own_id_comes_back_beside_ours(tmp_path: Path) -> None:
    """The caller's id is echoed where it is harmless, and never becomes ours."""
    async with running(tmp_path) as run:
        good = await run.client.get("/healthz", headers={"X-Correlation-Id": "motcua-0001"})
        bad = await run.client.get("/healthz", headers={"X-Correlation-Id": "a b<script>"})
    assert good.headers["x-caller-correlation-id"] == "motcua-0001"
    assert good.headers["x-correlation-id"] != "motcua-0001"
    assert "x-caller-correlation-id" not in bad.headers


async def test_ready_says_whether_calls_would_be_accepted(tmp_path: Path) -> None:
    """`/readyz` is 200 with a store, 503 without; a partner's state does not matter."""
    async with running(tmp_path) as run:
        ready = await run.client.get("/readyz")
        await run.client.post("/v1/systems/population/pause", json={"why": "x"})
        paused = await run.client.get("/readyz")
        await run.gateway.store.close()
        closed = await run.client.get("/readyz")
        healthy = await run.client.get("/healthz")
    assert [answer.status_code for answer in (ready, paused, closed, healthy)] == [200, 200, 503, 200]


async def test_a_defect_of_ours_is_a_problem_document_without_details(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error is 500 with the correlation id and nothing of the error's text."""
    async with running(tmp_path) as run:

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("TRẦN THỊ MẪU")

        monkeypatch.setattr(run.gateway.quotas, "take", broken)
        answer = await run.client.post("/v1/citizens/verify", json=QUESTION)
    assert answer.status_code == 500
    assert answer.json()["reason"] == "internal"
    assert "MẪU" not in answer.text


async def test_metrics_show_calls_and_states(tmp_path: Path) -> None:
    """What happened and how things stand can be scraped."""
    async with running(tmp_path) as run:
        await run.client.post("/v1/citizens/verify", json=QUESTION)
        await run.client.get("/v1/nowhere")
        text = (await run.client.get("/metrics")).text
    assert 'lienthong_calls_total{operation="verify",outcome="answered",system="population"} 1.0' in text
    assert 'lienthong_exchanges_total{kind="answered",layer="",operation="verify",system="population"} 1.0' in text
    assert 'lienthong_breaker_state{system="population"} 0.0' in text
    assert 'lienthong_turned_away_total{reason="not_found"} 1.0' in text


@contextlib.asynccontextmanager
async def listening(gateway: Gateway, app: ASGIApp | None = None) -> AsyncIterator[int]:
    config = server.configure(app or create_app(gateway), gateway.settings.server.model_copy(update={"port": 0}))
    serving = uvicorn.Server(config)
    serving.install_signal_handlers = lambda: None  # type: ignore[attr-defined,method-assign]
    task = asyncio.create_task(serving._serve())
    while not serving.started:
        await asyncio.sleep(0.01)
    try:
        yield serving.servers[0].sockets[0].getsockname()[1]
    finally:
        serving.should_exit = True
        await task


async def exchange(port: int, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


HEAD = b"POST /v1/citizens/verify HTTP/1.1\r\nHost: gateway.test\r\n"


async def test_a_connection_that_says_nothing_or_drips_is_closed(tmp_path: Path) -> None:
    """Neither silence nor a header that never ends keeps a connection open."""
    async with running(tmp_path, header_seconds=0.2) as run, listening(run.gateway) as port:
        assert await exchange(port) == b""
        assert await exchange(port, HEAD, b"X-Slow: ") == b""


@pytest.mark.parametrize("rest", [b"x", b"x" * 100], ids=["unfinished", "whole"])
async def test_a_connection_answered_before_its_body_came_is_closed_as_well(tmp_path: Path, rest: bytes) -> None:
    """Whoever is answered early, for want of a key, cannot hold the connection with what nobody reads any more."""
    async with running(tmp_path, header_seconds=0.2, keep_alive_seconds=1) as run, listening(run.gateway) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Content-Length: 100\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(rest)
        await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert head.startswith(b"HTTP/1.1 401")


async def test_a_slow_next_request_does_not_cut_off_the_answer_before_it(tmp_path: Path) -> None:
    """The time for a header block runs against whoever is silent, not against whoever waits for an answer."""
    asked = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        asked.set()
        await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with running(tmp_path, header_seconds=0.2) as run, listening(run.gateway, app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await asked.wait()
        writer.write(b"\r\n")  # as some old clients send behind a body
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize("junk", [b"\x00\r\n\r\n", HEAD + b"X-Big: " + b"a" * 20_000], ids=["broken", "too large"])
async def test_a_broken_next_request_is_not_answered_in_the_place_of_the_one_before(
    tmp_path: Path, junk: bytes
) -> None:
    """Answers come in the order of the requests: what cannot be read ends the connection after what is still due."""
    asked = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        asked.set()
        await asyncio.sleep(0.2)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with running(tmp_path) as run, listening(run.gateway, app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await asked.wait()
        writer.write(junk)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 204")


async def test_a_header_block_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """One huge header, many small ones, and one that never ends are all 431 and a closed connection."""
    flood = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 100) for number in range(400))
    async with running(tmp_path) as run, listening(run.gateway) as port:
        for block in (b"X-Big: " + b"a" * 20_000 + b"\r\n\r\n", flood + b"\r\n"):
            assert (await exchange(port, HEAD, block)).startswith(b"HTTP/1.1 431")
        # Data that is still on its way turns the close into a reset, which may overtake the answer.
        assert (await exchange(port, HEAD, b"X-Big: " + b"a" * 200_000))[:12] in {b"", b"HTTP/1.1 431"}
        assert (await exchange(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).startswith(
            b"HTTP/1.1 200"
        )


async def test_a_body_that_never_comes_is_refused(tmp_path: Path) -> None:
    """A declared body that does not arrive in time is 408; one declared too large is 413 without being read."""
    async with running(tmp_path, body_seconds=0.2) as run, listening(run.gateway) as port:
        key = b"Authorization: Bearer " + run.key.encode() + b"\r\nContent-Type: application/json\r\n"
        slow = await exchange(port, HEAD + key + b"Content-Length: 100\r\n\r\n{")
        large = await exchange(port, HEAD + key + b"Content-Length: 99999999\r\n\r\n{")
        assert run.partner.seen == []
    assert slow.startswith(b"HTTP/1.1 408")
    assert large.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
async def test_an_offer_to_upgrade_is_declined_and_the_request_answered(tmp_path: Path, *, apart: bool) -> None:
    """A client that offers HTTP/2 on a plain connection, as Java's does by default, keeps its body and connection."""
    content = json.dumps(QUESTION).encode()
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
    async with running(tmp_path) as run, listening(run.gateway) as port:
        key = b"Authorization: Bearer " + run.key.encode() + b"\r\nContent-Type: application/json\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(HEAD + offer + key + b"Content-Length: %d\r\n\r\n" % len(content))
            if apart:
                await writer.drain()
                await asyncio.sleep(0.05)
            writer.write(content)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert head.startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"]}")
        writer.close()


async def test_a_caller_that_leaves_while_it_sends_is_no_defect(tmp_path: Path) -> None:
    """A connection that ends in the middle of a body is nobody's fault here: no defect is recorded or counted."""
    async with running(tmp_path) as run, listening(run.gateway) as port:
        key = b"Authorization: Bearer " + run.key.encode() + b"\r\nContent-Type: application/json\r\n"
        with structlog.testing.capture_logs() as logs:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + key + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n{")
            await asyncio.sleep(0.1)
            writer.close()
            await asyncio.sleep(0.1)
        text = (await run.client.get("/metrics")).text
    assert [line for line in logs if line["log_level"] == "error"] == []
    assert 'reason="internal"' not in text


async def test_the_gateway_speaks_tls_when_it_has_a_certificate(tmp_path: Path) -> None:
    """With a certificate configured, clients get TLS and plain text gets nothing."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    tls = {"tls_certificate_file": str(chain), "tls_key_file": str(key)}
    async with running(tmp_path, **tls) as run, listening(run.gateway) as port:
        async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
            answer = await client.get(f"https://127.0.0.1:{port}/healthz")
        plain = await exchange(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.status_code == 200
    assert not plain.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(("trusted", "believed"), [((), "127.0.0.1"), (("127.0.0.1",), "192.0.2.7")])
async def test_only_a_named_proxy_is_believed(tmp_path: Path, trusted: tuple[str, ...], believed: str) -> None:
    """`X-Forwarded-For` changes who is seen only when it comes from a trusted proxy."""
    seen = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(scope["client"][0])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with running(tmp_path, trusted_proxies=trusted) as run:
        config = server.configure(app, run.gateway.settings.server)
        config.load()
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "scheme": "http",
            "client": ("127.0.0.1", 1),
            "headers": [(b"x-forwarded-for", b"192.0.2.7")],
        }
        await config.loaded_app(scope, None, send)
    assert seen == [believed]
