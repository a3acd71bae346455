"""Writing the audit: one row for each call, one for each attempt. On the way of every call, so kept lean.

The row that opens an attempt is on disk before the attempt may leave. Closing an attempt is handed in without waiting,
because closing its call, which waits, is written after it or together with it.
"""

from __future__ import annotations

import json
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from gateway.store.errors import AttemptExists
from gateway.store.times import to_micros

if TYPE_CHECKING:
    from contracts.model import Evidence
    from gateway.resilience.ports import AttemptResult, Call, CallOutcome
    from gateway.store.sqlite.writer import Writer
    from gateway.store.times import Clock

_MICROS = 1_000_000

_OPEN_CALL = """
INSERT INTO audit (call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_OPEN_CALL_IF_MISSING = f"{_OPEN_CALL} ON CONFLICT (call) DO NOTHING"
_OPEN_ATTEMPT = "INSERT INTO attempt (call, ordinal, request_id, opened_at) VALUES (?, ?, ?, ?)"
_CLOSE_ATTEMPT = """
UPDATE attempt SET closed_at = ?, state = ?, kind = ?, layer = ?, reason = ?, code = ?, may_have_acted = ?,
    retry_after = ?, seconds = ?, evidence = ?
WHERE call = ? AND ordinal = ? AND state = 'open'
"""
_CLOSE_CALL = """
INSERT INTO audit (call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject,
    state, kind, layer, reason, code, may_have_acted, attempts, finished_at, seconds)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (call) DO UPDATE SET state = excluded.state, kind = excluded.kind, layer = excluded.layer,
    reason = excluded.reason, code = excluded.code, may_have_acted = excluded.may_have_acted,
    attempts = excluded.attempts, finished_at = excluded.finished_at, seconds = excluded.seconds
WHERE audit.state = 'open'
"""
_Row = tuple[str | int | float | None, ...]


class SqliteAttempts:
    """Implements `AttemptLog` of `gateway.resilience`."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock

    async def open_attempt(self, call: Call, ordinal: int, request_id: str) -> None:
        """Commit the attempt row and, with the first, the audit row. Both are on disk on return.

        Raises `AttemptExists`. When the caller is cancelled, the rows may be written all the same.
        """
        now = to_micros(self._clock())
        attempt = (call.id, ordinal, request_id, now)
        try:
            await self._writer.run(partial(_open, _asked(call, now), attempt), droppable=True)
        except sqlite3.IntegrityError as error:
            raise AttemptExists(call.id, ordinal) from error

    async def close_attempt(self, call: Call, ordinal: int, result: AttemptResult) -> None:
        """Hand in what came of the attempt. A second closing, or one of an attempt never opened, changes nothing."""
        row = (
            to_micros(self._clock()),
            result.ending,
            result.kind,
            result.layer,
            result.reason,
            result.code,
            result.may_have_acted,
            result.retry_after,
            result.seconds,
            _json(result.evidence),
            call.id,
            ordinal,
        )
        self._writer.hand_in(partial(_execute, _CLOSE_ATTEMPT, row))

    async def close_call(self, call: Call, outcome: CallOutcome) -> None:
        """Write what came of the call; the first word stands. For a call without attempts the row is made here."""
        now = to_micros(self._clock())
        row = (
            *_asked(call, now - int(outcome.seconds * _MICROS)),
            outcome.ending,
            outcome.kind,
            outcome.layer,
            outcome.reason,
            outcome.code,
            outcome.may_have_acted,
            outcome.attempts,
            now,
            outcome.seconds,
        )
        await self._writer.run(partial(_execute, _CLOSE_CALL, row))


def settle_interrupted(connection: sqlite3.Connection, now: int) -> int:
    """Mark what a stopped process left open. Only while no other process serves. Returns how many calls there were."""
    connection.execute(
        "UPDATE attempt SET state = 'interrupted', may_have_acted = 'maybe', closed_at = ? "
        "WHERE state = 'open' AND call IN (SELECT call FROM audit WHERE state = 'open')",
        (now,),
    )
    return connection.execute(
        "UPDATE audit SET state = 'interrupted', may_have_acted = 'maybe', finished_at = ?, "
        "attempts = (SELECT count(*) FROM attempt WHERE attempt.call = audit.call) WHERE state = 'open'",
        (now,),
    ).rowcount


def _asked(call: Call, asked_at: int) -> _Row:
    purpose = call.purpose
    return (
        call.id,
        asked_at,
        call.client,
        purpose.agency.value,
        purpose.officer,
        purpose.procedure.value,
        None if purpose.dossier is None else purpose.dossier.value,
        call.operation.system,
        call.operation.name,
        call.subject,
    )


def _open(asked: _Row, attempt: _Row, connection: sqlite3.Connection) -> None:
    first = attempt[1] == 1
    connection.execute(_OPEN_CALL if first else _OPEN_CALL_IF_MISSING, asked)
    connection.execute(_OPEN_ATTEMPT, attempt)


def _execute(statement: str, row: _Row, connection: sqlite3.Connection) -> None:
    connection.execute(statement, row)


def _json(evidence: Evidence) -> str:
    return json.dumps(
        {
            "phases": evidence.phases,
            "address": evidence.address,
            "reused": evidence.reused,
            "protocol": evidence.protocol,
            "status": evidence.status,
            "content_type": evidence.content_type,
            "request_bytes": evidence.request_bytes,
            "response_bytes": evidence.response_bytes,
            "unknown_elements": evidence.unknown_elements,
            "unknown_names": evidence.unknown_names,
        },
        separators=(",", ":"),
    )
