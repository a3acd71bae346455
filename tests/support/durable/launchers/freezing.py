"""The command `lienthong` that stands still just before the first byte of one send, with its fence or without.

`CHAOS_STANDS_STILL_AT` names the operation: the process stops itself when it is about to send the first one. With
`CHAOS_FENCE=off` it knows of no lease afterwards: it sends, and writes down what came of it. The switch's own limit of
two seconds is out of the way in both, so that the fence alone decides. Run as a script by `tests/chaos`.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from adapters.transport.passage import current
from adapters.transport.wire import WireRequest
from gateway.delivery.flight import Flights
from gateway.store import snapshot
from gateway.store.tables import lanes
from lienthong.cli import main

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.connector import Connection

still_at = os.environ["CHAOS_STANDS_STILL_AT"]
stood: list[str] = []
write_bytes = WireRequest.write_bytes


async def stand_still(
    self: WireRequest, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
) -> None:
    """Stop the whole process once; it goes on here when it is let."""
    if current.get().exchange.operation.name == still_at and not stood:
        stood.append(still_at)
        os.kill(os.getpid(), signal.SIGSTOP)
    await write_bytes(self, writer, conn, content_length)


WireRequest.write_bytes = stand_still  # type: ignore[method-assign]
snapshot.STALE_SECONDS = 3600.0
if os.environ["CHAOS_FENCE"] == "off":
    Flights._ours = lambda self, ticket, now: True  # type: ignore[method-assign]  # noqa: ARG005 - the signature is its own
    fenced, unfenced = "fence = $2 AND owner = $3", "CAST($2 AS BIGINT) > 0 AND CAST($3 AS TEXT) <> ''"
    for statement in ("_RENEW", "_PUT_BACK", "_LEAVE", "_STAY"):
        text = getattr(lanes, statement)
        assert fenced in text
        setattr(lanes, statement, text.replace(fenced, unfenced))
sys.exit(main())
