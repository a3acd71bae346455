"""What a kill leaves of the callbacks that were owed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx

from mocks.callbacks import CallbackSettings
from tests.support.mocks import start
from tests.support.partner import Partner
from tests.support.partner_door import Door, killed, opened
from tests.support.receiver import eventually, receiving

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


async def test_a_killed_mock_still_owes(tmp_path: Path) -> None:
    """What was due, held, lost and already sent at a kill is so after it, without anybody asking first."""
    async with receiving() as receiver:
        async with opened(journal=tmp_path / "journal") as door:
            await door.frozen(receiver.url)
            await door.fault("callback_lost", whom={"key": "H-3"})
            await door.fault("callback_out_of_order", whom={"key": "H-2"})
            await door.fault("callback_twice", until={"count": 3}, whom={"operation": "registered"})
            for code in ("H-1", "H-2", "H-3"):
                await door.partner.register(code)
            await door.clock(advance_seconds=5)
            await receiver.wait_for(2)
            await eventually(door.states, ["sent", "held", "lost"])
            before = await door.callbacks()
            left = killed(door, tmp_path / "copy")
        async with opened(journal=left, log_in=False) as door:
            assert await door.callbacks() == before
            assert (await door.admin("GET", "faults"))["faults"] == []
            await door.officer("H-2", "take_up")
            await door.clock(advance_seconds=1)
            await receiver.wait_for(5)
            assert receiver.sequences("H-2") == [2, 1, 1]
            assert receiver.sequences("H-1") == [1, 1]


async def test_strikes_are_counted_across_a_kill(tmp_path: Path) -> None:
    """A fault for two callbacks that has struck one before a kill strikes one more after it."""
    async with opened(journal=tmp_path / "journal") as door:
        await door.fault("callback_lost", until={"count": 2})
        await door.partner.register("H-1")
        left = killed(door, tmp_path / "copy")
    async with opened(journal=left, log_in=False) as door:
        door.partner.token = (await door.caller().log_in()).json()["data"]["token"]
        for code in ("H-2", "H-3"):
            await door.partner.register(code)
        assert await door.states() == ["lost", "lost", "due"]


async def test_a_try_that_nobody_saw_the_end_of_is_made_again(tmp_path: Path) -> None:
    """Killed while a callback was under way, a mock sends it once more: a receiver has to know it again."""
    async with receiving() as receiver:
        async with opened(journal=tmp_path / "journal") as door:
            receiver.statuses = [0]
            await door.frozen(receiver.url)
            await door.partner.register("H-1")
            await door.clock(advance_seconds=5)
            await receiver.wait_for(1)
            left = killed(door, tmp_path / "copy")
        async with opened(journal=left, log_in=False) as door:
            assert [(one["state"], one["tries"]) for one in await door.callbacks()] == [("due", 1)]
            await door.clock(advance_seconds=30)
            first, second = await receiver.wait_for(2)
            assert first == second


async def test_a_rebuilt_mock_sends_without_being_asked(tmp_path: Path) -> None:
    """Started again on its journal, a mock sends what was due although nobody calls it."""
    async with receiving() as receiver:
        async with opened(journal=tmp_path / "journal") as door:
            await door.clock(freeze=True)
            await door.partner.register("H-1")
            await door.clock(advance_seconds=5)
            await door.admin("PUT", "callbacks", {"partner": "http://127.0.0.1:9/"})
            await eventually(lambda: tries(door), [1])
            await door.admin("PUT", "callbacks", {"partner": receiver.url})
            await door.clock(rate=1000)
            left = killed(door, tmp_path / "copy")
        async with opened(journal=left, log_in=False) as door:
            door.app.start()
            await receiver.wait_for(1)


async def test_a_target_that_was_allowed_once(tmp_path: Path) -> None:
    """A journal of mocks that might send anywhere gives no leave to those that may not."""
    async with opened(journal=tmp_path / "journal", callbacks=CallbackSettings(anywhere=True)) as door:
        await door.frozen("http://receiver.example")
        await door.partner.register("H-1")
        left = killed(door, tmp_path / "copy")
    async with opened(journal=left, log_in=False) as door:
        await door.clock(advance_seconds=100)
        await door.still()
        assert [(one["state"], one["tries"]) for one in await door.callbacks()] == [("due", 0)]


async def test_kill_nine(tmp_path: Path) -> None:
    """A process that is killed while it sends owes that still; started again it sends, though nobody calls it."""
    journal = ("--citizens", "300", "--journal", str(tmp_path / "journal"))
    async with receiving() as receiver, httpx.AsyncClient(trust_env=False) as client:
        process, ready = await asyncio.to_thread(started, *journal)
        partner = Partner(client, ready["partner"])
        await partner.log_in()
        first = await partner.register("H-1")
        receiver.statuses = [0]
        await client.put(f"{ready['admin']}callbacks", json={"partner": receiver.url})
        await client.post(f"{ready['admin']}clock", json={"rate": 100})
        await receiver.wait_for(1)
        process.kill()
        await asyncio.to_thread(process.communicate)
        process, ready = await asyncio.to_thread(started, *journal)
        before, after = (await receiver.wait_for(2))[:2]
        assert before == after
        partner.url = ready["partner"]
        assert (await partner.register("H-1")).content == first.content
        await asyncio.to_thread(process.communicate)
        assert process.returncode == 0


def started(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    process = start(*arguments)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


async def tries(door: Door) -> list[int]:
    return [one["tries"] for one in await door.callbacks()]
