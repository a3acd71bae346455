from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from gateway.settings import StoreSettings
from gateway.store import Store, StoreUnavailable, Trouble, open_store
from lienthong.stop import ExitCode
from tests.support import province, reckoning
from tests.support.chaos import CALLERS, Chaos

KILLS = int(os.environ.get("LIENTHONG_CHAOS_KILLS", "6"))
SEED = int(os.environ.get("LIENTHONG_CHAOS_SEED", "1"))
LATE = Path(__file__).parents[1] / "support" / "late_server.py"
TAKES_UP_WITHIN = 2.0
FREEZES = 15

pytestmark = pytest.mark.timeout(120 + 10 * KILLS)


async def test_kills_and_freezes_lose_nothing_and_invent_nothing(tmp_path: Path) -> None:
    """Whatever is killed or frozen under load: what left is in the books, what was told is true, what broke is marked.

    Every exchange that the mocks saw has its attempt row and its audit row; none left twice; an answer that a caller
    got is in the audit as such; calls cut short are marked interrupted; each restart takes up at once.
    """
    chaos = Chaos(tmp_path, seed=SEED)
    async with chaos.under_load():
        for number in range(1, KILLS + 1):
            await chaos.load()
            if number % 5 == 0:
                await chaos.kill_mocks()
            if number % 4 == 0:
                await chaos.freeze_gateway(chaos.rng.uniform(0.2, 1.5))
                await chaos.load()
            if number % 5 == 3:
                await chaos.kill_a_gateway_that_starts()
            else:
                await chaos.kill_gateway()
        await chaos.load()
    ledger, books = reckoning.read_ledger(chaos.mock_logs), reckoning.read_books(chaos.province.store)
    broken = list(reckoning.violations(ledger, books, chaos.told))
    assert Counter(violation.what for violation in broken) == {}, broken[:10]

    # It was a run worth judging: much was asked, calls were cut short, and the mocks saw exchanges of those too.
    assert len(ledger) > 100 * KILLS / 5
    assert books.count("interrupted") >= KILLS / 3
    seen = {exchange["request_id"] for exchange in ledger}
    assert any(a.state == "interrupted" and a.request_id in seen for a in books.attempts.values())
    assert len(chaos.first_answers) == KILLS + 1
    assert max(chaos.first_answers) < TAKES_UP_WITHIN


async def test_rows_written_after_the_call_are_caught(tmp_path: Path) -> None:
    """With the rows written after the exchange the same run finds exchanges that nobody has recorded."""
    chaos = Chaos(tmp_path, entry=(str(LATE),), seed=SEED)
    async with chaos.under_load():
        for _ in range(3):
            await chaos.load()
            await chaos.kill_gateway()
        await chaos.load()
    ledger, books = reckoning.read_ledger(chaos.mock_logs), reckoning.read_books(chaos.province.store)
    broken = Counter(violation.what for violation in reckoning.violations(ledger, books, chaos.told))
    assert broken[reckoning.UNRECORDED] > 0
    assert set(broken) == {reckoning.UNRECORDED}


async def test_a_second_server_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """A second process on the same store ends at once, names the first, and disturbs nobody's call."""
    chaos = Chaos(tmp_path, seed=SEED)
    async with chaos.under_load():
        process = await asyncio.create_subprocess_exec(
            *chaos.province.command(),
            env={**province.environment(), "LIENTHONG_SERVER__PORT": "0", "LIENTHONG_LANG": "en"},
            stdin=asyncio.subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, errors = await process.communicate()
        unanswered = chaos.unanswered
        chaos.answered.clear()
        async with asyncio.timeout(TAKES_UP_WITHIN):
            await chaos.answered.wait()
    assert (process.returncode, out) == (ExitCode.STORE_IN_USE, b"")
    assert str(chaos.gateway.pid) in errors.decode()
    assert unanswered == chaos.unanswered


async def _freeze_between_transactions(pid: int, store: Store) -> float:
    """Freeze the server, press the switch, and return when it froze.

    Frozen inside a transaction it holds the database, and pressing is refused by name; then it is thawed and caught
    at another moment.
    """
    for _ in range(FREEZES):
        os.kill(pid, signal.SIGSTOP)
        frozen = time.time()
        try:
            await store.switches.pause("population", by="test", why="chaos")
        except StoreUnavailable as error:
            if error.trouble is not Trouble.LOCKED:
                raise
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.05)
        else:
            return frozen
    raise AssertionError("the server was never caught between two transactions")


async def test_a_server_that_was_frozen_obeys_the_switch_pressed_meanwhile(tmp_path: Path) -> None:
    """Frozen for longer than two seconds, a server sends nothing more until it has read the switches again."""
    chaos = Chaos(tmp_path, seed=SEED)
    async with chaos.under_load():
        await chaos.load()
        store = await open_store(StoreSettings(path=chaos.province.store, keys=chaos.province.keys), serving=False)
        frozen = await _freeze_between_transactions(chaos.gateway.pid, store)
        await asyncio.sleep(2.5)
        os.kill(chaos.gateway.pid, signal.SIGCONT)
        thawed = time.time()
        await asyncio.sleep(1.5)
        released = time.time()
        await store.switches.resume("population", by="test", why="chaos")
        await store.close()
        async with asyncio.timeout(TAKES_UP_WITHIN):
            chaos.answered.clear()
            await chaos.answered.wait()
    ledger, books = reckoning.read_ledger(chaos.mock_logs), reckoning.read_books(chaos.province.store)
    assert list(reckoning.violations(ledger, books, chaos.told)) == []
    late = [e for e in ledger if thawed < datetime.fromisoformat(str(e["at"])).timestamp() < released]
    # One whose last look at the switch was before the freeze, and whose next step is to write, is already on its way.
    assert all(books.attempts[str(exchange["request_id"])].opened_at < frozen for exchange in late)
    assert len(late) <= CALLERS
