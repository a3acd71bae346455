"""Answers that ask for more than they may, that are not HTTP, or that lie about their size; and what is never done."""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
import zlib
from typing import TYPE_CHECKING

import aiohttp
import httpx
import pytest
import uvloop
from aiohttp.abc import AbstractResolver, ResolveResult

from adapters.transport import Capture, Carrier, TransportSettings
from contracts.model import Acted, Failure, Kind, Layer, NotSent, Phase
from tests.support.exchanges import ASK, asking, exchange, failing
from tests.support.rawpeer import OK, Link, RawPeer, answering, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SETTINGS = TransportSettings(first_byte=1.0, read=0.5, total=3.0, max_response_bytes=100_000, max_header_bytes=8_000)
MEBI = 1 << 20


async def _ended(peer: RawPeer, connections: int) -> None:
    """Wait until the peer has closed, so that a pooled connection is known to be dead rather than dying."""
    while peer.ended < connections:
        await asyncio.sleep(0.002)


def _packed(body: bytes, coding: bytes) -> bytes:
    return HEAD + b"Content-Encoding: " + coding + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"hello there\r\n\r\n", "answer_malformed"),
        (b"<html>Bad gateway</html>", "answer_malformed"),
        (b"HTTP/1.1 9999 Foo\r\n\r\n", "answer_malformed"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "answer_malformed"),
        (b"HTTP/1.1 200 OK\r\nA: b\x00c\r\nContent-Length: 0\r\n\r\n", "answer_malformed"),
        (HEAD + b"Content-Length: -2\r\n\r\nabc", "answer_malformed"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "answer_malformed"),
        (HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "answer_malformed"),
        (CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n", "answer_malformed"),
        (CHUNKED + b"3\r\nabcXX0\r\n\r\n", "answer_malformed"),
        (CHUNKED + b"9\r\nabc", "answer_cut_off"),
        (HEAD + b"Content-Length: 10\r\n\r\nabc", "answer_cut_off"),
        (HEAD + b"Content-Length: 3\r\n\r\nabcdef", "answer_malformed"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: b\r\n" % i for i in range(5000)) + b"\r\n", "answer_malformed"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * MEBI, "answer_head_too_large"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: %s\r\n" % (b"x" * 900) * 20 + b"\r\n", "answer_head_too_large"),
        (CHUNKED + b"3\r\nabc\r\n0\r\n" + b"T: x\r\n" * 20_000 + b"\r\n", "answer_malformed"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "connection_lost"),
        (HEAD + b"Content-Length: 100001\r\n\r\n", "answer_too_large"),
        (CHUNKED + b"186a1\r\n" + b"x" * 100_001 + b"\r\n0\r\n\r\n", "answer_too_large"),
        (HEAD + b"Connection: close\r\n\r\n" + b"x" * 200_000, "answer_too_large"),
        (_packed(gzip.compress(bytes(50 * MEBI), mtime=0), b"gzip"), "answer_too_large"),
        (_packed(zlib.compress(bytes(50 * MEBI)), b"deflate"), "answer_too_large"),
        (_packed(b"\x1f\x8bnonsense", b"gzip"), "answer_not_decodable"),
        (_packed(gzip.compress(b"x" * 999, mtime=0)[:-9], b"gzip"), "answer_not_decodable"),
        (_packed(b"whatever", b"br"), "answer_not_decodable"),
        (_packed(gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), b"gzip, gzip"), "answer_not_decodable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_answer_that_is_none(answer: bytes, reason: str) -> None:
    """Whatever cannot be read as an answer within the limits leaves the outcome unknown, and the next call whole."""
    with RawPeer(answering(answer), serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            failure = await failing(carrier, peer.url)
            await _ended(peer, 1)
            assert (await asking(carrier, peer.url)).content == b"ok"
    assert (failure.kind, failure.layer, failure.may_have_acted) == (
        Kind.UNKNOWN_OUTCOME,
        Layer.NETWORK,
        Acted.MAYBE,
    )
    assert failure.reason == reason


async def test_garbage_after_a_good_start_is_bounded() -> None:
    """Chunks that turn to garbage after the head was taken end the exchange within the limit of a silence."""

    def handler(link: Link) -> None:
        link.request()
        link.send(CHUNKED + b"3\r\nabc\r\n")
        link.peer.over.wait(0.05)
        link.send(b"zz\r\nzz")
        link.hang()

    with RawPeer(handler) as peer:
        async with Carrier(SETTINGS) as carrier:
            assert (await failing(carrier, peer.url)).kind is Kind.UNKNOWN_OUTCOME


async def test_an_endless_body_takes_no_memory() -> None:
    """A body without end is dropped at the limit, not when memory is full."""

    def endless(link: Link) -> None:
        link.request()
        link.send(HEAD + b"Connection: close\r\n\r\n")
        while not link.peer.over.is_set():
            link.sock.sendall(b"x" * 65536)

    with RawPeer(endless) as peer:
        async with Carrier(SETTINGS) as carrier:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            assert (await failing(carrier, peer.url)).reason == "answer_too_large"
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@pytest.mark.parametrize(
    ("packed", "coding"),
    [
        (gzip.compress(b"<a/>" * 9, mtime=0), b"gzip"),
        (gzip.compress(b"<a/>" * 4, mtime=0) + gzip.compress(b"<a/>" * 5, mtime=0), b"x-gzip"),
        (zlib.compress(b"<a/>" * 9), b"deflate"),
        (_raw_deflate(b"<a/>" * 9), b"Deflate"),
        (b"<a/>" * 9, b"identity"),
    ],
    ids=["gzip", "two members", "deflate", "raw deflate", "identity"],
)
async def test_compressed_answers(packed: bytes, coding: bytes) -> None:
    """What we offered is decoded, also as servers really send it; the answer then no longer claims to be packed."""
    with RawPeer(answering(_packed(packed, coding))) as peer:
        async with Carrier(SETTINGS) as carrier:
            response = await asking(carrier, peer.url)
    assert response.content == b"<a/>" * 9
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    """A redirect is an answer like any other."""
    redirect = b"HTTP/1.1 %d Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n" % status
    with RawPeer(answering(redirect)) as peer:
        async with Carrier(SETTINGS) as carrier:
            response = await asking(carrier, peer.url)
    assert response.status_code == status
    assert len(peer.requests) == 1


async def test_no_cookie_is_kept() -> None:
    """What a partner asks us to remember is forgotten."""

    def baking(link: Link) -> None:
        while link.request():
            link.send(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n\r\n"))

    with RawPeer(baking) as peer:
        async with Carrier(SETTINGS) as carrier:
            await asking(carrier, peer.url)
            await asking(carrier, peer.url)
    assert b"cookie" not in peer.requests[1].lower()


async def test_no_proxy_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Proxies and passwords in the environment are not for us."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with RawPeer(serve) as proxy, RawPeer(serve) as peer:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        async with Carrier(SETTINGS) as carrier:
            await asking(carrier, peer.url)
    assert (proxy.connections, peer.connections) == (0, 1)
    assert b"authorization" not in peer.requests[0].lower()


async def test_a_proxy_that_is_asked_for() -> None:
    """A proxy from the settings gets the request, with its own password, for the partner's address."""
    with RawPeer(serve) as proxy:
        settings = {"proxy": f"http://127.0.0.1:{proxy.port}", "proxy_user": "we", "proxy_password": "secret"}
        async with Carrier(TransportSettings.model_validate(settings)) as carrier:
            await asking(carrier, "http://library.example/service")
    assert proxy.requests[0].startswith(b"POST http://library.example/service HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic d2U6c2VjcmV0\r\n" in proxy.requests[0]


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n", Kind.CREDENTIAL_REFUSED, "proxy_credential_refused"),
        (b"HTTP/1.1 502 Nobody there\r\nContent-Length: 0\r\n\r\n", Kind.NOT_SENT, "proxy_failed"),
        (b"", Kind.NOT_SENT, "connection_failed"),
    ],
)
async def test_a_proxy_that_opens_no_tunnel(answer: bytes, kind: Kind, reason: str) -> None:
    """Before the tunnel is open nothing of the request has left, and the proxy is on our side."""
    with RawPeer(answering(answer)) as proxy:
        settings = TransportSettings(proxy=f"http://127.0.0.1:{proxy.port}")
        async with Carrier(settings) as carrier:
            failure = await failing(carrier, "https://library.example/service")
    assert (failure.kind, failure.reason, failure.may_have_acted) == (kind, reason, Acted.NO)
    assert b"<ask/>" not in b"".join(proxy.requests)


async def test_the_request_goes_out_as_given() -> None:
    """Headers of the adapter are sent as they are, doubled ones too; only those of the framing are ours."""
    with RawPeer(serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            request = httpx.Request(
                "POST",
                peer.url + "/a%20b?x=%C3%A9&y=1+2",
                headers=[
                    ("SOAPAction", ""),
                    ("Timestamp", "17"),
                    ("X-Two", "a"),
                    ("X-Two", "b"),
                    ("Content-Length", "9"),
                ],
                content=b"<ask/>",
            )
            await carrier.send(request, exchange())
    head = peer.requests[0].partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[0] == b"POST /service/a%20b?x=%C3%A9&y=1+2 HTTP/1.1"
    assert [line for line in head if line.lower().startswith(b"x-two")] == [b"X-Two: a", b"X-Two: b"]
    assert b"SOAPAction: " in head
    assert [line for line in head if line.lower().startswith(b"content-length")] == [b"Content-Length: 6"]


@pytest.mark.parametrize("content", [b"", b"<ask/>"])
async def test_a_body_has_the_type_that_it_was_given_or_none(content: bytes) -> None:
    """Nobody makes a type up, least of all for a body that is not there: some partners refuse the request for it."""
    with RawPeer(serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            await carrier.send(httpx.Request("POST", peer.url, content=content), exchange())
    assert b"content-type" not in peer.requests[0].lower()


async def test_a_header_that_would_smuggle() -> None:
    """A value with a line break in it is refused before anything leaves."""
    with RawPeer(serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            request = httpx.Request("POST", peer.url, headers={"X-Note": "a\r\nX-Evil: b"}, content=b"<ask/>")
            with pytest.raises(Exception, match="request_unsendable") as caught:
                await carrier.send(request, exchange())
    assert getattr(caught.value, "kind", None) is Kind.INVALID_REQUEST
    assert peer.requests == []


class _Resolver(AbstractResolver):
    """Answers as told, or never."""

    def __init__(self, outcome: str) -> None:
        self.outcome = outcome

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self.outcome == "hang":
            await asyncio.Event().wait()
        if self.outcome == "unknown":
            raise OSError(None, "no such host")
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(("outcome", "reason"), [("hang", "dns_timeout"), ("unknown", "dns_failed")])
async def test_no_address(outcome: str, reason: str) -> None:
    """A name that cannot be looked up, or not in time, is a request that never left."""
    settings = TransportSettings(dns=0.1)
    async with Carrier(settings, resolver=_Resolver(outcome)) as carrier:
        on = exchange()
        failure = await failing(carrier, "http://library.example/", on=on)
    assert (failure.kind, failure.layer, failure.reason) == (Kind.NOT_SENT, Layer.NETWORK, reason)
    assert set(on.phases) == {Phase.DNS}


async def test_an_address_is_remembered_for_a_while() -> None:
    """The name is sent as the host, and looked up through the resolver that was given."""
    with RawPeer(serve) as peer:
        async with Carrier(SETTINGS, resolver=_Resolver("found")) as carrier:
            await asking(carrier, f"http://library.example:{peer.port}/")
    assert f"Host: library.example:{peer.port}".encode() in peer.requests[0]


async def test_what_is_noted() -> None:
    """An exchange leaves its address, protocol, status, type and sizes."""
    with RawPeer(serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            on = exchange()
            await asking(carrier, peer.url, on=on)
            bare = exchange()
            await asking(carrier, peer.url, method="GET", content=b"", on=bare)
    evidence = on.evidence()
    assert (evidence.protocol, evidence.status, evidence.content_type) == ("HTTP/1.1", 200, "text/plain")
    assert (evidence.request_bytes, evidence.response_bytes) == (len(peer.requests[0]), len(OK))
    assert bare.request_bytes == len(peer.requests[1])


async def test_the_recorder_sees_every_exchange_masked() -> None:
    """Good or bad, an exchange is shown to the recorder, and nothing personal in it."""
    seen: list[Capture] = []
    with RawPeer(answering(OK), answering(b"")) as peer:
        async with Carrier(SETTINGS, recorder=seen.append) as carrier:
            body = b"<ask><who>NGUYEN VAN MAU</who><n>999190000017</n></ask>"
            await asking(carrier, peer.url, content=body)
            await _ended(peer, 1)
            await failing(carrier, peer.url, content=body)
    assert [(capture.status, capture.answer) for capture in seen] == [(200, "xx"), (None, None)]
    assert all(capture.request == "<ask><who>***</who><n>***</n></ask>" for capture in seen)
    assert "NGUYEN" not in repr(seen)


@pytest.mark.parametrize("parallel", [1, 16])
def test_on_the_loop_that_serves(parallel: int) -> None:
    """Everything holds on uvloop as well, with many exchanges at once over few connections."""

    async def run() -> None:
        with RawPeer(serve) as peer:
            async with Carrier(SETTINGS.model_copy(update={"max_connections": 4})) as carrier:
                exchanges = [exchange() for _ in range(parallel * 10)]
                await asyncio.gather(*(asking(carrier, peer.url, on=on) for on in exchanges))
                assert all(on.status == 200 for on in exchanges)
                assert peer.connections <= 4
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            async with Carrier(SETTINGS) as carrier:
                failure = await failing(carrier, f"http://127.0.0.1:{free.getsockname()[1]}/")
                assert failure.reason == "connection_failed"

    uvloop.run(run())


def test_aiohttp_still_repeats_by_itself() -> None:
    """The reason for our guard: the bare library sends a GET again on a dead connection. When this fails, simplify."""

    def handler(link: Link) -> None:
        link.warm_up(1)
        link.request()
        link.close()

    async def run() -> int:
        with RawPeer(handler, serve) as peer:
            async with aiohttp.ClientSession() as session:
                for _ in range(2):
                    async with session.get(peer.url) as answer:
                        await answer.read()
            return len(peer.requests)

    assert asyncio.run(run()) == 3


async def test_nothing_leaves_once_the_gate_refuses() -> None:
    """A refusal that comes while the connection is being opened, or on a pooled one, keeps every byte back."""

    def shut() -> Failure:
        return NotSent("paused", operation=ASK, layer=Layer.OURS)

    with RawPeer(serve) as peer:
        carrier = Carrier(SETTINGS)
        for _ in range(2):
            refused = exchange()
            refused.gate = shut
            failure = await failing(carrier, peer.url, on=refused)
            assert (failure.kind, failure.reason, failure.may_have_acted) == (Kind.NOT_SENT, "paused", Acted.NO)
        assert peer.requests == []
        open_gate = exchange()
        open_gate.gate = lambda: None
        assert (await asking(carrier, peer.url, on=open_gate)).status_code == 200
        refused = exchange()
        refused.gate = shut
        await failing(carrier, peer.url, on=refused)
        assert len(peer.requests) == 1
        await carrier.aclose()


async def test_nothing_leaves_once_the_gate_has_closed_behind_a_request() -> None:
    """Asked when the connection is ours, the gate lets a request pass; asked at the first byte, it is shut by then."""

    def closing(asked: list[None]) -> Callable[[], Failure | None]:
        def gate() -> Failure | None:
            asked.append(None)
            return None if len(asked) == 1 else NotSent("paused", operation=ASK, layer=Layer.OURS)

        return gate

    with RawPeer(serve) as peer:
        carrier = Carrier(SETTINGS)
        for number in range(2):
            refused = exchange()
            refused.gate = closing([])
            failure = await failing(carrier, peer.url, on=refused)
            assert (failure.kind, failure.reason, failure.may_have_acted) == (Kind.NOT_SENT, "paused", Acted.NO)
            assert len(peer.requests) == number
            open_gate = exchange()
            open_gate.gate = lambda: None
            assert (await asking(carrier, peer.url, on=open_gate)).status_code == 200
        await carrier.aclose()
