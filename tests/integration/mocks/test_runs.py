from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mocks.app import MockApp
from mocks.replay import Report, replay
from mocks.run import RunRefused, read
from tests.support.mocks import ROOT
from tests.support.mounted import Mounted, mounted
from tests.support.partner import Partner

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mocks import Person

CALLERS = 16
SET = b'{"settings": "", "standard": {}}'


async def call(mocks: Mounted, operation: str, person: Person, **fields: Any) -> None:
    """Call the population door, whatever a fault makes of the connection."""
    with suppress(httpx.TransportError, ConnectionError):
        await mocks.call(operation, person, **fields)


async def crowd(mocks: Mounted) -> int:
    """Let sixteen callers ask at once, about people of their own and about the same ones; return how often."""
    people = [person for person in await mocks.people() if person["identity_number"] or person["old_card_number"]]

    async def caller(number: int) -> None:
        for turn in range(12):
            person = people[turn] if turn % 3 else people[20 + number]
            await call(mocks, ("verify", "lookup")[(turn + number) % 2], person)

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return CALLERS * 12


async def records(mocks: Mounted) -> None:
    """Write at the partner's door, two at once in each lane."""
    partner = Partner(mocks.client)
    await partner.log_in()

    async def write(code: str) -> None:
        with suppress(httpx.TransportError, ConnectionError):
            await partner.register(code)
            await partner.replace(code, 1)

    await asyncio.gather(*(write(f"HS-{number % 8}") for number in range(CALLERS)))


async def run_of(mocks: Mounted, namespace: str = "default") -> bytes:
    """Return the run as the admin API gives it."""
    answer = await mocks.admin("GET", "run", namespace=namespace)
    assert answer.status_code == 200, answer.text
    return answer.content


def replayed(run: bytes) -> Report:
    """Return how a run comes out in fresh mocks."""
    read_run = read(run)
    return replay(read_run, MockApp(seed=read_run.header.seed, citizens=read_run.header.citizens))


async def test_a_run_of_sixteen_callers_replays(tmp_path: Path) -> None:
    """What sixteen callers got at once, under faults of every limit, comes out the same when it is decided again."""
    async with mounted(journal=tmp_path / "journal", record_requests=True, seed=7) as mocks:
        await mocks.fault("busy", when={"share": 0.3}, until={"seconds": 3600}, details={"retry_after": 2})
        await mocks.fault("latency", when={"first": 1}, until={"seconds": 3600}, details={"seconds": 0.01})
        await mocks.fault(
            "latency", when={"share": 0.2}, until={"seconds": 3600}, details={"seconds": 0.02, "acts": False}, salt="b"
        )
        await mocks.fault("html_ok", until={"count": 9}, whom={"operation": "lookup"})
        await mocks.fault("reset_after", when={"share": 0.1}, until={"count": 20})
        await mocks.fault("truncated", when={"share": 0.1}, until={"seconds": 3600}, details={"cut": "short"})
        await mocks.fault("clock_skew", when={"share": 0.1}, until={"seconds": 3600}, details={"skew": 9999})
        asked = await crowd(mocks)
        await mocks.told("clock", {"advance_seconds": 50}, "POST")
        await mocks.told("dialects", {"population": {"prefix": "random", "districts": "old"}}, "PATCH")
        await mocks.told("world/citizen/3", {"verb": "record_death"}, "POST")
        await asyncio.gather(crowd(mocks), mocks.fault("bad_gateway", until={"count": 5}))
        await records(mocks)
        told = await mocks.told("health")
        run = await run_of(mocks)
        exchanges = (await mocks.told("exchanges?limit=10000"))["exchanges"]
    assert told["counts"]["exchanges"] > 2 * asked
    assert {name for one in exchanges for name in one["faults"]} >= {"busy", "latency", "html_ok", "reset_after"}
    report = replayed(run)
    assert report.differences == []
    assert (report.replayed, report.taken) == (told["counts"]["exchanges"], 0)


async def test_a_difference_is_told(tmp_path: Path) -> None:
    """Where an answer or an outcome comes out otherwise, the report says which exchange, what it was and what it is."""
    async with mounted(journal=tmp_path / "journal", record_requests=True) as mocks:
        for person in await mocks.people(limit=3):
            await call(mocks, "verify", person)
        run = await run_of(mocks)
    lines = [json.loads(line) for line in run.splitlines()]
    second = [line for line in lines if "exchange" in line][1]["exchange"]
    real = second["outcome"]
    second["outcome"] = "refused"
    report = replayed("\n".join(map(json.dumps, lines)).encode())
    assert [(one.seq, one.field, one.recorded, one.replayed) for one in report.differences] == [
        (2, "outcome", "refused", real)
    ]
    assert report.sums == {"replayed": 3, "taken": 0, "differences": 1, "same": False}


async def test_a_run_that_was_interrupted_replays(tmp_path: Path) -> None:
    """A kill forgets what was not decided yet; the replay forgets it at the same place."""
    first, second = tmp_path / "first", tmp_path / "second"
    async with mounted(journal=first, record_requests=True) as mocks:
        person, other = (await mocks.people(limit=2))[:2]
        await mocks.fault("html_ok", until={"count": 3})
        await mocks.fault("latency", whom={"operation": "lookup"}, details={"seconds": 60, "acts": False})
        hanging = asyncio.create_task(call(mocks, "lookup", person))
        while not mocks.app.default.faults.in_force()[0].strikes:
            await asyncio.sleep(0)
        await call(mocks, "verify", other)
        shutil.copy(first, second)
        hanging.cancel()
    async with mounted(journal=second, record_requests=True) as mocks:
        for _ in range(3):
            await call(mocks, "verify", other)
        outcomes = [one["faults"] for one in (await mocks.told("exchanges"))["exchanges"]]
        run = await run_of(mocks)
    assert outcomes == [["html_ok"], ["html_ok"], ["html_ok"], []]
    report = replayed(run)
    assert report.differences == []
    assert (report.replayed, report.taken) == (4, 0)


async def test_what_came_unrecorded_is_taken_as_it_was(tmp_path: Path) -> None:
    """Without recorded requests there is nothing to decide again, and the report does not claim otherwise."""
    async with mounted(journal=tmp_path / "journal") as mocks:
        await call(mocks, "verify", (await mocks.people(limit=1))[0])
        run = await run_of(mocks)
    assert b'"request"' not in run
    assert replayed(run).sums == {"replayed": 0, "taken": 1, "differences": 0, "same": True}


async def state(mocks: Mounted, namespace: str) -> dict[str, Any]:
    """Return all that can be seen of a namespace."""
    paths = ("exchanges?limit=10000", "effects", "faults", "dialects", "world/resources?kind=citizen")
    seen = {path: await mocks.told(path, namespace=namespace) for path in paths}
    clock = await mocks.told("clock", namespace=namespace)
    return {**seen, "clock": clock["now"]}


async def test_a_run_is_taken_up(tmp_path: Path) -> None:
    """Another mock, of another seed, that takes up a run has the same world, clock, faults, ledger and dialects."""
    async with mounted(journal=tmp_path / "one", record_requests=True, seed=5) as mocks:
        person = (await mocks.people(limit=1))[0]
        await mocks.fault("busy", until={"count": 3})
        await mocks.told("clock", {"freeze": True}, "POST")
        await mocks.told("dialects", {"population": {"prefix": "random"}}, "PATCH")
        await mocks.told("world/citizen/3", {"verb": "record_death"}, "POST")
        await call(mocks, "verify", person)
        before, run = await state(mocks, "default"), await run_of(mocks)
    for place in ("default", "a-copy"):
        async with mounted(journal=tmp_path / place, seed=1) as mocks:
            await mocks.fault("hang")
            answer = await mocks.told("run", run, "POST", namespace=place)
            assert answer == {
                "status": "restored",
                "seed": 5,
                "citizens": 300,
                "exchanges": 1,
                "effects": 0,
                "settings": "same",
            }
            assert await state(mocks, place) == before
            again = await run_of(mocks, place)
        async with mounted(journal=tmp_path / place, seed=1) as mocks:
            assert await state(mocks, place) == before
        assert again.splitlines()[1:-1] == run.splitlines()[1:]
    assert replayed(again).sums == {"replayed": 1, "taken": 0, "differences": 0, "same": True}


async def test_a_run_begins_with_the_last_reset(tmp_path: Path) -> None:
    """What was before a reset, and what happened in another namespace, is in no run."""
    async with mounted(journal=tmp_path / "journal") as mocks:
        person = (await mocks.people(limit=1))[0]
        await call(mocks, "verify", person, namespace="elsewhere")
        await call(mocks, "verify", person)
        await mocks.told("reset", {"seed": 3}, "POST")
        await call(mocks, "lookup", (await mocks.people(limit=1))[0])
        run = read(await run_of(mocks))
    assert run.header.seed == 3
    assert [one["exchange"]["operation"] for one in run.records if "exchange" in one] == ["lookup"]


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (b"", "no run"),
        (b"\xff", "no run"),
        (b"[1]\n", "first line"),
        (b'{"run": 2}\n', "format 1"),
        (b'{"run": 1, "seed": "x"}\n', "wrong at"),
        (b'{"run": 1, "seed": 1, "citizens": 3, "namespace": "a", "doors": {}}\n', "at least 300"),
        (b'{"run": 1, "seed": 1, "citizens": 300, "namespace": "a", "doors": {}}\n{"weather": 1}\n', "line 2"),
        (b'{"run": 1, "seed": 1, "citizens": 300, "namespace": "a", "doors": {}}\n{"exchange": 1}\n', "line 2"),
        (b'{"run": 1, "seed": 1, "citizens": 300, "namespace": "a", "doors": {"moon": %s}}\n' % SET, "no door moon"),
    ],
)
async def test_what_is_no_run_is_refused(tmp_path: Path, run: bytes, told: str) -> None:
    """Lines that are no run of these mocks are refused with a sentence, and nothing has changed."""
    async with mounted(journal=tmp_path / "journal") as mocks:
        await mocks.fault("hang")
        before = (tmp_path / "journal").read_bytes()
        answer = await mocks.admin("POST", "run", run)
        assert answer.status_code == 422
        assert told in answer.json()["error"]
        assert len((await mocks.told("faults"))["faults"]) == 1
        assert (tmp_path / "journal").read_bytes() == before


async def test_a_run_needs_a_journal() -> None:
    """Mocks without a journal say that they cannot give a run back."""
    async with mounted() as mocks:
        answer = await mocks.admin("GET", "run")
    assert (answer.status_code, "journal" in answer.json()["error"]) == (409, True)


async def test_other_settings_are_told(tmp_path: Path) -> None:
    """A run made behind other doors can be taken up, and says so; it cannot be replayed."""
    from mocks.doors.population.settings import PopulationDoorSettings  # noqa: PLC0415 - only here

    settings = PopulationDoorSettings.model_validate({"lookup_codes": ["038"], "dialects": {"prefix": "random"}})
    async with mounted(journal=tmp_path / "one", population=settings, record_requests=True) as mocks:
        await call(mocks, "verify", (await mocks.people(limit=1))[0])
        run = await run_of(mocks)
    async with mounted() as mocks:
        assert (await mocks.told("run", run, "POST"))["settings"] == "different"
        assert (await mocks.told("dialects"))["population"]["prefix"] == "random"
    with pytest.raises(RunRefused, match="other settings"):
        replayed(run)
    assert not replay(read(run), MockApp(citizens=300, population=settings)).differences


@pytest.mark.parametrize(("spoilt", "code"), [(False, 0), (True, 1)])
async def test_the_command_replays_a_file(tmp_path: Path, *, spoilt: bool, code: int) -> None:
    """`python -m mocks replay FILE` writes differences and sums as JSON lines, and ends with 0 or 1."""
    async with mounted(journal=tmp_path / "journal", record_requests=True) as mocks:
        await call(mocks, "verify", (await mocks.people(limit=1))[0])
        run = await run_of(mocks)
    file = tmp_path / "run.jsonl"
    file.write_bytes(run.replace(b'"status":200', b'"status":201') if spoilt else run)
    command = [sys.executable, "-m", "mocks", "replay", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: ASYNC221, S603 - our own command, alone on this loop
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (code, "")
    assert lines[-1] == {"replayed": 1, "taken": 0, "differences": code, "same": not spoilt}
    assert [line["field"] for line in lines[:-1]] == ["status"] * code


@pytest.mark.parametrize("content", [None, b"{}", b"no json"])
def test_the_command_says_why_it_cannot(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing or no run is told in a sentence, with 2."""
    file = tmp_path / "run.jsonl"
    if content is not None:
        file.write_bytes(content)
    command = [sys.executable, "-m", "mocks", "replay", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own command
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mocks: ")
    assert "Traceback" not in done.stderr
