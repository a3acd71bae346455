"""Run the part about durable delivery: each contender in turn and alone, then the whole gateway on each engine."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.beside import disk
from benchmarks.delivery import http, services
from benchmarks.delivery.figures import Delivery, Ordered, Whole
from benchmarks.delivery.jobs import CALLERS, PEERS_DRAINED, PEERS_QUEUED, SHARDS, Plan, told
from benchmarks.figures import MILLI

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.contenders import Tools
    from benchmarks.delivery.jobs import Told
    from benchmarks.delivery.services import Server
    from benchmarks.processes import Programs, Started

QUEUED, DRAINED = 100_000, 50_000
BLOCKED = 20_000
ONE_CALLERS_JOBS = 500
OUTAGE_BACKLOG, OUTAGE_SECONDS = 1_000, 2.0
PEERS_BLOCKED = 500
DRAIN_SECONDS = 20.0
VERB_SECONDS = 300.0


class Part:
    """The part, with what it runs on. `scale` makes it smaller, to try it out."""

    def __init__(self, programs: Programs, tools: Tools, say: Callable[[str], object], *, scale: float = 1.0) -> None:
        self._programs = programs
        self._tools = tools
        self._say = say
        self._scale = scale
        self._environment = {**tools.environment, "BENCH_KEYS": str(programs.folder / "bench.keys")}

    def measure(self, redis: Path) -> Delivery:
        """Measure everything."""
        result = Delivery()
        folder = self._programs.folder
        with tempfile.TemporaryDirectory(dir=services.DISK) as beside:
            result.disk, result.sync_seconds = disk(Path(beside))
        with services.postgres() as server:
            sqlite, postgres = Ordered("sqlite", "ours, SQLite"), Ordered("postgres", "ours, PostgreSQL")
            result.ordered = [sqlite, postgres]
            self._ours(sqlite, lambda name: str(folder / f"{name}.db"), ())
            self._ours(postgres, server.database, (server.pid,))
            result.ordered.append(self._procrastinate(server))
            result.ordered.append(self._celery(redis))
            result.whole = [
                self._whole("sqlite", "SQLite", http.sqlite(folder)),
                self._whole("postgres", "PostgreSQL", http.postgres(server.database("whole")), server.pid),
            ]
            result.postgres_version = server.version
        return result

    def _ours(self, ordered: Ordered, place: Callable[[str], str], servers: tuple[int, ...]) -> None:
        own = "benchmarks.delivery.ours"
        queued, drained, blocked = self._many(QUEUED), self._many(DRAINED), self._many(BLOCKED)
        plan = Plan("fill", place("queued"), servers=servers)
        (ordered.accept_one,) = self._told(own, replace(plan, jobs=ONE_CALLERS_JOBS))
        (ordered.accept_many,) = self._told(own, replace(plan, jobs=queued, callers=CALLERS))
        ordered.queued, ordered.others = queued, queued - drained
        ordered.drained, ordered.behind_others = self._told(own, replace(plan, verb="drain", jobs=drained, left=1))
        plan = Plan("blocked", place("blocked"), jobs=blocked, callers=CALLERS, servers=servers)
        ordered.blocked = blocked
        ordered.fresh, ordered.behind_blocked = self._told(own, plan)
        backlog = self._many(OUTAGE_BACKLOG)
        plan = Plan("outage", place("outage"), backlog, CALLERS, seconds=OUTAGE_SECONDS, servers=servers)
        ordered.well, ordered.beside_outage = self._told(own, plan)
        self._tell(ordered)

    def _procrastinate(self, server: Server) -> Ordered:
        own, ordered = "benchmarks.delivery.with_procrastinate", Ordered("procrastinate", "procrastinate, PostgreSQL")
        queued, drained, blocked = self._many(PEERS_QUEUED), self._many(PEERS_DRAINED), self._many(PEERS_BLOCKED)
        plan = Plan("fill", server.database("procrastinate"), servers=(server.pid,))
        self._told(own, replace(plan, verb="make"))
        (ordered.accept_one,) = self._told(own, replace(plan, jobs=ONE_CALLERS_JOBS))
        (ordered.accept_many,) = self._told(own, replace(plan, jobs=queued, callers=CALLERS))
        (ordered.drained,) = self._told(own, replace(plan, verb="drain", jobs=drained, seconds=DRAIN_SECONDS))
        plan = replace(plan, verb="make", place=server.database("procrastinate_blocked"))
        self._told(own, plan)
        ordered.queued, ordered.blocked = queued, blocked
        plan = replace(plan, verb="blocked", jobs=blocked, callers=CALLERS, seconds=DRAIN_SECONDS)
        ordered.fresh, ordered.behind_blocked = self._told(own, plan)
        self._tell(ordered)
        return ordered

    def _celery(self, redis: Path) -> Ordered:
        own, ordered = "benchmarks.delivery.with_celery", Ordered("celery", f"celery + redis, {SHARDS} shards")
        queued, drained = self._many(PEERS_QUEUED), self._many(PEERS_DRAINED)
        with services.redis(self._programs, redis, self._tools.environment) as (server, place):
            plan = Plan("fill", place, servers=(server.process.pid,))
            (ordered.accept_one,) = self._told(own, replace(plan, jobs=ONE_CALLERS_JOBS))
            (ordered.accept_many,) = self._told(own, replace(plan, jobs=queued, callers=CALLERS))
            ordered.queued, since = queued, time.monotonic()
            workers = [self._worker(own, place, f"shard-{number}") for number in range(SHARDS)]
            servers = (server.process.pid, *(worker.process.pid for worker in workers))
            plan = replace(plan, servers=servers)
            (ordered.drained,) = self._told(own, replace(plan, verb="drain", jobs=drained), since=since)
            self._told(own, replace(plan, verb="wait"))
            (ordered.fresh,) = self._told(own, replace(plan, verb="fresh"))
            for worker in workers:
                worker.stop()
        self._tell(ordered)
        return ordered

    def _worker(self, own: str, place: str, shard: str) -> Started:
        command = [sys.executable, "-m", own, "work", place, shard]
        return self._programs.start(f"celery-{shard}", command, environment=self._environment)

    def _whole(self, name: str, title: str, store: str, server: int | None = None) -> Whole:
        whole = Whole(name, title)
        http.Way(self._programs, self._tools, name, store, server).measure(whole)
        self._programs.stop_all()
        for what, load in (("1 caller", whole.one), ("32 callers", whole.many), ("both at once", whole.both)):
            if load is not None:
                rate = load.calls / load.seconds
                self._say(f"  {title:12} {what:14} {rate:8,.0f} accepts/s  p99 {load.p99 * MILLI:.1f} ms")
        self._say(f"  {title:12} {whole.delivered:,.0f} delivered/s, {whole.both_delivered:,.0f} while accepting")
        return whole

    def _told(self, module: str, plan: Plan, *, since: float | None = None) -> list[Told]:
        """Call a program and return what it has told."""
        plan = replace(plan, since=time.monotonic() if since is None else since)
        command = [sys.executable, "-m", module, json.dumps(asdict(plan))]
        said = self._programs.run(command, self._environment, seconds=VERB_SECONDS)
        return [told(line) for line in said.splitlines() if line.startswith("{")]

    def _many(self, number: int) -> int:
        return max(1, int(number * self._scale))

    def _tell(self, ordered: Ordered) -> None:
        assert ordered.accept_many is not None  # noqa: S101 - just measured
        assert ordered.drained is not None  # noqa: S101 - just measured
        self._say(
            f"  {ordered.title:28} accepts {ordered.accept_many.rate:8,.0f}/s"
            f"  drained {ordered.drained.rate:8,.0f}/s  {ordered.drained.cpu_each * MILLI:.2f} ms CPU each"
        )
