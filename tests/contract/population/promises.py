"""What a caller of the population door may rely on, through our adapter and bare: who is found, and what is told.

Who is refused stands in `refusals`, what faults come to in `faults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from contracts import population
from contracts.model import Kind, Layer, Lookup
from mocks.world import Oddity
from tests.contract.population.peer import (
    DOOR,
    Told,
    ask,
    bare,
    changed,
    expected,
    form,
    is_dead,
    is_minor,
    outcome,
    query,
    somebody,
    withheld,
)
from tests.contract.population.records import plain, record
from tests.support.conformance import Check, alone, each
from tests.support.mocks import OPERATIONS

if TYPE_CHECKING:
    from tests.support.conformance import Peer, Person

SOAP: Final = "{http://schemas.xmlsoap.org/soap/envelope/}"
PAYLOADS: Final = {
    "lookup": ("{http://www.mic.gov.vn/dancu/1.0}CongdanCollection", "dancu-1.0.xsd"),
    "verify": ("{http://dancuquocgia.bca}KetQuaXacThuc", "dancuquocgia.xsd"),
}
FEW: Final = 3
UNKNOWN_NUMBER: Final = "999000000000"


def is_found(peer: Peer, oddity: Oddity) -> None:
    """Promise that whoever is in the register is found, however odd, and that every entry arrives as it stands there.

    Where the dialect withholds the dead or minors, nobody is found, or the refusal is told in the partner's words.
    """
    for person in [p for p in peer.people if oddity in p["oddities"]][:FEW]:
        if not (person["identity_number"] or person["old_card_number"]):
            assert oddity is Oddity.NUMBER_PENDING, "only a newborn has nothing to be asked by"
            continue
        others = expected(peer, person)
        if withheld(peer, others):
            _is_withheld(peer, person)
            continue
        assert ask(peer, "verify", person).found == int(bool(others))
        assert records(ask(peer, "lookup", person)) == [truth(peer, other) for other in others]


def _is_withheld(peer: Peer, person: Person) -> None:
    for operation in OPERATIONS:
        told = ask(peer, operation, person)
        failure = told.refused()
        assert (failure.kind, failure.layer) == (Kind.SYSTEM_FAILED, Layer.SYSTEM)
        assert failure.partner_text
        assert told.record["outcome"] in ("deceased_refused", "minor_refused")


def records(told: Told) -> list[dict[str, Any]]:
    """Return the records that a look-up gave."""
    assert isinstance(told.answer, Lookup), told.failure
    return [plain(citizen) for citizen in told.answer.citizens]


def truth(peer: Peer, person: Person, **dialects: Any) -> dict[str, Any]:
    """Return the record that a look-up should give."""
    return record(person, peer.people[person["household_head"]], {**peer.dialects(DOOR), **dialects})


def has_no_number_yet(peer: Peer) -> None:
    """Promise that nobody can ask about a newborn without a number: our question needs one, and so does the door."""
    person = next(p for p in peer.people if "number_pending" in p["oddities"])
    try:
        query(person)
    except ValueError:
        refused = bare(peer, "lookup", somebody(peer), SoDinhDanh=None)
        assert "SoDinhDanh" in refused.text
        assert outcome(peer) == ("message_refused", False)
    else:
        raise AssertionError("a question without a number")


def shares_a_number(peer: Peer) -> None:
    """Promise that a number of two people finds the one of this name and birth, and both where those agree too."""
    for oddity in ("shared_number", "shared_number_namesake"):
        one = next(p for p in peer.people if oddity in p["oddities"])
        assert ask(peer, "lookup", one).found == len(expected(peer, one))
    assert len(expected(peer, next(p for p in peer.people if "shared_number" in p["oddities"]))) == 1


WRONG: Final[dict[str, dict[str, Any]]] = {
    "name": {"name": "Nguyễn Không Có Ai"},
    "day": {"birth": {"year": 1900, "month": 2, "day": 28}},
    "year": {"birth": {"year": 1900, "month": None, "day": None}},
    "number": {"identity_number": UNKNOWN_NUMBER},
}


def is_not_found(peer: Peer, part: str) -> None:
    """Promise that a combination that nobody has is answered "no", or with no record: no failure, and an act."""
    person = changed(somebody(peer), **WRONG[part])
    for operation in OPERATIONS:
        told = ask(peer, operation, person)
        assert (told.found, told.record["outcome"]) == (0, "no_match")


def is_found_by_old_card(peer: Peer) -> None:
    """Promise that the number of the old card finds as well as the identity number, and finds the same record."""
    person = next(p for p in peer.people if p["oddities"] == ["both_numbers"])
    by_card = changed(person, identity_number=None)
    assert len(expected(peer, by_card)) == ask(peer, "lookup", by_card).found == 1
    assert ask(peer, "lookup", by_card).answer == ask(peer, "lookup", person).answer


def is_found_by_year(peer: Peer) -> None:
    """Promise that a year finds a full date, and a date finds a year, exactly where the dialect says so."""
    dialects = peer.dialects(DOOR)
    person = somebody(peer)
    year = {"year": person["birth"]["year"], "month": None, "day": None}
    assert ask(peer, "verify", changed(person, birth=year)).found == int(dialects["year_finds_date"])
    person = next(p for p in peer.people if "year_only_birth" in p["oddities"] and not (is_dead(p) or is_minor(p)))
    day = {"year": person["birth"]["year"], "month": 1, "day": 1}
    assert ask(peer, "verify", changed(person, birth=day)).found == int(dialects["date_finds_year"])


def is_asked_by_two_numbers(peer: Peer) -> None:
    """Promise that with both numbers sent, both have to be the person's, or one of them, as the dialect says."""
    one, other = [p for p in peer.people if p["oddities"] == ["both_numbers"]][:2]
    found = "match" if peer.dialects(DOOR)["two_numbers"] == "either" else "no_match"
    for card, expected_outcome in ((one["old_card_number"], "match"), (other["old_card_number"], found)):
        bare(peer, "verify", one, SoCMND=card)
        assert outcome(peer) == (expected_outcome, True)


def is_compared_by_the_rule(peer: Peer, name_form: str) -> None:
    """Promise that a name finds somebody only in the form that the door compares; the wrong form is no error."""
    rule = peer.dialects(DOOR)["names"]
    person = next(p for p in peer.people if len({form(p["name"], each_rule) for each_rule in FORMS}) == len(FORMS))
    told = ask(peer, "verify", person, name_normaliser=name_form)
    assert told.found == int(rule in ("any", name_form))


FORMS: Final = ("upper_no_diacritics_no_spaces", "upper_no_diacritics", "upper")


def answers_by_the_contract(peer: Peer, operation: str) -> None:
    """Promise a bare caller one element in a SOAP envelope, which fits the contract's schema, in the charset stated."""
    tag, schema = PAYLOADS[operation]
    told = etree.XMLSchema(etree.fromstring(population.file(schema).read_bytes()))
    stranger = changed(somebody(peer), name="Nguyễn Không Có Ai")
    for person, found in ((somebody(peer), "match"), (stranger, "no_match")):
        answer = bare(peer, operation, person)
        assert (answer.status_code, outcome(peer)) == (200, (found, True))
        media_type, charset = answer.headers["content-type"].split("; charset=")
        assert media_type == "text/xml"
        body = etree.fromstring(answer.content).find(f"{SOAP}Body")
        assert body is not None
        assert [child.tag for child in body] == [tag]
        # An empty record is a way of saying "nobody", in which no field of the schema has anything to say.
        empty = found == "no_match" and peer.dialects(DOOR)["no_match"] == "empty_record"
        assert told.validate(body[0]) or (empty and operation == "lookup"), told.error_log
        assert f'encoding="{charset}"'.lower() in answer.content[:60].decode("ascii", "ignore").lower()


def publishes_its_contract(peer: Peer) -> None:
    """Promise that anybody may read the WSDL, with this door's address in it, and that this counts as no exchange."""
    before = len(peer.sent)
    wsdl = etree.fromstring(peer.mocks.client.get(f"{peer.mocks.url}?wsdl").content)
    del peer.sent[before:]
    addresses = [element.get("location") for element in wsdl.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")]
    assert addresses == [peer.mocks.url]
    assert peer.told("exchanges?limit=0")["total"] == before


def counts_what_was_done(peer: Peer) -> None:
    """Promise that exchanges are numbered by key and operation, and that what was done is counted apart from them."""
    person = somebody(peer, 1)
    key = {"door": DOOR, "operation": "lookup", "key": person["key"]}

    def done() -> int:
        return sum(one["count"] for one in peer.told("effects")["counts"] if key.items() <= one.items())

    before = done()
    attempts = [
        ask(peer, "lookup", person, officer=officer).record["attempt"]
        for officer in ("canbo.thu", "canbo.khongquyen", "canbo.thu")
    ]
    assert attempts == list(range(attempts[0], attempts[0] + 3))
    assert done() == before + 2


FINDING: Final[tuple[Check, ...]] = (
    *each(is_found, Oddity),
    *alone(has_no_number_yet, shares_a_number),
    *each(is_not_found, WRONG),
    *alone(is_found_by_old_card, is_found_by_year, is_asked_by_two_numbers),
    *each(is_compared_by_the_rule, FORMS),
    *each(answers_by_the_contract, OPERATIONS),
    *alone(publishes_its_contract, counts_what_was_done),
)
