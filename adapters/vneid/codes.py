"""The door's words → our values and failures. The tables are data in `contracts/vneid/codes`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from adapters.xroad import FaultRow
from contracts import vneid
from contracts.model.identity import AccountKind, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.vneid.settings import LevelWord, Profile


_ERROR_WORD: Final = re.compile(r"(?=.{1,60}\Z)[A-Za-z]+(?:[_.-][A-Za-z]+)*|[0-9]{1,6}")
"""As the standards' are; or a product's number."""


class Ending(StrEnum):
    """What the door says of a sign-in that gave no code."""

    DECLINED = "declined"
    """The citizen, or the door for them, said no or did not answer."""
    LEVEL_NOT_MET = "level_not_met"
    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Words:
    """Words for levels: the table, with what an installation adds before it."""

    known: dict[tuple[str, str], Level | None]

    @classmethod
    def of(cls, added: Iterable[LevelWord]) -> Words:
        """Return the table with the rows of an installation."""
        own = {(one.claim, one.word): None if one.level is None else Level(one.level) for one in added}
        return cls(_levels() | own)

    def levels(self, claim: str, words: Iterable[str]) -> tuple[Level, ...]:
        """Return the levels that `words` of `claim` state; a word that says nothing states none."""
        found = (self.known.get((claim, word)) for word in words)
        return tuple(level for level in found if level is not None)


def account_kind(code: str) -> AccountKind | None:
    """Return the kind that a code stands for, or `None`: nothing is guessed."""
    return _kinds().get(code)


def ending(code: str) -> Ending:
    """Return what an error in the callback means."""
    return _endings().get(code, Ending.UNKNOWN)


def error_word(code: str | None) -> str | None:
    """Return the word of an error where it looks like one, else `None`: what stands there may be a token or a name."""
    return code if code is not None and _ERROR_WORD.fullmatch(code) else None


def refusal(code: str, operation: str) -> FaultRow | None:
    """Return what an error means in the answer to `operation`, or `None` where no row has it."""
    row = _refusals().get(code)
    if row is None or (row[0] and operation not in row[0]):
        return None
    return row[1]


def asked(profile: Profile) -> dict[Level, str]:
    """Return what asks for each level at a door, where that is known."""
    return {Level(row["level"]): row["acr_values"] for row in _table("level")["asked"] if row["profile"] == profile}


@cache
def claims() -> frozenset[str]:
    """Return the names of every claim that the contract has."""
    return frozenset(row["name"] for row in _content("claims.json")["claims"])


@cache
def paths(profile: str) -> dict[str, str]:
    """Return the paths, by operation, that the contract has for a door."""
    return {row["name"]: row["path"] for row in _profile(profile)["operations"] if "path" in row}


def issuer_path(profile: str) -> str:
    """Return what follows the door's address in its issuer."""
    path: str = _profile(profile)["issuer"]["path"]
    return path


def _profile(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in _content("operations.json")["profiles"] if one["profile"] == name)
    return found


@cache
def _content(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(vneid.file(name).read_text(encoding="utf-8"))
    return content


def _table(name: str) -> dict[str, Any]:
    return _content(f"codes/{name}.json")


@cache
def _kinds() -> dict[str, AccountKind]:
    return {row["code"]: AccountKind(row["value"]) for row in _table("account_kind")["codes"]}


@cache
def _levels() -> dict[tuple[str, str], Level | None]:
    rows = _table("level")["codes"]
    return {(row["claim"], row["code"]): None if row["level"] is None else Level(row["level"]) for row in rows}


@cache
def _endings() -> dict[str, Ending]:
    return {row["code"]: Ending(row["value"]) for row in _table("callback")["codes"]}


@cache
def _refusals() -> dict[str, tuple[frozenset[str], FaultRow]]:
    rows = _table("refusals")["codes"]
    return {row["code"]: (frozenset(row.get("operations", ())), FaultRow.read(row)) for row in rows}
