"""Who is measured: each a program of its own between the load and the upstream, or nobody at all."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import envoy

from benchmarks.processes import LOOPBACK, Programs, Started, free_port
from benchmarks.upstreams import Upstream, fill

if TYPE_CHECKING:
    from collections.abc import Mapping


ENVOY = Path(envoy.__file__).parent / "_bin" / "envoy"
LIENTHONG = [sys.executable, "-m", "lienthong"]
MANY = "1000000000"


@dataclass(frozen=True)
class Contender:
    """One way from the load to the upstream. `speaks` is what the load has to send to `url`: `soap` or `rest`."""

    name: str
    title: str
    speaks: str
    url: str
    program: Started
    exchanges_expected: int = 1


@dataclass(frozen=True)
class Tools:
    """The programs that are compiled, and the environment that finds their libraries."""

    nginx: Path
    haproxy: Path
    wrk: Path
    environment: Mapping[str, str]


def straight(upstream: Upstream) -> Contender:
    """Nobody between the load and the upstream: the ceiling of everybody else."""
    return Contender("straight", "straight to the upstream", "soap", upstream.url, upstream.program)


def nginx(programs: Programs, tools: Tools, upstream: Upstream) -> Contender:
    """Start nginx as a plain proxy."""
    port = free_port()
    target = urlsplit(upstream.url)
    configuration = fill("proxy.nginx", programs.folder, port=str(port), upstream=target.netloc)
    command = [tools.nginx, "-p", programs.folder, "-e", "nginx.error", "-c", configuration]
    program = programs.start(f"nginx-{upstream.name}", command, port=port, environment=tools.environment)
    return Contender("nginx", "nginx, plain proxy", "soap", f"http://{LOOPBACK}:{port}{target.path}", program)


def haproxy(programs: Programs, tools: Tools, upstream: Upstream) -> Contender:
    """Start HAProxy as a plain proxy."""
    port = free_port()
    target = urlsplit(upstream.url)
    configuration = fill("haproxy.cfg", programs.folder, port=str(port), upstream=target.netloc)
    command = [tools.haproxy, "-db", "-f", configuration]
    program = programs.start(f"haproxy-{upstream.name}", command, port=port, environment=tools.environment)
    return Contender("haproxy", "HAProxy, plain proxy", "soap", f"http://{LOOPBACK}:{port}{target.path}", program)


def envoy_proxy(programs: Programs, tools: Tools, upstream: Upstream) -> Contender:
    """Start Envoy with retries, a retry budget and outlier ejection."""
    port = free_port()
    target = urlsplit(upstream.url)
    host, target_port = target.hostname or "", str(target.port)
    configuration = fill("envoy.yaml", programs.folder, port=str(port), host=host, upstream_port=target_port)
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    command = [ENVOY, "--config-path", configuration, *options]
    program = programs.start(f"envoy-{upstream.name}", command, port=port, environment=tools.environment)
    return Contender("envoy", "Envoy, retrying proxy", "soap", f"http://{LOOPBACK}:{port}{target.path}", program)


def bare(programs: Programs, tools: Tools, upstream: Upstream) -> Contender:
    """Start the gateway's route over a bare aiohttp client."""
    port = free_port()
    values = {**tools.environment, **upstream.credential.environment(), "BENCH_UPSTREAM": upstream.url}
    program = programs.start(
        f"bare-{upstream.name}", _uvicorn("benchmarks.bare:app", port), port=port, environment=values
    )
    url = f"http://{LOOPBACK}:{port}/v1/citizens/verify"
    return Contender("bare", "same FastAPI route, bare aiohttp", "rest", url, program)


def floor(bare_route: Contender) -> Contender:
    """Return the same program, asked on the route that calls nobody."""
    url = bare_route.url.replace("/v1/citizens/verify", "/floor")
    return Contender("floor", "same FastAPI route, no call", "rest", url, bare_route.program, exchanges_expected=0)


def gateway(programs: Programs, tools: Tools, upstream: Upstream) -> tuple[Contender, str]:
    """Start the gateway on a store of its own, and return the key of the one client that it knows.

    Everything is on: keys, scopes, quotas, audit, the whole pipeline. Only the limits are far above the load, because
    what is measured is the way and not the refusals.
    """
    port = free_port()
    configuration = fill(
        "gateway.toml",
        programs.folder,
        port=str(port),
        upstream=upstream.url,
        name=upstream.name,
        agency=upstream.question.agency,
        login=upstream.question.officer,
        **vars(upstream.credential),
    )
    programs.run(
        [*LIENTHONG, "agencies", "add", upstream.question.agency, "Bench", "--config", configuration], tools.environment
    )
    client = ["clients", "add", "bench", "--agency", upstream.question.agency, "--per-minute", MANY, "--per-day", MANY]
    client += ["--officer-per-minute", MANY, "--officer-per-day", MANY]
    client += ["--scope", "citizens:verify", "--scope", "citizens:lookup", "--config", str(configuration)]
    key = programs.run([*LIENTHONG, *client], tools.environment).split()[-1]
    command = [*LIENTHONG, "serve", "--config", configuration]
    program = programs.start(f"gateway-{upstream.name}", command, port=port, environment=tools.environment)
    url = f"http://{LOOPBACK}:{port}/v1/citizens/verify"
    return Contender("gateway", "**the gateway**", "keyed", url, program), key


def lookup(way: Contender) -> Contender:
    """Return the same gateway, asked for the whole record."""
    url = way.url.replace("/verify", "/lookup")
    return Contender("lookup", "the gateway, look-up", "keyed", url, way.program)


def _uvicorn(app: str, port: int) -> list[str]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", app, "--host", LOOPBACK, "--port", str(port), *options]
