"""What a success holds → results. An answer about another dossier, or about a part only, is broken. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from adapters.portal.answers import NOT_THERE, fault
from adapters.portal.credential import Credential
from adapters.portal.wire.answer import CODE, MESSAGE
from adapters.transport.members import MOST_NAMES, Members
from contracts.model import ContractBroken, CredentialRefused, Layer, WrongField
from contracts.model.portal import PortalLookup, PortalReceipt, PortalRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.portal.wire.answer import Judge, Said
    from adapters.transport import Response
    from contracts.model import DossierCode, Exchange, Operation

_RESULT: Final = "result"
_SESSION: Final = "session"
_DOSSIER: Final = "MaHoSo"
_ENVELOPE: Final = frozenset({CODE, MESSAGE, _RESULT, _SESSION})
_FOUND: Final = {
    "status": "TrangThaiHoSo",
    "procedure": "MaTTHC",
    "procedure_name": "TenTTHC",
    "field_code": "MaLinhVuc",
    "field_name": "TenLinhVuc",
    "owner_kind": "LoaiDoiTuong",
    "result_delivery": "HinhThuc",
    "processing_unit": "DonViXuLy",
}
_LONGEST_SESSION: Final = 4096


def read_session(response: Response, account: str, judge: Judge, exchange: Exchange) -> Credential:
    """Return the session that a log-in opened. Raises the failure that the response amounts to.

    A refusal by a code that no table lists is taken for one of the account: to try again and again could lock it.
    """
    try:
        said = judge.said(response, exchange.operation)
    except ContractBroken as failure:
        if failure.reason != "code_unlisted":
            raise
        raise CredentialRefused(
            "credential_refused",
            operation=exchange.operation,
            layer=Layer.SYSTEM,
            code=failure.code,
            partner_text=failure.partner_text,
            note="the log-in was refused by a code that is in no table",
        ) from None
    _note(said, exchange)
    session = said.content.get(_SESSION)
    if not isinstance(session, str) or not 0 < len(session) <= _LONGEST_SESSION or not session.isprintable():
        raise _broken(exchange.operation, f"/{_SESSION}", "required" if session is None else "invalid")
    return Credential(token=SecretStr(session), account=account)


def read_receipt(
    response: Response, code: DossierCode, judge: Judge, exchange: Exchange, *, sent: int = 1
) -> PortalReceipt:
    """Return the receipt of a write of `sent` things about `code`. Raises the failure that the response amounts to.

    Where an answer tells of the things that were sent one by one, each has to be a success. Of several, one that failed
    breaks the whole: what became of the others is not known.
    """
    operation = exchange.operation
    said = judge.said(response, operation, code.value)
    if said.not_there:
        raise fault(NOT_THERE).failure(operation, code=_code(said), text=said.text)
    _note(said, exchange)
    items = _items(said.content.get(_RESULT))
    for number, item in enumerate(items):
        _about(item, code, operation, f"/{_RESULT}/{number}")
        failure = judge.item(item, response, operation, code.value)
        if failure is None:
            continue
        if sent == 1:
            raise failure
        raise ContractBroken(
            "part_refused",
            operation=operation,
            layer=Layer.SYSTEM,
            code=failure.code,
            partner_text=failure.partner_text,
            fields=(WrongField(f"/{_RESULT}/{number}", "invalid"),),
        )
    return PortalReceipt(code=code, text=said.text)


def read_lookup(response: Response, code: DossierCode, judge: Judge, exchange: Exchange) -> PortalLookup:
    """Return the dossier under `code`, or that there is none. Raises the failure that the response amounts to."""
    operation = exchange.operation
    said = judge.said(response, operation, code.value)
    if said.not_there:
        return PortalLookup(record=None)
    _note(said, exchange)
    result = said.content.get(_RESULT)
    if isinstance(result, dict) and "data" in result:
        result = result["data"]
    if isinstance(result, dict):
        result = [result] if result else []
    if not isinstance(result, list) or not all(isinstance(one, dict) for one in result):
        raise _broken(operation, f"/{_RESULT}", "required" if result is None else "invalid")
    for number, one in enumerate(result):
        _about(one, code, operation, f"/{_RESULT}/{number}")
    return PortalLookup(record=_record(result[0], code, exchange) if result else None)


def _record(found: Mapping[str, Any], code: DossierCode, exchange: Exchange) -> PortalRecord:
    spelt = {name: str(value) if type(value) is int else value for name, value in found.items()}
    read = Members(spelt, f"/{_RESULT}/0", frozenset({_DOSSIER, *_FOUND.values()}))
    told = {ours: read.text(theirs) for ours, theirs in _FOUND.items()}
    if read.wrong:
        raise ContractBroken(
            "answer_outside_contract",
            operation=exchange.operation,
            layer=Layer.SYSTEM,
            fields=tuple(read.wrong.values()),
        )
    exchange.unknown_elements += read.unknown_count
    exchange.unknown_names += read.unknown
    return PortalRecord(code=code, **told)


def _items(result: object) -> list[Mapping[str, Any]]:
    """Return what an answer tells of single things. How it does is unknown; what is no object tells nothing."""
    if isinstance(result, dict) and isinstance(result.get("data"), list):
        result = result["data"]
    several = result if isinstance(result, list) else [result]
    return [one for one in several if isinstance(one, dict)]


def _about(item: Mapping[str, Any], code: DossierCode, operation: Operation, path: str) -> None:
    told = item.get(_DOSSIER)
    if isinstance(told, str) and told.strip() and told.strip() != code.value:
        raise _broken(operation, f"{path}/{_DOSSIER}", "not_asked_for", "answer_about_other_record")


def _code(said: Said) -> str | None:
    code = said.content.get(CODE)
    return None if code is None else str(code)


def _note(said: Said, exchange: Exchange) -> None:
    read = Members(said.content, "", _ENVELOPE)
    exchange.unknown_elements += read.unknown_count
    exchange.unknown_names = read.unknown[:MOST_NAMES]


def _broken(operation: Operation, path: str, why: str, reason: str = "answer_outside_contract") -> ContractBroken:
    return ContractBroken(reason, operation=operation, layer=Layer.SYSTEM, fields=(WrongField(path, why),))
