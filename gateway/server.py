"""The HTTP server: uvicorn on uvloop and httptools, with the limits it does not keep by itself.

A connection that sends no complete header block in time is closed, and so is one whose header block is too large:
nothing waits for ever, and nothing grows without a bound before a route has seen it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httptools
import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp

    from gateway.settings import ServerSettings

_HEADERS_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Parser(httptools.HttpRequestParser):
    """httptools' parser, which stops at the head of a request that offers an upgrade: here it reads on."""

    def __init__(self, protocol: GuardedProtocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol

    @override
    def feed_data(self, data: bytes) -> None:  # type: ignore[override] # narrower: what a socket gives
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            self._protocol.decline_upgrade(data[stopped.args[0] :])


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on the size of a header block and on the time it may take to arrive."""

    max_header_bytes = 16_384
    header_seconds = 10.0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # narrower, as uvicorn's
        super().connection_made(transport)
        self.parser = _Parser(self)
        self._header_bytes = 0
        self._in_header = True
        self._too_large = False
        self._header_timer: asyncio.TimerHandle | None = None
        self._start_timer()

    @override
    def data_received(self, data: bytes) -> None:
        if self._in_header:
            self._start_timer()
            self._header_bytes += len(data)
        super().data_received(data)
        if self._in_header and self._header_bytes > self.max_header_bytes and not self.transport.is_closing():
            if self._answer_due():
                self._end_after_answers()
            else:
                self._refuse_headers()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        self._parsed_bytes += len(name) + len(value) + 4
        if self._parsed_bytes + len(self.url) > self.max_header_bytes:
            self._too_large = True
            raise ValueError("header block too large")  # the parser stops and calls send_400_response
        super().on_header(name, value)

    @override
    def on_message_begin(self) -> None:
        self._parsed_bytes = 0
        super().on_message_begin()

    def decline_upgrade(self, rest: bytes) -> None:
        """Read the request again as one without the offer, which a server may ignore (RFC 9110 §7.8)."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        fields = [b"%s: %s\r\n" % field for field in self.headers if field[0] != b"upgrade"]
        head = b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, b"".join(fields))
        self.parser = _Parser(self)
        self.parser.feed_data(head + rest)

    def _offers_upgrade(self) -> bool:
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    @override
    def on_headers_complete(self) -> None:
        if self._offers_upgrade():
            return
        self._in_header = False
        self._header_bytes = 0
        self._stop_timer()
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        if self._offers_upgrade():
            return
        super().on_message_complete()
        self._in_header = True
        if self._answered():  # before its body came: the base class waits for the next request only after an answer
            self._stop_timer()
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_header:  # the rest of a body that nobody reads any more
            self._start_timer()

    @override
    def send_400_response(self, msg: str) -> None:
        if self._in_header and self._answer_due():
            self._end_after_answers()
        elif self._too_large:
            self._refuse_headers()
        else:
            super().send_400_response(msg)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _end_after_answers(self) -> None:
        """Read no further, and close once all that was asked before is answered: a refusal now would stand between."""
        self.flow.pause_reading()
        self.cycle.keep_alive = False

    def _refuse_headers(self) -> None:
        self.transport.write(_HEADERS_TOO_LARGE)
        self.transport.close()

    def _start_timer(self) -> None:
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(self.header_seconds, self._time_is_up)

    def _time_is_up(self) -> None:
        self._header_timer = None
        if not self._answer_due():
            self.transport.close()
        else:  # part of a next request, or an empty line behind a body: the answer to this one still goes out
            self._start_timer()

    def _answered(self) -> bool:
        return self.cycle is not None and bool(self.cycle.response_complete)

    def _answer_due(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None


def configure(app: ASGIApp, settings: ServerSettings) -> uvicorn.Config:
    """Return uvicorn's configuration for `settings`."""
    protocol = type(
        "Protocol",
        (GuardedProtocol,),
        {"max_header_bytes": settings.max_header_bytes, "header_seconds": settings.header_seconds},
    )
    tls: dict[str, Any] = {}
    if settings.tls_certificate_file is not None:
        tls = {"ssl_certfile": settings.tls_certificate_file, "ssl_keyfile": settings.tls_key_file}
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.stop_seconds,
        limit_concurrency=settings.max_connections,
        **tls,
    )
