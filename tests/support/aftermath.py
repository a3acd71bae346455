"""Hooks for the whole run: everything that is logged or printed is kept, and at the end all of it is searched.

Imported by `tests/conftest.py`. Under xdist the workers keep and the controller searches. A run in which somebody's
name or number is found, or in which a key was logged that may not be logged, fails, whatever its tests said.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import structlog

from gateway.monitor.logs import KEYS
from tests.support import artifacts
from tests.support.privacy import Finding, Search, known

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from _pytest.terminal import TerminalReporter

FORBIDDEN_KEYS: Final = "forbidden-keys"
_MADE = pytest.StashKey[Path | None]()
_FOUND = pytest.StashKey[list[str]]()
_LOGS: Final = frozenset({".log", ".err", ".out", ".jsonl", ".prom"})
_TALKATIVE: Final = ("zeep", "asyncio", "httpcore", "httpx")
"""The first two say much at DEBUG, and it is looked at where a whole gateway runs (`test_privacy`). The others are the
tests' own caller, who may know whom he asks about; the gateway sends with something else."""
MOST_SHOWN: Final = 50


class _ToArtifacts(logging.Handler):
    """Keeps what the libraries log, at every level."""

    def emit(self, record: logging.LogRecord) -> None:
        artifacts.keep("logging.log", f"{record.levelname} {record.name} {self.format(record)}\n")


_HANDLER: Final = _ToArtifacts(logging.DEBUG)


def _keep(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    artifacts.keep("structlog.jsonl", json.dumps(event, default=repr, ensure_ascii=False) + "\n")
    unknown = sorted(set(event) - KEYS)
    if unknown:
        artifacts.keep(FORBIDDEN_KEYS, f"{event.get('event')}: {', '.join(unknown)}\n")
    return event


def listen() -> None:
    """Keep what is logged from here on. Repeated before each test, because a test may configure logs."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, _keep, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(),
    )
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:  # a test's, and the stream was that test's too
            root.removeHandler(handler)
    if _HANDLER not in root.handlers:
        root.addHandler(_HANDLER)
    root.setLevel(logging.DEBUG)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder, unless a controller has made it. pytest keeps its last few and removes older ones."""
    config.stash[_MADE] = artifacts.begin(_base(config))
    listen()


def pytest_runtest_setup() -> None:
    """Listen again."""
    listen()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what a test printed; the last report of a test has all of it."""
    if report.when != "teardown" or _in_worker():
        return
    for title, text in report.sections:
        artifacts.keep("captured.txt", f"--- {report.nodeid.partition('[')[0]}: {title}\n{text}\n")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Search what the whole run has left behind."""
    if _in_worker():
        return
    found = session.config.stash[_FOUND] = [*forbidden_keys(), *map(str, findings(session.config))]
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    elif session.exitstatus == pytest.ExitCode.OK and (made := session.config.stash[_MADE]) is not None:
        shutil.rmtree(made, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say where somebody was found, and where the artifacts of a run that failed are."""
    found = terminalreporter.config.stash.get(_FOUND, [])
    if found:
        terminalreporter.section("left behind by this run", red=True, bold=True)
        for line in found[:MOST_SHOWN]:
            terminalreporter.line(line)
        terminalreporter.line(f"{len(found)} in all")
    if artifacts.folder().exists():
        terminalreporter.line(f"logs, metrics, captures and databases of this run: {artifacts.folder()}")


def findings(config: pytest.Config) -> Iterator[Finding]:
    """Yield everybody found in the artifacts, and in the logs and databases in the tests' own folders."""
    root = artifacts.folder()
    base = _base(config)
    files = [(file, root) for file in root.rglob("*") if not file.name.endswith(artifacts.WORLDS)]
    files += [(file, base) for file in base.rglob("*") if not file.is_relative_to(root) and _telling(file)]
    written = sorted((file, above) for file, above in files if file.is_file() and file.stat().st_size)
    if written:  # it takes a moment to know everybody
        search = Search(known(artifacts.worlds()))
        for file, above in written:
            if file.exists():  # a database that has been read takes away what lay beside it
                yield from search.file(file, str(file.relative_to(above)))


def _telling(file: Path) -> bool:
    """Whether a file in a test's own folder is a log or a database: other things may name whom the test made up."""
    return file.is_file() and not file.is_symlink() and (file.suffix in _LOGS or artifacts.is_database(file))


def _base(config: pytest.Config) -> Path:
    """Return the folder in which this run's temporary folders lie."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined] # there is no other way to it
    return base


def forbidden_keys() -> Iterator[str]:
    """Yield what was logged under a key that the gateway's log would drop."""
    for file in artifacts.folder().glob(f"*-{FORBIDDEN_KEYS}"):
        for line in sorted(set(file.read_text("utf-8").splitlines())):
            yield f"logged under a key that is not in gateway.monitor.logs.KEYS: {line}"


def _in_worker() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ
