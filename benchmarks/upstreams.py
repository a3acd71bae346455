"""What is called: a static nginx with a canned SOAP answer, and the mock of the population database."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from benchmarks.errors import BenchError
from benchmarks.processes import LOOPBACK, Programs, Started, free_port
from benchmarks.wire import Credential, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

CONF = Path(__file__).parent / "conf"
EXAMPLES = files("contracts.population") / "examples"


@dataclass(frozen=True)
class Upstream:
    """One upstream that listens: whom it may be asked about and by whom, and how to learn how many exchanges came.

    `counter` finds that number in what `counter_url` answers; `own` is by how much a reading itself raises it.
    """

    name: str
    title: str
    url: str
    counter_url: str
    counter: str
    own: int
    program: Started
    question: Question
    credential: Credential

    def exchanges(self) -> int:
        """Return how many exchanges have arrived so far, as the upstream itself counts. Raises `BenchError`."""
        with urllib.request.urlopen(self.counter_url, timeout=5) as answer:  # noqa: S310 - a loopback address of ours
            found = re.search(self.counter, answer.read().decode())
        if found is None:
            raise BenchError(f"{self.title} does not say how many exchanges it has seen")
        return int(found.group(1))


def static(programs: Programs, nginx: Path, environment: Mapping[str, str]) -> Upstream:
    """Start nginx with the canned answer."""
    ports = {"verify": free_port(), "status": free_port()}
    numbers = {name: str(port) for name, port in ports.items()}
    configuration = fill("upstream.nginx", programs.folder, **numbers, answer=_quoted("verify-yes.xml"))
    command = [nginx, "-p", programs.folder, "-e", "upstream.error", "-c", configuration]
    program = programs.start("upstream", command, port=ports["verify"], environment=environment)
    return Upstream(
        name="static",
        title="static upstream (nginx, canned answer)",
        url=f"http://{LOOPBACK}:{ports['verify']}/population",
        counter_url=f"http://{LOOPBACK}:{ports['status']}/",
        counter=r"\n\s*\d+\s+\d+\s+(\d+)",
        own=1,
        program=program,
        question=Question(),
        credential=Credential(),
    )


def mock(programs: Programs, environment: Mapping[str, str]) -> Upstream:
    """Start the mock of the population database, and choose an ordinary citizen of its world."""
    port = free_port()
    command = [sys.executable, "-m", "mocks", "--host", LOOPBACK, "--port", str(port)]
    program = programs.start("mock", command, port=port, environment=environment)
    ready = json.loads(program.first_line())
    return Upstream(
        name="mock",
        title="mock of the population database (Python)",
        url=ready["population"],
        counter_url=f"{ready['admin']}exchanges?limit=0",
        counter=r'"total": ?(\d+)',
        own=0,
        program=program,
        question=Question.about(ordinary_citizen(ready), ready),
        credential=Credential.of_mock(ready),
    )


def ordinary_citizen(ready: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a citizen of the running mocks' world who has a number and nothing odd."""
    with urllib.request.urlopen(f"{ready['admin']}world/citizens?limit=100", timeout=5) as answer:  # noqa: S310
        citizens: list[dict[str, Any]] = json.loads(answer.read())["citizens"]
    return next(one for one in citizens if not one["oddities"] and one["identity_number"])


def fill(template: str, folder: Path, **values: str) -> Path:
    """Write the configuration `template` with its `$names` replaced, and return where it lies."""
    text = Template((CONF / template).read_text()).substitute(folder=str(folder), **values)
    path = folder / template
    path.write_text(text)
    return path


def _quoted(example: str) -> str:
    """Return an example message as nginx wants it between single quotes; a dollar sign would start a variable."""
    text = (EXAMPLES / example).read_text()
    if "$" in text:
        raise ValueError(f"{example} holds a dollar sign")
    return text.replace("\\", "\\\\").replace("'", "\\'")
