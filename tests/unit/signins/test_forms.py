from __future__ import annotations

from datetime import datetime

import pytest
from pydantic import SecretStr

from adapters.vneid import Departure, Pending
from contracts import VIETNAM
from contracts.model import BirthDate, IdentityNumber, PersonName
from contracts.model.identifiers import PaperNumber, TechnicalId
from contracts.model.identity import (
    Level,
    VerifiedAccount,
    VerifiedEnterprise,
    VerifiedOrganisation,
    VerifiedPerson,
    assure,
)
from gateway.signins import Tokens, forms

ACCOUNTS = (
    VerifiedPerson(
        tech_id=TechnicalId("t-1"),
        name=PersonName("Nguyễn Văn Thử"),
        identity_number=IdentityNumber("999090000001"),
        birth=BirthDate(1990, 1, 31),
    ),
    VerifiedEnterprise(tech_id=TechnicalId("t-2"), name="Công ty Thử", tax_code=PaperNumber("9990000001")),
    VerifiedOrganisation(tech_id=TechnicalId("t-3"), name="UBND xã Thử"),
)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda one: one.kind.value)
def test_whoever_signed_in_comes_out_as_they_went_in(account: VerifiedAccount) -> None:
    """Each kind of account, with the level beside it."""
    assurance = assure(Level.TWO, Level.ONE, account.kind)
    assert forms.person_of(forms.person_bytes(account, assurance)) == (account, assurance)


def test_secrets_come_out_as_they_went_in() -> None:
    """What waits for a browser, and what ends a session, absent parts included."""
    pending = Pending(
        issuer="https://i.example",
        redirect_uri="https://c.example/cb",
        state=SecretStr("s"),
        nonce=None,
        verifier=SecretStr("v"),
        asked=Level.ONE,
        since=datetime(2026, 1, 5, 8, tzinfo=VIETNAM),
    )
    departure = Departure("https://i.example/auth?state=s", pending)
    assert forms.departure_of(forms.departure_bytes(departure)) == departure
    tokens = Tokens(id_token=SecretStr("i"), access=SecretStr("a"), linked=SecretStr("l"))
    assert forms.tokens_of(forms.tokens_bytes(tokens)) == tokens
