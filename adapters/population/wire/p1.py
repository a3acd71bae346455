"""Contract variant P1: SOAP 1.1 with a hashed Basic password, posted to the service or to the platform before it.

Builds the request and recognises the answer; reading a record is for `record`. Source: the README of the contract.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from adapters.population import codes
from adapters.population.settings import MAX_OFFICER, MAX_PROCEDURE, NameForm
from adapters.transport import Request, charset_of, failure_from_status
from adapters.transport.soap import SoapContract, SoapFault
from adapters.xroad import ClientId, client_header, fault_from_code, fault_from_response
from adapters.xroad.codes import safe_code
from contracts.model import (
    Busy,
    CallerRefused,
    CitizenQuery,
    CredentialRefused,
    InvalidRequest,
    Layer,
    SystemFailed,
    WrongField,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from adapters.population.credential import Credential
    from adapters.population.settings import PopulationSettings
    from adapters.transport import Response
    from contracts.model import BirthDate, Exchange, Failure, Operation, PersonName

VERIFY: Final = "verify"
_WIRE_NAMES: Final = {VERIFY: "XacThucThongTinCongDan", "lookup": "TraCuuThongTinCongDan"}

# Lengths of the contract, and where the caller finds the field.
_LIMITS: Final = {
    "MaYeuCau": (40, "/request_id"),
    "MaDVC": (MAX_PROCEDURE, "/purpose/procedure"),
    "MaCanBo": (MAX_OFFICER, "/purpose/officer"),
    "MaDonVi": (35, "/purpose/agency"),
    "TaiKhoan": (None, "/purpose/officer"),
    "HoVaTen": (100, "/citizen/full_name"),
}
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {"ms": timedelta(milliseconds=1), "s": timedelta(seconds=1)}
# Letters with a stroke have no decomposition; the third and fourth are look-alikes that keyboards produce.
_STROKES: Final = str.maketrans({"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "Ɖ": "D"})
_DROPPED: Final = frozenset({"Mn", "Cf"})
_SPOKEN: Final = 2048
_FORBIDDEN: Final = 403
_SENDERS_FAULT: Final = frozenset({"client", "sender", "versionmismatch", "mustunderstand"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question as it goes out: whom for, who asks and by which codes. `officer` is `MaCanBo`, `login` the account."""

    operation: Operation
    request_id: str
    query: CitizenQuery
    procedure: str
    officer: str = field(repr=False)
    login: str = field(repr=False)
    agency: str
    phone: str = field(repr=False)


class P1:
    """See the module. Loads the WSDL when made, so that a broken one is found at start-up."""

    def __init__(self, settings: PopulationSettings) -> None:
        self._settings = settings
        self._contract = SoapContract("contracts.population", "population.wsdl")
        self._url = Request("POST", settings.endpoint).url
        self._client = client_header(ClientId.parse(settings.xroad_client))

    def request(self, asking: Asking, credential: Credential, now: datetime) -> Request:
        """Return the request that asks. Raises `InvalidRequest` with every wrong field."""
        settings = self._settings
        content = self._contract.build(_WIRE_NAMES[asking.operation.name], body_values(asking, settings))
        stamp = timestamp(now, settings.timestamp_unit)
        secret = credential.secret.get_secret_value()
        return Request(
            "POST",
            self._url,
            headers={
                "Content-Type": "application/xml; charset=utf-8",
                "SOAPAction": '""',
                "Timestamp": stamp,
                "Authorization": basic(
                    credential.username, password(settings.sv_url, credential.username, stamp, secret)
                ),
                "X-Road-Client": self._client,
                "ApiKey": credential.api_key.get_secret_value(),
            },
            content=content,
        )

    def answer(self, response: Response, exchange: Exchange) -> etree._Element:
        """Return the element that answers, whatever the HTTP status and prefix. Raises what else the response is."""
        operation = exchange.operation
        failure = fault_from_response(response, operation) or _spoken_failure(response, operation)
        if failure is not None:
            raise failure
        body = self._contract.body(response, exchange)
        if isinstance(body, SoapFault):
            raise failure_from_fault(body, response, operation)
        return body


def body_values(asking: Asking, settings: PopulationSettings) -> dict[str, Any]:
    """Return the request's elements by wire name. Raises `InvalidRequest` with every wrong field; cuts nothing off."""
    query = asking.query
    verifying = asking.operation.name == VERIFY
    values: dict[str, Any] = {
        "MaYeuCau": asking.request_id,
        "MaDVC": asking.procedure,
        "MaTichHop": settings.verify_code if verifying else settings.lookup_code,
        "MaCanBo": asking.officer,
    }
    if asking.operation.name in settings.newer_fields:
        values |= {"MaDonVi": asking.agency, "TaiKhoan": asking.login, "SoDienThoai": asking.phone}
    if query.identity_number is not None:
        values["SoDinhDanh"] = query.identity_number.value
    if query.old_card_number is not None:
        values["SoCMND"] = query.old_card_number.value
    values["HoVaTen"] = name_as(settings.name_normaliser, query.name)
    wrong = tuple(_wrong(values))
    if wrong:
        raise InvalidRequest("request_outside_contract", operation=asking.operation, layer=Layer.OURS, fields=wrong)
    values["NgayThangNamSinh"] = birth_as(settings.date_form, query.birth)
    return values


def _wrong(values: dict[str, Any]) -> Iterator[WrongField]:
    for name, (longest, path) in _LIMITS.items():
        value = values.get(name)
        if value is None:
            continue
        if not value:
            yield WrongField(path, "required")
        elif longest is not None and len(value) > longest:
            yield WrongField(path, "too_long", {"max_length": longest})
        elif _NOT_XML.search(value):
            yield WrongField(path, "invalid")


def name_as(form: NameForm, name: PersonName) -> str:
    """Return `name` in the form that the partner compares. Composed and decomposed letters come out alike."""
    if form is NameForm.UPPER:
        return unicodedata.normalize("NFC", name.value.upper())
    letters = unicodedata.normalize("NFD", name.value.translate(_STROKES).upper())
    plain = "".join(letter for letter in letters if unicodedata.category(letter) not in _DROPPED)
    return plain.replace(" ", "") if form is NameForm.UPPER_ASCII_JOINED else plain


def birth_as(form: str, birth: BirthDate) -> dict[str, str]:
    """Return the one child of `NgayThangNamSinh`: a day in `form`, or a year."""
    if birth.month is None or birth.day is None:
        return {"Nam": f"{birth.year:04}"}
    dash = "-" if "-" in form else ""
    return {"NgayThangNam": f"{birth.year:04}{dash}{birth.month:02}{dash}{birth.day:02}"}


def timestamp(now: datetime, unit: str) -> str:
    """Return `now` (aware) as whole units since 1970, UTC."""
    return str((now - _EPOCH) // _UNITS[unit])


def password(sv_url: str, username: str, stamp: str, secret: str) -> str:
    """Return lower-case hex of SHA-256 over the four texts, in UTF-8, with nothing between them."""
    return hashlib.sha256(f"{sv_url}{username}{stamp}{secret}".encode()).hexdigest()


def basic(username: str, hashed: str) -> str:
    """Return the value of `Authorization` for HTTP Basic (RFC 7617)."""
    return "Basic " + b64encode(f"{username}:{hashed}".encode()).decode("ascii")


def failure_from_fault(fault: SoapFault, response: Response, operation: Operation) -> Failure:
    """Return what a SOAP fault means: a known refusal, the platform's, else by HTTP status and the fault's class."""
    for said in (fault.local_code.rpartition(".")[2], fault.detail, fault.text):
        row = codes.refusal(said) if said else None
        if row is not None:
            return row.failure(operation, code=fault.code, text=fault.text)
    return fault_from_code(fault.code, fault.text, operation) or _plain_fault(fault, response, operation)


def _plain_fault(fault: SoapFault, response: Response, operation: Operation) -> Failure:
    """Return what a fault without a known code means.

    The class (SOAP 1.1 section 4.4.1) says only whose fault it is; a status that speaks of our account or asks to wait
    says more. A 403 beside a fault is about this officer or purpose: our account as a whole would not get that far.
    """
    code, text = safe_code(fault.code), fault.text or None
    by_status = failure_from_status(response, operation)
    if isinstance(by_status, CredentialRefused) and response.status_code == _FORBIDDEN:
        return CallerRefused("system_forbids", operation=operation, layer=Layer.BUSINESS, code=code, partner_text=text)
    if isinstance(by_status, Busy | CredentialRefused):
        by_status.partner_text = text
        return by_status
    if fault.local_code.partition(".")[0].lower() in _SENDERS_FAULT:
        return InvalidRequest(
            "system_refused_message", operation=operation, layer=Layer.OURS, code=code, partner_text=text
        )
    return SystemFailed("system_fault", operation=operation, layer=Layer.SYSTEM, code=code, partner_text=text)


def _spoken_failure(response: Response, operation: Operation) -> Failure | None:
    """Return what a known sentence or refusal in place of an envelope means, or `None`: the rest is for the envelope.

    A status that speaks of our account or asks to wait is worth more than a sentence, but not more than a refusal.
    """
    said = _spoken(response)
    if said is None:
        return None
    row = codes.refusal(said)
    if row is None and not isinstance(failure_from_status(response, operation), Busy | CredentialRefused):
        row = codes.plain_text(said)
    return None if row is None else row.failure(operation, text=said)


def _spoken(response: Response) -> str | None:
    content = response.content
    if len(content) > _SPOKEN or content[:16].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return None
    try:
        text = content.decode(charset_of(response.headers.get("content-type")) or "utf-8").strip()
    except (UnicodeDecodeError, LookupError):
        return None
    if not text.startswith(("{", '"')):
        return text
    try:
        told: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(told, dict):
        told = told.get("message")
    return told if isinstance(told, str) else None
