"""Looks after endpoints in one process: gives them their messages, has their workers run, and disables what is dead.

An endpoint is looked after by one process at a time, by a lease, so that many processes do not all ask for the same.
Nothing else depends on that: places in the feed, lanes and leases of lanes are safe in the hands of several.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog

from adapters.webhook import target
from contracts import VIETNAM
from gateway.delivery import feed, rows
from gateway.delivery.settings import DAY
from gateway.resilience import StoreUnavailable
from gateway.security import Scope
from gateway.store.tables import instant, webhooks
from gateway.store.tables.instant import MICROS
from gateway.webhooks import book, messages
from gateway.webhooks.outlet import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.transport import Transport
    from gateway.delivery import Deliveries, DeliverySettings
    from gateway.resilience.observer import Observer
    from gateway.resilience.state import PipelineState
    from gateway.store import Store
    from gateway.store.engine import Transaction
    from gateway.store.tables.webhooks import WebhookRow
    from gateway.webhooks.settings import WebhooksSettings

GONE = "endpoint_gone"
FAILING = "failing"
NOT_ALLOWED = "target_not_allowed"
_MORE_AT_ONCE = 8
_STOP_SECONDS = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Round:
    """What a process finds when it looks: the endpoints that it looks after, and whether there are others to take."""

    rows: tuple[WebhookRow, ...]
    free: bool
    present: int


class Keeper:
    """Looks after endpoints. `start` it on the event loop that its deliveries were made on; `stop` it before them."""

    def __init__(
        self,
        store: Store,
        deliveries: Deliveries,
        settings: WebhooksSettings,
        common: DeliverySettings,
        *,
        observer: Observer | None = None,
        transports: Mapping[str, Transport] | None = None,
    ) -> None:
        self._store = store
        self._engine = store.engine
        self._deliveries = deliveries
        self._settings = settings
        self._common = common
        self._observer = observer
        self._transports = transports or {}
        self._owner = str(uuid.uuid4())
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._lines: dict[str, tuple[tuple[object, ...], Line]] = {}
        self._oldest: dict[str, float] = {}

    def start(self) -> None:
        """Begin to look after endpoints."""
        self._stopping = False
        self._task = asyncio.create_task(self._serve())

    def wake(self) -> None:
        """Look at once: an endpoint has changed."""
        self._wake.set()

    async def stop(self) -> None:
        """Let go of everything; another process takes it up at once."""
        self._stopping = True  # not by cancelling: what waits with a time limit may lose that on Python 3.11
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None
        await asyncio.gather(*(self._hang_up(webhook) for webhook in list(self._lines)))
        with contextlib.suppress(StoreUnavailable):
            await self._engine.write(partial(webhooks.let_go, self._owner))

    def lags(self) -> dict[str, float]:
        """Return how old is, in seconds, the oldest event that each endpoint has not taken; 0 where it has them all."""
        return {webhook: max(0.0, self._clock() - since) for webhook, since in self._oldest.items()}

    def states(self) -> tuple[PipelineState, ...]:
        """Return the state of every line."""
        return tuple(line.pipeline.state() for _, line in self._lines.values())

    async def round(self) -> bool:
        """Look once after every endpoint. Returns whether there is more to do at once. Raises `StoreUnavailable`."""
        found = await self._engine.read(partial(_look, self._owner))
        lease = rows.micros(self._settings.lease_seconds)
        if found.free or any(row.lease_until - found.present < lease / 2 for row in found.rows):
            await self._engine.write(partial(webhooks.look_after, self._owner, lease, len(found.rows) + _MORE_AT_ONCE))
            found = await self._engine.read(partial(_look, self._owner))
        for webhook in self._lines.keys() - {row.id for row in found.rows}:
            await self._hang_up(webhook)
        if found.rows:
            await feed.place_new(self._engine)
        more = False
        for row in found.rows:
            more = await self._look_after(row, found.present) or more
        return more

    async def _look_after(self, row: WebhookRow, present: int) -> bool:
        """Look after one endpoint; a defect in it is recorded and keeps no other from being told."""
        try:
            return await self._settle(row, present) and await self._tell(row, present)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the edge of one endpoint
            _log.error("defect in looking after a webhook", system=row.system, error=type(error).__qualname__)
        return False

    async def _serve(self) -> None:
        while not self._stopping:
            self._wake.clear()
            more = False
            try:
                more = await self.round()
            except StoreUnavailable:
                pass  # the store says so itself
            except Exception as error:  # noqa: BLE001 - the keeper's edge: it goes on, and the defect is recorded
                _log.error("defect in looking after webhooks", error=type(error).__qualname__)
            if not more:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_seconds):
                        await self._wake.wait()

    async def _settle(self, row: WebhookRow, present: int) -> bool:
        """Have the line to an endpoint as it is to be; hang up where there is to be none. Returns whether there is."""
        why = self._hopeless(row)
        if why is not None:
            await self._give_up(row, why)
            return False
        place = target(row.url, self._settings.allowed)
        if place is None:
            await self._give_up(row, NOT_ALLOWED)
            return False
        both = row.old_until is not None and row.old_until > present
        form = (row.secret, row.old_secret if both else None)
        standing = self._lines.get(row.id)
        if standing is None:
            self._ring_up(
                row,
                Line(
                    row.id,
                    row.system,
                    place,
                    book.secrets_of(row, present, self._store.seal),
                    self._store,
                    settings=self._settings,
                    common=self._common,
                    observer=self._observer,
                    transport=self._transports.get(row.system),
                ),
                form,
            )
        elif standing[0] != form:
            standing[1].keychain.secrets = book.secrets_of(row, present, self._store.seal)
            self._lines[row.id] = (form, standing[1])
        return True

    def _hopeless(self, row: WebhookRow) -> str | None:
        if row.failing_since is None or row.failed_at is None:
            return None
        if row.failure == GONE:
            return GONE
        limit = rows.micros(self._settings.disable_after_days * DAY)
        return FAILING if row.failed_at - row.failing_since >= limit else None

    async def _give_up(self, row: WebhookRow, why: str) -> None:
        if await self._engine.write(partial(book.give_up, row.id, why, row.failing_since)):
            _log.warning("webhook disabled", system=row.system, client=row.client, reason=why)
        await self._hang_up(row.id)

    async def _tell(self, row: WebhookRow, present: int) -> bool:
        """Give an endpoint what it is to be told. Returns whether there is more."""
        known = self._store.snapshot.current()
        client, now = known.client(row.client), datetime.now(VIETNAM)
        if client is None or Scope.WEBHOOKS_MANAGE not in client.scopes:
            return False
        if not any(key.client == row.client and key.valid(now) for key in known.keys.values()):
            return False  # it could not ask either
        agencies = sorted(set(row.agencies.split()) & {agency.value for agency in client.agencies})
        found = await self._engine.read(partial(messages.look, row, agencies, self._settings))
        age = 0 if found.since is None else max(0, present - found.since)
        self._oldest[row.id] = self._clock() - age / MICROS if found.since is not None else float("inf")
        given = await messages.give(row, found, self._common, self._store.seal, self._engine)
        if given and found.events:
            self._deliveries.wake(row.system)
        return given and found.more

    def _ring_up(self, row: WebhookRow, line: Line, form: tuple[object, ...]) -> None:
        self._lines[row.id] = (form, line)
        self._deliveries.join(line.outlet)

    async def _hang_up(self, webhook: str) -> None:
        _, line = self._lines.pop(webhook, (None, None))
        self._oldest.pop(webhook, None)
        if line is not None:
            await self._deliveries.part(line.pipeline.system, _STOP_SECONDS)
            await line.aclose()


async def _look(owner: str, tx: Transaction) -> _Round:
    return _Round(tuple(await webhooks.of_owner(owner, tx)), await webhooks.any_free(tx), await instant.now(tx))
