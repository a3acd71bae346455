"""What has been kept long enough goes by itself, once a day, while the gateway serves; what stays gets the current key.

Which process does it is decided in the database; how much is deleted how gently, in the store. Here is only the task
that asks now and then whether it is time.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from gateway.store import Periods, StoreUnavailable

if TYPE_CHECKING:
    from gateway.monitor.metrics import Metrics
    from gateway.settings import RetentionSettings
    from gateway.store import Store

_FIRST_SECONDS = 60.0
_EVERY_SECONDS = 600.0
_log = structlog.get_logger(__name__)


def periods(settings: RetentionSettings) -> Periods:
    """Return how long things are kept."""
    return Periods(
        attempts=timedelta(days=settings.attempts_days),
        bodies=timedelta(days=settings.bodies_days),
        events=timedelta(days=settings.events_days),
        audit=timedelta(days=settings.audit_days),
    )


class Nightly:
    """Asks every ten minutes whether today's turn has come. Ends when `serve` is cancelled."""

    def __init__(
        self, store: Store, settings: RetentionSettings, metrics: Metrics, *, first: float = _FIRST_SECONDS
    ) -> None:
        self._retention = store.retention
        self._keys = store.keys
        self._settings = settings
        self._metrics = metrics
        self._first = first

    async def serve(self) -> None:
        """Look now and then, until cancelled."""
        await asyncio.sleep(self._first)
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> bool:
        """Delete what is due if it is time, and return whether that was done. A store that fails is asked again.

        What an older key had sealed and is kept is sealed with the current one.
        """
        started = time.monotonic()
        try:
            gone = await self._retention.run_nightly(periods(self._settings), hour=self._settings.hour)
            resealed = 0 if gone is None else await self._keys.reseal()
        except StoreUnavailable as trouble:
            _log.warning("retention_put_off", trouble=trouble.trouble, detail=trouble.detail)
            return False
        except Exception as error:  # noqa: BLE001 - the worker's edge: the gateway goes on without it
            _log.error("retention_failed", error=type(error).__name__)
            return False
        if gone is None:
            return False
        self._metrics.retention_ran(gone)
        counts = ", ".join(f"{what} {count}" for what, count in asdict(gone).items())
        if resealed:
            _log.info("resealed", detail=f"values {resealed}")
        _log.info("retention_ran", detail=counts, seconds=round(time.monotonic() - started, 1))
        return True
