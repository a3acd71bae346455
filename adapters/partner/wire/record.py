"""The data of a success → results. Strict about what is needed and typed, lenient otherwise; unknown members count.

Half a result is worse than none: one wrong member breaks the whole answer, and all of them are named. An answer about
something else than what was asked about is broken too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from adapters.partner import codes
from adapters.partner.credential import Credential
from adapters.partner.wire.envelope import recognised
from adapters.transport.members import MOST_NAMES, Members
from contracts.model import AgencyCode, ContractBroken, Layer, LookupAnswer, WrongField
from contracts.model.partner import Receipt, Record, RecordCode, RecordLookup

if TYPE_CHECKING:
    from adapters.partner.wire.envelope import Said
    from adapters.transport import Response
    from contracts.model import Exchange, Operation

_DATA: Final = "/data"
_SESSION: Final = frozenset({"token", "expires_at"})
_RECEIPT: Final = frozenset({"code", "number", "state", "revision", "step", "transfer", "notice", "times", "note"})
_RECORD: Final = frozenset(
    {"answer", "code", "number", "state", "title", "procedure", "amount", "revision", "last_step", "registered_at"}
    | {"held_by"}
)
_FOUND: Final = frozenset({"answer", "code", "step", "transfer", "times"})
_TOKEN: Final = re.compile(r"[!-~]{1,4096}")


def read_session(response: Response, account: str, exchange: Exchange) -> Credential:
    """Return the session that a log-in opened. Raises the failure that the response amounts to."""
    read = _read(response, exchange, _SESSION)
    token, expires_at = read.needed("token"), read.instant("expires_at")
    if token is not None and not _TOKEN.fullmatch(token):
        read.refuse("token", "pattern")
    if token is None or read.wrong:
        raise _broken(read, exchange.operation)
    return Credential(token=SecretStr(token), account=account, expires_at=expires_at)


def read_receipt(response: Response, code: RecordCode, exchange: Exchange) -> Receipt:
    """Return the receipt of a write about `code`. Raises the failure that the response amounts to.

    A success whose note says that nothing was done is the failure that the note stands for.
    """
    read = _read(response, exchange, _RECEIPT)
    told, number, state = read.needed("code"), read.needed("number"), read.needed("state")
    note = read.text("note")
    if told is None or number is None or state is None or read.wrong:
        raise _broken(read, exchange.operation)
    _about(told, code, exchange.operation)
    row = None if note is None else codes.note(note)
    if row is not None:
        raise row.failure(exchange.operation, code=note)
    return Receipt(code=code, number=number, state=state)


def read_record(response: Response, code: RecordCode, exchange: Exchange) -> RecordLookup:
    """Return the record under `code`, or that there is none. Raises the failure that the response amounts to."""
    said = _answered(response, exchange.operation)
    if said.answer is LookupAnswer.NOT_THERE:
        return RecordLookup(record=None)
    read = _reading(said, exchange, _RECORD)
    answer, told = read.formed("answer", LookupAnswer), read.needed("code")
    if answer is LookupAnswer.CANNOT_TELL or read.text("answer") is None:
        read.refuse("answer", "invalid")
    there = answer is LookupAnswer.DONE
    state = read.needed("state") if there else None
    record = Record(
        code=code,
        state=state or "",
        number=read.text("number"),
        title=read.text("title"),
        procedure=read.text("procedure"),
        amount=read.whole("amount"),
        revision=read.whole("revision"),
        last_step=read.whole("last_step"),
        registered_at=read.instant("registered_at"),
        held_by=read.formed("held_by", AgencyCode),
    )
    if told is None or read.wrong:
        raise _broken(read, exchange.operation)
    _about(told, code, exchange.operation)
    return RecordLookup(record=record if there else None)


def read_found(response: Response, code: RecordCode, part: str | int, exchange: Exchange) -> LookupAnswer:
    """Return whether `part` (a step or a transfer) of the record `code` was done.

    Raises the failure that the response amounts to.
    """
    said = _answered(response, exchange.operation)
    if said.answer is not None:
        return said.answer
    read = _reading(said, exchange, _FOUND)
    answer, told = read.formed("answer", LookupAnswer), read.needed("code")
    if answer is None:
        read.refuse("answer", "required")
    step, transfer = read.whole("step"), read.text("transfer")
    if answer is None or told is None or read.wrong:
        raise _broken(read, exchange.operation)
    _about(told, code, exchange.operation)
    about = step if isinstance(part, int) else transfer
    if about is not None and about != part:
        raise _about_another("step" if isinstance(part, int) else "transfer", exchange.operation)
    return answer


def _read(response: Response, exchange: Exchange, known: frozenset[str]) -> Members:
    said = recognised(response, exchange.operation)
    if said.failure is not None:
        raise said.failure
    return _reading(said, exchange, known)


def _answered(response: Response, operation: Operation) -> Said:
    """Return an answer to a look-up; a code that answers one is no failure."""
    said = recognised(response, operation)
    if said.failure is not None and said.answer is None:
        raise said.failure
    return said


def _reading(said: Said, exchange: Exchange, known: frozenset[str]) -> Members:
    read = Members(said.data, _DATA, known)
    exchange.unknown_elements += read.unknown_count
    exchange.unknown_names = read.unknown[:MOST_NAMES]
    return read


def _about(told: str, code: RecordCode, operation: Operation) -> None:
    if told != code.value:
        raise _about_another("code", operation)


def _about_another(name: str, operation: Operation) -> ContractBroken:
    return ContractBroken(
        "answer_about_other_record",
        operation=operation,
        layer=Layer.SYSTEM,
        fields=(WrongField(f"{_DATA}/{name}", "not_asked_for"),),
    )


def _broken(read: Members, operation: Operation) -> ContractBroken:
    return ContractBroken(
        "answer_outside_contract", operation=operation, layer=Layer.SYSTEM, fields=tuple(read.wrong.values())
    )
