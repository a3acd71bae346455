"""Writing the audit: one row for each call, one for each attempt. On the way of every call, so kept lean.

The row that opens an attempt is on disk before the attempt may leave. Closing an attempt is handed in without waiting,
because closing its call, which waits, is written after it or together with it. Every unit here may be run again after
it was committed, because the answer to a commit can be lost: what it then finds is its own. "Interrupted" is what
others say of a process that they take for dead; what it says itself, should it live, counts more.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.store.errors import AttemptExists
from gateway.store.tables.instant import timed
from gateway.store.times import to_micros

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from contracts.model import Evidence
    from gateway.resilience.ports import AttemptResult, Call, CallOutcome
    from gateway.store.engine import Engine, Statement, Transaction, Value
    from gateway.store.times import Clock

_MICROS = 1_000_000

_OPEN_CALL = """
INSERT INTO audit (call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject, process)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (call) DO NOTHING
"""
_OPEN_ATTEMPT = """
INSERT INTO attempt (call, ordinal, request_id, opened_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (call, ordinal) DO NOTHING
"""
_OPENED_BY = "SELECT request_id FROM attempt WHERE call = $1 AND ordinal = $2"
_CLOSE_ATTEMPT = """
UPDATE attempt SET closed_at = $1, state = $2, kind = $3, layer = $4, reason = $5, code = $6, may_have_acted = $7,
    retry_after = $8, seconds = $9, evidence = $10
WHERE call = $11 AND ordinal = $12 AND state IN ('open', 'interrupted')
"""
_CLOSE_CALL = """
INSERT INTO audit (call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject, process,
    state, kind, layer, reason, code, may_have_acted, attempts, finished_at, seconds)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT (call) DO UPDATE SET state = excluded.state, kind = excluded.kind, layer = excluded.layer,
    reason = excluded.reason, code = excluded.code, may_have_acted = excluded.may_have_acted,
    attempts = excluded.attempts, finished_at = excluded.finished_at, seconds = excluded.seconds
WHERE audit.state IN ('open', 'interrupted')
"""
_BEGIN = timed("""
INSERT INTO attempt (call, ordinal, request_id, opened_at, purpose, step) VALUES ($1, $2, $3, INSTANT, $4, $5)
ON CONFLICT (call, ordinal) DO NOTHING
""")
_INTERRUPT = timed("""
UPDATE attempt SET state = 'interrupted', may_have_acted = 'maybe', closed_at = INSTANT
WHERE call = $1 AND state = 'open'
""")


class AttemptTable:
    """Implements `AttemptLog` of `gateway.resilience`."""

    def __init__(self, engine: Engine, clock: Clock, process: int | None) -> None:
        self._engine = engine
        self._clock = clock
        self._process = process

    async def open_attempt(self, call: Call, ordinal: int, request_id: str) -> None:
        """Commit the attempt row and, with the first, the audit row. Both are on disk on return.

        Raises `AttemptExists`. When the caller is cancelled, the rows may be written all the same.
        """
        now = to_micros(self._clock())
        work = partial(_open, _asked(call, now, self._process), (call.id, ordinal, request_id, now))
        await self._engine.write(work, about=call.id, droppable=True, repeatable=True)

    async def close_attempt(self, call: Call, ordinal: int, result: AttemptResult) -> None:
        """Hand in what came of the attempt. A second closing, or one of an attempt never opened, changes nothing."""
        row = (*_closing(result, to_micros(self._clock())), call.id, ordinal)
        self._engine.hand_in(partial(_execute, _CLOSE_ATTEMPT, row), about=call.id)

    async def close_call(self, call: Call, outcome: CallOutcome) -> None:
        """Write what came of the call; the first word stands. For a call without attempts the row is made here."""
        now = to_micros(self._clock())
        row = _concluding(call, outcome, now, self._process)
        await self._engine.write(partial(_execute, _CLOSE_CALL, row), about=call.id, repeatable=True)


def concluded(call: Call, outcome: CallOutcome, at: int) -> Statement:
    """Return what writes the line of something that needed no attempt of its own, and has ended."""
    return _CLOSE_CALL, _concluding(call, outcome, at, None)


def begun(delivery: str, ordinal: int, request_id: str, purpose: str, step: str) -> Statement:
    """Return what writes the row of an attempt at a delivery; `purpose` is `send` or `lookup`."""
    return _BEGIN, (delivery, ordinal, request_id, purpose, step or None)


def ended(delivery: str, ordinal: int, result: AttemptResult, at: int) -> Statement:
    """Return what writes down what came of an attempt at a delivery."""
    return _CLOSE_ATTEMPT, (*_closing(result, at), delivery, ordinal)


async def interrupt(delivery: str, tx: Transaction) -> None:
    """Mark attempts that somebody began and never ended."""
    await tx.execute(_INTERRUPT, delivery)


async def _open(asked: tuple[Value, ...], attempt: tuple[str, int, str, int], tx: Transaction) -> None:
    call_id, ordinal, request_id, _ = attempt
    made = await tx.execute(_OPEN_CALL, *asked)
    opened = await tx.execute(_OPEN_ATTEMPT, *attempt)
    if opened and (made or ordinal > 1):
        return
    if opened or await tx.fetchval(_OPENED_BY, call_id, ordinal) != request_id:
        raise AttemptExists(call_id, ordinal)


def _asked(call: Call, asked_at: int, process: int | None) -> tuple[Value, ...]:
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
        process,
    )


def _concluding(call: Call, outcome: CallOutcome, at: int, process: int | None) -> tuple[Value, ...]:
    return (
        *_asked(call, at - int(outcome.seconds * _MICROS), process),
        outcome.ending,
        outcome.kind,
        outcome.layer,
        outcome.reason,
        outcome.code,
        outcome.may_have_acted,
        outcome.attempts,
        at,
        outcome.seconds,
    )


def _execute(statement: str, row: tuple[Value, ...], tx: Transaction) -> Coroutine[Any, Any, int]:
    return tx.execute(statement, *row)


def _closing(result: AttemptResult, at: int) -> tuple[Value, ...]:
    return (
        at,
        result.ending,
        result.kind,
        result.layer,
        result.reason,
        result.code,
        result.may_have_acted,
        result.retry_after,
        result.seconds,
        _json(result.evidence),
    )


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
