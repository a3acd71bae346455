"""Sign-ins of citizens as they are stored. Each step is one statement that only succeeds from the state before it.

So whatever two processes or two requests do at once, one of them does it and the other finds that it was done.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from gateway.store.tables.instant import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.engine import Row, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRow:
    """One sign-in. Times are microseconds; `pending`, `person` and `tokens` are sealed, `…_mac` keyed hashes."""

    id: str
    client: str
    agency: str
    procedure: str | None
    officer: str | None
    dossier: str | None
    level: int | None
    return_to: str
    session_mac: bytes | None = field(repr=False)
    made_at: int
    state: str
    due_at: int
    outcome: str | None
    reason: str | None
    kind: str | None
    subject: str | None = field(repr=False)
    cookie_mac: bytes | None = field(repr=False)
    pending: bytes | None = field(repr=False)
    person: bytes | None = field(repr=False)
    tokens: bytes | None = field(repr=False)
    leave_until: int | None
    leave_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """What a sign-in is made with."""

    id: str
    client: str
    agency: str
    procedure: str | None
    officer: str | None
    dossier: str | None
    level: int | None
    return_to: str
    session_mac: bytes | None = field(repr=False)


_NAMES = [one.name for one in fields(SignInRow)]
_SELECT = " ".join(["SELECT", ", ".join(_NAMES), "FROM sign_in"])
_INSERT = timed("""
INSERT INTO sign_in (id, client, agency, procedure, officer, dossier, level, return_to, session_mac, made_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, INSTANT, INSTANT + $10) RETURNING due_at
""")
_LOCK = "UPDATE sign_in SET state = state WHERE id = $1"
_START = timed("""
UPDATE sign_in SET state = 'started', cookie_mac = $2, state_mac = $3, pending = $4, due_at = INSTANT + $5
WHERE id = $1 AND state = 'made' AND due_at > INSTANT
""")
_CONSUME = timed("""
UPDATE sign_in SET state = 'returning', pending = NULL, due_at = INSTANT + $2
WHERE id = $1 AND state = 'started' AND due_at > INSTANT
""")
_RETURN = timed("""
UPDATE sign_in SET state = 'returned', person = $2, tokens = $3, subject = $4,
    due_at = INSTANT + $5, tokens_until = INSTANT + $6
WHERE id = $1 AND state = 'returning'
""")
_FAIL = timed("""
UPDATE sign_in SET state = 'failed', outcome = $3, reason = $4, kind = $5, pending = NULL, due_at = INSTANT
WHERE id = $1 AND state = $2
""")
_CLAIM = timed("""
UPDATE sign_in SET state = 'claimed', outcome = $2, due_at = INSTANT + $3 WHERE id = $1 AND state = 'returned'
RETURNING due_at
""")
_END = timed("""
UPDATE sign_in SET state = 'over', outcome = $3, person = NULL, tokens = $4, pending = NULL, due_at = INSTANT
WHERE id = $1 AND state = $2
""")
_TAKE_LEAVE = timed("""
UPDATE sign_in SET leave_until = INSTANT + $2
WHERE id = $1 AND tokens IS NOT NULL AND (leave_until IS NULL OR leave_until <= INSTANT)
RETURNING leave_until
""")
_LEAVING = timed("""
UPDATE sign_in SET tokens = $2, tokens_until = INSTANT + $4, leave_to = $3, leave_until = INSTANT + $4
WHERE id = $1 AND leave_until = $5
""")
_LEFT = timed("UPDATE sign_in SET tokens = NULL WHERE id = $1 AND tokens IS NOT NULL AND leave_until > INSTANT")
_DUE = timed(f"""
{_SELECT} WHERE due_at <= INSTANT AND state NOT IN ('failed', 'over') ORDER BY due_at LIMIT $1 PASSING
""")
_FORGET_TOKENS = timed("UPDATE sign_in SET tokens = NULL WHERE tokens IS NOT NULL AND tokens_until <= INSTANT")
_DELETE = timed("""
DELETE FROM sign_in WHERE number IN (
    SELECT number FROM sign_in
    WHERE due_at <= INSTANT - $1 AND state IN ('failed', 'over') AND tokens IS NULL LIMIT $2
)
""")


async def insert(new: New, open_for: int, tx: Transaction) -> int:
    """Write a new sign-in and return until when it can be opened."""
    due: int = await tx.fetchval(
        _INSERT,
        new.id,
        new.client,
        new.agency,
        new.procedure,
        new.officer,
        new.dossier,
        new.level,
        new.return_to,
        new.session_mac,
        open_for,
    )
    return due


async def get(sign_in: str, tx: Transaction) -> SignInRow | None:
    """Return one sign-in."""
    return next(iter(_rows(await tx.fetch(f"{_SELECT} WHERE id = $1", sign_in))), None)


async def of_state(state_mac: bytes, tx: Transaction) -> SignInRow | None:
    """Return the sign-in that was given this state to bring back."""
    return next(iter(_rows(await tx.fetch(f"{_SELECT} WHERE state_mac = $1", state_mac))), None)


async def lock(sign_in: str, tx: Transaction) -> SignInRow | None:
    """Lock a sign-in and return it."""
    await tx.execute(_LOCK, sign_in)
    return await get(sign_in, tx)


async def start(  # noqa: PLR0917 - columns
    sign_in: str, cookie_mac: bytes, state_mac: bytes, pending: bytes, lasts: int, tx: Transaction
) -> bool:
    """Bind a sign-in to the browser that opens it first. False: it was opened before, or its time is over."""
    return bool(await tx.execute(_START, sign_in, cookie_mac, state_mac, pending, lasts))


async def consume(sign_in: str, lease: int, tx: Transaction) -> bool:
    """Use up what came back, to be exchanged once and here. False: somebody else has used it, or it came too late."""
    return bool(await tx.execute(_CONSUME, sign_in, lease))


async def keep(  # noqa: PLR0917 - columns
    sign_in: str, person: bytes, tokens: bytes, subject: str, claim_for: int, tokens_for: int, tx: Transaction
) -> bool:
    """Keep who signed in. False: it took too long, and the sign-in has been ended."""
    return bool(await tx.execute(_RETURN, sign_in, person, tokens, subject, claim_for, tokens_for))


async def fail(  # noqa: PLR0917 - columns
    sign_in: str, state: str, outcome: str, reason: str | None, kind: str | None, tx: Transaction
) -> bool:
    """End a sign-in that nobody comes in by. False: it is not in that state any more."""
    return bool(await tx.execute(_FAIL, sign_in, state, outcome, reason, kind))


async def claim(sign_in: str, outcome: str, repeat_for: int, tx: Transaction) -> int:
    """Note that the person of a locked sign-in is handed over for the first time. Returns until when that goes on."""
    until: int = await tx.fetchval(_CLAIM, sign_in, outcome, repeat_for)
    return until


async def end(sign_in: str, state: str, outcome: str | None, tokens: bytes | None, tx: Transaction) -> bool:
    """Forget who signed in. `tokens` stay for a log-out, where they are given. False: it is in another state."""
    return bool(await tx.execute(_END, sign_in, state, outcome, tokens))


async def take_leave(sign_in: str, lease: int, tx: Transaction) -> int | None:
    """Take it on to end what is held at the door, and return until when. `None`: somebody else has, or it is done."""
    until: int | None = await tx.fetchval(_TAKE_LEAVE, sign_in, lease)
    return until


async def leaving(  # noqa: PLR0917 - columns
    sign_in: str, tokens: bytes | None, leave_to: str | None, lasts: int, taken: int, tx: Transaction
) -> bool:
    """Keep of the tokens only what the browser's way out needs, for a short while. False: it took too long.

    `taken` is until when it was taken on: whoever is too late, and was followed by another, brings nothing back.
    """
    return bool(await tx.execute(_LEAVING, sign_in, tokens, leave_to, lasts, taken))


async def left(sign_in: str, tx: Transaction) -> bool:
    """Forget that too: the browser has it. False: it had it before."""
    return bool(await tx.execute(_LEFT, sign_in))


async def due(limit: int, tx: Transaction) -> list[SignInRow]:
    """Lock sign-ins whose state has ended by time, and return them. What somebody is changing is passed over."""
    return _rows(await tx.fetch(_DUE.replace("PASSING", tx.passing_over), limit))


async def forget_tokens(tx: Transaction) -> int:
    """Forget tokens that nobody has come for."""
    return await tx.execute(_FORGET_TOKENS)


async def delete(older: int, limit: int, tx: Transaction) -> int:
    """Delete sign-ins that ended so long ago. Returns how many."""
    return await tx.execute(_DELETE, older, limit)


def _rows(found: Sequence[Row]) -> list[SignInRow]:
    return [SignInRow(**dict(zip(_NAMES, row, strict=True))) for row in found]
