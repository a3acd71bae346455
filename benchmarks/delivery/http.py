"""The whole way: `POST /v1/partner/records` by wrk, the gateway as delivered, the mock of the partner behind it."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import psutil

from benchmarks.delivery.jobs import AGENCIES
from benchmarks.doors import Books
from benchmarks.errors import BenchError
from benchmarks.load import Request, drive
from benchmarks.processes import LOOPBACK, Started, free_port
from benchmarks.upstreams import fill

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.contenders import Tools
    from benchmarks.delivery.figures import Whole
    from benchmarks.load import Load
    from benchmarks.processes import Programs

LIENTHONG = (sys.executable, "-m", "lienthong")
MANY = "1000000000"
CALLERS = 32
SECONDS = 4
WARM_SECONDS = 1
SETTLED_SECONDS = 90.0
POLL_SECONDS = 0.1


class Way:
    """A gateway on one store, the mocks behind it, and the load."""

    def __init__(self, programs: Programs, tools: Tools, name: str, store: str, server: int | None = None) -> None:
        self._programs, self._tools, self._name = programs, tools, name
        mock_port, port = free_port(), free_port()
        journal = programs.folder / f"{name}.journal"
        command = [sys.executable, "-m", "mocks", "--host", LOOPBACK, "--port", mock_port, "--journal", journal]
        mock = programs.start(f"mock-{name}", command, port=mock_port, environment=tools.environment)
        ready = json.loads(mock.first_line())
        self._books = Books(ready["admin"])
        account = ready["credentials"]["partner"]["accounts"][0]
        self._configuration = fill(
            "delivery.toml",
            programs.folder,
            name=f"whole-{name}",
            store=store,
            port=str(port),
            partner=ready["partner"],
            username=account["username"],
            secret=account["secret"],
        )
        self._agency = AGENCIES[0]
        self._lienthong("agencies", "add", self._agency, "Bench")
        quotas = ["--per-minute", MANY, "--per-day", MANY, "--officer-per-minute", MANY, "--officer-per-day", MANY]
        key = self._lienthong("clients", "add", "bench", "--agency", self._agency, "--scope", "partner:write", *quotas)
        self._pause()
        command = [*LIENTHONG, "serve", "--config", self._configuration]
        gateway = programs.start(f"gateway-{name}", command, port=port, environment=tools.environment)
        self._measured = {"gateway": gateway, "mock": mock}
        if server is not None:
            self._measured["database"] = Started("database", psutil.Process(server), gateway.log)
        self._url = f"http://{LOOPBACK}:{port}/v1/partner/records"
        self._key = key.split()[-1]
        self._stretches = 0
        self._accepted = 0

    def measure(self, whole: Whole) -> None:
        """Accept with the workers paused, deliver with nothing accepted, then do both at once."""
        self._load(1, WARM_SECONDS)
        self._load(CALLERS, WARM_SECONDS)
        whole.one = self._load(1, SECONDS)
        cpu = self._cpu()
        whole.many = self._load(CALLERS, SECONDS)
        whole.accept_cpu = self._spent(cpu, whole.many.calls)
        waiting, cpu, begin = self._accepted, self._cpu(), time.monotonic()
        self._lienthong("systems", "resume", "partner")
        begin, before = self._first(begin)
        self._settled(self._accepted)
        whole.delivered = (waiting - before) / (time.monotonic() - begin)
        whole.delivery_cpu = self._spent(cpu, waiting)
        at, begin = self._delivered(), time.monotonic()
        whole.both = self._load(CALLERS, SECONDS)
        whole.both_delivered = (self._delivered() - at) / (time.monotonic() - begin)
        self._settled(self._accepted)
        whole.wrong = self._wrong(whole)

    def _cpu(self) -> dict[str, float]:
        return {name: program.cpu_seconds() for name, program in self._measured.items()}

    def _spent(self, before: dict[str, float], many: int) -> dict[str, float]:
        return {name: (cpu - before[name]) / many for name, cpu in self._cpu().items()}

    def _wrong(self, whole: Whole) -> list[str]:
        return [
            f"{whole.title}: {load.refused} of {load.calls} accepts refused, {load.broken} broken"
            for load in (whole.one, whole.many, whole.both)
            if load is not None and load.refused + load.broken
        ]

    def _load(self, callers: int, seconds: int) -> Load:
        self._stretches += 1
        code = f"B{self._stretches}-{{{{n}}}}"
        body = {
            "code": code,
            "title": "Bench",
            "amount": 20_000,
            "purpose": {
                "agency": self._agency,
                "procedure": "1.000001",
                "officer": "canbo.mau",
                "reason": "before_dossier",
            },
        }
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._key}",
            "Idempotency-Key": code,
        }
        saved = Request(headers, json.dumps(body)).save(self._programs.folder / "delivery.request")
        load = drive(
            self._tools.wrk,
            self._url,
            saved,
            seconds=seconds,
            environment=self._tools.environment,
            connections=callers,
        )
        self._accepted += load.calls
        return load

    def _first(self, begin: float) -> tuple[float, int]:
        """Wait until deliveries leave, and return when that was and how many had."""
        end = begin + SETTLED_SECONDS
        while not (many := self._delivered()):
            if time.monotonic() > end:
                raise BenchError("nothing was delivered")
            time.sleep(POLL_SECONDS)
        return time.monotonic(), many

    def _settled(self, least: int) -> None:
        """Wait until all that was accepted has left. What wrk broke off at the end may have been accepted besides."""
        end = time.monotonic() + SETTLED_SECONDS
        while self._delivered() < least:
            if time.monotonic() > end:
                raise BenchError(f"{self._delivered()} of {least} delivered after {SETTLED_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)

    def _delivered(self) -> int:
        return max(0, self._books.total() - 1)  # one log-in

    def _pause(self) -> None:
        self._lienthong("systems", "pause", "partner", "--why", "bench")

    def _lienthong(self, *words: str) -> str:
        return self._programs.run([*LIENTHONG, *words, "--config", self._configuration], self._tools.environment)


def sqlite(folder: Path) -> str:
    """Return the line of the configuration for a SQLite file."""
    return f'path = "{folder / "whole.db"}"'


def postgres(dsn: str) -> str:
    """Return the line of the configuration for a database."""
    return f'dsn = "{dsn}"'
