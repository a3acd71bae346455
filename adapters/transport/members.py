"""Reading members of JSON objects: each has its type or is remembered as wrong, by its path and never by its value.

Knows no system. A member that is absent or null is not there; what nobody asks for is counted by its name. Every wrong
one is remembered, so that the whole answer can be told of at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from contracts.model import WrongField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

MOST_WRONG: Final = 50
MOST_NAMES: Final = 20
_LONGEST: Final = 4000
_NAME: Final = re.compile(r"(?!.*[0-9]{6})[A-Za-z_][A-Za-z0-9_.-]{0,59}")
"""Without a long number: an object may be keyed by persons."""
_IN_MILLISECONDS: Final = 10**11
"""From here on a number is taken for milliseconds: in seconds it would be the year 5138."""
_LAST: Final = 253_402_300_799
_THOUSAND: Final = 1000


@dataclass(slots=True)
class Members:
    """Reads one object of an answer. `path` is its JSON pointer; `known` are the names that are read or passed over."""

    content: Mapping[str, Any]
    path: str
    known: frozenset[str] = frozenset()
    wrong: dict[str, WrongField] = field(default_factory=dict)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names that the contract does not have, if they can be shown at all."""
        names = (name for name in self.content if name not in self.known)
        return tuple(name for name in names if _NAME.fullmatch(name))[:MOST_NAMES]

    @property
    def unknown_count(self) -> int:
        """How many members the contract does not have."""
        return sum(name not in self.known for name in self.content)

    def refuse(self, name: str, reason: str) -> None:
        """Remember a member as wrong; its first reason stays."""
        path = f"{self.path}/{name}"
        if len(self.wrong) < MOST_WRONG:
            self.wrong.setdefault(path, WrongField(path, reason))

    def text(self, name: str) -> str | None:
        """Return a text, or `None` where it is absent, empty or wrong."""
        value = self.content.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(name, "text")
            return None
        if len(value) > _LONGEST:
            self.refuse(name, "too_long")
            return None
        return value.strip() or None

    def needed(self, name: str) -> str | None:
        """Return a text that has to be there."""
        value = self.text(name)
        if value is None:
            self.refuse(name, "required")
        return value

    def formed(self, name: str, form: Callable[[str], T]) -> T | None:
        """Return a text as what `form` makes of it; what it refuses with `ValueError` is wrong."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return form(value)
        except ValueError:
            self.refuse(name, "pattern")
            return None

    def whole(self, name: str) -> int | None:
        """Return a whole number that is not negative; digits in a text are not one."""
        value = self.content.get(name)
        if value is None:
            return None
        if type(value) is not int or value < 0:
            self.refuse(name, "invalid")
            return None
        return value

    def instant(self, name: str) -> datetime | None:
        """Return a moment: seconds or milliseconds since 1970, told apart by size, or ISO 8601 with an offset."""
        value = self.content.get(name)
        if value is None:
            return None
        moment = _moment(value)
        if moment is None:
            self.refuse(name, "invalid")
        return moment


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        return None if moment.tzinfo is None else moment
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    seconds = value / _THOUSAND if value >= _IN_MILLISECONDS else value
    return datetime.fromtimestamp(seconds, UTC) if seconds <= _LAST else None
