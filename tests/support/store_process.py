"""Processes that use a store, to be started, watched and killed by tests.

`python -m tests.support.store_process VERB SETTINGS …`, where the settings are the section `store` as JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from contracts import VIETNAM
from contracts.model import AgencyCode
from gateway.security import Refusal, authenticate
from gateway.settings import StoreSettings
from gateway.store import CannotOpen, open_store
from tests.support.stores import call

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_LOOK_EVERY = 0.02
_TASKS = 32


def say(**facts: object) -> None:
    """Tell the test something, in one line that is out before this returns."""
    os.write(1, json.dumps(facts).encode() + b"\n")


async def serve(settings: StoreSettings, header: str) -> None:
    """Hold the store as a server does and tell each change of what it would answer to `header` and for `system`."""
    store = await open_store(settings, serving=True)
    told = None
    while True:
        found = authenticate(header, store.snapshot, datetime.now(VIETNAM))
        paused = store.stop_switch.check("population")
        now = {
            "key": found.reason.value if isinstance(found, Refusal) else "accepted",
            "paused": None if paused is None else paused.why,
        }
        if now != told:
            told = now
            say(**now, at=time.time())
        await asyncio.sleep(_LOOK_EVERY)


async def write(settings: StoreSettings) -> None:
    """Open attempts without end, and tell the id of each once it is acknowledged."""
    store = await open_store(settings, serving=True)
    numbers = itertools.count()

    async def caller() -> None:
        for number in numbers:
            call_id = f"call-{number}"
            await store.attempts.open_attempt(call(call_id), 1, f"request-{number}")
            say(opened=call_id)

    await asyncio.gather(*(caller() for _ in range(_TASKS)))


async def try_to_serve(settings: StoreSettings) -> None:
    """Try to serve, and tell why not."""
    try:
        store = await open_store(settings, serving=True)
    except CannotOpen as error:
        say(refused=type(error).__name__, **{name: str(value) for name, value in vars(error).items()})
    else:
        await store.close()
        say(refused=None)


async def revoke(settings: StoreSettings, key_id: str) -> None:
    """Revoke a key as the command line does, and tell when that was durable."""
    store = await open_store(settings, serving=False)
    await store.clients.revoke_key(key_id, by="test", why="lost")
    say(at=time.time())
    await store.close()


async def pause(settings: StoreSettings, system: str) -> None:
    """Pause a system as the command line does, and tell when that was durable."""
    store = await open_store(settings, serving=False)
    await store.switches.pause(system, by="test", why="maintenance")
    say(at=time.time())
    await store.close()


async def count_up(settings: StoreSettings) -> None:
    """Add fifty agencies, beside whoever else writes."""
    store = await open_store(settings, serving=False)
    for number in range(50):
        await store.agencies.add(AgencyCode(f"{os.getpid() % 1000:03}.00.{number:02}.H99"), "mẫu", by="test")
    await store.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    verbs: dict[str, Callable[..., Coroutine[None, None, None]]] = {
        verb.__name__: verb for verb in (serve, write, try_to_serve, revoke, pause, count_up)
    }
    asyncio.run(verbs[sys.argv[1]](StoreSettings.model_validate_json(sys.argv[2]), *sys.argv[3:]))
