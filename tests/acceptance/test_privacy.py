from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import closing
from functools import cache
from pathlib import Path
from sqlite3 import connect
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.api import access
from gateway.settings import StoreSettings
from gateway.store import open_store
from tests.support import artifacts
from tests.support.gateways import QUESTION, running
from tests.support.privacy import Known, Search, known
from tests.support.province import CLIENT, PURPOSE, Province, founded, mocks, question

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.processes import Child

LOUD = Path(__file__).parents[1] / "support" / "loud_server.py"
OPERATIONS = ("verify", "lookup")
REVOKED_WITHIN = 2.0
# No fault may keep the next call back: each one has to leave.
POLICY: dict[str, Any] = {
    "attempt_seconds": 1,
    "retry": {"attempts": 1, "told_floor_seconds": 0.001, "untold_seconds": 0.001},
    "breaker": {"failures": 1000},
    "credentials": {"hold_seconds": 0.001},
}
TRANSPORT = {"first_byte": 0.3, "read": 0.3}
ODD = ("decomposed_name", "very_long_name", "punctuated_name", "old_card_only", "year_only_birth", "shared_number")


@cache
def everybody() -> Known:
    """Return the people of the mocks' default world and of the examples."""
    return known()


def found_in(file: Path) -> list[str]:
    """Return where somebody is found in a file."""
    return [str(finding) for finding in Search(everybody()).file(file, file.name)]


async def test_no_name_and_no_number_is_in_logs_metrics_captures_or_store(tmp_path: Path) -> None:
    """After every fault, wrong fields, a partner who names people and a revoked key, nobody is in what was written.

    The gateway is the real process, with its own logs and those of the libraries at DEBUG, and with captures on.
    """
    async with mocks() as door:
        province = await founded(tmp_path, door.ready, policy=POLICY, transport=TRANSPORT)
        async with province.serving(str(LOUD)) as gateway, _caller(province, gateway) as caller:
            answers = [answer async for answer in _every_fault(caller, door)]
            gossip = [answer async for answer in _gossip(caller, door)]
            refusals = [(await _send(caller, *one)).status_code for one in _misuses()]
            metrics = artifacts.path("metrics.prom")
            metrics.write_bytes((await caller.get("/metrics", headers=province.authorization)).content)
            alive = artifacts.keep_database(province.store)
            await _revoked(caller, province)
            os.kill(gateway.pid, signal.SIGTERM)
        stopped = artifacts.keep_database(province.store)

    assert [status for status in refusals if not 400 <= status < 500] == []
    assert all(SAID in answer.json()["partner"]["text"] for answer in gossip)
    written = [gateway.log, door.log, metrics, province.captures, alive, stopped]
    assert {file.name: found_in(file) for file in written} == {file.name: [] for file in written}

    # Nothing was found, and not because there was nothing to find it in.
    asked = len(answers)
    told = "\n".join(answer.text for answer in answers if answer.is_success)
    assert len(list(Search(everybody()).text(told, "answers"))) > 0
    assert sum('"event": "exchange"' in line for line in door.log.read_text("utf-8").splitlines()) >= asked
    assert len(province.captures.read_text("utf-8").splitlines()) >= asked
    assert "lienthong_calls_total" in metrics.read_text("utf-8")
    assert "DEBUG:zeep" in gateway.log.read_text("utf-8")
    with closing(connect(stopped)) as store:
        assert store.execute("SELECT count(*) FROM attempt").fetchone()[0] >= asked


def _caller(province: Province, gateway: Child) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=gateway.ready["gateway"], headers=province.authorization, trust_env=False, timeout=10
    )


async def _every_fault(caller: httpx.AsyncClient, door: Child) -> Any:
    """Ask about ordinary and odd people, without a fault and with each one, and yield the answers."""
    async with httpx.AsyncClient(base_url=door.ready["admin"], trust_env=False) as admin:
        people = [one for one in (await admin.get("world/citizens?limit=60")).json()["citizens"] if _numbered(one)]
        odd: list[dict[str, Any]] = []
        for oddity in ODD:
            odd += (await admin.get(f"world/citizens?oddity={oddity}&limit=2")).json()["citizens"]
        for person in filter(_numbered, odd):
            for operation in OPERATIONS:
                yield await caller.post(f"/v1/citizens/{operation}", json=question(person))
        for turn, what in enumerate((await admin.get("faults/kinds")).json()):
            for operation in OPERATIONS:
                # A wait that the partner asks for would hold up all that follows: until midnight, until the morning.
                told = {"seconds": 1} if what == "hang" else {"retry_after": 0}
                fault = {"what": what, "when": {}, "until": {"count": 1}, "with": told}
                (await admin.post("faults", json=fault)).raise_for_status()
                yield await caller.post(f"/v1/citizens/{operation}", json=question(people[turn]))
                await admin.delete("faults")


async def _gossip(caller: httpx.AsyncClient, door: Child) -> Any:
    """Let the partner say in a fault who was asked for, and yield what the caller is told of it."""
    async with httpx.AsyncClient(base_url=door.ready["admin"], trust_env=False) as admin:
        for what in ("system_fault", "fault_ok", "platform_near_fault", "platform_far_fault"):
            fault = {"what": what, "until": {"count": 1}, "with": {"text": SAID}}
            (await admin.post("faults", json=fault)).raise_for_status()
            yield await caller.post("/v1/citizens/lookup", json=GOOD)


def _numbered(person: dict[str, Any]) -> bool:
    return bool(person["identity_number"] or person["old_card_number"])


NAME = "Trần Thị Mẫu"
NUMBER = "999190000017"
SAID = f"Không tra được {NAME.upper()}, số {NUMBER}"
GOOD = {"citizen": {"identity_number": NUMBER, "full_name": NAME, "birth_date": "1990-02-28"}, "purpose": PURPOSE}

Misuse = tuple[str, str, bytes, dict[str, str]]


def _misuses() -> Iterator[Misuse]:
    """Yield requests that carry somebody's name or number where none belongs: method, path, body, headers."""
    citizen, path = GOOD["citizen"], "/v1/citizens/verify"
    wrong_fields: list[dict[str, Any]] = [
        {"citizen": {**citizen, "identity_number": NAME}},
        {"citizen": {**citizen, "birth_date": NUMBER}},
        {"citizen": {**citizen, NAME: "x"}},
        {"citizen": {**citizen, "old_card_number": NUMBER}},
        {"citizen": NUMBER},
        {"purpose": {**PURPOSE, "agency": NAME}},
        {"purpose": {**PURPOSE, "procedure": NUMBER}},
        {"purpose": {**PURPOSE, "dossier": NUMBER}},
        {"purpose": {**PURPOSE, "reason": NAME}},
        {NUMBER: NAME},
    ]
    for change in wrong_fields:
        yield "POST", path, json.dumps({**GOOD, **change}).encode(), {}
    yield "POST", path, f'{{"citizen": "{NAME}'.encode(), {}
    yield "POST", path, f"{NAME} {NUMBER}".encode("utf-16"), {}
    yield "POST", path, ("[" * 5000 + NUMBER).encode(), {}
    yield "POST", path, json.dumps(GOOD).encode() + b" " * 100_000, {}
    yield "POST", path, json.dumps(GOOD).encode(), {"Content-Type": "text/plain"}
    yield "POST", path, json.dumps(GOOD).encode(), {"Authorization": f"Bearer {NUMBER}"}
    yield "POST", path, b"{}", {"X-Correlation-Id": NUMBER, "User-Agent": NUMBER, "Prefer": f"wait={NUMBER}"}
    yield "GET", f"/v1/citizens/{NUMBER}?name=TRANTHIMAU", b"", {}
    yield "GET", f"/v1/systems/{NUMBER}", b"", {}
    yield "POST", f"/v1/systems/{NUMBER}/pause", b'{"why": "x"}', {}
    yield "PUT", f"/{NUMBER}/TRAN%20THI%20MAU", b"", {}


async def _send(caller: httpx.AsyncClient, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
    return await caller.request(method, path, content=body, headers={"Content-Type": "application/json", **headers})


async def _revoked(caller: httpx.AsyncClient, province: Province) -> None:
    """Revoke the key beside the running server and ask until it is refused."""
    store = await open_store(StoreSettings(path=province.store, keys=province.keys), serving=False)
    await store.clients.revoke(CLIENT, by="test", why="test")
    await store.close()
    async with asyncio.timeout(REVOKED_WITHIN):
        while (await _send(caller, "POST", "/v1/citizens/verify", json.dumps(GOOD).encode(), {})).status_code != 401:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("where", ["adapter", "door"])
async def test_a_defect_is_recorded_without_its_words(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """An exception whose text names somebody leaves its type and place in the log, and a problem document."""

    def broken(*_: object) -> Any:
        raise RuntimeError(f"{NAME} {NUMBER}")

    if where == "door":
        monkeypatch.setattr(access, "admit", broken)
    async with running(tmp_path, broken) as run:
        answer = await run.client.post("/v1/citizens/verify", json=QUESTION)
    assert answer.headers["content-type"] == "application/problem+json"
    assert NAME not in answer.text
    said = "".join(capfd.readouterr())
    assert '"event": "defect"' in said
    assert "RuntimeError" in said
    assert list(Search(everybody()).text(said, "log")) == []


async def test_a_capture_of_each_exchange_shows_its_shape_and_nobody(tmp_path: Path) -> None:
    """Captures keep element names and codes, so that a partner can be shown what it did, and hide all else."""
    async with mocks("--citizens", "300") as door:
        province = await founded(tmp_path, door.ready, policy=POLICY, transport=TRANSPORT)
        async with province.serving() as gateway, _caller(province, gateway) as caller:
            async with httpx.AsyncClient(base_url=door.ready["admin"], trust_env=False) as admin:
                (person, *_) = (await admin.get("world/citizens?oddity=both_numbers&limit=1")).json()["citizens"]
            answer = await caller.post("/v1/citizens/lookup", json=question(person))
    assert person["identity_number"] in answer.text
    (capture,) = map(json.loads, province.captures.read_text("utf-8").splitlines())
    for element in ("SoDinhDanh", "HoVaTen", "NgayThangNamSinh"):
        assert f"{element}>" in capture["request"]
        assert f"{element}>" in capture["answer"]
    assert "<dan:MaTichHop>037</" in capture["request"] or ":MaTichHop>037<" in capture["request"]
    assert person["identity_number"] not in json.dumps(capture)
