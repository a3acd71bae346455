"""One run: start upstreams and contenders, check that each answers rightly, load them in turn, write the report.

The contenders are loaded one after the other, several rounds over, so that a drift of the machine falls on all alike.
Everything stays on loopback, is bounded in time, and ends only what it started. A run has four parts, the gateway, the
mocks, durable delivery and sign-ins; each can be run alone and then replaces only its own part of the report.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from benchmarks import beside, beside_report, contenders, peers, profile, report, steps, upstreams
from benchmarks.delivery import report as delivery_report
from benchmarks.delivery.part import Part
from benchmarks.errors import BenchError
from benchmarks.figures import MICRO, Figure, Results, Stretch
from benchmarks.load import CONNECTIONS, Request, drive
from benchmarks.processes import Programs
from benchmarks.signins import report as signins_report
from benchmarks.signins.part import Part as SignInsPart

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.contenders import Contender, Tools
    from benchmarks.upstreams import Upstream

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
WARM_SECONDS = 1
PROFILE_SECONDS = 6
WRONG_SHARE = 0.001
CUT_OFF = 4 * CONNECTIONS
RIGHT = {"soap": "TonTai>true<", "rest": '"matches":true', "keyed": '"matches":true'}
console = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Run:
    """What every part of a run needs. Each way is loaded `rounds` times for `seconds`."""

    programs: Programs
    tools: Tools
    results: Results
    rounds: int
    seconds: int


def main() -> int:
    """Run the benchmark. Returns 0 when every contender answered rightly throughout."""
    options = _options()
    started = time.monotonic()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tools = _tools(options.programs)
    wrong = []
    try:
        with Programs(folder) as programs:
            for part, measure in PARTS.items():
                if options.only in (None, part):
                    wrong += measure(programs, tools, options)
    except BenchError as error:
        console.print(f"[red]The benchmark stopped:[/] {error}")
        return 2
    console.print(f"Written to {DOCUMENT.relative_to(ROOT)} after {time.monotonic() - started:.0f} s.")
    for line in wrong:
        console.print(f"[red]{line}[/]")
    return 1 if wrong else 0


def _gateway(programs: Programs, tools: Tools, options: argparse.Namespace) -> list[str]:
    """Measure the gateway beside its peers and write that; return what went wrong."""
    started = time.monotonic()
    results = Results(machine=report.machine(tools))
    run = Run(programs, tools, results, options.rounds, options.seconds)
    _over(run, upstreams.static(programs, tools.nginx, tools.environment))
    programs.stop_all()
    _over(run, upstreams.mock(programs, tools.environment))
    programs.stop_all()
    results.seconds = time.monotonic() - started
    report.write(DOCUMENT, report.render(results))
    return [line for title, figures in results.upstreams for line in _judge(f" over the {title}", figures)]


def _mocks(programs: Programs, tools: Tools, options: argparse.Namespace) -> list[str]:
    """Measure the mocks beside their peers and write that; return what went wrong."""
    started = time.monotonic()
    found = peers.find(_java(options.java), _which("node"), options.node_modules)
    versions = {
        "WireMock": found.wiremock_version,
        "Java": report.program_version(tools, found.java, "-version"),
        "Mountebank": found.mountebank_version,
        "Node.js": report.program_version(tools, found.node, "--version"),
        "wrk": report.program_version(tools, tools.wrk, "-v"),
    }
    side = beside.Side(programs, tools.wrk, tools.environment, console.print)
    result = side.measure(found, rounds=options.rounds, seconds=options.seconds)
    result.machine = report.describe(("uvicorn", "uvloop", "lxml"), versions)
    result.seconds = time.monotonic() - started
    beside_report.write(DOCUMENT, result)
    return _judge("", result.figures)


def _delivery(programs: Programs, tools: Tools, options: argparse.Namespace) -> list[str]:
    """Measure durable delivery beside its peers and write that; return what went wrong."""
    started, before = time.monotonic(), os.getloadavg()[0]
    redis = _find("redis-server", options.redis, tools.environment)
    libraries = [str(path) for path in (options.redis / "usr" / "lib").glob("*-linux-gnu")]
    paths = [tools.environment["LD_LIBRARY_PATH"], *libraries]
    tools = replace(tools, environment={**tools.environment, "LD_LIBRARY_PATH": ":".join(filter(None, paths))})
    result = Part(programs, tools, console.print, scale=options.scale).measure(redis)
    versions = {
        "PostgreSQL": result.postgres_version,
        "Redis": report.program_version(tools, redis, "--version"),
        "wrk": report.program_version(tools, tools.wrk, "-v"),
    }
    libraries = ["uvicorn", "uvloop", "asyncpg", "procrastinate", "psycopg", "celery", "redis"]
    result.machine = [*report.describe(libraries, versions), _loaded(before)]
    result.seconds = time.monotonic() - started
    delivery_report.write(DOCUMENT, result)
    return [line for whole in result.whole for line in whole.wrong]


def _signins(programs: Programs, tools: Tools, options: argparse.Namespace) -> list[str]:
    """Measure sign-ins and write that; return what went wrong."""
    started, before = time.monotonic(), os.getloadavg()[0]
    console.print("Sign-ins: the gateway with the mock of the door behind it, then the mock alone.")
    result = SignInsPart(programs, tools, console.print, scale=options.scale).measure()
    libraries = ("uvicorn", "uvloop", "aiohttp", "joserfc", "cryptography", "asyncpg")
    result.machine = [*report.describe(libraries, {"PostgreSQL": result.postgres_version}), _loaded(before)]
    result.seconds = time.monotonic() - started
    signins_report.write(DOCUMENT, result)
    return result.wrong


def _loaded(before: float) -> tuple[str, str]:
    """Say how busy the machine was just before a part."""
    return (
        "load",
        f"{before:.1f} processes waited for a core just before the run: what others take makes all rates smaller",
    )


def _over(run: Run, upstream: Upstream) -> None:
    """Load every way over one upstream; over the mock, which has two answers, the gateway's look-up too."""
    programs, tools = run.programs, run.tools
    bare = contenders.bare(programs, tools, upstream)
    gateway, key = contenders.gateway(programs, tools, upstream)
    field = [
        contenders.straight(upstream),
        contenders.nginx(programs, tools, upstream),
        contenders.haproxy(programs, tools, upstream),
        contenders.envoy_proxy(programs, tools, upstream),
        contenders.floor(bare),
        bare,
        gateway,
    ]
    if upstream.name == "mock":
        field.append(contenders.lookup(gateway))
    headers = {"Content-Type": "application/json"}
    soap = upstream.question.soap("BENCH-{{n}}", upstream.credential.officer)
    requests = {
        "soap": Request(upstream.credential.headers(), soap),
        "rest": Request(headers, upstream.question.rest()),
        "keyed": Request({**headers, "Authorization": f"Bearer {key}"}, upstream.question.rest()),
    }
    run.results.upstreams.append((upstream.title, _measure(run, field, upstream, requests)))
    if upstream.name == "static":
        _profile(run, gateway, requests["keyed"])
        console.print("Taking one step after another away …")
        run.results.steps = steps.measure(programs.folder / "gateway.toml", upstream.question)


def _profile(run: Run, way: Contender, request: Request) -> None:
    """Sample the loaded gateway and keep whose code was running."""
    console.print("Profiling the loaded gateway …")
    folder, program = run.programs.folder, way.program
    output = folder / "gateway.samples"
    saved = request.save(folder / "profile.request")
    before = program.cpu_by_thread()
    sampler = profile.record(Path(sys.executable).parent / "py-spy", program.process.pid, PROFILE_SECONDS, output)
    try:
        load = drive(run.tools.wrk, way.url, saved, seconds=PROFILE_SECONDS + 1, environment=run.tools.environment)
        sampler.wait(timeout=PROFILE_SECONDS)
    finally:
        sampler.kill()
        sampler.wait()
    if not output.exists() or not output.stat().st_size:
        run.results.notes.append("No profile: py-spy may not look into processes here.")
        return
    after = program.cpu_by_thread()
    spent = {thread: (seconds - before.get(thread, 0.0)) / load.calls for thread, seconds in after.items()}
    run.results.profile, run.results.profile_samples = profile.shares(output.read_text(), spent)


def _measure(run: Run, field: list[Contender], upstream: Upstream, requests: dict[str, Request]) -> list[Figure]:
    console.print(f"Over the {upstream.title}: {len(field)} ways, {run.rounds} rounds of {run.seconds} s each.")
    folder, wrk, environment = run.programs.folder, run.tools.wrk, run.tools.environment
    figures = {way.name: Figure(way.name, way.title, way.exchanges_expected) for way in field}
    for way in field:
        _check(way, requests[way.speaks])
    saved = {name: request.save(folder / f"{upstream.name}-{name}.request") for name, request in requests.items()}
    for way in field:
        drive(wrk, way.url, saved[way.speaks], seconds=WARM_SECONDS, environment=environment)
    for number in range(run.rounds):
        for way in field:
            before, cpu = upstream.exchanges(), way.program.cpu_seconds()
            load = drive(wrk, way.url, saved[way.speaks], seconds=run.seconds, environment=environment)
            spent, exchanges = way.program.cpu_seconds() - cpu, upstream.exchanges() - before - upstream.own
            stretch = Stretch(load, spent, exchanges, way.program.resident_bytes())
            figures[way.name].stretches.append(stretch)
            console.print(
                f"  round {number + 1}  {way.title:34} {load.calls / load.seconds:9,.0f} calls/s"
                f"  {stretch.cpu_per_call * MICRO:8,.0f} µs CPU per call"
            )
    return list(figures.values())


def _check(way: Contender, request: Request) -> None:
    """Ask once and look at the answer, so that nobody is fast by being wrong."""
    headers, body = request.once()
    call = urllib.request.Request(way.url, data=body, headers=headers)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(call, timeout=15) as answer:  # noqa: S310 - loopback
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise BenchError(f"{way.title} answers {error.code}: {error.read()[:500]!r}; log: {way.program.log}") from error
    number = json.loads(request.body)["citizen"]["identity_number"] if way.name == "lookup" else ""
    expected = f'"identity_number":"{number}"' if way.name == "lookup" else RIGHT[way.speaks]
    if expected not in text:
        raise BenchError(f"{way.title} does not give the expected answer: {text[:500]}")


def _judge(where: str, figures: list[Figure]) -> list[str]:
    wrong = [
        f"{figure.title}{where}: {figure.wrong} of {figure.calls} calls went wrong"
        for figure in figures
        if figure.wrong > figure.calls * WRONG_SHARE
    ]
    wrong += [
        f"{figure.title}{where}: {figure.exchanges} exchanges for {figure.calls} calls"
        for figure in figures
        if not 0 <= figure.exchanges - figure.calls * figure.exchanges_expected <= CUT_OFF * len(figure.stretches)
    ]
    return wrong


def _tools(folder: Path) -> contenders.Tools:
    libraries = [str(path) for path in (folder / "usr" / "lib").glob("*-linux-gnu")]
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "LD_LIBRARY_PATH": ":".join(libraries),
    }

    nginx, haproxy, wrk = (_find(name, folder, environment) for name in ("nginx", "haproxy", "wrk"))
    return contenders.Tools(nginx=nginx, haproxy=haproxy, wrk=wrk, environment=environment)


def _find(name: str, folder: Path, environment: dict[str, str]) -> Path:
    for place in (folder / "usr" / "sbin" / name, folder / "usr" / "bin" / name):
        if place.exists():
            return place
    found = shutil.which(name, path=f"{environment['PATH']}:/usr/sbin")
    if found is None:
        raise SystemExit(f"{name} is missing; `make bench` installs it")
    return Path(found)


def _which(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _java(folder: Path) -> Path | None:
    """Return the Java that was unpacked for the run, or else the machine's own."""
    return next(iter(sorted(folder.glob("usr/lib/jvm/*/bin/java"))), None) or _which("java")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "--programs", type=Path, default=ROOT / ".bench" / "debian", help="where nginx, HAProxy and wrk lie"
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".bench" / "run", help="logs and configurations of the run"
    )
    parser.add_argument(
        "--java", type=Path, default=ROOT / ".bench" / "java", help="where a Java runtime lies, if the machine has none"
    )
    parser.add_argument(
        "--node-modules",
        type=Path,
        default=ROOT / ".bench" / "node" / "node_modules",
        help="where WireMock and Mountebank lie",
    )
    parser.add_argument(
        "--redis", type=Path, default=ROOT / ".bench" / "redis", help="where Redis lies, if the machine has none"
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="make the parts delivery and signins smaller, to try them out"
    )
    parser.add_argument("--only", choices=PARTS, help="run this part alone, and replace only its part of the report")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    return parser.parse_args()


PARTS: Final[dict[str, Callable[[Programs, Tools, argparse.Namespace], list[str]]]] = {
    "gateway": _gateway,
    "mocks": _mocks,
    "delivery": _delivery,
    "signins": _signins,
}


if __name__ == "__main__":
    sys.exit(main())
