"""What a partner of bare sockets does to an exchange, and which one failure that becomes."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from adapters.transport import Carrier, TransportSettings
from contracts.model import Acted, Failure, Kind, Layer, Phase
from tests.support.exchanges import asking, exchange, failing
from tests.support.rawpeer import OK, Handler, Link, RawPeer, answering, serve

BIG = b"<ask>" + b"x" * (6 << 20) + b"</ask>"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
FRESH_OR_REUSED = pytest.mark.parametrize("warm", [0, 2], ids=["fresh", "reused"])

SETTINGS = TransportSettings(connect=0.3, tls=0.3, send=0.3, first_byte=0.3, read=0.3, dns=0.3, pool_wait=0.2)
LONG = 10.0
"""Seconds: far above the limits that these tests set, far below those that they do not."""


def _block(seconds: float) -> None:
    """Let time pass without the loop noticing."""
    time.sleep(seconds)


def _is_unknown(failure: Failure, reason: str) -> None:
    assert (failure.kind, failure.layer, failure.may_have_acted) == (Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE)
    assert failure.reason == reason


def _is_not_sent(failure: Failure, reason: str, layer: Layer = Layer.NETWORK) -> None:
    assert (failure.kind, failure.layer, failure.may_have_acted) == (Kind.NOT_SENT, layer, Acted.NO)
    assert failure.reason == reason


async def _warmed(handler: Handler, warm: int, **request: object) -> tuple[Failure, RawPeer]:
    with RawPeer(handler) as peer:
        async with Carrier(SETTINGS) as carrier:
            for _ in range(warm):
                assert (await asking(carrier, peer.url)).content == b"ok"
            on = exchange()
            failure = await failing(carrier, peer.url, on=on, **request)  # type: ignore[arg-type]
            assert on.reused is (warm > 0)
    return failure, peer


async def test_refused() -> None:
    """A port where nobody listens is a request that never left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        async with Carrier(SETTINGS) as carrier:
            failure = await failing(carrier, f"http://127.0.0.1:{free.getsockname()[1]}/")
    _is_not_sent(failure, "connection_failed")


async def test_reset_before_accept() -> None:
    """A listener that dies with our connection in its queue may have been sent the request: nobody knows."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    port = listener.getsockname()[1]

    async with Carrier(SETTINGS) as carrier:
        asyncio.get_running_loop().call_later(0.1, listener.close)
        failure = await failing(carrier, f"http://127.0.0.1:{port}/")
    _is_unknown(failure, "connection_lost")


@FRESH_OR_REUSED
async def test_reset_after_accept(warm: int) -> None:
    """A reset by a peer that has read nothing still comes after our bytes have left."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        link.wait_for_bytes()
        link.reset()

    failure, peer = await _warmed(handler, warm)
    _is_unknown(failure, "connection_lost")
    assert len(peer.requests) == warm


@FRESH_OR_REUSED
async def test_reset_in_mid_request(warm: int) -> None:
    """A reset while a large body is on its way: what was read may have been acted upon."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        link.read(100_000)
        link.reset()

    failure, peer = await _warmed(handler, warm, content=BIG)
    _is_unknown(failure, "connection_lost")
    assert peer.connections == 1


@FRESH_OR_REUSED
@pytest.mark.parametrize("end", [Link.reset, Link.close], ids=["reset", "closed"])
async def test_lost_after_the_request(warm: int, end: object) -> None:
    """A connection that ends between request and answer leaves the outcome unknown, however it ends."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        link.request()
        end(link)  # type: ignore[operator]

    failure, peer = await _warmed(handler, warm)
    _is_unknown(failure, "connection_lost")
    assert len(peer.requests) == warm + 1


@FRESH_OR_REUSED
@pytest.mark.parametrize("end", [Link.reset, Link.close], ids=["reset", "closed"])
@pytest.mark.parametrize(
    "part",
    [
        b"HTTP/1.1 200",
        HEAD,
        HEAD + b"Content-Length: 100\r\n\r\n",
        HEAD + b"Content-Length: 100\r\n\r\n<a>half",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n7\r\n<a>half\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n7\r\n<a>",
    ],
    ids=["in status line", "in headers", "before body", "in body", "between chunks", "in chunk"],
)
async def test_lost_in_mid_answer(warm: int, part: bytes, end: object) -> None:
    """An answer that stops half way is no answer, wherever it stops."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        link.request()
        link.send(part)
        time.sleep(0.02)  # let the part arrive before the reset overtakes it
        end(link)  # type: ignore[operator]

    failure, _ = await _warmed(handler, warm)
    assert failure.reason in {"connection_lost", "answer_cut_off"}
    _is_unknown(failure, failure.reason)


@FRESH_OR_REUSED
async def test_reset_ends_an_answer_without_length(warm: int) -> None:
    """Where only the end of the connection ends the answer, a reset is not taken for that end."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        link.request()
        link.send(HEAD + b"Connection: close\r\n\r\n<a>half")
        time.sleep(0.05)
        link.reset()

    failure, _ = await _warmed(handler, warm)
    _is_unknown(failure, "connection_lost")


async def test_answer_without_length() -> None:
    """An answer that ends with its connection is whole when the connection ends in the ordinary way."""
    with RawPeer(answering(HEAD + b"Connection: close\r\n\r\n<a/>")) as peer:
        async with Carrier(SETTINGS) as carrier:
            assert (await asking(carrier, peer.url)).content == b"<a/>"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_stale_connection_is_noticed_before_sending(method: str) -> None:
    """A pooled connection that the peer has closed meanwhile costs nothing: a new one carries the request, once."""

    def once(link: Link) -> None:
        link.warm_up(1)
        link.close()

    with RawPeer(once, serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            await asking(carrier, peer.url)
            _block(0.05)  # the FIN is in the kernel, and nothing has read it yet
            on = exchange()
            content = b"<ask/>" if method in {"PUT", "POST"} else b""
            await asking(carrier, peer.url, method=method, content=content, on=on)
            assert on.reused is False
    assert (len(peer.requests), peer.connections) == (2, 2)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "HEAD"])
@pytest.mark.parametrize("end", [Link.reset, Link.close], ids=["reset", "closed"])
async def test_nothing_is_sent_twice(method: str, end: object) -> None:
    """A pooled connection that dies when the request reaches it: unknown, and no second request or connection."""

    def handler(link: Link) -> None:
        link.warm_up(1)
        link.request()
        end(link)  # type: ignore[operator]

    with RawPeer(handler, serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            await asking(carrier, peer.url)
            content = b"<ask/>" if method in {"PUT", "POST"} else b""
            failure = await failing(carrier, peer.url, method=method, content=content)
            _is_unknown(failure, "connection_lost")
    assert (len(peer.requests), peer.connections) == (2, 1)


async def test_an_answer_to_nobody_is_never_taken() -> None:
    """A second answer to an old request is thrown away with its connection, and does not answer the next one."""

    def babbling(link: Link) -> None:
        link.request()
        link.send(OK + OK.replace(b"ok", b"no"))
        link.hang()

    with RawPeer(babbling, serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            assert (await asking(carrier, peer.url)).content == b"ok"
            assert (await asking(carrier, peer.url)).content == b"ok"
    assert peer.connections == 2


async def test_a_late_answer_to_nobody_is_never_taken() -> None:
    """The same when the second answer comes while the connection is idle, read by the loop or not."""

    def babbling(link: Link) -> None:
        link.request()
        link.send(OK)
        time.sleep(0.05)
        link.send(OK.replace(b"ok", b"no"))
        link.hang()

    for blocking in (True, False):
        with RawPeer(babbling, serve) as peer:
            async with Carrier(SETTINGS) as carrier:
                assert (await asking(carrier, peer.url)).content == b"ok"
                _block(0.15) if blocking else await asyncio.sleep(0.15)
                assert (await asking(carrier, peer.url)).content == b"ok"
        assert peer.connections == 2


@FRESH_OR_REUSED
async def test_hang_before_the_answer(warm: int) -> None:
    """A partner that takes the request and stays silent has a limit of its own."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        link.request()
        link.hang()

    failure, _ = await _warmed(handler, warm)
    _is_unknown(failure, "answer_timeout")


@FRESH_OR_REUSED
async def test_hang_while_sending(warm: int) -> None:
    """A partner that stops reading in the middle of a large request is not waited for."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        link.wait_for_bytes()
        link.hang()

    failure, _ = await _warmed(handler, warm, content=b"x" * (16 << 20))
    _is_unknown(failure, "send_timeout")


@FRESH_OR_REUSED
@pytest.mark.parametrize("part", [HEAD + b"Content-Length: 9\r\n\r\n", HEAD + b"Content-Length: 9\r\n\r\n<a>"])
async def test_hang_in_mid_answer(warm: int, part: bytes) -> None:
    """A partner that falls silent inside its answer is not waited for."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        link.request()
        link.send(part)
        link.hang()

    failure, _ = await _warmed(handler, warm)
    _is_unknown(failure, "read_timeout")


@pytest.mark.parametrize("start", [b"", HEAD, HEAD + b"Content-Length: 999\r\n\r\n"], ids=["head", "headers", "body"])
async def test_slow_drip(start: bytes) -> None:
    """A partner that sends one byte now and then, never silent for long, still meets the limit of the whole."""

    def dripping(link: Link) -> None:
        link.request()
        link.send(start)
        while not link.peer.over.wait(0.03):
            link.sock.sendall(b"H" if not start else b"x")

    with RawPeer(dripping) as peer:
        async with Carrier(SETTINGS.model_copy(update={"total": 0.5, "first_byte": 0.4})) as carrier:
            begin = time.monotonic()
            failure = await failing(carrier, peer.url)
            assert time.monotonic() - begin < LONG
    assert failure.kind is Kind.UNKNOWN_OUTCOME
    assert failure.may_have_acted is Acted.MAYBE


@pytest.mark.parametrize(("left", "total"), [(0.2, 60.0), (60.0, 0.2)], ids=["exchange", "settings"])
async def test_the_tighter_whole_limit_wins(left: float, total: float) -> None:
    """The whole is bounded by the time left of the exchange and by the settings, whichever is less."""

    def handler(link: Link) -> None:
        link.request()
        link.hang()

    settings = TransportSettings(total=total)
    with RawPeer(handler) as peer:
        async with Carrier(settings) as carrier:
            begin = time.monotonic()
            failure = await failing(carrier, peer.url, on=exchange(left))
            assert 0.15 < time.monotonic() - begin < LONG
    _is_unknown(failure, "answer_timeout")
    assert "whole exchange" in (failure.note or "")


async def test_hang_while_connecting() -> None:
    """A full accept queue drops our SYN: that is a connection time-out, and nothing left."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)  # noqa: FBT003 - so the socket module has it
                filler.connect_ex(address)
            async with Carrier(SETTINGS) as carrier:
                on = exchange()
                failure = await failing(carrier, f"http://127.0.0.1:{address[1]}/", on=on)
        finally:
            for filler in fillers:
                filler.close()
    _is_not_sent(failure, "connection_timeout")
    assert on.phases[Phase.CONNECT] >= 0.25


async def test_no_time_left() -> None:
    """An exchange whose time is over is not begun."""
    with RawPeer(serve) as peer:
        async with Carrier(SETTINGS) as carrier:
            _is_not_sent(await failing(carrier, peer.url, on=exchange(0.0)), "no_time_left", Layer.OURS)
    assert peer.connections == 0


async def test_waiting_for_a_connection_of_our_own() -> None:
    """When all our connections are in use for too long, the failure is ours and nothing left."""

    def handler(link: Link) -> None:
        link.request()
        link.hang()

    with RawPeer(handler) as peer:
        async with Carrier(SETTINGS.model_copy(update={"max_connections": 1, "first_byte": 1.0})) as carrier:
            first = asyncio.create_task(failing(carrier, peer.url))
            await asyncio.sleep(0.05)
            _is_not_sent(await failing(carrier, peer.url), "no_free_connection", Layer.OURS)
            _is_unknown(await first, "answer_timeout")
    assert peer.connections == 1


async def test_cancelled_from_outside() -> None:
    """A caller that gives up gets its cancellation, not a failure, and the connection is not used again."""

    def handler(link: Link) -> None:
        link.request()
        link.hang()

    with RawPeer(handler, serve) as peer:
        async with Carrier(SETTINGS.model_copy(update={"max_connections": 1})) as carrier:
            task = asyncio.create_task(asking(carrier, peer.url))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await asking(carrier, peer.url)).content == b"ok"
