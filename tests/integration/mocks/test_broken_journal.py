from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING

import pytest

from mocks.journal import Journal
from tests.support.mounted import mounted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SAID = "the mock's journal cannot be written"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return what lets the disk be full from then on."""

    def refuse(_: Journal, __: Iterable[bytes]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return lambda: monkeypatch.setattr(Journal, "_put", refuse)


async def test_no_exchange_without_a_journal(tmp_path: Path, full_disk: Callable[[], None]) -> None:
    """Once the journal cannot be written, every exchange from that one on gets 500 and the reason, and does nothing."""
    async with mounted(journal=tmp_path / "journal") as mocks:
        person = (await mocks.people(limit=1))[0]
        assert (await mocks.call("verify", person)).status_code == 200
        full_disk()
        answers = await asyncio.gather(*(mocks.call("verify", person) for _ in range(5)))
        for answer in (*answers, await mocks.call("lookup", person)):
            assert (answer.status_code, answer.headers["content-type"]) == (500, "text/plain; charset=utf-8")
            assert answer.text.startswith(SAID)
            assert "No space left on device" in answer.text
        assert "lookup" not in {one["operation"] for one in (await mocks.told("exchanges"))["exchanges"]}
    async with mounted(journal=tmp_path / "journal") as mocks:
        assert (await mocks.told("exchanges"))["total"] == 1


async def test_health_says_that_the_journal_is_broken(tmp_path: Path, full_disk: Callable[[], None]) -> None:
    """Health says so with 503, what only reads still answers, and what would change anything is refused."""
    async with mounted(journal=tmp_path / "journal") as mocks:
        full_disk()
        refused = await mocks.admin("POST", "faults", {"what": "busy", "until": {"count": 1}})
        assert (refused.status_code, refused.json()["error"].startswith(SAID)) == (500, True)
        health = await mocks.admin("GET", "health")
        assert health.status_code == 503
        assert (health.json()["status"], health.json()["journal"]) == ("broken", "broken")
        assert (await mocks.admin("GET", "exchanges")).status_code == 200
        for method, path, content in (
            ("POST", "reset", None),
            ("POST", "clock", {"freeze": True}),
            ("POST", "world/citizen/1", {"verb": "record_death"}),
            ("PATCH", "dialects", {"population": {"prefix": "random"}}),
            ("DELETE", "namespaces?name=default", None),
            ("GET", "run", None),
        ):
            answer = await mocks.admin(method, path, content)
            assert (answer.status_code, SAID in answer.json()["error"]) == (500, True), path
        assert (await mocks.told("clock"))["rate"] == 1
        assert (await mocks.told("world/citizen/1"))["state"] == "registered"
