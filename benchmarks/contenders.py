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

    from benchmarks.wire import Credential

ENVOY = Path(envoy.__file__).parent / "_bin" / "envoy"


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
    return Contender("straight", "straight to the upstream", "soap", upstream.verify_url, upstream.program)


def nginx(programs: Programs, tools: Tools, upstream: Upstream) -> Contender:
    """Start nginx as a plain proxy."""
    port = free_port()
    target = urlsplit(upstream.verify_url)
    configuration = fill("proxy.nginx", programs.folder, port=str(port), upstream=target.netloc)
    command = [tools.nginx, "-p", programs.folder, "-e", "nginx.error", "-c", configuration]
    program = programs.start("nginx", command, port=port, environment=tools.environment)
    return Contender("nginx", "nginx, plain proxy", "soap", f"http://{LOOPBACK}:{port}{target.path}", program)


def haproxy(programs: Programs, tools: Tools, upstream: Upstream) -> Contender:
    """Start HAProxy as a plain proxy."""
    port = free_port()
    target = urlsplit(upstream.verify_url)
    configuration = fill("haproxy.cfg", programs.folder, port=str(port), upstream=target.netloc)
    command = [tools.haproxy, "-db", "-f", configuration]
    program = programs.start("haproxy", command, port=port, environment=tools.environment)
    return Contender("haproxy", "HAProxy, plain proxy", "soap", f"http://{LOOPBACK}:{port}{target.path}", program)


def envoy_proxy(programs: Programs, tools: Tools, upstream: Upstream) -> Contender:
    """Start Envoy with retries, a retry budget and outlier ejection."""
    port = free_port()
    target = urlsplit(upstream.verify_url)
    configuration = fill(
        "envoy.yaml", programs.folder, port=str(port), host=target.hostname or "", upstream_port=str(target.port)
    )
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    program = programs.start(
        "envoy", [ENVOY, "--config-path", configuration, *options], port=port, environment=tools.environment
    )
    return Contender("envoy", "Envoy, retrying proxy", "soap", f"http://{LOOPBACK}:{port}{target.path}", program)


def bare(programs: Programs, environment: Mapping[str, str], credential: Credential, upstream: Upstream) -> Contender:
    """Start the gateway's route over a bare aiohttp client."""
    port = free_port()
    values = {**environment, **credential.environment(), "BENCH_UPSTREAM": upstream.verify_url}
    program = programs.start("bare", _uvicorn("benchmarks.bare:app", port), port=port, environment=values)
    url = f"http://{LOOPBACK}:{port}/v1/citizens/verify"
    return Contender("bare", "same FastAPI route, bare aiohttp", "rest", url, program)


def floor(bare_route: Contender) -> Contender:
    """Return the same program, asked on the route that calls nobody."""
    url = bare_route.url.replace("/v1/citizens/verify", "/floor")
    return Contender("floor", "same FastAPI route, no call", "rest", url, bare_route.program, exchanges_expected=0)


def _uvicorn(app: str, port: int) -> list[str]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", app, "--host", LOOPBACK, "--port", str(port), *options]
