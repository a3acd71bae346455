"""Ends sign-ins that nobody came back to, and forgets persons and tokens whose time is over.

Every process does it; each sign-in is ended by one of them, because the state is part of the statement. Nobody is given
anything whose time is over meanwhile: that is looked at by whoever gives it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from gateway.resilience import StoreUnavailable
from gateway.signins import steps
from gateway.store.tables import signins

if TYPE_CHECKING:
    from gateway.signins.settings import SignInsSettings
    from gateway.signins.values import Observer
    from gateway.store import Store

_ROWS: Final = 100
_MICROS_AN_HOUR: Final = 3_600_000_000
_log = structlog.get_logger(__name__)


class Sweeper:
    """Sweeps now and then. Ends when `serve` is cancelled."""

    def __init__(self, store: Store, settings: SignInsSettings, system: str, observer: Observer) -> None:
        self._engine = store.engine
        self._settings = settings
        self._system = system
        self._observer = observer

    async def serve(self) -> None:
        """Sweep, until cancelled. A store that fails is asked again."""
        while True:
            await asyncio.sleep(self._settings.sweep_seconds)
            try:
                await self.sweep()
            except StoreUnavailable:
                pass  # the store says so itself
            except Exception as error:  # noqa: BLE001 - the worker's edge: it goes on, and the defect is recorded
                _log.error("defect in sweeping sign-ins", error=type(error).__qualname__)

    async def sweep(self) -> None:
        """Sweep once. Raises `StoreUnavailable`."""
        while True:
            ended = await self._engine.write(partial(steps.sweep, self._system, _ROWS))
            for outcome in ended:
                if outcome is not None:
                    self._observer.sign_in_ended(self._system, outcome)
            if len(ended) < _ROWS:
                break
        await self._engine.write(signins.forget_tokens)
        older = int(self._settings.kept_hours * _MICROS_AN_HOUR)
        while await self._engine.write(partial(signins.delete, older, _ROWS)) == _ROWS:
            pass
