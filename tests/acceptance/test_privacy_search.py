from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import unicodedata
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import structlog

from gateway.monitor.logs import KEYS
from tests.support import artifacts
from tests.support.privacy import DEFAULT_WORLD, Known, Search, folded, known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "Trần Thị Mẫu"
NUMBER = "999190000017"
CARD = "999000017"


@cache
def everybody() -> Known:
    """Return the people that the run is searched for."""
    return known()


def rules(text: str) -> set[str]:
    """Return the rules that find somebody in `text`."""
    return {finding.rule for finding in Search(everybody()).text(text, "planted")}


@pytest.mark.parametrize(
    "form",
    [
        str,
        str.upper,
        folded,
        lambda name: unicodedata.normalize("NFD", name),
        lambda name: folded(name).upper().replace(" ", ""),
        lambda name: name.upper().replace(" ", ""),
        lambda name: folded(name).lower().replace(" ", "_"),
        lambda name: folded(name).lower().replace(" ", "-"),
        lambda name: folded(name).replace(" ", "."),
        lambda name: json.dumps({"name": name}),
        lambda name: repr(name.encode()),
        quote,
        lambda name: name.encode("ascii", "xmlcharrefreplace").decode(),
        lambda name: "<Ho>{}</Ho><ChuDem>{}</ChuDem><Ten>{}</Ten>".format(*name.upper().split()),
    ],
)
def test_a_name_is_found_in_each_form(form: Callable[[str], str]) -> None:
    """However a name is written into a log line, it is found."""
    found = rules(f'2026-01-05 "error" value={form(NAME)}, took 3 s')
    assert found & {"a seeded name", "a seeded name, joined"}


@pytest.mark.parametrize("number", [NUMBER, CARD])
@pytest.mark.parametrize("around", ["{}", "x={}", "<SoDinhDanh>{}</SoDinhDanh>", '"{}"', "/v1/{}/x", "n:{},", "({})"])
def test_a_number_is_found_wherever_it_stands(number: str, around: str) -> None:
    """A number of the seeded form is found among any signs."""
    assert "a number of the form 999…" in rules(around.format(number))


def test_a_seeded_number_is_found_inside_longer_ones() -> None:
    """A known identity number is found although other digits touch it, as in a database page."""
    assert "a seeded number" in rules(f"verify7{NUMBER}42open")


def test_a_number_that_chance_has_drawn_into_an_id_is_nobodys() -> None:
    """Of a hundred thousand random ids one has the digits of some old card; beside an id a number is found."""
    card = min(one for one in everybody().numbers if len(one) == len(CARD))
    drawn = f"4f9d1c62-6f0e-4c4e-9a55-{card}abc"
    assert "a seeded number" not in rules(f"x{drawn}y")
    assert "a seeded number" in rules(f"{drawn}{card}settled")


def test_everybody_of_a_world_is_known() -> None:
    """Citizens and relatives of the default world are all searched for, unless their name is one word."""
    people = everybody()
    assert len(people.numbers) > DEFAULT_WORLD[1]
    assert {"trần thị mẫu", "tran thi mau", "lê thị mẫu"} <= people.names
    assert "tranthimau" in people.joined
    assert NUMBER in people.numbers


def test_a_world_of_another_seed_is_known_once_noted() -> None:
    """A test that starts the mocks with a seed of its own has its people searched for too."""
    assert len(known([(7, 400)]).numbers) > len(everybody().numbers)


@pytest.mark.parametrize(
    "text",
    [
        "correlation_id=01M81YBZ4HA8Y3CQQ96JNXF9VM, ha/y",
        "correlation_id=01JZ0000000000000000000000 request_id=5f0c9a4e-12ab-4c3d-9e8f-999123456789",
        "subject=" + "5b" * 32 + " digest=a999123456789f",
        "seconds=0.999123456 took 999 ms, 999123 rows, 1999190000019 µs",
        "Operator of the national population database; Cơ sở dữ liệu quốc gia về dân cư",
        "officer canbo.thu01 of 000.00.01.H99, procedure 9.000001, dossier H99.129-260105-0001",
        "Mẫu Thị Trần; UBND xã Mẫu; Trần and Mẫu",
    ],
)
def test_what_is_nobody_is_not_found(text: str) -> None:
    """Ids, digests, durations, codes and ordinary sentences are not taken for people."""
    assert rules(text) == set()


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """Give a folder that is gone when this run is searched, for people who are planted on purpose."""
    with TemporaryDirectory() as folder:
        yield Path(folder)


def test_a_finding_tells_the_place_and_not_the_value(elsewhere: Path) -> None:
    """Whoever reads the failed run learns where to look and nobody's name."""
    log = elsewhere / "gateway.log"
    log.write_text(f"all is well\nasked for {NAME}, {NUMBER}\n", encoding="utf-8")
    found = [str(finding) for finding in Search(everybody()).file(log, log.name)]
    assert all(line.startswith("gateway.log:2: ") for line in found)
    assert len(found) == 3
    assert not any(NUMBER in line or "Trần" in line for line in found)


def test_a_database_is_read_with_its_log(elsewhere: Path) -> None:
    """A row that stands only in the write-ahead log is found: an artifact holds what was committed."""
    database = elsewhere / "store.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE audit (officer TEXT)")
        connection.execute("INSERT INTO audit VALUES (?)", (NAME,))
        copy = artifacts.keep_database(database)
    found = list(Search(everybody()).file(copy, "copy"))
    for ending in ("", "-wal", "-shm"):  # or this very run would fail
        copy.with_name(copy.name + ending).unlink(missing_ok=True)
    assert {(finding.artifact, finding.rule) for finding in found} >= {("copy (dump)", "a seeded name")}


def test_a_damaged_database_is_searched_as_bytes(elsewhere: Path) -> None:
    """What cannot be read as tables any more is still looked through."""
    database = elsewhere / "store.db"
    database.write_bytes(b"SQLite format 3\x00" + f" {NAME} ".encode() * 400)
    assert {finding.rule for finding in Search(everybody()).file(database, "x")} == {"a seeded name"}


def test_what_is_logged_here_is_searched_at_the_end() -> None:
    """A line that code under test logs lands in this run's artifacts."""
    structlog.get_logger().info("kept", where="a line to be found again")
    assert {"event", "level", "where"} <= KEYS
    lines = (artifacts.folder() / f"{os.getpid()}-structlog.jsonl").read_text("utf-8").splitlines()
    assert {"event": "kept", "level": "info", "where": "a line to be found again"} in map(json.loads, lines)


CLEAN = """
def test_clean():
    print("nobody")
"""
PLANTED = """
import structlog

def test_planted():
    print("asked for TRANTHIMAU")
    structlog.get_logger().warning("answered", client="999190000017")
    structlog.get_logger().warning("answered", name="somebody")
"""


async def run(folder: Path, test: str) -> tuple[int | None, str]:
    """Run pytest on one test in a process that has these hooks, and return its exit code and what it printed."""
    (folder / "test_one.py").write_text(test, encoding="utf-8")
    (folder / "conftest.py").write_text("from tests.support.aftermath import *\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "LIENTHONG_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(folder)),
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(folder)},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_a_run_that_leaves_nobody_behind_passes(elsewhere: Path) -> None:
    """The search by itself lets a run end well, and takes its artifacts away."""
    code, out = await run(elsewhere, CLEAN)
    assert (code, "left behind" in out) == (0, False), out
    assert not list(elsewhere.rglob("lienthong-artifacts-*"))


async def test_a_run_that_leaves_somebody_behind_fails(elsewhere: Path) -> None:
    """A run whose every test passes fails all the same when it printed or logged somebody, or under a closed key."""
    code, out = await run(elsewhere, PLANTED)
    assert "1 passed" in out
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "captured.txt:2: a seeded name, joined" in out
    assert "structlog.jsonl:1: a seeded number" in out
    assert "not in gateway.monitor.logs.KEYS: answered: name" in out
    assert NUMBER not in out
    assert "TRANTHIMAU" not in out
