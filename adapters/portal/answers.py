"""What an answer of the portal means, by the table in `contracts/portal/answers.json` and what an installation adds.

Nothing is looked for inside a text, except for words that speak against a success. What no row knows has no meaning
here: what then follows is for `wire.answer`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from adapters.xroad import FaultRow
from contracts import portal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.portal.settings import AnswerSettings

SUCCESS: Final = "success"
NOT_THERE: Final = "not_there"
_SEE_TEXT: Final = "see_text"
_DOSSIER: Final = "{code}"
_NO_SENTENCE: Final = ("{", "[", "<", '"')


@dataclass(frozen=True, slots=True)
class Row:
    """One answer that is known. What is `None` may be anything; no `operations` are all of them."""

    meaning: str
    code: str | None = None
    text: str | None = None
    operations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer means: a word of the table, or `None`. `doubtful`: a success whose text speaks against it."""

    word: str | None
    in_words: bool = False
    contradicts: bool = False
    doubtful: bool = False


def normalised(text: str) -> str:
    """Return a text as it is compared: NFC, case folded, single spaces, no full stop or exclamation mark at its end."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(folded.split()).rstrip(" .!")


class Answers:
    """The table, with what an installation adds before it."""

    def __init__(self, added: Iterable[AnswerSettings] = ()) -> None:
        own = [_row(one.model_dump()) for one in added]
        table = _table()
        texts, codes = [_row(row) for row in table["texts"]], [_row(row) for row in table["codes"]]
        self._texts = [row for row in own if row.text is not None] + texts
        self._codes = [row for row in own if row.text is None] + codes
        self._doubtful = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, map(normalised, table['doubtful'])))})(?!\w)")

    def meaning(self, operation: str, code: str | None, text: str | None, dossier: str | None) -> Meaning:
        """Return what `code` and `text` mean as the answer to `operation` about `dossier`.

        A text in a row goes before every code, but a success needs the code of one, unless the row names its code or
        there is none at all: then the text is the whole answer.
        """
        told = "" if text is None else normalised(text)
        by_code = next((row.meaning for row in self._codes if row.code == code and _at(row, operation)), None)
        by_text = next((row for row in self._texts if _at(row, operation) and _says(row, code, told, dossier)), None)
        if by_text is not None:
            alone = by_text.code is not None or code is None or by_code == SUCCESS
            return Meaning(by_text.meaning, in_words=True, contradicts=by_text.meaning == SUCCESS and not alone)
        if by_code is None or by_code == _SEE_TEXT:
            return Meaning(None)
        doubtful = told.startswith(_NO_SENTENCE) or self._doubtful.search(told) is not None
        return Meaning(by_code, doubtful=by_code == SUCCESS and doubtful)


def fault(word: str) -> FaultRow:
    """Return the failure that a word of the table stands for. Raises `KeyError` for a success."""
    return _faults()[word]


def _at(row: Row, operation: str) -> bool:
    return not row.operations or operation in row.operations


def _says(row: Row, code: str | None, told: str, dossier: str | None) -> bool:
    if row.text is None or (row.code is not None and row.code != code):
        return False
    if _DOSSIER not in row.text:
        return bool(told) and row.text == told
    return dossier is not None and row.text.replace(_DOSSIER, normalised(dossier)) == told


def _row(row: dict[str, Any]) -> Row:
    text = row.get("text")
    return Row(
        row["meaning"],
        row.get("code"),
        None if text is None else normalised(text),
        frozenset(row.get("operations", ())),
    )


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(portal.file("answers.json").read_text(encoding="utf-8"))
    return found


@cache
def _faults() -> dict[str, FaultRow]:
    return {row["meaning"]: FaultRow.read(row) for row in _table()["meanings"]}
