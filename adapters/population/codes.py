"""The population database's codes → our values and failures. The tables are data in `contracts/population/codes`."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from adapters.xroad import FaultRow
from contracts import population
from contracts.model import Coded, Sex

_SEX: Final = "sex"
_LONGEST_TEXT: Final = 200


def coded(table: str, code: str) -> Coded:
    """Return `code` with its Vietnamese label from `table`, or without one where the table does not know it."""
    return _labels(table).get(code) or Coded(code)


def sex(code: str) -> Sex | None:
    """Return the sex that `code` stands for, or `None`: nothing is guessed from an unknown code."""
    return _sexes().get(code)


def refusal(code: str) -> FaultRow | None:
    """Return what the refusal `code` means, or `None`. The whole table is assumed; see the contract's README."""
    return _refusals().get(code.strip())


def plain_text(text: str) -> FaultRow | None:
    """Return what the platform means by a sentence in place of an envelope, or `None` where it is not a known one."""
    said = " ".join(text.split()).lower()
    if not said or len(said) > _LONGEST_TEXT or "<" in said:
        return None
    for known, whole, row in _texts():
        if said == known if whole else known in said:
            return row
    return None


def _table(name: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(population.file(f"codes/{name}.json").read_text(encoding="utf-8"))
    return table


@cache
def _labels(name: str) -> dict[str, Coded]:
    return {row["code"]: Coded(row["code"], row["vi"]) for row in _table(name)["codes"]}


@cache
def _sexes() -> dict[str, Sex]:
    return {row["code"]: Sex(row["value"]) for row in _table(_SEX)["codes"]}


@cache
def _refusals() -> dict[str, FaultRow]:
    return {row["code"]: FaultRow.read(row) for row in _table("refusals")["codes"]}


@cache
def _texts() -> tuple[tuple[str, bool, FaultRow], ...]:
    return tuple((row["text"], row["match"] == "whole", FaultRow.read(row)) for row in _table("plain_text")["texts"])
