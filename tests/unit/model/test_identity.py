from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model import IdentityNumber, OldCardNumber, PersonName
from contracts.model.identifiers import PaperNumber, TechnicalId
from contracts.model.identity import (
    AccountKind,
    Level,
    LocalAccount,
    Match,
    Matching,
    Paper,
    PaperKey,
    Verdict,
    VerifiedEnterprise,
    VerifiedOrganisation,
    VerifiedPerson,
    assure,
    match,
    paper_keys,
)

TECH, OTHER = TechnicalId("5b0f6e0c-0000-4000-8000-000000000001"), TechnicalId("5b0f6e0c-0000-4000-8000-000000000009")
NUMBER, CARD = "999090000001", "999000001"
PERSON = VerifiedPerson(
    tech_id=TECH,
    name=PersonName("Nguyễn Văn Thử"),
    identity_number=IdentityNumber(NUMBER),
    old_card_number=OldCardNumber(CARD),
)
ENTERPRISE = VerifiedEnterprise(tech_id=TECH, tax_code=PaperNumber("9990000003"))
BY_NUMBER, BY_CARD = PaperKey(Paper.IDENTITY_NUMBER, NUMBER), PaperKey(Paper.OLD_CARD_NUMBER, CARD)


NEW_NUMBER = PaperKey(Paper.IDENTITY_NUMBER, "999090000099")


def local(name: str, *papers: PaperKey, tech: TechnicalId | None = None, locked: bool = False) -> LocalAccount:
    return LocalAccount(id=name, tech_id=tech, papers=frozenset(papers), locked=locked)


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([], Matching(outcome=Match.NEW)),
        ([local("a", tech=OTHER)], Matching(outcome=Match.NEW)),
        ([local("a", tech=TECH)], Matching(outcome=Match.KNOWN, accounts=("a",))),
        ([local("a", tech=TECH), local("b", BY_NUMBER)], Matching(outcome=Match.KNOWN, accounts=("a",))),
        ([local("a", tech=TECH, locked=True)], Matching(outcome=Match.LOCKED, accounts=("a",))),
        ([local("b", tech=TECH), local("a", tech=TECH)], Matching(outcome=Match.CONFLICT, accounts=("a", "b"))),
        ([local("a", BY_NUMBER)], Matching(outcome=Match.LINK, accounts=("a",), by=Paper.IDENTITY_NUMBER)),
        ([local("a", BY_CARD)], Matching(outcome=Match.LINK, accounts=("a",), by=Paper.OLD_CARD_NUMBER)),
        ([local("a", BY_CARD, BY_NUMBER)], Matching(outcome=Match.LINK, accounts=("a",), by=Paper.IDENTITY_NUMBER)),
        (
            [local("a", BY_NUMBER, locked=True)],
            Matching(outcome=Match.LOCKED, accounts=("a",), by=Paper.IDENTITY_NUMBER),
        ),
        (
            [local("a", BY_NUMBER), local("b", BY_NUMBER)],
            Matching(outcome=Match.CONFLICT, accounts=("a", "b"), by=Paper.IDENTITY_NUMBER),
        ),
        (
            [local("a", BY_NUMBER), local("b", BY_CARD)],
            Matching(outcome=Match.CONFLICT, accounts=("a", "b"), by=Paper.IDENTITY_NUMBER),
        ),
        (
            [local("a", BY_NUMBER, tech=OTHER)],
            Matching(outcome=Match.CONFLICT, accounts=("a",), by=Paper.IDENTITY_NUMBER),
        ),
        ([local("a", PaperKey(Paper.TAX_CODE, NUMBER))], Matching(outcome=Match.NEW)),
        # linked, though its paper is another by now: the technical id stays when papers change
        ([local("a", NEW_NUMBER, tech=TECH)], Matching(outcome=Match.KNOWN, accounts=("a",))),
        # … and though another account has the paper: that one is nobody's to link now
        ([local("a", NEW_NUMBER, tech=TECH), local("b", BY_NUMBER)], Matching(outcome=Match.KNOWN, accounts=("a",))),
        ([local("a", tech=TECH), local("b", BY_NUMBER, tech=OTHER)], Matching(outcome=Match.KNOWN, accounts=("a",))),
        # one by each paper, of which one is somebody else's
        (
            [local("a", BY_NUMBER, tech=OTHER), local("b", BY_CARD)],
            Matching(outcome=Match.CONFLICT, accounts=("a", "b"), by=Paper.IDENTITY_NUMBER),
        ),
        # linked to somebody else and locked: that it is somebody else's goes before
        (
            [local("a", BY_NUMBER, tech=OTHER, locked=True)],
            Matching(outcome=Match.CONFLICT, accounts=("a",), by=Paper.IDENTITY_NUMBER),
        ),
        # two of which one is locked: which of them it is is not decided by that
        (
            [local("a", BY_NUMBER), local("b", BY_NUMBER, locked=True)],
            Matching(outcome=Match.CONFLICT, accounts=("a", "b"), by=Paper.IDENTITY_NUMBER),
        ),
    ],
)
def test_an_account_is_matched_by_its_technical_id_and_then_by_its_papers(
    candidates: list[LocalAccount], expected: Matching
) -> None:
    """Known, to be linked, new; locked and contradicting ones are for a person, and nothing is changed anywhere."""
    assert match(PERSON, candidates) == expected
    assert match(PERSON, reversed(candidates)) == expected


def test_an_organisation_is_found_by_its_technical_id_alone() -> None:
    """Its name and numbers prove nothing."""
    organisation = VerifiedOrganisation(tech_id=TECH, enterprise_number=PaperNumber("9990000003"))
    assert paper_keys(organisation) == ()
    candidate = local("a", PaperKey(Paper.ENTERPRISE_NUMBER, "9990000003"))
    assert match(organisation, [candidate]).outcome is Match.NEW


def test_an_enterprise_is_found_by_its_tax_code_and_then_by_its_number() -> None:
    """The surest first."""
    both = VerifiedEnterprise(tech_id=TECH, tax_code=PaperNumber("999-1"), enterprise_number=PaperNumber("999-2"))
    assert [key.paper for key in paper_keys(both)] == [Paper.TAX_CODE, Paper.ENTERPRISE_NUMBER]
    assert match(ENTERPRISE, [local("a", *paper_keys(ENTERPRISE))]).outcome is Match.LINK


def test_a_paper_leads_to_no_account_of_another_kind() -> None:
    """The tax code of a household business is its owner's number: who signs in for one does not become the other."""
    key = PaperKey(Paper.TAX_CODE, NUMBER)
    business = VerifiedEnterprise(tech_id=TECH, tax_code=PaperNumber(NUMBER))
    owner = LocalAccount(id="a", kind=AccountKind.PERSON, papers=frozenset({key}))
    own = LocalAccount(id="b", kind=AccountKind.ENTERPRISE, papers=frozenset({key}))
    assert match(business, [owner]) == Matching(outcome=Match.NEW)
    assert match(business, [owner, own]) == Matching(outcome=Match.LINK, accounts=("b",), by=Paper.TAX_CODE)
    wrong = LocalAccount(id="c", kind=AccountKind.PERSON, tech_id=TECH)
    assert match(business, [wrong]) == Matching(outcome=Match.CONFLICT, accounts=("c",))


KEYS = st.sampled_from([BY_NUMBER, BY_CARD, PaperKey(Paper.TAX_CODE, "1")])
LOCALS = st.lists(
    st.builds(
        LocalAccount,
        id=st.sampled_from("abcd"),
        tech_id=st.sampled_from([None, TECH, OTHER]),
        papers=st.frozensets(KEYS),
        locked=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)


@given(LOCALS)
def test_nobody_gets_an_account_that_may_be_anothers(candidates: list[LocalAccount]) -> None:
    """Known and link name one open account; nobody's that is linked elsewhere is ever offered."""
    found = match(PERSON, candidates)
    chosen = [one for one in candidates if one.id in found.accounts]
    if found.outcome in (Match.KNOWN, Match.LINK):
        assert len(chosen) == 1
        assert not chosen[0].locked
        assert chosen[0].tech_id == (TECH if found.outcome is Match.KNOWN else None)
    if any(one.tech_id == TECH for one in candidates):
        assert found.outcome not in (Match.LINK, Match.NEW)


@pytest.mark.parametrize(
    ("asked", "found", "kind", "verdict", "enough"),
    [
        (None, None, AccountKind.PERSON, Verdict.MET, True),
        (Level.ONE, Level.TWO, AccountKind.PERSON, Verdict.MET, True),
        (Level.TWO, Level.TWO, AccountKind.PERSON, Verdict.MET, True),
        (Level.TWO, Level.ONE, AccountKind.PERSON, Verdict.TOO_LOW, False),
        (Level.ONE, None, AccountKind.PERSON, Verdict.UNSTATED, False),
        (Level.TWO, None, AccountKind.ENTERPRISE, Verdict.NO_LEVELS, True),
        (Level.TWO, None, AccountKind.ORGANISATION, Verdict.NO_LEVELS, True),
        (Level.TWO, Level.ONE, AccountKind.ORGANISATION, Verdict.TOO_LOW, False),
    ],
)
def test_a_level_that_is_not_stated_is_not_assumed(
    asked: Level | None, found: Level | None, kind: AccountKind, verdict: Verdict, *, enough: bool
) -> None:
    """Too low and unstated are told apart, and neither is enough."""
    told = assure(asked, found, kind)
    assert (told.verdict, told.enough, told.found) == (verdict, enough, found)


def test_an_account_without_numbers_cannot_be_made() -> None:
    """A person and an enterprise have one at least."""
    with pytest.raises(ValueError, match="personal number"):
        VerifiedPerson(tech_id=TECH, name=PersonName("A"))
    with pytest.raises(ValueError, match="tax code"):
        VerifiedEnterprise(tech_id=TECH)


def test_nothing_about_anybody_is_shown() -> None:
    """Neither numbers nor names, in accounts and in what they are matched by."""
    shown = f"{PERSON!r}{ENTERPRISE!r}{BY_NUMBER!r}{local('a', BY_CARD)!r}"
    assert not any(text in shown for text in (NUMBER, CARD, "9990000003", "Nguyễn", TECH.value))
