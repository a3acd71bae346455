"""What has to happen to a store that was made from a backup before anybody may use it: in the transaction that ends it.

Since the backup was made the national systems may have been told more than this store knows. So every system is paused
until a person has looked and resumes it. What was open counts as interrupted: a delivery as one whose worker died while
it was sending, even if it had not begun, so that it is looked up, or sent again where that is safe, or asked about.
Of a write that takes several exchanges nobody knows at which it is.
A replay of many that was running waits for a person too, who may find that it had gone further. What a person was asked
about may have been set going since. What had been rejected may have been too, but is left as it is: in doubt it could
neither be corrected nor taken back, and whoever sets it going looks first. Sessions are forgotten: they are long over.
So is the time of every sign-in: what a browser has brought back since, or whoever was handed over, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.tables.changes import record
from gateway.store.tables.instant import timed
from gateway.store.tables.keycheck import take_keys
from gateway.store.tables.processes import settle_interrupted

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from gateway.store.engine import Transaction

_DOUBT = """
UPDATE delivery SET state = 'sending', may_have_acted = 'maybe', absent = 0, next_at = NULL, step = ''
WHERE settled_at IS NULL AND state IN ('accepted', 'sending', 'waiting', 'unknown', 'held')
"""
_DOUBT_ALSO = """
UPDATE delivery SET may_have_acted = 'maybe', absent = 0, step = ''
WHERE state = 'needs_person' AND may_have_acted = 'no'
"""
_FORGET_SESSIONS = "DELETE FROM session"
_SIGN_INS_END = timed("UPDATE sign_in SET due_at = INSTANT WHERE due_at > INSTANT AND state NOT IN ('failed', 'over')")
_LEASES_END = timed("UPDATE lane SET owner = 'restored', lease_until = INSTANT WHERE head IS NOT NULL")
_PAUSE_REPLAYS = timed("""
UPDATE replay SET state = 'paused', state_at = INSTANT, state_why = $1 WHERE state = 'running'
""")
_SKIP = "UPDATE feed SET position = position + $1"
_SKIPPED = 1_000_000_000
"""Places in the feed that may have been given after the backup: a reader that has passed them shall miss nothing."""
_PRESS = """
INSERT INTO switch (system, paused_by, why, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (system) DO UPDATE SET paused_by = excluded.paused_by, why = excluded.why, since = excluded.since
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """Who makes a store, when, of a backup that was made when; with which keys, and what is paused."""

    keys: Path
    systems: tuple[str, ...]
    by: str
    made_at: datetime
    now: int


async def take_over(restoring: Restoring, tx: Transaction) -> None:
    """Pause every system, interrupt what was open, and write it into the journal.

    The keys have to be there. Raises what `take_keys` raises.
    """
    by, now = restoring.by, restoring.now
    await take_keys(restoring.keys, now, tx)
    await tx.execute("DELETE FROM process")
    await settle_interrupted(now, tx)
    await tx.execute(_DOUBT)
    await tx.execute(_DOUBT_ALSO)
    await tx.execute(_LEASES_END)
    await tx.execute(_FORGET_SESSIONS)
    await tx.execute(_SIGN_INS_END)
    await tx.execute(_SKIP, _SKIPPED)
    why = f"restored from the backup of {restoring.made_at.isoformat(sep=' ', timespec='minutes')}"
    await tx.execute(_PAUSE_REPLAYS, why)
    await record(tx, now, by, what="store.restore", name="store", why=why)
    for system in restoring.systems:
        await tx.execute(_PRESS, system, by, why, now)
        await record(tx, now, by, what="system.pause", name=system, why=why)
