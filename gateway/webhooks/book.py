"""What clients may do with their endpoints: each is one transaction, and each change is written into the journal.

A secret is shown once and kept sealed. Beginning again, from some place in the feed or after an endpoint was disabled,
takes back what was under way: it comes again out of the feed, in order and under the same message ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pydantic import SecretStr

from adapters.webhook import Secrets
from gateway.delivery.rows import micros
from gateway.security.sealing import Place
from gateway.store.tables import changes, events, instant, webhooks
from gateway.store.tables.webhooks import ACTIVE, DISABLED
from gateway.store.times import from_micros, maybe_moment
from gateway.webhooks import messages, values
from gateway.webhooks.values import Endpoint, Refusal, type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.delivery import DeliverySettings
    from gateway.security.sealing import Seal
    from gateway.store.engine import Transaction
    from gateway.store.tables.webhooks import WebhookRow

Answer: TypeAlias = "Endpoint | Refusal"
SECRET, OLD_SECRET = "secret", "old_secret"
GATEWAY = "gateway"
"""Who disables an endpoint that nobody has disabled."""


async def view(row: WebhookRow, tx: Transaction) -> Endpoint:
    """Return what a client sees of its endpoint."""
    standing, present = await webhooks.standing(row.system, tx), await instant.now(tx)
    both = row.old_until is not None and row.old_until > present
    return Endpoint(
        id=row.id,
        system=row.system,
        client=row.client,
        url=row.url,
        agencies=tuple(row.agencies.split()),
        types=tuple(type_of(kind) for kind in row.kinds.split()),
        made_at=from_micros(row.made_at),
        active=row.state == ACTIVE,
        state_at=from_micros(row.state_at),
        why=row.state_why,
        two_secrets_until=maybe_moment(row.old_until) if both else None,
        position=row.position,
        missed_at=maybe_moment(row.missed_at),
        failing_since=maybe_moment(row.failing_since),
        failed_at=maybe_moment(row.failed_at),
        failure=row.failure,
        behind=standing.open,
        since=maybe_moment(standing.since),
    )


async def add(  # noqa: PLR0917 - columns
    webhook: str,
    client: str,
    url: str,
    agencies: Sequence[str],
    types: Sequence[str],
    secret: bytes,
    most: int,
    tx: Transaction,
) -> Answer:
    """Write a new endpoint."""
    if len(await webhooks.of_client(client, tx)) >= most:
        return Refusal.TOO_MANY
    await webhooks.insert(webhook, client, url, agencies, [values.what_of(one) for one in types], secret, tx)
    await _record(webhook, "add", client, None, tx)
    return await _shown(webhook, tx)


async def listed(client: str, tx: Transaction) -> list[Endpoint]:
    """Return the endpoints of a client."""
    return [await view(row, tx) for row in await webhooks.of_client(client, tx)]


async def one(webhook: str, client: str, tx: Transaction) -> Answer:
    """Return one endpoint of a client."""
    row = await webhooks.get(webhook, tx)
    return Refusal.NO_SUCH_WEBHOOK if row is None or row.client != client else await view(row, tx)


async def remove(webhook: str, client: str, tx: Transaction) -> Refusal | None:
    """Forget an endpoint, with what is under way to it."""
    row = await _own(webhook, client, tx)
    if isinstance(row, Refusal):
        return row
    await webhooks.take_back(row.system, tx)
    await webhooks.delete(webhook, tx)
    await _record(webhook, "remove", client, None, tx)
    return None


async def rotate(webhook: str, client: str, secret: SecretStr, overlap: float, seal: Seal, tx: Transaction) -> Answer:  # noqa: PLR0917
    """Sign with a new secret, and for a while with the one before it as well."""
    row = await _own(webhook, client, tx)
    if isinstance(row, Refusal):
        return row
    before = seal.open(row.secret, _place(webhook, SECRET))
    old = seal.seal(before, _place(webhook, OLD_SECRET))
    await webhooks.rotate(webhook, sealed(webhook, secret, seal), old, micros(overlap), tx)
    await _record(webhook, "rotate", client, None, tx)
    return await _shown(webhook, tx)


async def disable(webhook: str, client: str, why: str | None, tx: Transaction) -> Answer:
    """Send nothing more to an endpoint until it is enabled. Its place in the feed stays."""
    row = await _own(webhook, client, tx)
    if isinstance(row, Refusal):
        return row
    await _disable(row, client, why, tx)
    return await _shown(webhook, tx)


async def give_up(webhook: str, why: str, failing_since: int | None, tx: Transaction) -> bool:
    """Disable an endpoint that still fails since that moment. Returns whether it was done here."""
    row = await webhooks.lock(webhook, tx)
    if row is None or row.failing_since != failing_since:
        return False
    return await _disable(row, GATEWAY, why, tx)


async def enable(webhook: str, client: str, tx: Transaction) -> Answer:
    """Send again, from where it stopped: in order, and at once whatever was being waited for."""
    row = await _own(webhook, client, tx)
    if isinstance(row, Refusal):
        return row
    if await webhooks.set_state(webhook, ACTIVE, None, tx):
        await _begin_again(row, row.position, tx)
        await _record(webhook, "enable", client, None, tx)
    return await _shown(webhook, tx)


async def redeliver(webhook: str, client: str, position: int | None, since: int | None, tx: Transaction) -> Answer:
    """Send everything once more that stands behind a place in the feed, or that has happened since a moment."""
    row = await _own(webhook, client, tx)
    if isinstance(row, Refusal):
        return row
    if row.state != ACTIVE:
        return Refusal.DISABLED
    pruned_to, last = await events.bounds(tx)
    start = position if position is not None else await webhooks.place_before(since or 0, tx)
    if not pruned_to <= start <= last:
        return Refusal.CURSOR_EXPIRED
    await _begin_again(row, min(row.position, start), tx)
    await _record(webhook, "redeliver", client, f"from place {start}", tx)
    return await _shown(webhook, tx)


async def test(webhook: str, client: str, seal: Seal, settings: DeliverySettings, tx: Transaction) -> str | Refusal:
    """Store a message that says nothing but that it is a test, and return which delivery it is."""
    row = await _own(webhook, client, tx)
    if isinstance(row, Refusal):
        return row
    if row.state != ACTIVE:
        return Refusal.DISABLED
    entry = messages.test_entry(row, from_micros(await instant.now(tx)), seal)
    await messages.store(row, [entry], settings, tx)
    return entry.id


def sealed(webhook: str, secret: SecretStr, seal: Seal) -> bytes:
    """Return a secret as it is kept."""
    return seal.seal(secret.get_secret_value().encode(), _place(webhook, SECRET))


def secrets_of(row: WebhookRow, present: int, seal: Seal) -> Secrets:
    """Return what an endpoint's messages are signed with now."""
    found = [seal.open(row.secret, _place(row.id, SECRET))]
    if row.old_secret is not None and row.old_until is not None and row.old_until > present:
        found.append(seal.open(row.old_secret, _place(row.id, OLD_SECRET)))
    return Secrets(tuple(SecretStr(one.decode()) for one in found))


def _place(webhook: str, column: str) -> Place:
    return Place("webhook", column, webhook)


async def _own(webhook: str, client: str, tx: Transaction) -> WebhookRow | Refusal:
    """Lock an endpoint of this client and return it. Another's is none."""
    row = await webhooks.lock(webhook, tx)
    return Refusal.NO_SUCH_WEBHOOK if row is None or row.client != client else row


async def _shown(webhook: str, tx: Transaction) -> Answer:
    row = await webhooks.get(webhook, tx)
    return Refusal.NO_SUCH_WEBHOOK if row is None else await view(row, tx)


async def _begin_again(row: WebhookRow, position: int, tx: Transaction) -> None:
    lowest = await webhooks.take_back(row.system, tx)
    await webhooks.rewind(row.id, position if lowest is None else min(position, lowest - 1), tx)


async def _disable(row: WebhookRow, by: str, why: str | None, tx: Transaction) -> bool:
    if not await webhooks.set_state(row.id, DISABLED, why, tx):
        return False
    present, first = await instant.now(tx), row.agencies.split()[0]
    await events.write_of_webhook(present, first, row.system, values.DISABLED, tx)
    await _record(row.id, "disable", by, why, tx)
    return True


async def _record(webhook: str, what: str, by: str, why: str | None, tx: Transaction) -> None:
    await changes.record(tx, await instant.now(tx), by, what=f"webhook.{what}", name=webhook, why=why)
