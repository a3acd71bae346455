"""The portal's codes ↔ our words, and labels. The tables are data in `contracts/portal/codes`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from contracts import portal
from contracts.model.dossier import DossierStatus

STATUS: Final = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLabel:
    """What a status is called, how sure that is, and whether a dossier ends there, as far as is known (inferred)."""

    vi: str
    en: str
    confidence: str
    terminal: bool


def code_of(table: str, word: str) -> str:
    """Return the code that stands for one of our words. Raises `KeyError` for a word that the table does not have."""
    return _by_word(table)[word]


def word_of(table: str, code: str) -> str:
    """Return our word for a code. Raises `KeyError` for a code that the table does not have."""
    return _by_code(table)[code]


def status_label(status: DossierStatus) -> StatusLabel:
    """Return what a national status is called."""
    return _labels()[status]


def rows(table: str) -> tuple[dict[str, Any], ...]:
    """Return the rows of a code table as they stand there."""
    content = json.loads(portal.file(f"codes/{table}.json").read_text(encoding="utf-8"))
    return tuple(content["codes"])


@cache
def _by_word(table: str) -> dict[str, str]:
    return {row["value"]: row["code"] for row in rows(table)}


@cache
def _by_code(table: str) -> dict[str, str]:
    return {row["code"]: row["value"] for row in rows(table)}


@cache
def _labels() -> dict[DossierStatus, StatusLabel]:
    return {
        DossierStatus(int(row["code"])): StatusLabel(
            vi=row["vi"], en=row["en"], confidence=row["confidence"], terminal=row["terminal"]
        )
        for row in rows(STATUS)
    }
