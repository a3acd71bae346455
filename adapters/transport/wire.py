"""Hooks into aiohttp through its public seams: where a request goes out, how its body is written, what is not repeated.

Each moves the passage of the exchange under way forward. Nothing here decides what an error means.
"""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp.payload import Payload

from adapters.transport.passage import Step, current

if TYPE_CHECKING:
    from asyncio import Transport as Socket

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.client_middlewares import ClientHandlerType
    from aiohttp.connector import Connection

    from adapters.transport.passage import Passage
    from contracts.model import Failure

_PIECE: Final = 64 << 10


class Interrupted(Exception):
    """An error that would make aiohttp send again, under a name that it does not know."""


class Stale(Exception):
    """A pooled connection was found dead or dirty before anything was written to it."""


class SentTwice(RuntimeError):
    """Something tried to send a request a second time."""


async def sent_once(request: aiohttp.ClientRequest, handler: ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a request: it does so on two kinds of error, and sees neither."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Interrupted from error


def opened_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make the socket of a new connection: the address is known by now, and connecting begins."""
    family, kind, protocol, *_ = address
    current.get().enter(Step.CONNECT)
    return socket.socket(family=family, type=kind, proto=protocol)


def handshake_begins() -> None:
    """Note that TCP is open and TLS begins."""
    current.get().enter(Step.TLS)


class Body(Payload):
    """A request body that goes out in pieces, so that a peer that stops reading is noticed."""

    _autoclose = True

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._size = len(content)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text; aiohttp asks its payloads for this."""
        content: bytes = self._value
        return content.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the whole body."""
        content: bytes = self._value
        if len(content) <= _PIECE:
            await writer.write(content)
            return
        view = memoryview(content)
        for start in range(0, len(view), _PIECE):
            await writer.write(view[start : start + _PIECE])


class WireRequest(aiohttp.ClientRequest):
    """A request that tells its passage when it has a connection, when it begins to leave and when it has left."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """Begin to send over `conn`, unless that would be the second time or the connection is no good."""
        passage = current.get()
        if passage.left:
            raise SentTwice
        protocol, transport = conn.protocol, conn.transport
        reused = passage.step < Step.CONNECT
        if protocol is None or transport is None or transport.is_closing():
            raise Stale if reused else aiohttp.ClientConnectionError
        # An idle connection with something to read was closed by the peer, or holds an answer to a question that
        # nobody asks any more: it must never become the answer to this one.
        if reused and (protocol.should_close or _has_something_to_read(transport)):
            raise Stale
        exchange = passage.exchange
        exchange.reused = reused
        exchange.address = _peer(transport)
        passage.enter(Step.SEND)
        refusal = _refusal(passage)
        if refusal is not None:
            raise refusal
        if self.body:
            return await super().send(conn)
        passage.left = True
        response = await super().send(conn)
        exchange.request_bytes = _head_size(self)
        passage.enter(Step.FIRST_BYTE)
        return response

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        """Write head and body, unless the gate has closed. Nothing of either has been written before.

        Between `send` and this the loop may have turned, and the process may have stood still for any time.
        """
        passage = current.get()
        refusal = _refusal(passage)
        if refusal is not None:
            if conn.protocol is not None:
                conn.protocol.set_exception(refusal)
            return
        passage.left = conn.transport is not None and not conn.transport.is_closing()
        await super().write_bytes(writer, conn, content_length)
        passage.exchange.request_bytes = writer.output_size
        if conn.protocol is not None and conn.protocol.exception() is None:
            passage.enter(Step.FIRST_BYTE)


def _refusal(passage: Passage) -> Failure | None:
    return None if passage.exchange.gate is None else passage.exchange.gate()


def _has_something_to_read(transport: Socket) -> bool:
    underneath = transport.get_extra_info("socket")
    poll = select.poll()
    poll.register(underneath.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
    return bool(poll.poll(0))


def _peer(transport: Socket) -> str | None:
    peer = transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else None


def _head_size(request: aiohttp.ClientRequest) -> int:
    head = len(request.method) + len(request.url.raw_path_qs) + len("  HTTP/1.1\r\n\r\n")
    return head + sum(len(name) + len(value) + len(": \r\n") for name, value in request.headers.items())
