from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.mounted import Mounted, mounted

if TYPE_CHECKING:
    from pathlib import Path


async def ask(mocks: Mounted, namespace: str = "default", operation: str = "verify") -> None:
    """Let one exchange happen."""
    people = await mocks.people(limit=1)
    assert (await mocks.call(operation, people[0], namespace=namespace)).status_code == 200


def lines(journal: Path) -> int:
    """Return how many records a journal holds beside its header."""
    return journal.read_bytes().count(b"\n") - 1


async def test_a_reset_that_leaves_nothing_begins_the_journal_again(tmp_path: Path) -> None:
    """Test after test, reset after reset, the journal does not grow; after a restart all is as after the reset."""
    journal = tmp_path / "journal"
    async with mounted(journal=journal) as mocks:
        sizes = []
        for _ in range(5):
            await ask(mocks)
            await mocks.fault("busy", until={"count": 3})
            await mocks.told("clock", {"freeze": True}, "POST")
            assert lines(journal) >= 3
            await mocks.told("reset", method="POST")
            sizes.append(journal.stat().st_size)
        assert set(sizes) == {sizes[0]}
        assert lines(journal) == 0
    async with mounted(journal=journal) as mocks:
        assert (await mocks.told("health"))["counts"] == {"exchanges": 0, "effects": 0, "faults": 0}
        await ask(mocks)
        assert (await mocks.told("exchanges"))["exchanges"][0]["attempt"] == 1


async def test_what_another_namespace_holds_is_kept(tmp_path: Path) -> None:
    """While another namespace has something to remember, a reset only adds to the journal; with it gone, it empties."""
    journal = tmp_path / "journal"
    async with mounted(journal=journal) as mocks:
        await ask(mocks)
        await ask(mocks, "other")
        await mocks.told("reset", method="POST")
        assert lines(journal) > 2
    async with mounted(journal=journal) as mocks:
        assert (await mocks.told("health"))["namespaces"]["other"]["exchanges"] == 1
        assert (await mocks.told("health"))["counts"]["exchanges"] == 0
        await mocks.told("namespaces?name=other", method="DELETE")
        assert lines(journal) == 0


async def test_another_world_is_remembered(tmp_path: Path) -> None:
    """A namespace that was begun again with another world is so after a restart too."""
    journal = tmp_path / "journal"
    async with mounted(journal=journal) as mocks:
        await mocks.told("reset", {"seed": 9}, "POST")
        people = await mocks.people(limit=3)
    async with mounted(journal=journal) as mocks:
        assert await mocks.people(limit=3) == people
        assert (await mocks.told("reset", {"seed": 1}, "POST"))["seed"] == 1
        assert lines(journal) == 0


async def test_what_is_under_way_at_a_reset_is_in_no_book(tmp_path: Path) -> None:
    """An exchange that began before a reset is still answered, and stands in no ledger, now or after a restart."""
    journal = tmp_path / "journal"
    async with mounted(journal=journal) as mocks:
        person = (await mocks.people(limit=1))[0]
        await mocks.fault("latency", until={"count": 9}, details={"seconds": 0.2, "acts": False})
        calls = [asyncio.create_task(mocks.call("verify", person)) for _ in range(4)]
        while sum(armed.strikes for armed in mocks.app.default.faults.in_force()) < 4:
            await asyncio.sleep(0)
        await mocks.told("reset", method="POST")
        await ask(mocks, operation="lookup")
        assert [call.status_code for call in await asyncio.gather(*calls)] == [200] * 4
        seen = await mocks.told("exchanges")
        assert [one["operation"] for one in seen["exchanges"]] == ["lookup"]
    async with mounted(journal=journal) as mocks:
        assert await mocks.told("exchanges") == seen


async def test_what_is_under_way_in_a_namespace_that_goes_is_forgotten(tmp_path: Path) -> None:
    """An exchange of a namespace that is removed meanwhile does not bring it back, now or after a restart."""
    journal = tmp_path / "journal"
    async with mounted(journal=journal) as mocks:
        person = (await mocks.people(limit=1))[0]
        await mocks.told(
            "faults", {"what": "latency", "until": {"count": 1}, "with": {"acts": False}}, "POST", namespace="b"
        )
        call = asyncio.create_task(mocks.call("verify", person, namespace="b"))
        while any(not armed.strikes for armed in mocks.app.spaces.of("b").faults.in_force()):
            await asyncio.sleep(0)
        await mocks.told("namespaces?name=b", method="DELETE")
        await ask(mocks)
        assert (await call).status_code == 200
    async with mounted(journal=journal) as mocks:
        assert "b" not in (await mocks.told("health"))["namespaces"]


async def test_resets_in_a_crowd_leave_a_journal_that_tells_the_same(tmp_path: Path) -> None:
    """Resets among many writers: what a restarted mock knows is what the last one knew."""
    journal = tmp_path / "journal"
    async with mounted(journal=journal) as mocks:
        people = [person for person in await mocks.people(limit=20) if person["identity_number"]]

        async def caller(number: int) -> None:
            for turn in range(6):
                await mocks.call("verify", people[(number + turn) % len(people)])
                if number == 0 and turn in (1, 3):
                    await mocks.told("reset", method="POST")

        await asyncio.gather(*map(caller, range(16)))
        seen, counts = await mocks.told("exchanges?limit=1000"), await mocks.told("effects")
    assert 0 < seen["total"] < 96
    async with mounted(journal=journal) as mocks:
        assert await mocks.told("exchanges?limit=1000") == seen
        assert await mocks.told("effects") == counts
