"""A process that tries to be the one that exchanges what came back, for every sign-in that is named.

`python -m tests.support.sign_in_process SETTINGS ID…`, where the settings are the section `store` as JSON. It says when
it is ready, begins when it is told to (a line on standard input), and says which sign-ins it won.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from gateway.store.tables import signins

if TYPE_CHECKING:
    from gateway.store.assembly import Assembly

_LEASE = 60_000_000


async def opened(place: dict[str, str]) -> Assembly:
    """Open the store, and import no more for it than is needed: most of the time goes there."""
    keys = Path(place["keys"])
    if "dsn" in place:
        from gateway.store.postgres import PostgresStore  # noqa: PLC0415 - see above

        return await PostgresStore.open(place["dsn"], keys, serving=False)
    from gateway.store.sqlite.store import SqliteStore  # noqa: PLC0415 - see above

    return await SqliteStore.open(Path(place["path"]), keys, serving=False)


async def race(place: dict[str, str], sign_ins: list[str]) -> None:
    """Try each in turn."""
    store = await opened(place)
    os.write(1, b"ready\n")
    await asyncio.to_thread(sys.stdin.readline)
    won = [one for one in sign_ins if await store.engine.write(partial(signins.consume, one, _LEASE))]
    os.write(1, json.dumps(won).encode() + b"\n")
    await store.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(race(json.loads(sys.argv[1]), sys.argv[2:]))
