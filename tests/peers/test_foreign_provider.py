"""Our adapter signs citizens in at a certified provider that shares no line with us or our mock (npm `oidc-provider`).

It has A1's paths, secrets in the form, levels and claims; or it is left as it is, for the standard profile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from adapters.vneid import Ended, Ending, Strange, TokenDefect, TokenRefused
from contracts.model import BirthDate, CredentialRefused, IdentityNumber, PersonName, Rejected
from contracts.model.identity import Level, Verdict, VerifiedPerson
from tests.support.foreign_provider import (
    AFTER_LOGOUT,
    AGENCY,
    LEVEL_1,
    LEVEL_2,
    NAME,
    Caller,
    foreign_provider,
)
from tests.support.tls import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager

GUARDS = [{}, {"pkce": False}, {"nonce": False}]
"""What keeps a stolen code from letting another in: both are sent, or one of them."""


class Door:
    """A running provider."""

    def __init__(self, profile: str, place: Place, ready: dict[str, Any]) -> None:
        self.profile, self.place, self.ready = profile, place, ready

    def caller(self, **changes: Any) -> AbstractAsyncContextManager[Caller]:
        """Come to it."""
        return Caller.of(self.ready, self.profile, self.place, **changes)


@pytest.fixture(scope="module", params=["A1", "standard"])
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    place = Place.made(tmp_path_factory.mktemp("tls"))
    with foreign_provider(request.param, place) as ready:
        yield Door(request.param, place, ready)


@pytest.mark.parametrize("guards", GUARDS, ids=["both", "nonce", "pkce"])
async def test_a_citizen_is_who_the_provider_says(door: Door, guards: dict[str, bool]) -> None:
    """A sign-in is whole: page, callback, code, signature, userinfo; the level that was asked for is told and met."""
    async with door.caller(**guards) as caller:
        done = await caller.signed_in(LEVEL_2)
    account = done.told.account
    assert isinstance(account, VerifiedPerson)
    assert (account.name, account.identity_number) == (PersonName(NAME), IdentityNumber(LEVEL_2))
    assert (account.birth, account.tech_id.value) == (BirthDate(1990, 1, 31), f"tech-{LEVEL_2}")
    assert (account.email, account.phone) == (None, None)
    assert (done.assurance.verdict, done.assurance.found) == (Verdict.MET, Level.TWO)
    assert done.tokens.refresh is not None


async def test_a_level_that_is_too_low_is_an_answer(door: Door) -> None:
    """Who has level 1 is signed in, and it is said that this is not level 2; for level 1 it is enough."""
    async with door.caller() as caller:
        assert (await caller.signed_in(LEVEL_1)).assurance.verdict is Verdict.TOO_LOW
        assert (await caller.signed_in(LEVEL_1, asked=Level.ONE)).assurance.verdict is Verdict.MET


async def test_a_citizen_may_say_no(door: Door) -> None:
    """A no comes back as one."""
    async with door.caller() as caller:
        query, pending = await caller.back(LEVEL_2, caller.browser(), button="tu-choi")
        assert caller.vneid.read_callback(query, pending, caller.provider) == Ended(Ending.DECLINED, "access_denied")


async def test_the_provider_names_itself_and_is_held_to_it(door: Door) -> None:
    """Its callback has its issuer, which may be demanded; another's callback, or another state, is no answer."""
    async with door.caller(callback_issuer=True) as caller:
        query, pending = await caller.back(LEVEL_2, caller.browser())
        assert "iss=" in query
        for strange in (
            query.replace("iss=", "iss=x"),
            query.replace("iss=", "was="),
            query.replace("state=", "state=x"),
        ):
            assert isinstance(caller.vneid.read_callback(strange, pending, caller.provider), Strange)
        assert (await caller.settle(query, pending)).assurance.enough


async def test_a_code_counts_once_and_for_its_own_browser(door: Door) -> None:
    """Neither a second exchange nor another verifier gives a token, and a token of another sign-in is refused."""
    async with door.caller() as caller:
        query, pending = await caller.back(LEVEL_2, caller.browser())
        _, other = await caller.back(LEVEL_2, caller.browser())
        client = caller.vneid.client(AGENCY)
        code = SecretStr(dict(pair.split("=") for pair in query.split("&"))["code"])
        tokens = await caller.do("exchange_code", code, pending, client, caller.provider)
        with pytest.raises(TokenRefused) as caught:
            caller.vneid.verify(tokens, other, client, caller.keys)
        assert caught.value.defect is TokenDefect.NONCE
        for waiting in (pending, other):
            with pytest.raises(Rejected, match="code_refused"):
                await caller.do("exchange_code", code, waiting, client, caller.provider)


async def test_a_wrong_secret_is_the_credentials_fault(door: Door) -> None:
    """A provider that does not take our secret says so in a way that we understand."""
    wrong = {"client_id": door.ready["client_id"], "secret": "khong-phai-bi-mat"}
    async with door.caller(client=wrong) as caller:
        query, pending = await caller.back(LEVEL_2, caller.browser())
        with pytest.raises(CredentialRefused):
            await caller.settle(query, pending)


async def test_a_session_ends(door: Door) -> None:
    """Revoked tokens tell nothing more; after the log-out, by a form, the citizen is asked again, before it not."""
    async with door.caller() as caller:
        browser, client = caller.browser(), caller.vneid.client(AGENCY)
        done = await caller.signed_in(LEVEL_2, browser)
        again = await caller.signed_in(LEVEL_1, browser)
        assert again.proof.subject == LEVEL_2, "a browser that is signed in was asked again"
        assert await caller.do("revoke", done.tokens, client, caller.provider)
        with pytest.raises(Rejected, match="access_token_refused"):
            await caller.do("userinfo", done.tokens, done.proof, caller.provider)

        out = caller.vneid.logout(again.tokens.id_token, client, caller.provider, SecretStr("het-phien"))
        assert out is not None
        await browser.send(out.method, out.address, {name: value.get_secret_value() for name, value in out.fields})
        await browser.press("dang-xuat")
        assert browser.landed == f"{AFTER_LOGOUT}?state=het-phien"
        assert (await caller.signed_in(LEVEL_1, browser)).proof.subject == LEVEL_1
