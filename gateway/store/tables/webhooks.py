"""Webhook endpoints: where they are, how far in the feed they have been given their messages, and how they fare.

Each message is a delivery of the system `webhook:<id>`. An endpoint's own row is locked before its lanes are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from gateway.store.tables.events import WEBHOOKS
from gateway.store.tables.instant import timed
from gateway.store.tables.rows import places

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gateway.store.engine import Row, Transaction, Value

ACTIVE, DISABLED = "active", "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRow:
    """One endpoint as it is stored; times are microseconds, secrets are sealed, lists are words with spaces between.

    `position` is the place in the feed up to which it has been given its messages.
    """

    id: str
    client: str
    url: str
    agencies: str
    kinds: str
    made_at: int
    state: str
    state_at: int
    state_why: str | None
    secret: bytes = field(repr=False)
    old_secret: bytes | None = field(repr=False)
    old_until: int | None
    position: int
    missed_at: int | None
    failing_since: int | None
    failed_at: int | None
    failure: str | None
    lease_until: int

    @property
    def system(self) -> str:
        """What it is called as a system that deliveries go to."""
        return f"{WEBHOOKS}{self.id}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What an endpoint has been given and not taken: how many messages, how many that wait for a person, since when."""

    open: int
    parked: int
    since: int | None


_NAMES = [one.name for one in fields(WebhookRow)]
_SELECT = " ".join(["SELECT", ", ".join(_NAMES), "FROM webhook"])
_INSERT = timed("""
INSERT INTO webhook (id, client, url, agencies, kinds, made_at, state_at, secret, position)
VALUES ($1, $2, $3, $4, $5, INSTANT, INSTANT, $6, (SELECT position FROM feed WHERE one = 1))
""")
_LOOK_AFTER = timed("""
UPDATE webhook SET owner = $1, lease_until = INSTANT + $2 WHERE id IN (
    SELECT id FROM webhook WHERE state = 'active' AND (owner = $1 OR lease_until < INSTANT)
    ORDER BY CASE WHEN owner = $1 THEN 0 ELSE 1 END, lease_until, number LIMIT $3
) AND (owner = $1 OR lease_until < INSTANT)
""")
_MINE = f"{_SELECT} WHERE owner = $1 AND state = 'active' ORDER BY number"
_FREE = timed("SELECT 1 FROM webhook WHERE state = 'active' AND lease_until < INSTANT LIMIT 1")
_LET_GO = "UPDATE webhook SET owner = NULL, lease_until = 0 WHERE owner = $1"
_ADVANCE = "UPDATE webhook SET position = $3 WHERE id = $1 AND position = $2 AND state = 'active'"
_MISSED = timed("UPDATE webhook SET position = $3, missed_at = INSTANT WHERE id = $1 AND position = $2")
_ROTATE = timed("UPDATE webhook SET secret = $2, old_secret = $3, old_until = INSTANT + $4 WHERE id = $1")
_STATE = timed("""
UPDATE webhook SET state = $2, state_why = $3, state_at = INSTANT, failing_since = NULL WHERE id = $1 AND state <> $2
""")
_FAILED = timed("""
UPDATE webhook SET failing_since = coalesce(failing_since, INSTANT), failed_at = INSTANT, failure = $2
WHERE id = $1 AND state = 'active'
""")
_WENT = "UPDATE webhook SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL"
_REWIND = "UPDATE webhook SET position = $2 WHERE id = $1"
_LOCK = "UPDATE webhook SET position = position WHERE id = $1"
_AT = """
SELECT coalesce(min(position) - 1, (SELECT position FROM feed WHERE one = 1)) FROM event
WHERE at >= $1 AND position IS NOT NULL
"""

_MESSAGES = "FROM delivery WHERE system = $1 AND standing = 1 AND system >= 'webhook:' AND system < 'webhook;'"
_STANDING = f"SELECT count(*), sum(CASE WHEN state = 'needs_person' THEN 1 ELSE 0 END) {_MESSAGES}"
_OLDEST = f"SELECT accepted_at, topic {_MESSAGES} ORDER BY number LIMIT 1"
_TOPICS = f"SELECT min(CAST(topic AS BIGINT)) {_MESSAGES} AND topic IS NOT NULL"
_EMPTY_LANES = """
UPDATE lane SET head = NULL, ready_at = NULL, parked = NULL, owner = NULL, lease_until = NULL, fence = fence + 1
WHERE system = $1 AND head IS NOT NULL
"""
_TAKE_BACK = timed("""
UPDATE delivery SET state = 'cancelled', standing = 0, next_at = NULL, settled_at = coalesce(settled_at, INSTANT)
WHERE system = $1 AND standing = 1 AND system >= 'webhook:' AND system < 'webhook;'
""")
_UNCOUNT = "UPDATE backlog SET open = 0 WHERE system = $1"
_HAPPENED = "SELECT at FROM event WHERE position = $1"


async def insert(  # noqa: PLR0917 - columns
    webhook: str, client: str, url: str, agencies: Sequence[str], kinds: Sequence[str], secret: bytes, tx: Transaction
) -> None:
    """Write a new endpoint. It is told of what happens from now on."""
    await tx.execute(_INSERT, webhook, client, url, " ".join(agencies), " ".join(kinds), secret)


async def get(webhook: str, tx: Transaction) -> WebhookRow | None:
    """Return one endpoint."""
    return next(iter(_rows(await tx.fetch(f"{_SELECT} WHERE id = $1", webhook))), None)


async def of_client(client: str, tx: Transaction) -> list[WebhookRow]:
    """Return the endpoints of a client, the oldest first."""
    return _rows(await tx.fetch(f"{_SELECT} WHERE client = $1 ORDER BY number", client))


async def look_after(owner: str, lease: int, most: int, tx: Transaction) -> None:
    """Renew the leases of what `owner` looks after, and take up to `most` endpoints in all that nobody does."""
    await tx.execute(_LOOK_AFTER, owner, lease, most)


async def any_free(tx: Transaction) -> bool:
    """Return whether there are active endpoints that nobody looks after."""
    return await tx.fetchrow(_FREE) is not None


async def of_owner(owner: str, tx: Transaction) -> list[WebhookRow]:
    """Return the active endpoints that `owner` looks after."""
    return _rows(await tx.fetch(_MINE, owner))


async def let_go(owner: str, tx: Transaction) -> None:
    """End every lease of `owner`."""
    await tx.execute(_LET_GO, owner)


async def advance(webhook: str, old: int, new: int, tx: Transaction) -> bool:
    """Move an active endpoint on in the feed and lock it. False: somebody else has moved it, or it is disabled."""
    return bool(await tx.execute(_ADVANCE, webhook, old, new))


async def missed(webhook: str, old: int, new: int, tx: Transaction) -> None:
    """Move an endpoint on to where there still are events, and note that it has missed some."""
    await tx.execute(_MISSED, webhook, old, new)


async def rotate(webhook: str, secret: bytes, old: bytes, overlap: int, tx: Transaction) -> None:
    """Give an endpoint a new secret; the old one goes on for `overlap`."""
    await tx.execute(_ROTATE, webhook, secret, old, overlap)


async def set_state(webhook: str, state: str, why: str | None, tx: Transaction) -> bool:
    """Disable or enable an endpoint. Returns whether that changed anything."""
    return bool(await tx.execute(_STATE, webhook, state, why))


async def failed(webhook: str, reason: str, tx: Transaction) -> None:
    """Note that an endpoint did not take a message."""
    await tx.execute(_FAILED, webhook, reason)


async def went(webhook: str, tx: Transaction) -> None:
    """Note that an endpoint takes messages again."""
    await tx.execute(_WENT, webhook)


async def delete(webhook: str, tx: Transaction) -> None:
    """Forget an endpoint. What it was given and has not taken is to be taken back first."""
    await tx.execute("DELETE FROM webhook WHERE id = $1", webhook)


async def lock(webhook: str, tx: Transaction) -> WebhookRow | None:
    """Lock an endpoint and return it."""
    await tx.execute(_LOCK, webhook)
    return await get(webhook, tx)


async def rewind(webhook: str, position: int, tx: Transaction) -> None:
    """Move an endpoint to a place in the feed."""
    await tx.execute(_REWIND, webhook, position)


async def place_before(at: int, tx: Transaction) -> int:
    """Return the place in the feed behind which stands what happened from a moment on."""
    position: int = await tx.fetchval(_AT, at)
    return position


async def take_back(system: str, tx: Transaction) -> int | None:
    """End every message under way to a locked endpoint, and return the lowest place in the feed of any of them.

    Whoever is just sending one finds the lease gone.
    """
    await tx.execute(_EMPTY_LANES, system)
    lowest: int | None = await tx.fetchval(_TOPICS, system)
    await tx.execute(_TAKE_BACK, system)
    await tx.execute(_UNCOUNT, system)
    return lowest


async def standing(system: str, tx: Transaction) -> Standing:
    """Return what an endpoint has been given and not taken, and when the oldest of it happened."""
    row = await tx.fetchrow(_STANDING, system)
    oldest = await tx.fetchrow(_OLDEST, system)
    if row is None or oldest is None:
        return Standing(0, 0, None)
    accepted_at, topic = oldest
    happened = None if topic is None else await tx.fetchval(_HAPPENED, int(topic))
    return Standing(int(row[0]), int(row[1] or 0), accepted_at if happened is None else happened)


async def dossiers(ids: Collection[str], tx: Transaction) -> dict[str, str]:
    """Return which dossier each of these deliveries is about, where it is about one."""
    if not ids:
        return {}
    values: list[Value] = list(ids)
    wanted = places(1, len(values))
    query = f"SELECT id, dossier FROM delivery WHERE dossier IS NOT NULL AND id IN ({wanted})"  # noqa: S608 - places
    return {row[0]: row[1] for row in await tx.fetch(query, *values)}


def _rows(found: Sequence[Row]) -> list[WebhookRow]:
    return [WebhookRow(**dict(zip(_NAMES, row, strict=True))) for row in found]
