"""Values ↔ JSON, in pairs: how a value is written, and how exactly that is read back. Knows no field of the portal.

Reading is as strict as writing: whatever was not written so is `Unreadable`, and every wrong member is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from adapters.portal import codes
from contracts import VIETNAM
from contracts.model import WrongField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from enum import StrEnum

    from contracts.model.identifiers import Code

T = TypeVar("T")
E = TypeVar("E", bound="StrEnum")
K = TypeVar("K", bound="Code")

_TIME: Final = "%Y%m%d%H%M%S"
_FOURTEEN: Final = re.compile(r"[0-9]{14}")
_AMOUNT: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_TRUE, _FALSE = "True", "False"
_YES, _NO = "1", "0"


class Unreadable(ValueError):
    """A JSON value is not one that we write; `fields` says where, below the value itself."""

    def __init__(self, *wrong: WrongField) -> None:
        super().__init__(f"{len(wrong)} wrong members")
        self.fields = wrong


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How one value is written and read. `empty` stands for what is not known; where it is `None`, nothing does."""

    write: Callable[[T], Any]
    read: Callable[[Any], T]
    empty: Any = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object: its name on the wire, our name, how it is written; `newer` ones only where known."""

    name: str
    ours: str
    codec: Codec[Any]
    newer: bool = False


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """An object: its members, and what makes a value of them."""

    members: tuple[Member, ...]
    make: Callable[..., T]

    def write(self, value: T) -> dict[str, Any]:
        """Return `value` as a JSON object."""
        written = {}
        for member in self.members:
            one = getattr(value, member.ours)
            if one is None or one == ():
                if not member.newer:
                    written[member.name] = [] if one == () else member.codec.empty
            else:
                written[member.name] = member.codec.write(one)
        return written

    def read(self, raw: object) -> T:
        """Return the value that `raw` was written from. Raises `Unreadable`, and what `make` raises."""
        return self.make(**self.values(raw))

    def values(self, raw: object) -> dict[str, Any]:
        """Return the values of the members. Raises `Unreadable`."""
        if not isinstance(raw, dict):
            raise Unreadable(WrongField("", "invalid"))
        values, wrong = {}, [WrongField(f"/{name}", "unknown") for name in raw.keys() - {m.name for m in self.members}]
        for member in self.members:
            if member.name not in raw:
                wrong += [] if member.newer else [WrongField(f"/{member.name}", "required")]
                continue
            try:
                values[member.ours] = _member(member, raw[member.name])
            except Unreadable as error:
                wrong += _below(f"/{member.name}", error)
        if wrong:
            raise Unreadable(*wrong)
        return values

    def newer(self) -> Iterator[tuple[object, str]]:
        """Yield what is newer in it and in the objects in it: what that makes, and our name of the member."""
        for member in self.members:
            if member.newer:
                yield self.make, member.ours
            elif isinstance(member.codec, Several) and member.codec.shape is not None:
                yield from member.codec.shape.newer()


@dataclass(frozen=True, slots=True)
class Several(Codec[tuple[Any, ...]]):
    """A list of one kind of values; `shape` where they are objects with members of their own."""

    shape: Shape[Any] | None = None


def several(item: Shape[T] | Codec[T]) -> Several:
    """Return how a list of `item` is written."""

    def read(raw: object) -> tuple[T, ...]:
        if not isinstance(raw, list):
            raise Unreadable(WrongField("", "invalid"))
        found, wrong = [], []
        for number, one in enumerate(raw):
            try:
                found.append(item.read(one))
            except Unreadable as error:
                wrong += _below(f"/{number}", error)
        if wrong:
            raise Unreadable(*wrong)
        return tuple(found)

    shape = item if isinstance(item, Shape) else None
    return Several(lambda values: [item.write(one) for one in values], read, shape=shape)


def words(table: str, kind: Callable[[str], E]) -> Codec[E]:
    """Return how a word is written that the code table `table` has."""

    def read(raw: object) -> E:
        try:
            return kind(codes.word_of(table, _text(raw)))
        except KeyError:
            raise Unreadable(WrongField("", "choice", {"expected": table})) from None

    return Codec(lambda word: codes.code_of(table, word), read)


def formed(kind: Callable[[str], K]) -> Codec[K]:
    """Return how a code with a form is written: as it is."""

    def read(raw: object) -> K:
        try:
            return kind(_text(raw))
        except Unreadable:
            raise
        except ValueError:
            raise Unreadable(WrongField("", "pattern")) from None

    return Codec(lambda code: code.value, read)


def _member(member: Member, raw: Any) -> Any:
    if raw == member.codec.empty and raw is not None:
        return None
    return member.codec.read(raw)


def _below(path: str, error: Unreadable) -> list[WrongField]:
    return [WrongField(f"{path}{one.path}", one.reason, one.values) for one in error.fields]


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise Unreadable(WrongField("", "text"))
    return raw


def _listed(values: Mapping[Any, T]) -> Callable[[object], T]:
    def read(raw: object) -> T:
        for known, value in values.items():
            if type(raw) is type(known) and raw == known:
                return value
        raise Unreadable(WrongField("", "invalid"))

    return read


def _write_time(moment: datetime) -> str:
    return moment.astimezone(VIETNAM).strftime(_TIME)


def _read_time(raw: object) -> datetime:
    text = _text(raw)
    try:
        if _FOURTEEN.fullmatch(text):
            return datetime.strptime(text, _TIME).replace(tzinfo=VIETNAM)
    except ValueError:
        pass
    raise Unreadable(WrongField("", "moment"))


def _read_amount(raw: object) -> int:
    if not _AMOUNT.fullmatch(_text(raw)):
        raise Unreadable(WrongField("", "number"))
    return int(_text(raw))


def _read_whole(raw: object) -> int:
    if type(raw) is not int:
        raise Unreadable(WrongField("", "number"))
    return raw


TEXT: Final[Codec[str]] = Codec(str, _text)
OPTIONAL: Final[Codec[str]] = Codec(str, _text, empty="")
TIME: Final[Codec[datetime]] = Codec(_write_time, _read_time)
OPTIONAL_TIME: Final[Codec[datetime]] = Codec(_write_time, _read_time, empty="")
AMOUNT: Final[Codec[int]] = Codec(str, _read_amount)
WHOLE: Final[Codec[int]] = Codec(int, _read_whole)
FLAG: Final[Codec[bool]] = Codec(lambda flag: _YES if flag else _NO, _listed({_YES: True, _NO: False}))
DIGIT: Final[Codec[bool]] = Codec(int, _listed({1: True, 0: False}))
SPELT: Final[Codec[bool]] = Codec(lambda flag: _TRUE if flag else _FALSE, _listed({_TRUE: True, _FALSE: False}))
