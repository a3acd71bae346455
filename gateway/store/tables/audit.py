"""Reading the audit, and deleting what has been kept long enough."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gateway.store.records import AttemptEntry, AuditEntry, CallState, Change, OutcomeCount
from gateway.store.tables.rows import places
from gateway.store.times import from_micros, maybe_moment, to_micros

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from contracts.model import AgencyCode
    from gateway.store.engine import Engine, Transaction, Value

_ROWS_PER_UNIT = 500
"""Old rows are deleted in small bites, so that calls in between do not wait for long."""

_CALLS = """
SELECT number, call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject,
    state, kind, layer, reason, code, may_have_acted, attempts, finished_at, seconds
FROM audit
"""
_ATTEMPTS = """
SELECT call, ordinal, request_id, opened_at, closed_at, state, kind, layer, reason, code, may_have_acted,
    retry_after, seconds, evidence, purpose, step
FROM attempt WHERE call = $1 ORDER BY ordinal
"""
_OUTCOMES = """
SELECT system, operation, state, kind, reason, count(*) AS calls FROM audit WHERE asked_at >= $1
GROUP BY system, operation, state, kind, reason ORDER BY calls DESC, system, operation, state, kind, reason
"""
_CHANGES = "SELECT number, at, made_by, what, name, why FROM change ORDER BY number DESC LIMIT $1"
_THEIRS = " AND agency || '' IN (THEIRS)"
_OF_DOSSIER = f"""
{_CALLS} WHERE dossier IN (THESE) AND state <> 'accepted' AND number + 0 > $1{_THEIRS} ORDER BY number + 0 LIMIT $2
"""
_PRUNE_CALLS = """
DELETE FROM audit WHERE number IN (
    SELECT number FROM audit WHERE asked_at < $1
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = audit.call)
    LIMIT $2
)
"""
_PRUNE_ATTEMPTS = """
DELETE FROM attempt WHERE (call, ordinal) IN (
    SELECT call, ordinal FROM attempt WHERE opened_at < $1
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.id = attempt.call AND standing = 1)
    LIMIT $2
)
"""


class AuditTable:
    """Implements `Audit`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def call(self, call_id: str) -> AuditEntry | None:
        """Return the call of that correlation id."""
        found = await self._calls("WHERE call = $1", call_id)
        return found[0] if found else None

    async def attempts(self, call_id: str) -> tuple[AttemptEntry, ...]:
        """Return the attempts of that call, in order."""

        async def query(tx: Transaction) -> tuple[AttemptEntry, ...]:
            return tuple(
                AttemptEntry(
                    call_id=call,
                    ordinal=ordinal,
                    request_id=request_id,
                    opened_at=from_micros(opened_at),
                    closed_at=maybe_moment(closed_at),
                    state=CallState(state),
                    kind=kind,
                    layer=layer,
                    reason=reason,
                    code=code,
                    may_have_acted=may_have_acted,
                    retry_after=retry_after,
                    seconds=seconds,
                    evidence=evidence,
                    purpose=purpose,
                    step=step,
                )
                for (
                    call, ordinal, request_id, opened_at, closed_at, state, kind, layer, reason, code, may_have_acted,
                    retry_after, seconds, evidence, purpose, step,
                ) in await tx.fetch(_ATTEMPTS, call_id)
            )  # fmt: skip

        return await self._engine.read(query)

    async def recent(
        self, *, limit: int, before: int | None = None, agencies: Collection[AgencyCode] | None = None
    ) -> tuple[AuditEntry, ...]:
        """Return the latest calls, the newest first."""
        if agencies is not None and not agencies:
            return ()
        conditions = ["TRUE"]
        values: list[Value] = [limit]
        if before is not None:
            values.append(before)
            conditions.append(f"number < ${len(values)}")
        if agencies is not None:
            first = len(values) + 1
            values.extend(agency.value for agency in agencies)
            conditions.append(f"agency IN ({', '.join(f'${n}' for n in range(first, len(values) + 1))})")
        return await self._calls(f"WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT $1", *values)

    async def about(self, subject: str, *, limit: int) -> tuple[AuditEntry, ...]:
        """Return the latest calls about one pseudonym, the newest first."""
        return await self._calls("WHERE subject = $1 ORDER BY number DESC LIMIT $2", subject, limit)

    async def outcomes(self, since: datetime) -> tuple[OutcomeCount, ...]:
        """Return how the calls asked since then ended, the most frequent first."""

        async def query(tx: Transaction) -> tuple[OutcomeCount, ...]:
            return tuple(
                OutcomeCount(
                    system=system, operation=operation, state=CallState(state), kind=kind, reason=reason, calls=calls
                )
                for system, operation, state, kind, reason, calls in await tx.fetch(_OUTCOMES, to_micros(since))
            )

        return await self._engine.read(query)

    async def changes(self, *, limit: int) -> tuple[Change, ...]:
        """Return what operators changed, the newest first."""

        async def query(tx: Transaction) -> tuple[Change, ...]:
            return tuple(
                Change(number=number, at=from_micros(at), by=made_by, what=what, name=name, why=why)
                for number, at, made_by, what, name, why in await tx.fetch(_CHANGES, limit)
            )

        return await self._engine.read(query)

    async def prune_calls(self, before: datetime) -> int:
        """Delete calls asked before then, with their attempts. A delivery that is still known keeps its own."""
        return await self._prune(_PRUNE_CALLS, before)

    async def prune_attempts(self, before: datetime) -> int:
        """Delete attempts opened before then; their calls stay, and so do attempts at deliveries that stand."""
        return await self._prune(_PRUNE_ATTEMPTS, before)

    async def _calls(self, tail: str, *values: Value) -> tuple[AuditEntry, ...]:
        async def query(tx: Transaction) -> tuple[AuditEntry, ...]:
            return tuple(_entry(*row) for row in await tx.fetch(_CALLS + tail, *values))

        return await self._engine.read(query)

    async def _prune(self, statement: str, before: datetime) -> int:
        bite = partial(_delete, statement, to_micros(before))
        pruned = 0
        while deleted := await self._engine.write(bite):
            pruned += deleted
        return pruned


async def of_dossier(
    codes: Sequence[str], after: int, limit: int, agencies: Collection[str] | None, tx: Transaction
) -> list[AuditEntry]:
    """Return calls that named a dossier of these codes, in order: behind number `after`. Deliveries are none.

    There are few, and they are found by the codes: `|| ''` and `+ 0` keep both engines from other indexes.
    """
    query = _OF_DOSSIER.replace("THESE", places(3, len(codes)))
    if agencies is None:
        query = query.replace(_THEIRS, "")
    query = query.replace("THEIRS", places(3 + len(codes), len(agencies or ())))
    return [_entry(*row) for row in await tx.fetch(query, after, limit, *codes, *(agencies or ()))]


async def _delete(statement: str, before: int, tx: Transaction) -> int:
    return await tx.execute(statement, before, _ROWS_PER_UNIT)


def _entry(  # noqa: PLR0917 - one parameter for each column, in the order of `_CALLS`
    number: int,
    call_id: str,
    asked_at: int,
    client: str,
    agency: str,
    officer: str,
    procedure: str,
    dossier: str | None,
    system: str,
    operation: str,
    subject: str,
    state: str,
    kind: str | None,
    layer: str | None,
    reason: str | None,
    code: str | None,
    may_have_acted: str | None,
    attempts: int,
    finished_at: int | None,
    seconds: float | None,
) -> AuditEntry:
    return AuditEntry(
        number=number,
        call_id=call_id,
        asked_at=from_micros(asked_at),
        client=client,
        agency=agency,
        officer=officer,
        procedure=procedure,
        dossier=dossier,
        system=system,
        operation=operation,
        subject=subject,
        state=CallState(state),
        kind=kind,
        layer=layer,
        reason=reason,
        code=code,
        may_have_acted=may_have_acted,
        attempts=attempts,
        finished_at=maybe_moment(finished_at),
        seconds=seconds,
    )
