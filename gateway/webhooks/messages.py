"""From the feed to an endpoint's lanes. Messages are stored in one transaction with the endpoint's place in the feed.

So none is lost and none stored twice, whoever dies when, and however many processes do it. The lane is the dossier, or
the delivery where there is none. No more than a window of messages is under way: what is beyond waits in the feed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from adapters.webhook import declared
from contracts.model import AgencyCode, ProcedureCode, Purpose
from gateway.delivery import FeedGone, Submission, accept, feed, rows
from gateway.delivery.accept import Entry
from gateway.store.tables import deliveries, webhooks
from gateway.store.tables.events import WEBHOOKS
from gateway.webhooks.values import body_of, message_id, test_body, what_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from gateway.delivery import DeliverySettings
    from gateway.security.sealing import Seal
    from gateway.store.engine import Engine, Transaction
    from gateway.store.tables.events import EventRow
    from gateway.store.tables.webhooks import WebhookRow
    from gateway.webhooks.settings import WebhooksSettings

NO_PROCEDURE = ProcedureCode("0.000000")
"""A message serves no procedure and was asked for by no officer: the endpoint was, by its client."""


@dataclass(frozen=True, slots=True)
class Found:
    """What stands before an endpoint: events that it is to be told of, with their dossiers, and the place behind them.

    `since` is when the oldest of what it has not taken happened. `gone`: there is nothing left at its place.
    """

    since: int | None
    events: tuple[EventRow, ...]
    dossiers: dict[str, str]
    position: int
    more: bool
    gone: bool = False


async def look(row: WebhookRow, agencies: Collection[str], settings: WebhooksSettings, tx: Transaction) -> Found:
    """Return what an endpoint is to be told of. Only in a transaction that sees one moment."""
    standing = await webhooks.standing(row.system, tx)
    room = min(settings.batch, settings.window - standing.open)
    if room <= 0:
        return Found(standing.since, (), {}, row.position, more=False)
    kinds = [what_of(kind) for kind in row.kinds.split()]
    page = await feed.read(tx, after=row.position, limit=room, agencies=agencies, kinds=kinds)
    if isinstance(page, FeedGone):
        return Found(standing.since, (), {}, page.oldest, more=True, gone=True)
    told = tuple(event for event in page.events if event.system != row.system)  # it is not told of itself
    since = standing.since if standing.since is not None or not told else told[0].at
    dossiers = await webhooks.dossiers({event.delivery for event in told if event.delivery}, tx)
    return Found(since, told, dossiers, page.position, page.more)


async def give(row: WebhookRow, found: Found, common: DeliverySettings, seal: Seal, engine: Engine) -> bool:
    """Store the messages and move the endpoint on. False: somebody else did, or it is not to be told any more."""
    if found.position == row.position:
        return True
    if found.gone:
        await engine.write(partial(webhooks.missed, row.id, row.position, found.position))
        return True
    entries = [entry(row, message_of(row, event, found.dossiers), seal) for event in found.events]
    return await engine.write(partial(_store, row, entries, found.position, common))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message before it is stored. `position` is its event's place in the feed, if it is about one."""

    id: str
    body: bytes
    lane: str
    agency: str
    position: int | None = None


def message_of(row: WebhookRow, event: EventRow, dossiers: dict[str, str]) -> Draft:
    """Return what an endpoint is told of an event."""
    about = event.system.removeprefix(WEBHOOKS) if event.system.startswith(WEBHOOKS) else None
    return Draft(
        id=message_id(row.id, event.position),
        body=body_of(event, about),
        lane=dossiers.get(event.delivery, event.delivery or event.system),
        agency=event.agency,
        position=event.position,
    )


def test_entry(row: WebhookRow, at: datetime, seal: Seal) -> Entry:
    """Return a message that says nothing but that it is a test."""
    draft = Draft(id=f"msg_{uuid.uuid4().hex}", body=test_body(row.id, at), lane="test", agency=row.agencies.split()[0])
    return entry(row, draft, seal)


def entry(row: WebhookRow, draft: Draft, seal: Seal) -> Entry:
    """Return a message as it is stored."""
    delivery = str(uuid.uuid4())
    submission = Submission(
        client=row.client,
        method="",
        resource="",
        key="",
        body=b"",
        operation=declared(row.system),
        lane=draft.lane,
        payload=draft.body,
        purpose=Purpose(agency=AgencyCode(draft.agency), procedure=NO_PROCEDURE, officer="", dossier=None),
    )
    payload = seal.seal(draft.body, rows.place("payload", delivery))
    return Entry(
        id=delivery,
        partner_key=draft.id,
        submission=submission,
        body=b"",
        payload=payload,
        legal_due_at=None,
        key_kept=0,
        topic=None if draft.position is None else str(draft.position),
    )


async def store(row: WebhookRow, entries: Sequence[Entry], settings: DeliverySettings, tx: Transaction) -> None:
    """Store messages to an endpoint whose row is locked."""
    outlook = await deliveries.outlook("", row.system, tx)
    for one in entries:
        await accept.post(one, outlook, settings, tx)


async def _store(
    row: WebhookRow, entries: Sequence[Entry], position: int, settings: DeliverySettings, tx: Transaction
) -> bool:
    if not await webhooks.advance(row.id, row.position, position, tx):
        return False
    await store(row, entries, settings, tx)
    return True
