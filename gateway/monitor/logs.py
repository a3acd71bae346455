"""Logs: one JSON object a line on standard error, changes rather than repetitions, and nobody's name or number.

What may be logged is a closed list of keys; a line with any other key fails in the tests and drops the key in service,
so that a value that identifies a person has no way in. A line that cannot be written is lost and stops nothing.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from datetime import datetime
from typing import TYPE_CHECKING, TextIO, cast

import structlog

from contracts import VIETNAM

if TYPE_CHECKING:
    from collections.abc import MutableMapping

KEYS = frozenset(
    {
        "address",
        "agency",
        "attempts",
        "by",
        "client",
        "correlation_id",
        "detail",
        "error",
        "event",
        "from_state",
        "kind",
        "layer",
        "level",
        "may_have_acted",
        "operation",
        "path",
        "pid",
        "reason",
        "seconds",
        "since",
        "status",
        "step",
        "system",
        "timestamp",
        "to_state",
        "trouble",
        "units",
        "version",
        "where",
    }
)


class _Lossy:
    """A stream as structlog uses one. Calls and the store's threads log where they must not fail: on a full disk."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the latter from a stream that is closed
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _stamp(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Say when, with the offset: the machine's own time may be any, and partners keep time in Vietnam."""
    event["timestamp"] = datetime.now(VIETNAM).isoformat(timespec="milliseconds")
    return event


def _only_known_keys(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    for key in [key for key in event if key not in KEYS]:
        event[key] = "(dropped: not a key that may be logged)"
    return event


def configure(*, level: int = logging.INFO) -> None:
    """Send the process's logs to standard error, one JSON object a line."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            _stamp,
            _only_known_keys,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Lossy(sys.stderr))),
    )
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr, force=True)


def defect(error: BaseException) -> dict[str, str]:
    """Return what of an unexpected error may be logged: its type and where it arose, never its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
    return {"error": type(error).__name__, "where": where}
