"""WireMock and Mountebank, set up as a vendor would set them up for our look-up: POST, the path, the operation's name.

Each has a stub for both operations of the door and tells them apart in the cheapest way it has: whether the body holds
the name of the operation's element. Each runs as its own guide advises for load: no record of requests, no log of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from benchmarks.errors import BenchError

if TYPE_CHECKING:
    from pathlib import Path

Command: TypeAlias = Callable[["Path"], Sequence[object]]
"""Given an empty folder of its own, a server says how it is started; it may write its configuration there."""


@dataclass(frozen=True)
class Canned:
    """A prepared answer to every request whose body holds `<…:element>`."""

    element: str
    content_type: str
    body: str


@dataclass(frozen=True)
class Found:
    """Where the programs lie that carry the peers."""

    java: Path
    node: Path
    wiremock: Path
    mountebank: Path

    @property
    def wiremock_version(self) -> str:
        """The version in the jar's name."""
        found = re.search(r"(\d[\d.]*\d)\.jar$", self.wiremock.name)
        return found.group(1) if found else "unknown"

    @property
    def mountebank_version(self) -> str:
        """The version that the package states."""
        package = json.loads((self.mountebank.parent.parent / "package.json").read_text())
        return str(package["version"])


def find(java: Path | None, node: Path | None, modules: Path) -> Found:
    """Return where the peers lie. Raises `BenchError` naming what is missing."""
    jar = next(iter(sorted((modules / "wiremock" / "build").glob("wiremock-standalone-*.jar"))), None)
    mountebank = modules / "mountebank" / "bin" / "mb"
    if java is None or node is None:
        missing = "a Java runtime" if java is None else "Node.js"
        raise BenchError(f"{missing} is missing, which a peer of the mocks runs on; `make bench` installs it")
    if jar is None or not mountebank.exists():
        missing = "WireMock" if jar is None else "Mountebank"
        raise BenchError(f"{missing} is missing in {modules}; `make bench` installs it")
    return Found(java, node, jar, mountebank)


def wiremock(found: Found, url: str, answers: Sequence[Canned]) -> Command:
    """Return how WireMock is started to answer at `url`."""
    where = urlsplit(url)

    def command(folder: Path) -> Sequence[object]:
        mappings = folder / "mappings"
        mappings.mkdir()
        (mappings / "population.json").write_text(json.dumps(wiremock_mappings(where.path, answers)))
        listen = ["--bind-address", where.hostname, "--port", where.port]
        quiet = ["--no-request-journal", "--disable-request-logging", "--disable-banner"]
        return [found.java, "-jar", found.wiremock, *listen, "--root-dir", folder, *quiet]

    return command


def wiremock_mappings(path: str, answers: Sequence[Canned]) -> dict[str, Any]:
    """Return WireMock's stubs."""
    return {
        "mappings": [
            {
                "request": {"method": "POST", "urlPath": path, "bodyPatterns": [{"contains": f":{answer.element}>"}]},
                "response": {"status": 200, "headers": {"Content-Type": answer.content_type}, "body": answer.body},
            }
            for answer in answers
        ]
    }


def mountebank(found: Found, url: str, admin: int, answers: Sequence[Canned]) -> Command:
    """Return how Mountebank is started to answer at `url`; `admin` is the port of its own interface."""
    where = urlsplit(url)

    def command(folder: Path) -> Sequence[object]:
        imposter = mountebank_imposter(where.hostname or "", where.port or 0, where.path, answers)
        stubs = folder / "imposters.json"
        stubs.write_text(json.dumps({"imposters": [imposter]}))
        listen = ["--host", where.hostname, "--port", admin, "--localOnly", "--pidfile", folder / "mb.pid"]
        quiet = ["--nologfile", "--loglevel", "error"]
        return [found.node, found.mountebank, "start", *listen, "--configfile", stubs, "--noParse", *quiet]

    return command


def mountebank_imposter(host: str, port: int, path: str, answers: Sequence[Canned]) -> dict[str, Any]:
    """Return Mountebank's imposter with its stubs."""
    return {
        "protocol": "http",
        "host": host,
        "port": port,
        "stubs": [
            {
                "predicates": [
                    {"equals": {"method": "POST", "path": path}},
                    {"contains": {"body": f":{answer.element}>"}},
                ],
                "responses": [
                    {"is": {"statusCode": 200, "headers": {"Content-Type": answer.content_type}, "body": answer.body}}
                ],
            }
            for answer in answers
        ],
    }
