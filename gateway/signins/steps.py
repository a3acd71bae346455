"""The steps of a sign-in as units of work: what is looked at, what changes, and the line in the audit about it.

A line `sign_in` says how it ended at the door, a line `claim` who was handed the person, a line `logout` who ended it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contracts.model import Acted, AgencyCode, DossierCode, Effect, Operation, ProcedureCode, Purpose, Repeat
from gateway.resilience import Call, CallOutcome, Deadline, Ending
from gateway.signins.policy import ABANDONED, KNOWN, Outcome, Refusal, Shown, State, claiming
from gateway.store.tables import instant, signins
from gateway.store.tables.attempts import concluded

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model import Failure
    from gateway.store.engine import Transaction
    from gateway.store.tables.signins import SignInRow

NO_PROCEDURE: Final = ProcedureCode("0.000000")
"""What the audit has where a citizen signs in for no procedure in particular."""
_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A sign-in, and the moment at which it was looked at."""

    row: SignInRow
    now: int

    @property
    def state(self) -> State:
        """Where it stands."""
        return State(self.row.state)

    @property
    def late(self) -> bool:
        """Whether the time of that state is over."""
        return self.row.due_at <= self.now


def purpose_of(row: SignInRow) -> Purpose:
    """Return what a sign-in is for."""
    return Purpose(
        agency=AgencyCode(row.agency),
        procedure=NO_PROCEDURE if row.procedure is None else ProcedureCode(row.procedure),
        officer=row.officer or "",
        dossier=None if row.dossier is None else DossierCode(row.dossier),
    )


async def look(sign_in: str, tx: Transaction) -> Seen | None:
    """Return a sign-in as it stands."""
    return await _seen(await signins.get(sign_in, tx), tx)


async def look_by_state(state_mac: bytes, tx: Transaction) -> Seen | None:
    """Return the sign-in that was given this state."""
    return await _seen(await signins.of_state(state_mac, tx), tx)


async def denied(row: SignInRow, outcome: Outcome, code: str | None, system: str, tx: Transaction) -> bool:
    """End a sign-in because the door says that nobody comes. False: it has gone on meanwhile."""
    if not await signins.fail(row.id, State.STARTED, outcome, code, None, tx):
        return False
    await _tell(row, system, "sign_in", Ending.ANSWERED, outcome, tx)
    return True


async def failed(row: SignInRow, outcome: Outcome, failure: Failure, system: str, tx: Transaction) -> bool:
    """End a sign-in because it could not be learned, or not be proven, who it is."""
    if not await signins.fail(row.id, State.RETURNING, outcome, failure.reason, failure.kind, tx):
        return False
    await _tell(row, system, "sign_in", Ending.FAILED, failure.reason, tx, failure=failure)
    return True


async def kept(  # noqa: PLR0917 - what is kept
    row: SignInRow,
    person: bytes,
    tokens: bytes,
    subject: str,
    claim_for: int,
    tokens_for: int,
    system: str,
    tx: Transaction,
) -> bool:
    """Keep who signed in. False: it took too long."""
    if not await signins.keep(row.id, person, tokens, subject, claim_for, tokens_for, tx):
        return False
    await _tell(row, system, "sign_in", Ending.ANSWERED, None, tx, subject=subject)
    return True


@dataclass(frozen=True, slots=True)
class Taken:
    """A person who is handed over: the sealed one, until when, and how it ended if this is the first time."""

    row: SignInRow
    until: int
    first: Outcome | None


async def claimed(  # noqa: PLR0917 - what a claim is judged by
    sign_in: str,
    shown: Callable[[SignInRow], Shown],
    outcome: Callable[[SignInRow], Outcome],
    repeat_for: int,
    call: str,
    system: str,
    tx: Transaction,
) -> Taken | Refusal:
    """Hand a person over, if what is shown is right."""
    seen = await _seen(await signins.lock(sign_in, tx), tx)
    if seen is None:
        return Refusal.UNKNOWN
    refusal = claiming(seen.state, shown(seen.row), late=seen.late)
    if refusal is not None:
        return refusal
    row, first, until = seen.row, None, seen.row.due_at
    if seen.state is State.RETURNED:
        first = outcome(row)
        until = await signins.claim(row.id, first, repeat_for, tx)
    await _tell(row, system, "claim", Ending.ANSWERED, None, tx, subject=row.subject or "", call=call)
    return Taken(row, until, first)


async def logged_out(  # noqa: PLR0917 - what is left of it
    row: SignInRow,
    tokens: bytes | None,
    leave_to: str | None,
    lasts: int,
    taken: int,
    system: str,
    tx: Transaction,
) -> Outcome | None:
    """Forget the person, and keep of the tokens what the browser's way out needs. Returns how it ended, if it did."""
    seen = await _seen(await signins.lock(row.id, tx), tx)
    ended = None
    if seen is not None and seen.state in KNOWN:
        ended = Outcome.NEVER_CLAIMED if seen.state is State.RETURNED else None
        await signins.end(row.id, seen.state, ended or seen.row.outcome, None, tx)
    if await signins.leaving(row.id, tokens, leave_to, lasts, taken, tx):
        call = f"{row.id}.logout"
        await _tell(row, system, "logout", Ending.ANSWERED, None, tx, subject=row.subject or "", call=call)
    return ended


async def sweep(system: str, limit: int, tx: Transaction) -> list[Outcome | None]:
    """End what nobody came back to, and forget whom nobody asks for any more. Returns how each ended, if it did now."""
    return [await _over(row, system, tx) for row in await signins.due(limit, tx)]


async def _over(row: SignInRow, system: str, tx: Transaction) -> Outcome | None:
    state = State(row.state)
    outcome = ABANDONED.get(state)
    if outcome is None:
        await signins.end(row.id, state, row.outcome, row.tokens, tx)
        return None
    if state is State.RETURNED:
        await signins.end(row.id, state, outcome, None, tx)
        await _tell(
            row, system, "claim", Ending.ABANDONED, outcome, tx, subject=row.subject or "", call=f"{row.id}.claim"
        )
        return outcome
    await signins.fail(row.id, state, outcome, None, None, tx)
    await _tell(row, system, "sign_in", Ending.ABANDONED, outcome, tx)
    return outcome


async def _seen(row: SignInRow | None, tx: Transaction) -> Seen | None:
    return None if row is None else Seen(row, await instant.now(tx))


async def _tell(  # noqa: PLR0917 - what the line says
    row: SignInRow,
    system: str,
    name: str,
    ending: Ending,
    reason: str | None,
    tx: Transaction,
    *,
    subject: str = "",
    call: str | None = None,
    failure: Failure | None = None,
) -> None:
    now = await instant.now(tx)
    about = Call(
        id=call or row.id,
        operation=Operation(system=system, name=name, effect=Effect.READ, repeat=Repeat.SAFE),
        client=row.client,
        purpose=purpose_of(row),
        subject=subject,
        deadline=Deadline(0.0),
    )
    came = CallOutcome(
        ending=ending,
        kind=None if failure is None else failure.kind,
        layer=None if failure is None else failure.layer,
        reason=reason,
        may_have_acted=Acted.NO,
        code=None,
        attempts=0,
        seconds=0.0 if call else max(0, now - row.made_at) / _MICROS,
    )
    statement, values = concluded(about, came, now)
    await tx.execute(statement, *values)
