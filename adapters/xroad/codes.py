"""The platform's fault codes → our failures, by the table in `contracts/xroad/faults.json`. Decides nothing itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from contracts import xroad
from contracts.model import (
    Acted,
    AlreadyDone,
    Busy,
    CallerRefused,
    ContractBroken,
    CredentialRefused,
    Failure,
    InvalidRequest,
    Kind,
    Layer,
    NotSent,
    PlatformFailed,
    Rejected,
    SystemFailed,
    UnknownOutcome,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Operation

_FAILURES: Final[dict[Kind, type[Failure]]] = {
    failure.kind: failure
    for failure in (
        NotSent,
        InvalidRequest,
        CredentialRefused,
        CallerRefused,
        Busy,
        UnknownOutcome,
        PlatformFailed,
        SystemFailed,
        Rejected,
        AlreadyDone,
        ContractBroken,
    )
}
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.:-]{1,120}")
_MANY_DIGITS: Final = re.compile(r"[0-9]{9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """One row of a code table: what a partner's code means to us."""

    code: str
    kind: Kind
    layer: Layer
    may_have_acted: Acted
    reason: str

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> FaultRow:
        """Return the row in a table's JSON. Raises `KeyError` or `ValueError` where the table is wrong."""
        return cls(
            code=row.get("code", ""),
            kind=Kind(row["kind"]),
            layer=Layer(row["layer"]),
            may_have_acted=Acted(row["may_have_acted"]),
            reason=row["reason"],
        )

    def failure(
        self,
        operation: Operation,
        *,
        code: str | None = None,
        text: str | None = None,
        may_have_acted: Acted | None = None,
    ) -> Failure:
        """Return the failure this row stands for, with the partner's own `code` and `text`."""
        return _FAILURES[self.kind](
            self.reason,
            operation=operation,
            layer=self.layer,
            may_have_acted=may_have_acted or self.may_have_acted,
            code=safe_code(code),
            partner_text=text or None,
        )


def safe_code(code: str | None) -> str | None:
    """Return `code` where it can be one, else `None`: codes are stored and counted, so no sentence may pass."""
    if code is None or not _TOKEN.fullmatch(code) or _MANY_DIGITS.search(code):
        return None
    return code


def normalised(code: str) -> str:
    """Return `code` without namespace prefix, case and underscores, so that both spellings are one."""
    return code.strip().rpartition(":")[2].replace("_", "").lower()


@cache
def rows() -> dict[str, FaultRow]:
    """Return the fault table by normalised code."""
    table = json.loads(xroad.file("faults.json").read_text(encoding="utf-8"))
    return {normalised(row["code"]): FaultRow.read(row) for row in table["faults"]}
