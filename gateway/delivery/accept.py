"""Accepting a write: one transaction with its idempotency key, its place in the lane, and whatever it supersedes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.model import DeliveryState
from gateway.delivery import dossiers
from gateway.delivery.rows import micros
from gateway.store.tables import deliveries, events, idempotency, lanes

if TYPE_CHECKING:
    from gateway.delivery.settings import DeliverySettings
    from gateway.delivery.values import DossierRefusal, Submission
    from gateway.store.engine import Transaction, Value
    from gateway.store.tables.deliveries import DeliveryRow, Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A submission as it is stored: with its ids, hashed and sealed. Its key is kept for `key_kept` microseconds."""

    id: str
    partner_key: str
    submission: Submission
    body: bytes
    payload: bytes
    legal_due_at: int | None
    key_kept: int
    topic: str | None = None

    def key(self) -> idempotency.Key:
        """Return the client's key with its scope."""
        one = self.submission
        return idempotency.Key(client=one.client, method=one.method, resource=one.resource, key=one.key)

    def values(self) -> dict[str, Value]:
        """Return the columns that stand from the start."""
        one, purpose = self.submission, self.submission.purpose
        return {
            "id": self.id,
            "system": one.operation.system,
            "operation": one.operation.name,
            "client": one.client,
            "agency": purpose.agency.value,
            "officer": purpose.officer,
            "procedure": purpose.procedure.value,
            "dossier": None if purpose.dossier is None else purpose.dossier.value,
            "legal_due_at": self.legal_due_at,
            "topic": self.topic,
            "partner_key": self.partner_key,
            "payload": self.payload,
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """The key is taken, for this body and this delivery; `row` is `None` if the body is another."""

    delivery: str
    row: DeliveryRow | None


class Full:
    """The agency's backlog is full."""


class Undone(Exception):
    """Nothing is to be written, and `answer` says why: raised so that what has been written already is taken back."""

    def __init__(self, answer: Any) -> None:
        super().__init__(type(answer).__name__)
        self.answer = answer


async def accept(entry: Entry, settings: DeliverySettings, tx: Transaction) -> DeliveryRow | Taken | Full:
    """Store a write for good, unless its key is taken or its agency's backlog full.

    Raises `Undone` where its dossier says no: asked after the key, so that a repetition finds what it once came to.
    """
    one = entry.submission
    system, agency = one.operation.system, one.purpose.agency.value
    outlook = await deliveries.outlook(agency, system, tx)
    taken = await claim_key(entry, outlook, settings, tx)
    if taken is not None:
        return taken
    present = outlook.present
    ageing = micros(settings.ageing_seconds)
    urgent_at = lanes.urgency(entry.legal_due_at, present, ageing)
    name = await lane_name(entry, tx)
    if not isinstance(name, str):
        raise Undone(name)
    lane, position, head = await lanes.enter(system, name, agency, urgent_at, tx)
    gone = await supersede(entry, lane, present, tx)
    row = await store(entry, tx, lane=lane, position=position, outlook=outlook)
    if any(place == head for _, place in gone):
        await lanes.advance(lane, present, ageing, tx)
    return row


async def lane_name(entry: Entry, tx: Transaction) -> str | DossierRefusal:
    """Return the ordering key of the entry's lane: that of its dossier, where it is about one."""
    one = entry.submission
    if one.dossier is None:
        return one.lane
    return await dossiers.place(one.dossier, one.operation.system, one.purpose.agency, entry.id, tx)


async def post(entry: Entry, outlook: Outlook, settings: DeliverySettings, tx: Transaction) -> DeliveryRow:
    """Store a write of the gateway's own: whoever calls sees to it that it is stored once, and how many there are."""
    one = entry.submission
    urgent_at = lanes.urgency(entry.legal_due_at, outlook.present, micros(settings.ageing_seconds))
    lane, position, _ = await lanes.enter(one.operation.system, one.lane, one.purpose.agency.value, urgent_at, tx)
    return await store(entry, tx, lane=lane, position=position, outlook=outlook)


async def claim_key(entry: Entry, outlook: Outlook, settings: DeliverySettings, tx: Transaction) -> Taken | Full | None:
    """Take the entry's key, unless it is taken or there is no room for what would be new."""
    key = entry.key()
    if outlook.open >= settings.backlog:
        found = await idempotency.find(key, tx)
        if found is None:
            return Full()
    else:
        found = await idempotency.take(key, entry.body, entry.id, outlook.present + entry.key_kept, tx)
        if found is None:
            return None
    return await _taken(entry, found, tx)


async def taken(entry: Entry, tx: Transaction) -> Taken | None:
    """Return what the entry's key was taken for, `None` if it is free."""
    found = await idempotency.find(entry.key(), tx)
    return None if found is None else await _taken(entry, found, tx)


async def _taken(entry: Entry, found: tuple[bytes, str], tx: Transaction) -> Taken:
    body, delivery = found
    return Taken(delivery, await deliveries.get(delivery, tx) if body == entry.body else None)


async def supersede(
    entry: Entry, lane: int, present: int, tx: Transaction, *, behind: int | None = None
) -> list[tuple[str, int]]:
    """End what the entry says anew in a locked lane, where it says all; `behind` is as for the table."""
    one, agency = entry.submission, entry.submission.purpose.agency.value
    if entry.topic is None:
        return []
    gone = await deliveries.supersede(lane, entry.topic, agency, entry.id, present, tx, behind=behind)
    for old, _ in gone:
        await deliveries.count(agency, one.operation.system, lanes.shard(lane), -1, tx)
        await events.write(present, old, agency, one.operation.system, DeliveryState.SUPERSEDED, tx)
    return gone


async def store(
    entry: Entry, tx: Transaction, *, lane: int, position: int, outlook: Outlook, replaces: str | None = None
) -> DeliveryRow:
    """Write the delivery at its place in a locked lane, count it, and tell of it."""
    system, agency = entry.submission.operation.system, entry.submission.purpose.agency.value
    values = {
        **entry.values(),
        "lane": lane,
        "position": position,
        "replaces": replaces,
        "accepted_at": outlook.present,
        "reach_mark": outlook.reached,
        "kept_until": outlook.present + entry.key_kept,
    }
    counted = deliveries.counted(agency, system, lanes.shard(lane), 1)
    told = events.written(outlook.present, entry.id, agency, system, DeliveryState.ACCEPTED)
    return await deliveries.insert(values, entry.submission.subject, tx, counted, told)
