"""How a peer asks the population door about somebody, through our adapter, and what the ledger then says of it.

Also whom the door should find: reckoned here from the world and the dialects, with no code of mock or adapter.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from adapters.population import Credential, NameForm, Population, PopulationSettings
from contracts.model import (
    Acted,
    AgencyCode,
    BirthDate,
    CitizenQuery,
    Exchange,
    Failure,
    IdentityNumber,
    Lookup,
    OldCardNumber,
    PersonName,
    ProcedureCode,
    Purpose,
    Verification,
)
from tests.support.conformance import PATIENCE
from tests.support.mocks import joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from tests.support.conformance import Peer, Person

DOOR: Final = "population"
OPERATIONS: Final = {"verify": Population.VERIFY, "lookup": Population.LOOKUP}
OFFICERS: Final = {
    "canbo.thu": "CB_THU_01",
    "canbo.khongquyen": "CB_KHONG_QUYEN",
    "canbo.canotp": "CB_CAN_OTP",
    "canbo.saiotp": "CB_SAI_OTP",
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the caller was told, and what the ledger says happened."""

    answer: Verification | Lookup | None = None
    failure: Failure | None = None
    record: Mapping[str, Any]

    @property
    def found(self) -> int:
        """How many were found; a yes counts one."""
        assert self.failure is None, self.failure
        return (
            len(self.answer.citizens)
            if isinstance(self.answer, Lookup)
            else int(bool(self.answer and self.answer.matches))
        )

    def refused(self) -> Failure:
        """Return the failure; there has to be one."""
        assert self.failure is not None, self.answer
        return self.failure


def ask(
    peer: Peer,
    operation: str,
    person: Person,
    *,
    officer: str = "canbo.thu",
    procedure: str = "9.000001",
    timeout: float = PATIENCE,
    account: Mapping[str, str] | None = None,
    **settings: Any,
) -> Told:
    """Ask about `person` through the adapter; `account` and `settings` say what differs from what is right.

    Whatever the failure, it may not deny what the ledger says was done.
    """
    adapter = _adapter(peer, settings)
    declared = OPERATIONS[operation]
    exchange = Exchange(operation=declared, request_id=peer.request_id(), timeout=timeout)
    purpose = Purpose(
        agency=AgencyCode("000.00.01.H99"), procedure=ProcedureCode(procedure), officer=officer, dossier=None
    )
    holder = {**peer.mocks.ready["credentials"][DOOR]["accounts"][0], **(account or {})}
    credential = _credential(holder["username"], holder["secret"], holder["api_key"])
    method = getattr(adapter, operation)
    try:
        answer = peer.run(method(query(person), purpose, credential, exchange))
    except Failure as failure:
        record = _recorded(peer, exchange)
        return _honest(Told(failure=failure, record=record))
    record = _recorded(peer, exchange)
    return _honest(Told(answer=answer, record=record))


def _honest(told: Told) -> Told:
    denied = told.failure is not None and told.failure.may_have_acted is Acted.NO
    assert not (denied and told.record["acted"]), f"said that nothing was done, and it was: {told.failure}"
    assert told.failure is not None or told.record["acted"], "an answer without an act"
    return told


def query(person: Person) -> CitizenQuery:
    """Return the question about somebody, as an officer would ask it."""
    number, card = person["identity_number"], person["old_card_number"]
    return CitizenQuery(
        name=PersonName(person["name"]),
        birth=BirthDate(**person["birth"]),
        identity_number=IdentityNumber(number) if number else None,
        old_card_number=OldCardNumber(card) if card and not number else None,
    )


def somebody(peer: Peer, place: int = 0) -> Person:
    """Return a person with an identity number whom nobody can be confused with."""
    plain_ones = [p for p in peer.people if p["identity_number"] and not {*p["oddities"]} - {"both_numbers"}]
    return plain_ones[place]


def bare(peer: Peer, operation: str, person: Person, **fields: Any) -> httpx.Response:
    """Ask without our adapter, the name in the form that the door compares."""
    fields.setdefault("HoVaTen", form(person["name"], str(written(peer))))
    return peer.mocks.call(operation, person, MaYeuCau=peer.request_id(), **fields)


def outcome(peer: Peer) -> tuple[str | None, bool]:
    """Return what the ledger says of the newest exchange: outcome, and whether something was done."""
    newest = peer.last()
    return newest["outcome"], newest["acted"]


def expected(peer: Peer, person: Person) -> list[Person]:
    """Return whom a question about `person` finds: every holder of the number with this name and birth."""
    dialects = peer.dialects(DOOR)
    number = "identity_number" if person["identity_number"] else "old_card_number"
    holders = [
        other
        for other in peer.people
        if person[number] is not None
        and other[number] == person[number]
        and same_birth(person["birth"], other["birth"], dialects)
        and form(other["name"], dialects["names"]) == form(person["name"], dialects["names"])
    ]
    return [
        other
        for other in holders
        if not (is_dead(other) and dialects["deceased"] == "no_match")
        and not (is_minor(other) and dialects["minors"] == "no_match")
    ]


def withheld(peer: Peer, people: list[Person]) -> bool:
    """Say whether a question that finds these is refused because of whom it is about."""
    dialects = peer.dialects(DOOR)
    return any(
        (is_dead(person) and dialects["deceased"] == "refused")
        or (is_minor(person) and dialects["minors"] == "refused")
        for person in people
    )


def same_birth(asked: Mapping[str, Any], has: Mapping[str, Any], dialects: Mapping[str, Any]) -> bool:
    """Say whether somebody born then is found by a question about that birth."""
    if asked["year"] != has["year"] or asked == has:
        return bool(asked == has)
    if asked["month"] is None:
        return bool(dialects["year_finds_date"])
    return has["month"] is None and bool(dialects["date_finds_year"])


def is_dead(person: Person) -> bool:
    """Say whether somebody has died."""
    return person["deceased_on"] is not None


def is_minor(person: Person) -> bool:
    """Say whether somebody is under 18 on the day that the world is of."""
    birth = person["birth"]
    return (birth["year"] + 18, birth["month"] or 1, birth["day"] or 1) > (2026, 7, 1)


def form(name: str, rule: str) -> str:
    """Return a name as the rule of a dialect wants it written."""
    if rule == "upper":
        return unicodedata.normalize("NFC", name.upper())
    if rule == "upper_no_diacritics":
        return " ".join(joined(word) for word in name.split())
    return joined(name)


def written(peer: Peer) -> NameForm:
    """Return the setting of our adapter that fits how the door compares names."""
    rule = peer.dialects(DOOR)["names"]
    return NameForm.UPPER_ASCII_JOINED if rule == "any" else NameForm(rule)


def _adapter(peer: Peer, settings: Mapping[str, Any]) -> Population:
    credentials = peer.mocks.ready["credentials"][DOOR]
    account = credentials["accounts"][0]
    given: dict[str, Any] = {
        "endpoint": peer.mocks.url,
        "plain_http": True,
        "sv_url": credentials["sv_url"],
        "timestamp_unit": credentials["timestamp_unit"],
        "xroad_client": credentials["xroad_client"],
        "credential": {name: account[name] for name in ("username", "secret", "api_key")},
        "officers": OFFICERS,
        "name_normaliser": written(peer),
        **settings,
    }
    known = json.dumps(given, sort_keys=True)
    if known not in peer.adapters:
        clock = lambda: datetime.fromtimestamp(peer.now(), UTC)  # noqa: E731 - a clock
        peer.adapters[known] = Population(PopulationSettings(**given), peer.transport, clock)
    adapter: Population = peer.adapters[known]
    return adapter


@cache
def _credential(username: str, secret: str, api_key: str) -> Credential:
    return Credential(username=username, secret=SecretStr(secret), api_key=SecretStr(api_key))


def _recorded(peer: Peer, exchange: Exchange) -> dict[str, Any]:
    """Return the ledger's record of the exchange."""
    record = peer.last()
    assert (record["request_id"], record["operation"]) == (exchange.request_id, exchange.operation.name)
    assert record["door"] == DOOR
    return record


def changed(person: Person, **changes: Any) -> Person:
    """Return somebody with other particulars."""
    return {**person, **changes}
