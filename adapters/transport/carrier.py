"""The carrier: aiohttp's connections under httpx's requests and responses.

It sends once or not at all, follows nothing, remembers no cookies, and takes nothing from the environment. Limits on
time, size and connections are its own; judging what an answer means is not. Why aiohttp is underneath:
docs/decisions/0003-carrier.md.

aiohttp would send GET, HEAD, PUT and DELETE a second time when a pooled connection turns out to be dead. Two things
stand against that: the errors that set it off are renamed before it sees them, and a passage lets one request out only.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Final, Self

import aiohttp
import httpx
from multidict import CIMultiDict
from yarl import URL

from adapters.transport.capture import captured
from adapters.transport.decode import TooLarge, decoded
from adapters.transport.passage import Passage, Step, current, limits_of
from adapters.transport.tls import TlsFiles
from adapters.transport.translate import HeadTooLarge, no_time_left, timed_out, translated
from adapters.transport.wire import Body, Interrupted, Stale, WireRequest, opened_socket, sent_once

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from aiohttp.abc import AbstractResolver

    from adapters.transport.capture import Recorder
    from adapters.transport.settings import TransportSettings
    from contracts.model import Exchange

_MOST_HEADERS: Final = 128
_TRIES: Final = 4
_HTTP_11: Final = (1, 1)
_OWN_HEADERS: Final = frozenset({b"content-length", b"transfer-encoding", b"connection", b"expect"})
_NO_LIMIT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class Carrier:
    """A `Transport` over real sockets. Belongs to the event loop of its first use; close it with `aclose`.

    `recorder`, where given, is shown every exchange with all that is personal masked. `resolver` replaces the system's.
    Raises `UnusableCertificate` when the certificate files cannot be used at the start.
    """

    def __init__(
        self,
        settings: TransportSettings,
        *,
        recorder: Recorder | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._settings = settings
        self._limits = limits_of(settings)
        self._tls = TlsFiles(settings)
        self._recorder = recorder
        self._resolver = resolver
        self._slots = asyncio.Semaphore(settings.max_connections)
        self._session: aiohttp.ClientSession | None = None
        self._proxy, self._proxy_headers = _proxy(settings)

    @property
    def certificate_fault(self) -> str | None:
        """Why the newest certificate files are not in use, or None when they are."""
        return self._tls.fault

    @property
    def certificates_reloaded(self) -> int:
        """How often changed certificate files have been taken into use."""
        return self._tls.reloaded

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. Exchanges under way fail."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        """See `Transport.send`."""
        passage = Passage(exchange, self._limits, asyncio.get_running_loop())
        if exchange.timeout <= 0:
            raise no_time_left(passage)
        response: httpx.Response | None = None
        token = current.set(passage)
        try:
            async with asyncio.timeout_at(passage.first_limit()) as timer:
                passage.timer = timer
                async with self._slots:
                    response = await self._exchanged(request, passage)
        except TimeoutError as error:
            raise (timed_out(passage) if timer.expired() else translated(error, passage)) from None
        except (aiohttp.ClientError, Interrupted, OSError, ValueError, TypeError, RuntimeError) as error:
            # Not chained: the library's own words may quote a header or a piece of the answer.
            raise translated(error, passage) from None
        finally:
            passage.stop()
            current.reset(token)
            if self._recorder is not None:
                self._recorder(captured(request, response, exchange))
        return response

    async def _exchanged(self, request: httpx.Request, passage: Passage) -> httpx.Response:
        passage.enter(Step.DNS)
        answer = await self._sent(request)
        try:
            passage.enter(Step.READ)
            headers = self._noted_head(answer, passage)
            body = await self._read(answer, passage)
        except BaseException:
            answer.close()
            raise
        passage.exchange.response_bytes = (passage.exchange.response_bytes or 0) + len(body)
        codings = answer.headers.getall("Content-Encoding", ())
        if codings:
            body = decoded(body, ", ".join(codings), self._settings.max_response_bytes)
            headers = [pair for pair in headers if pair[0].lower() not in (b"content-encoding", b"content-length")]
        passage.enter(Step.DONE)
        return httpx.Response(
            answer.status,
            headers=headers,
            content=body,
            request=request,
            extensions={"http_version": passage.exchange.protocol, "reason_phrase": (answer.reason or "").encode()},
        )

    async def _sent(self, request: httpx.Request) -> aiohttp.ClientResponse:
        session = self._session or self._open()
        url = URL(str(request.url), encoded=True)
        headers = _headers(request)
        content = await request.aread()
        context: ssl.SSLContext | bool = True
        if url.scheme == "https":
            context = self._tls.context(asyncio.get_running_loop().time())
        elif self._proxy_headers is not None:  # only a tunnel has headers of its own; the proxy takes these away
            headers.extend(self._proxy_headers)
        for _ in range(_TRIES):
            try:
                return await session.request(
                    request.method,
                    url,
                    headers=headers,
                    data=Body(content) if content else None,
                    allow_redirects=False,
                    ssl=context,
                    proxy=self._proxy,
                    proxy_headers=self._proxy_headers,
                )
            except Stale:  # nothing was written, and that connection is gone: the next one, or a new one
                continue
        raise aiohttp.ClientConnectionError

    def _noted_head(self, answer: aiohttp.ClientResponse, passage: Passage) -> list[tuple[bytes, bytes]]:
        exchange = passage.exchange
        headers = list(answer.raw_headers)
        size = len("HTTP/1.1 200 \r\n\r\n") + len(answer.reason or "")
        size += sum(len(name) + len(value) + len(": \r\n") for name, value in headers)
        exchange.protocol = "HTTP/1.1" if answer.version == _HTTP_11 else "HTTP/1.0"
        exchange.status = answer.status
        exchange.content_type = answer.headers.get("Content-Type")
        exchange.response_bytes = size
        if size > self._settings.max_header_bytes:
            raise HeadTooLarge
        return headers

    async def _read(self, answer: aiohttp.ClientResponse, passage: Passage) -> bytes:
        limit = self._settings.max_response_bytes
        length = answer.headers.get("Content-Length")
        if length is not None and answer.method != "HEAD" and int(length) > limit:
            raise TooLarge
        # Until the connection closes, a reset looks like the end of the answer; only the connection knows better.
        connection = answer.connection.protocol if answer.connection is not None else None
        content = answer.content
        parts: list[bytes] = []
        size = 0
        while part := await content.readany():
            size += len(part)
            if size > limit:
                raise TooLarge
            parts.append(part)
            passage.heard()
        if connection is not None and isinstance(lost := connection.exception(), OSError):
            raise lost
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _open(self) -> aiohttp.ClientSession:
        settings = self._settings
        connector = aiohttp.TCPConnector(
            limit=0,  # our own slots count, so that waiting for one is known as such
            keepalive_timeout=settings.keepalive,
            resolver=self._resolver,
            use_dns_cache=settings.dns_cache > 0,
            ttl_dns_cache=max(1, round(settings.dns_cache)),
            socket_factory=opened_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=_NO_LIMIT,
            request_class=WireRequest,
            middlewares=(sent_once,),
            max_line_size=settings.max_header_bytes,
            max_field_size=settings.max_header_bytes,
            max_headers=_MOST_HEADERS,
            headers={"User-Agent": "lienthong"},
            skip_auto_headers=("Content-Type",),
        )
        return self._session


def _headers(request: httpx.Request) -> CIMultiDict[str]:
    # Taken raw: names keep their capitals, for a partner that compares them as they stand.
    pairs = request.headers.raw
    return CIMultiDict((name.decode(), value.decode()) for name, value in pairs if name.lower() not in _OWN_HEADERS)


def _proxy(settings: TransportSettings) -> tuple[URL | None, CIMultiDict[str] | None]:
    if settings.proxy is None:
        return None, None
    headers: CIMultiDict[str] = CIMultiDict()
    if settings.proxy_user is not None:
        password = settings.proxy_password.get_secret_value() if settings.proxy_password is not None else ""
        pair = f"{settings.proxy_user}:{password}".encode()
        headers["Proxy-Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
    return URL(settings.proxy), headers
