"""The partner's codes → our failures and answers. The tables are data in `contracts/partner/codes`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from adapters.xroad import FaultRow
from contracts import partner
from contracts.model import LookupAnswer

SUCCESS: Final = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One row of the table: the failure, and what the code answers where it is said in a look-up."""

    fault: FaultRow
    answer: LookupAnswer | None


def code_text(code: object) -> str | None:
    """Return a code, which may be a word, a whole number or digits in a text, as a text; `None` for anything else."""
    if isinstance(code, str):
        return code.strip() or None
    return str(code) if type(code) is int else None


def refusal(code: str) -> Refusal | None:
    """Return what the code of an error means, written as a word or as a number, or `None` where no row has it."""
    return _refusals().get(code)


def note(text: str) -> FaultRow | None:
    """Return why a success with this note has not done what was asked, or `None`: then it has."""
    return _notes().get(text)


def _table(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(partner.file(f"codes/{name}.json").read_text(encoding="utf-8"))["codes"]
    return rows


@cache
def _refusals() -> dict[str, Refusal]:
    found = {}
    for row in _table("refusals"):
        answer = row.get("answer")
        told = Refusal(fault=FaultRow.read(row), answer=None if answer is None else LookupAnswer(answer))
        found[row["code"]] = found[str(row["number"])] = told
    return found


@cache
def _notes() -> dict[str, FaultRow]:
    return {row["code"]: FaultRow.read(row) for row in _table("notes")}
