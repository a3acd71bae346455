"""What all processes together know of the session of an account: the port, which the store implements. No behaviour.

A log-in is done under a lease. Each lease has a `fence`, greater than the one before, and the session that it brings
has that fence as its `generation`: so a process that lost its lease can neither put its session over a newer one nor
end somebody else's lease. Time is the shelf's own; what it tells of it is how many seconds are left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contracts.model import Kind, Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInFailed:
    """A log-in that failed in a way that concerns everybody who has the account, for so many `seconds` from now."""

    kind: Kind
    layer: Layer
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """How it stands with one account; without arguments: nobody has ever logged in with it.

    `packed` is the session of `generation`, `None` if there is none that can be read; it counts for `seconds`, `None`
    for as long as it is not refused. `leased` is for how many seconds somebody may still be logging in, 0 for nobody.
    `failed` is what the log-in of lease `failure` came to, while that counts.
    """

    fence: int = 0
    generation: int = 0
    packed: bytes | None = field(default=None, repr=False)
    seconds: float | None = None
    leased: float = 0.0
    failure: int = 0
    failed: LogInFailed | None = None


class Shelf(Protocol):
    """Where sessions are kept for all processes. `place` names system and account. Each method may be cancelled.

    Each raises `StoreUnavailable`; what it was writing may be committed all the same.
    """

    async def look(self, place: str) -> Shelved:
        """Return how it stands."""

    async def take(self, place: str, seen: Shelved, seconds: float) -> int | None:
        """Take the lease for so long and return its fence; `None` if something has changed since `seen`."""

    async def put(self, place: str, fence: int, packed: bytes, seconds: float | None) -> bool:
        """Put a session there, which counts for `seconds`, and end the lease. False if a later lease was taken."""

    async def give_back(self, place: str, fence: int, failed: LogInFailed | None) -> None:
        """End the lease, if it is still the latest, and let everybody know of `failed`."""
