from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import httpx

from tests.support import artifacts
from tests.support.frontdoor import run
from tests.support.province import CLIENT, founded, mocks, question

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "khong-cho-xem"
TWO_SECONDS = 2.0
POLICY = {"rate": {"per_second": 1000}}


async def test_two_servers_on_one_database(database: str, tmp_path: Path) -> None:
    """Real processes on PostgreSQL: both verify a citizen, both leave their audit, both refuse a key once revoked.

    Whatever they and the command line say, the password of the database is not in it.
    """
    secret = tmp_path / "dsn"
    parts = urlsplit(database)
    account = parts.username or "postgres"
    dsn = parts._replace(netloc=f"{account}:{parts.password or PASSWORD}@{parts.netloc.rpartition('@')[2]}").geturl()
    secret.write_text(dsn + "\n", encoding="utf-8")
    async with mocks() as door, AsyncExitStack() as stack:
        province = await founded(tmp_path, door.ready, policy=POLICY, transport={}, dsn_file=secret)
        servers = [await stack.enter_async_context(province.serving()) for _ in range(2)]
        async with httpx.AsyncClient(base_url=door.ready["admin"], trust_env=False) as admin:
            people = (await admin.get("world/citizens?limit=20")).json()["citizens"]
        person = next(one for one in people if one["identity_number"] and one["birth"]["month"])
        callers = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=server.ready["gateway"], headers=province.authorization, trust_env=False)
            )
            for server in servers
        ]

        async def ask(caller: httpx.AsyncClient) -> int:
            return (await caller.post("/v1/citizens/verify", json=question(person), timeout=20)).status_code

        assert [await ask(caller) for caller in callers] == [200, 200]
        assert [(await caller.get("/readyz")).status_code for caller in callers] == [200, 200]
        assert await _audited(dsn) == [("answered", 1, True), ("answered", 1, True)]

        said = [
            await asyncio.to_thread(run, *command, "--config", str(province.config))
            for command in (("config", "check"), ("clients", "list"), ("clients", "revoke", CLIENT, "--why", "test"))
        ]
        revoked = time.monotonic()
        assert [done.returncode for done in said] == [0, 0, 0], said
        while {await ask(caller) for caller in callers} != {401}:
            assert time.monotonic() - revoked < TWO_SECONDS
            await asyncio.sleep(0.02)
        assert (
            len({number for (number,) in await _rows(dsn, "SELECT process FROM audit WHERE state = 'answered'")}) == 2
        )
    artifacts.keep("postgres.txt", "\n".join(map(repr, await _rows(dsn, "SELECT * FROM audit, attempt"))))
    told = [*(done.stdout + done.stderr for done in said), *(server.log.read_text("utf-8") for server in servers)]
    assert not [text for text in told if (parts.password or PASSWORD) in text]
    assert await _rows(dsn, "SELECT * FROM process") == []


async def _audited(dsn: str) -> list[tuple[object, ...]]:
    return await _rows(
        dsn, "SELECT audit.state, ordinal, evidence IS NOT NULL FROM audit JOIN attempt USING (call) ORDER BY number"
    )


async def _rows(dsn: str, statement: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()
