"""Load from wrk, a generator that is not Python, so that it does not compete with what it measures."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECTIONS = 16
FIRST = "00000000"
SCRIPT = Path(__file__).parent / "conf" / "post.lua"


@dataclass(frozen=True)
class Request:
    """What is posted. A `{{n}}` in the body, and with it in one header, becomes a number of its own in each request."""

    headers: Mapping[str, str]
    body: str

    def once(self) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a single request."""
        headers = {name: value.replace("{{n}}", FIRST) for name, value in self.headers.items()}
        return headers, self.body.replace("{{n}}", FIRST).encode()

    def save(self, path: Path) -> Path:
        """Write what the load script reads, for this user's eyes only: the headers carry a key."""
        path.touch(mode=0o600)
        lines = "".join(f"{name}: {value}\n" for name, value in self.headers.items())
        path.write_text(f"{lines}\n{self.body}")
        return path


@dataclass(frozen=True)
class Load:
    """What one stretch of load saw. Times in seconds; `refused` counts statuses other than 2xx and 3xx."""

    calls: int
    seconds: float
    refused: int
    broken: int
    p50: float
    p99: float


def drive(
    wrk: Path,
    url: str,
    request: Path,
    *,
    seconds: float,
    environment: Mapping[str, str],
    connections: int = CONNECTIONS,
) -> Load:
    """Post `request` to `url` over a few kept connections for `seconds`. Raises `BenchError`."""
    command = [str(wrk), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "15s", "-s", str(SCRIPT), url]
    run = subprocess.run(  # noqa: S603 - our own command
        [*command, "--", str(request)],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        env=dict(environment),
        check=False,
    )
    line = run.stdout.strip().rsplit("\n", 1)[-1]
    if run.returncode != 0 or not line.startswith("{"):
        raise BenchError(f"wrk failed ({run.returncode}): {run.stderr.strip() or run.stdout.strip()}")
    return Load(**json.loads(line))
