"""Accounts as they are now: active, locked or revoked, how often they failed, how much of their quota is used.

That accounts are locked by failures and that there are quotas is assumed, so without a setting nothing is counted. The
simulator can lock, unlock, revoke and restore an account at any time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mocks.clock import VIETNAM
from mocks.world import Lifecycle, Refused, Resource, Verb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mocks.doors.population.settings import Account, PopulationDoorSettings
    from mocks.world import Change, Turn

ACCOUNT = "population_account"
ACTIVE, LOCKED, REVOKED = "active", "locked", "revoked"
LIFECYCLE = Lifecycle(
    kind=ACCOUNT,
    starts=(ACTIVE,),
    verbs={
        "lock": Verb((ACTIVE,), LOCKED, "It is locked until somebody unlocks it."),
        "unlock": Verb((LOCKED,), ACTIVE, "It opens again, its failures forgotten."),
        "revoke": Verb((ACTIVE, LOCKED), REVOKED, "It is taken away."),
        "restore": Verb((REVOKED,), ACTIVE, "It is given back, its failures forgotten."),
        "fail": Verb((ACTIVE,), None, "Somebody could not prove to be its holder."),
        "use": Verb((ACTIVE,), None, "Its holder asked something: one more of today and of this minute."),
    },
)
MINUTE = 60


class Accounts:
    """The kind `population_account`: those of the settings, by user name."""

    lifecycle = LIFECYCLE

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._names = frozenset(account.username for account in accounts)

    def seeded(self, resource_id: str) -> Resource | None:
        """Return an account as it was issued."""
        return Resource(ACCOUNT, resource_id, ACTIVE) if resource_id in self._names else None

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return what the account counts after a change. Raises `Refused`."""
        del turn
        if before is None:
            raise Refused("accounts are issued in the settings")
        match change.verb:
            case "unlock" | "restore":
                return {"failures": 0}
            case "fail":
                return {"failures": before.fields.get("failures", 0) + 1}
            case "use":
                today, this_minute = used(before, change.at)
                return {
                    "failures": 0,
                    "day": _day(change.at),
                    "today": today + 1,
                    "minute": int(change.at) // MINUTE,
                    "this_minute": this_minute + 1,
                }
            case _:
                return {}


def used(account: Resource, now: float) -> tuple[int, int]:
    """Return how many requests were counted on this day in Vietnam and in this minute."""
    fields = account.fields
    return (
        fields["today"] if fields.get("day") == _day(now) else 0,
        fields["this_minute"] if fields.get("minute") == int(now) // MINUTE else 0,
    )


def over_quota(account: Resource, settings: PopulationDoorSettings, now: float) -> int | None:
    """Return for how many seconds the account is over a quota, or `None`."""
    if settings.quota_per_day is None and settings.quota_per_minute is None:
        return None
    today, this_minute = used(account, now)
    if settings.quota_per_day is not None and today >= settings.quota_per_day:
        return until_tomorrow(now)
    if settings.quota_per_minute is not None and this_minute >= settings.quota_per_minute:
        return MINUTE - int(now) % MINUTE
    return None


def until_tomorrow(now: float) -> int:
    """Return the seconds to the next midnight in Vietnam."""
    local = datetime.fromtimestamp(now, UTC).astimezone(VIETNAM)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return max(1, round(midnight.timestamp() - now))


def failed(turn: Turn, username: str, settings: PopulationDoorSettings) -> None:
    """Count that somebody named an active account and could not prove to be its holder."""
    if settings.lock_after is None:
        return
    account = turn.do(ACCOUNT, username, "fail")
    if account.fields["failures"] >= settings.lock_after:
        turn.do(ACCOUNT, username, "lock")


def proved(turn: Turn, account: Resource, settings: PopulationDoorSettings) -> None:
    """Count a request of an account's holder, where anything depends on it."""
    counted = settings.quota_per_day is not None or settings.quota_per_minute is not None
    if counted or account.fields.get("failures"):
        turn.do(ACCOUNT, account.id, "use")


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).astimezone(VIETNAM).date().isoformat()
