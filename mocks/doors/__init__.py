"""The doors: one folder for each national system, all with the same four duties.

A door knows one wire format and one part of the world. It reads no socket, waits for nothing and keeps no count: the
runner (`mocks.app`) does that for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mocks.asgi import Answer, Request
    from mocks.faults import Fault


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about, as far as it can be told without deciding anything.

    `key` is never a number itself. `content` is what the door wants to find again when it acts.
    """

    operation: str
    key: str
    agency: str | None
    request_id: str | None
    content: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What the system decided. `acted` is whether it did what was asked, found or not."""

    answer: Answer
    outcome: str
    acted: bool


class Door(Protocol):
    """One national system, imitated."""

    name: str
    path: str
    operations: tuple[str, ...]

    def publish(self, request: Request) -> Answer | None:
        """Return what the door shows to anybody who reads it (such as its WSDL), or `None`."""

    def recognise(self, request: Request) -> Subject:
        """Say what the request is about. Never fails: what cannot be told is stated as `unknown`."""

    def act(self, request: Request, subject: Subject) -> Result:
        """Check the request and do what it asks."""

    def disturb(self, fault: Fault, subject: Subject, result: Result | None) -> Answer:
        """Return the answer that a fault puts in place of the real one; `result` is there if the system acted."""

    def dialects(self) -> dict[str, Any]:
        """Return how the door speaks where the real system's way is unknown."""

    def speak(self, changes: dict[str, Any] | None) -> None:
        """Change the dialects, or with `None` return to the defaults. Raises `ValueError`."""
