"""Userinfo → who signed in, by kind of account. Pure.

Each claim has its type or is named as wrong, by its path and never by its value. What is missing stays missing: nothing
is made up, and nothing is put in the place of anything else. The table is `contracts/vneid/claims.json`.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from adapters.transport.members import Members
from adapters.transport.settings import check_endpoint
from adapters.vneid import codes
from adapters.vneid.values import Userinfo
from adapters.vneid.wire.answer import broken
from adapters.xroad.codes import safe_code
from contracts.model import (
    BirthDate,
    ContractBroken,
    IdentityNumber,
    Layer,
    OldCardNumber,
    PersonName,
    Rejected,
    WrongField,
)
from contracts.model.identifiers import PaperNumber, TechnicalId
from contracts.model.identity import AccountKind, VerifiedEnterprise, VerifiedOrganisation, VerifiedPerson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.vneid.codes import Words
    from adapters.vneid.settings import VneidSettings
    from contracts.model import Exchange, Operation
    from contracts.model.identity import Level, VerifiedAccount

_KIND: Final = "LoaiTaiKhoan"
_YEAR: Final = 4
_DAY: Final = 8
_WHOLE_NUMBER: Final = 12


class _Common(NamedTuple):
    """What every kind of account has."""

    tech_id: TechnicalId
    email: str | None
    phone: str | None
    status: str | None


class Claims:
    """How the claims of one door are read: its names for them, words for levels, hosts that links may lead to."""

    def __init__(self, settings: VneidSettings, words_known: Words) -> None:
        self._names = settings.claim_names
        self._words = words_known
        self._sources = frozenset[str](settings.level_from)
        self._hosts = frozenset(settings.linked_hosts)
        self._plain_http = settings.plain_http

    def read(self, content: Mapping[str, Any], subject: str, exchange: Exchange) -> Userinfo:
        """Return who signed in. Raises `ContractBroken`, or `Rejected` for an account that lacks its numbers.

        `subject` is the ID token's: an answer about anybody else is broken, whatever it says (Core 1.0 5.3.2).
        """
        operation = exchange.operation
        if content.get("sub") != subject:
            wrong = "required" if content.get("sub") is None else "not_asked_for"
            raise broken(operation, WrongField("/sub", wrong))
        read = Members(self._renamed(content), "", codes.claims())
        account = self._account(read, operation)
        exchange.unknown_elements += read.unknown_count
        exchange.unknown_names += read.unknown
        levels, strange = self._levels(read)
        told = Userinfo(
            account=account,
            levels=levels,
            unknown_levels=strange,
            provider=safe_code(read.text("loginIdp")),
            profile_uri=self._link(read, "userProfileUri"),
            logout_uri=self._link(read, "logoutUri"),
        )
        _whole(read, operation)
        return told

    def _renamed(self, content: Mapping[str, Any]) -> dict[str, Any]:
        own = {ours: content[theirs] for ours, theirs in self._names.items() if theirs in content}
        gone = {*self._names.values()} - {*codes.claims()}
        return {name: value for name, value in content.items() if name not in gone} | own

    def _account(self, read: Members, operation: Operation) -> VerifiedAccount:
        told = words(read.content.get(_KIND))
        kind = codes.account_kind(told[0]) if len(told) == 1 else None
        tech_id = read.formed("TechID", TechnicalId.parse)
        if tech_id is None:
            read.refuse("TechID", "required")
        if not told:
            read.refuse(_KIND, "required")
        if kind is None and told:
            raise ContractBroken(
                "account_kind_unknown", operation=operation, layer=Layer.SYSTEM, code=safe_code(told[0])
            )
        if tech_id is None or kind is None:
            raise broken(operation, *read.wrong.values())
        common = _Common(tech_id, read.text("ThuDienTu"), read.text("SoDienThoai"), read.text("TrangThai"))
        if kind is AccountKind.PERSON:
            return _person(read, common, operation)
        return _body(read, kind, common, operation)

    def _levels(self, read: Members) -> tuple[tuple[Level, ...], tuple[str, ...]]:
        """Return the level that each claim states, its highest where it states several, and the words nobody knows."""
        found, strange = [], []
        for claim in sorted(self._sources - {"acr"}):
            told = words(read.content.get(claim))
            known = self._words.levels(claim, told)
            found += [max(known)] if known else []
            strange += [safe_code(word) for word in told if (claim, word) not in self._words.known]
        return tuple(found), tuple(word for word in strange if word is not None)

    def _link(self, read: Members, name: str) -> SecretStr | None:
        link = read.text(name)
        if link is None:
            return None
        try:
            check_endpoint(link, plain_http=self._plain_http)
        except ValueError:
            return None
        return SecretStr(link) if urlsplit(link).netloc.lower() in self._hosts else None


def words(value: object) -> tuple[str, ...]:
    """Return the words that a claim states: a text with one or several, a whole number, or a list of either."""
    if isinstance(value, list):
        return tuple(word for one in value if not isinstance(one, list) for word in words(one))
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    return (str(value),) if type(value) is int else ()


def _person(read: Members, common: _Common, operation: Operation) -> VerifiedPerson:
    name = read.formed("HoVaTen", PersonName)
    if name is None:
        read.refuse("HoVaTen", "required")
    number, card = _numbers(read)
    birth = read.formed("NgayThangNamSinh", _birth)
    passport, insurance, tax = (read.formed(claim, PaperNumber.parse) for claim in ("HoChieu", "MaBHXH", "MaSoThue"))
    _whole(read, operation)
    if name is None or (number is None and card is None):
        raise _incomplete(operation, "/SoDinhDanh", "/SoCMND")
    return VerifiedPerson(
        **common._asdict(),
        name=name,
        identity_number=number,
        old_card_number=card,
        birth=birth,
        passport=passport,
        social_insurance_number=insurance,
        tax_code=tax,
    )


def _body(
    read: Members, kind: AccountKind, common: _Common, operation: Operation
) -> VerifiedEnterprise | VerifiedOrganisation:
    name, address, representative = map(read.text, ("TenDoanhNghiep", "DiaChi", "NguoiDaiDien"))
    tax = read.formed("MaSoThue", PaperNumber.parse)
    number = read.formed("MaSoDoanhNghiep", PaperNumber.parse)
    _whole(read, operation)
    enterprise = kind is AccountKind.ENTERPRISE
    if enterprise and tax is None and number is None:
        raise _incomplete(operation, "/MaSoThue", "/MaSoDoanhNghiep")
    made: type[VerifiedEnterprise | VerifiedOrganisation] = VerifiedEnterprise if enterprise else VerifiedOrganisation
    return made(
        **common._asdict(),
        name=None if name is None else unicodedata.normalize("NFC", name),
        tax_code=tax,
        enterprise_number=number,
        address=address,
        representative=representative,
    )


def _numbers(read: Members) -> tuple[IdentityNumber | None, OldCardNumber | None]:
    """Return both numbers of a person. Twelve digits where the old card's nine should stand are the personal number."""
    number = read.formed("SoDinhDanh", IdentityNumber.parse)
    told = read.text("SoCMND")
    if told is None or len(told) != _WHOLE_NUMBER:
        return number, read.formed("SoCMND", OldCardNumber.parse)
    second = read.formed("SoCMND", IdentityNumber.parse)
    if number is not None and second is not None and number != second:
        read.refuse("SoCMND", "contradicts")
    return number or second, None


def _birth(text: str) -> BirthDate:
    if not (text.isascii() and text.isdecimal() and len(text) in (_YEAR, _DAY)):
        raise ValueError("not a date")
    year, rest = int(text[:_YEAR]), text[_YEAR:]
    if not rest.strip("0"):
        return BirthDate(year)
    return BirthDate(year, int(rest[:2]), int(rest[2:]))


def _incomplete(operation: Operation, *paths: str) -> Rejected:
    return Rejected(
        "account_incomplete",
        operation=operation,
        layer=Layer.BUSINESS,
        fields=tuple(WrongField(path, "required") for path in paths),
    )


def _whole(read: Members, operation: Operation) -> None:
    if read.wrong:
        raise broken(operation, *read.wrong.values())
