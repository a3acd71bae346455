"""What stands before every route: a correlation id, a limit on the body and a limit on time.

Limits on the header block and on idle connections are kept by the server's protocol, in `gateway.server`.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from gateway.api import preferences
from gateway.api.problems import Refused
from gateway.api.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CORRELATION_HEADER = "X-Correlation-Id"
_CALLERS_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    """Return a new sortable id: 48 bits of milliseconds and 80 random ones, in 26 letters (ULID)."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


class _Answer:
    """A `send` that stamps every answer, and remembers whether one has begun."""

    def __init__(self, send: Send, correlation_id: str, callers_id: str) -> None:
        self._send = send
        self._correlation_id = correlation_id
        self._callers_id = callers_id
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers[CORRELATION_HEADER] = self._correlation_id
            headers["X-Content-Type-Options"] = "nosniff"
            if _CALLERS_ID.fullmatch(self._callers_id):
                headers["X-Caller-Correlation-Id"] = self._callers_id
        await self._send(message)


class _Body:
    """A `receive` that refuses a body too large before it is held in memory, and says when the body is complete."""

    def __init__(self, receive: Receive, headers: Headers, limit: int) -> None:
        declared = headers.get("content-length", "0")
        self._receive = receive
        self._limit = limit
        self._seen = 0
        self._too_large = declared.isdigit() and int(declared[:20]) > limit
        self.complete = declared == "0" and "transfer-encoding" not in headers
        self.on_complete: Callable[[], None] = lambda: None

    async def __call__(self) -> Message:
        if self._too_large:
            raise Refused("body_too_large")
        message = await self._receive()
        if not self.complete:
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                raise Refused("body_too_large")
            if not message.get("more_body", False):
                self.complete = True
                self.on_complete()
        return message


def _extend(limit: asyncio.Timeout, until: float) -> None:
    """Give more time, unless it ran out in the very moment in which the body became complete."""
    if not limit.expired():
        limit.reschedule(until)


class Guards:
    """ASGI middleware. The correlation id stands in `scope["state"]["correlation_id"]` and in every answer.

    The gateway makes the id itself, so that it is unique in the audit; a caller's own id (8 to 64 of
    `A-Za-z0-9._-`) is only sent back beside it, in `X-Caller-Correlation-Id`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        body_seconds: float,
        answer_seconds: float,
        turned_away: Callable[[str], None],
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._body_seconds = body_seconds
        self._answer_seconds = answer_seconds
        self._turned_away = turned_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        correlation_id = new_id()
        scope.setdefault("state", {})["correlation_id"] = correlation_id
        answer = _Answer(send, correlation_id, headers.get(CORRELATION_HEADER, ""))
        now = asyncio.get_running_loop().time()
        answer_by = now + self._answer_seconds
        body = _Body(receive, headers, self._max_body_bytes)
        try:
            async with asyncio.timeout_at(answer_by if body.complete else now + self._body_seconds) as limit:
                body.on_complete = partial(_extend, limit, answer_by)
                await self._app(scope, body, answer)
        except (Refused, TimeoutError) as error:
            if answer.started:
                raise
            late = Refused("too_slow" if body.complete else "body_too_slow")
            refused = error if isinstance(error, Refused) else late
            self._turned_away(refused.reason)
            told = refusal(scope["path"], refused, preferences.language(headers), correlation_id)
            await told(scope, receive, answer)
        except Exception:
            if not answer.started:  # else the application has recorded its defect and answered it
                raise
