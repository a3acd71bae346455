"""Who comes in at the synthetic partner's door, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.partner import ACCOUNTS, OPERATIONS, code, data
from tests.support.partner_door import opened

if TYPE_CHECKING:
    import httpx

SENT = pytest.mark.parametrize("operation", OPERATIONS)


async def test_a_session_opens_the_door() -> None:
    """Account and secret give a token that counts for half an hour of the mocks' clock."""
    async with opened(log_in=False) as door:
        await door.clock(freeze=True)
        session = data(await door.partner.log_in())
        assert session["expires_at"] == round((door.app.default.clock.seconds() + 1800) * 1000)
        await door.clock(advance_seconds=1799)
        data(await door.partner.register("H-1"))
        await door.clock(advance_seconds=1)
        answer = await door.partner.read("H-1")
        assert (answer.status_code, code(answer)) == (401, "SESSION_EXPIRED")
        data(await door.partner.log_in())
        data(await door.partner.read("H-1"))


@pytest.mark.parametrize(
    ("account", "secret"),
    [
        ("thu_xa_mot", "sai"),
        ("thu_xa_mot", ""),
        ("thu_xa_mot", "bi-mat-mau-2"),
        ("khong_co", "bi-mat-mau-1"),
        ("", ""),
        ("THU_XA_MOT", "bi-mat-mau-1"),
    ],
)
async def test_a_wrong_account_is_refused(account: str, secret: str) -> None:
    """Whatever is wrong with an account, the partner says the same, opens nothing and has done nothing."""
    async with opened(log_in=False) as door:
        answer = await door.partner.send("POST", "/sessions", {"account": account, "secret": secret})
        assert (answer.status_code, code(answer)) == (401, "ACCOUNT_REFUSED")
        assert not await door.effects()


@SENT
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer sai", "Basic dGh1OmJp", "bearer x y"])
async def test_without_a_session_nothing_is_done(operation: str, authorization: str) -> None:
    """No operation but the log-in is let in without a token, and none of them does anything then."""
    async with opened(log_in=False) as door:
        partner = door.partner
        partner.token = None
        send = partner.send

        async def bare(*arguments: Any, **named: Any) -> httpx.Response:
            return await send(*arguments, **named, Authorization=authorization)

        partner.send = bare  # type: ignore[method-assign]
        answer = await OPERATIONS[operation](partner)
        assert (answer.status_code, code(answer)) == (401, "TOKEN_REFUSED")
        assert not await door.effects()
        assert (await door.last())["agency"] is None


async def test_an_account_can_be_locked() -> None:
    """The partner locks an account: its sessions and its secret count no more, until it is unlocked."""
    async with opened() as door:
        await door.admin("POST", "world/account/thu_xa_mot", {"verb": "lock"})
        assert code(await door.partner.read("H-1")) == "TOKEN_REFUSED"
        assert code(await door.partner.log_in()) == "ACCOUNT_REFUSED"
        other = door.caller("thu_xa_hai")
        data(await other.log_in())
        await door.admin("POST", "world/account/thu_xa_mot", {"verb": "unlock"})
        data(await door.partner.read("H-1"))


async def test_a_session_can_be_ended() -> None:
    """The partner ends a session before its time; others go on."""
    async with opened() as door:
        second = door.caller()
        data(await second.log_in())
        await door.admin("POST", f"world/session/{door.partner.token}", {"verb": "end"})
        assert code(await door.partner.read("H-1")) == "SESSION_EXPIRED"
        data(await second.read("H-1"))


async def test_tokens_depend_on_nobody_else() -> None:
    """A token is a matter of seed, account and how many sessions the account has had."""

    async def tokens(order: list[str], seed: int = 1) -> dict[str, list[str | None]]:
        async with opened(log_in=False, seed=seed) as door:
            found: dict[str, list[str | None]] = {}
            for account in order:
                caller = door.caller(account)
                data(await caller.log_in())
                found.setdefault(account, []).append(caller.token)
            return found

    mot, hai = "thu_xa_mot", "thu_xa_hai"
    found = await tokens([mot, hai, mot, hai])
    assert await tokens([hai, hai, mot, mot]) == found
    assert await tokens([mot, hai, mot, hai], seed=2) != found
    assert len({token for many in found.values() for token in many}) == 4


async def test_three_agencies_of_two_provinces() -> None:
    """Each account acts for its agency, and faults find it by agency and province."""
    async with opened(log_in=False) as door:
        for account, (agency, _) in ACCOUNTS.items():
            caller = door.caller(account)
            data(await caller.log_in())
            data(await caller.register(f"H-{account}"))
            assert (await door.last())["agency"] == agency
        await door.fault("busy", whom={"province": "H98"})
        assert (await caller.read("H-1")).status_code == 429


async def test_a_login_may_name_a_namespace() -> None:
    """`account+namespace` opens a session in that namespace, and its token leads there by itself."""
    async with opened() as door:
        caller = door.caller()
        data(await caller.log_in("thu_xa_mot+song_song"))
        data(await caller.register("H-1"))
        assert (await door.partner.read("H-1")).json()["data"]["answer"] == "not_there"
        assert data(await caller.read("H-1"))["answer"] == "done"
        spaces = await door.admin("GET", "namespaces")
        assert {one["name"]: one["exchanges"] for one in spaces["namespaces"]} == {"default": 2, "song_song": 3}
