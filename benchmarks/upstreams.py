"""What is called: a static nginx with canned SOAP answers, and the mock of the population database."""

from __future__ import annotations

import re
import urllib.request
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from benchmarks.processes import LOOPBACK, Programs, Started, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

CONF = Path(__file__).parent / "conf"
EXAMPLES = files("contracts.population") / "examples"


@dataclass(frozen=True)
class Upstream:
    """One upstream that listens: where, and how to learn how many exchanges reached it."""

    name: str
    title: str
    verify_url: str
    lookup_url: str
    counter_url: str
    program: Started

    def exchanges(self) -> int:
        """Return how many exchanges have arrived so far, as the upstream itself counts."""
        with urllib.request.urlopen(self.counter_url, timeout=5) as answer:  # noqa: S310 - a loopback address of ours
            text = answer.read().decode()
        found = re.search(r"\n\s*\d+\s+\d+\s+(\d+)", text)
        return int(found.group(1)) if found else 0


def static(programs: Programs, nginx: Path, environment: Mapping[str, str]) -> Upstream:
    """Start nginx with the canned answers."""
    ports = {"verify": free_port(), "lookup": free_port(), "status": free_port()}
    answers = {"verify_answer": _quoted("verify-yes.xml"), "lookup_answer": _quoted("lookup-whole-name.xml")}
    numbers = {name: str(port) for name, port in ports.items()}
    configuration = fill("upstream.nginx", programs.folder, **numbers, **answers)
    command = [nginx, "-p", programs.folder, "-e", "upstream.error", "-c", configuration]
    program = programs.start("upstream", command, port=ports["verify"], environment=environment)
    base = f"http://{LOOPBACK}"
    return Upstream(
        name="static",
        title="static upstream (nginx, canned answers)",
        verify_url=f"{base}:{ports['verify']}/population",
        lookup_url=f"{base}:{ports['lookup']}/population",
        counter_url=f"{base}:{ports['status']}/",
        program=program,
    )


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
