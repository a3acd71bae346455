"""How an answer leaves: whole, in pieces, cut short, or not at all, as a fault on the wire wants it.

Waiting here is real waiting, but never longer than the caller or the server stays.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mocks import sockets
from mocks.asgi import Answer, head, respond
from mocks.faults import What

if TYPE_CHECKING:
    from mocks.asgi import Receive, Scope, Send
    from mocks.faults import Fault

HANG_SECONDS = 60.0
DRIP_SECONDS = 0.1
DRIP_BYTES = 16
SILENT = (What.HANG, What.ACK_LOST, What.RESET_BEFORE, What.RESET_AFTER)


@dataclass(frozen=True, slots=True)
class Line:
    """The connection of one exchange."""

    scope: Scope
    receive: Receive
    send: Send


def head_leaves(answer: Answer | None, wire: Fault | None) -> bool:
    """Say whether status and headers of an answer leave."""
    return answer is not None and (wire is None or wire.what not in SILENT)


def whole_leaves(answer: Answer | None, wire: Fault | None) -> bool:
    """Say whether a complete HTTP answer leaves, though its body may be less than the system meant to say."""
    return (
        answer is not None
        and head_leaves(answer, wire)
        and (wire is None or wire.what is What.DRIP or _short(wire) or _kept(answer, wire) >= len(answer.body))
    )


class Carrier:
    """Carries answers to callers until it is stopped; then nothing waits any more."""

    def __init__(self) -> None:
        self._stopped = False
        self._waiting: set[asyncio.Future[None]] = set()

    def stop(self) -> None:
        """End everything that waits, now and later."""
        self._stopped = True
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float, receive: Receive) -> bool:
        """Wait, but not longer than the caller or the server stays; return whether the caller left."""
        stopped = asyncio.get_running_loop().create_future()
        gone = asyncio.ensure_future(sockets.until_gone(receive))
        self._waiting.add(stopped)
        try:
            timeout = 0.0 if self._stopped else seconds
            await asyncio.wait((gone, stopped), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            return gone.done()
        finally:
            gone.cancel()
            self._waiting.discard(stopped)

    async def carry(self, answer: Answer | None, wire: Fault | None, line: Line) -> None:
        """Carry an answer as the fault wants it. Without an answer the caller waits and is left."""
        if wire is not None and wire.what is not What.DRIP and not whole_leaves(answer, wire):
            await self._break_off(answer, wire, line)
        elif answer is None:
            await self.wait(HANG_SECONDS, line.receive)
            await sockets.close(line.scope, line.receive)
        elif wire is None:
            await respond(answer, line.send)
        elif wire.what is What.DRIP:
            await self._drip(answer, wire, line)
        else:
            part = answer.body[: _kept(answer, wire)]
            await respond(Answer(answer.status, part, answer.content_type, answer.headers), line.send)

    async def _break_off(self, answer: Answer | None, wire: Fault, line: Line) -> None:
        """Leave the caller without an answer, or with part of one."""
        cut = wire.details.cut
        if answer is not None and head_leaves(answer, wire):
            await line.send(head(answer))
            part = answer.body[: _kept(answer, wire)]
            await line.send({"type": "http.response.body", "body": part, "more_body": True})
        resets = cut == "reset" or wire.what in (What.RESET_BEFORE, What.RESET_AFTER)
        hangs = wire.what is What.STALL or (wire.what in (What.HANG, What.ACK_LOST) and cut not in ("closed", "reset"))
        if hangs:
            seconds = HANG_SECONDS if wire.details.seconds is None else wire.details.seconds
            await self.wait(seconds, line.receive)
        await (sockets.reset if resets else sockets.close)(line.scope, line.receive)

    async def _drip(self, answer: Answer, wire: Fault, line: Line) -> None:
        size = wire.details.bytes or DRIP_BYTES
        pause = DRIP_SECONDS if wire.details.seconds is None else wire.details.seconds
        await line.send(head(answer))
        for start in range(0, len(answer.body) or 1, size):
            more = start + size < len(answer.body)
            piece = answer.body[start : start + size]
            await line.send({"type": "http.response.body", "body": piece, "more_body": more})
            if more and await self.wait(pause, line.receive):
                return


def _short(wire: Fault) -> bool:
    return wire.what is What.TRUNCATED and wire.details.cut == "short"


def _kept(answer: Answer, wire: Fault) -> int:
    return len(answer.body) // 2 if wire.details.bytes is None else wire.details.bytes
