"""A process that goes on with the replays of a store, to be killed by tests.

`python -m tests.support.replay_process SETTINGS TURNS`, where the settings are the section `store` as JSON. It says how
many deliveries were set going, after each, and takes no more turns than it was told, however late it is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import structlog

from gateway.delivery import Deliveries
from gateway.settings import StoreSettings
from gateway.store import open_store
from tests.support.deliveries import SETTINGS, SYSTEM, Toy, outlet

if TYPE_CHECKING:
    from gateway.store.assembly import Assembly


async def go_on(settings: StoreSettings, turns: int) -> None:
    """Take turns, then wait to be killed; nothing is sent."""
    store: Assembly = await open_store(settings, serving=True)  # type: ignore[assignment]
    deliveries = Deliveries(store, SETTINGS, {SYSTEM: outlet(store, Toy())})
    told = 0
    while told < turns:
        wait = await deliveries.replays.take_turns()
        for one in await deliveries.replays.page(limit=1):
            if one.set_going != told:
                told = one.set_going
                os.write(1, f"{told}\n".encode())
        await asyncio.sleep(SETTINGS.poll_seconds if wait is None else wait)
    await asyncio.Event().wait()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(go_on(StoreSettings.model_validate_json(sys.argv[1]), int(sys.argv[2])))
