"""Reading the feed of events from a cursor, which is a place in it in a form that nobody is tempted to count with.

What is behind a cursor is read with the ends of the feed in one moment, so that nobody is told that there was nothing
more when it had been deleted. A cursor that is not one, or is of another feed, is told from one whose events are gone.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.tables import events

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.store.engine import Engine, Transaction
    from gateway.store.tables.events import EventRow

_FORM = struct.Struct(">BQ")
_CHECK = struct.Struct(">I")
_VERSION = 1
_PLACED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events in order, and the place behind which to go on; `more`: there were more than were asked for."""

    events: tuple[EventRow, ...]
    position: int
    more: bool


@dataclass(frozen=True, slots=True)
class FeedGone:
    """What stood behind this place has been deleted, or the place is not one of this feed; `oldest` is one that is."""

    oldest: int


def cursor(position: int) -> str:
    """Return the cursor that stands for a place in the feed."""
    packed = _FORM.pack(_VERSION, position)
    return base64.urlsafe_b64encode(packed + _CHECK.pack(zlib.crc32(packed))).decode().rstrip("=")


def position_of(text: str) -> int:
    """Return the place that a cursor stands for. Raises `ValueError` for anything that `cursor` did not make."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        version, position = _FORM.unpack(packed[: _FORM.size])
    except (ValueError, struct.error) as error:
        raise ValueError("not a cursor") from error
    if version != _VERSION or cursor(position) != text:
        raise ValueError("not a cursor")
    return int(position)


async def place_new(engine: Engine) -> None:
    """Give every committed event its place."""
    while await engine.read(events.any_new):
        if await engine.write(lambda tx: events.place(_PLACED_AT_ONCE, tx)) < _PLACED_AT_ONCE:
            break


async def read(
    tx: Transaction, *, after: int | None, limit: int, agencies: Collection[str] | None, kinds: Collection[str] = ()
) -> FeedPage | FeedGone:
    """Return what is behind a place, or from the oldest event on. Only in a transaction that sees one moment."""
    pruned_to, last = await events.bounds(tx)
    start = pruned_to if after is None else after
    if not pruned_to <= start <= last:
        return FeedGone(pruned_to)
    found = await events.after(start, limit + 1, agencies, tx, kinds=kinds)
    if len(found) > limit:
        return FeedPage(tuple(found[:limit]), found[limit - 1].position, more=True)
    return FeedPage(tuple(found), last, more=False)
