"""The synthetic partner's door: each operation and how it repeats, the ledger, kills, chance."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from mocks.doors.partner.settings import PartnerDoorSettings
from tests.support.mocks import running
from tests.support.partner import ACCOUNTS, OPERATIONS, WRITE, Partner, code, data, registration
from tests.support.partner_door import Door, killed, opened
from tests.support.receiver import eventually

if TYPE_CHECKING:
    from pathlib import Path

SENT = pytest.mark.parametrize("operation", OPERATIONS)


async def found(door: Door) -> object:
    return data(await door.partner.find_step("H-1", 1))["answer"]


# How each operation repeats


async def test_register_by_key() -> None:
    """Same key and same content: the same answer, one effect; other content: refused; key or code alone is no proof."""
    async with opened() as door:
        partner = door.partner
        first = await partner.register("H-1", key="k1")
        for _ in range(3):
            again = await partner.register("H-1", key="k1")
            assert again.content == first.content
        reordered = dict(reversed(registration("H-1").items()))
        assert (await partner.send("POST", "/records", reordered, key="k1")).content == first.content
        assert code(await partner.register("H-1", key="k1", amount=1)) == "KEY_REUSED"
        assert code(await partner.register("H-2", key="k1")) == "KEY_REUSED"
        assert code(await partner.register("H-1", key="k2")) == "RECORD_EXISTS"
        answer = await partner.send("POST", "/records", registration("H-3"))
        assert code(answer) == "KEY_MISSING"
        effects = await door.effects()
        assert {key: times for (name, key), times in effects.items() if name == "register"} == {"H-1": 1}
        await door.officer("H-1", "take_up")
        assert (await partner.register("H-1", key="k1")).content == first.content


async def test_a_refused_registration_keeps_no_key() -> None:
    """A key counts from its first success on: what was refused may be corrected under the same key."""
    async with opened() as door:
        assert code(await door.partner.register("H-1", key="k1", amount=-1)) == "WRONG_FIELDS"
        data(await door.partner.register("H-1", key="k1"))


async def test_a_key_belongs_to_its_account() -> None:
    """Two accounts may use the same key."""
    async with opened() as door:
        other = door.caller("thu_xa_hai")
        await other.log_in()
        assert data(await door.partner.register("H-1", key="k")) != data(await other.register("H-2", key="k"))


async def test_append_after_look_up() -> None:
    """A step sent twice is applied twice, and the look-up tells whether it is there."""
    async with opened() as door:
        partner = door.partner
        data(await partner.register("H-1"))
        assert data(await partner.find_step("H-1", 1)) == {"answer": "not_there", "code": "H-1", "step": 1}
        assert data(await partner.append("H-1", 1))["times"] == 1
        assert data(await partner.append("H-1", 1))["times"] == 2
        assert data(await partner.find_step("H-1", 1)) == {"answer": "done", "code": "H-1", "step": 1, "times": 2}
        effects = await door.effects()
        assert effects["append", "H-1:1"] == 2


async def test_a_step_repeated_after_the_end_is_applied_too() -> None:
    """Not even a closed record keeps a repeated step from being applied: nothing here saves a careless caller."""
    async with opened() as door:
        data(await door.partner.register("H-1"))
        data(await door.partner.append("H-1", 1))
        data(await door.partner.append("H-1", 2, "done"))
        assert data(await door.partner.append("H-1", 2, "done"))["times"] == 2
        assert data(await door.partner.append("H-1", 1))["times"] == 2


async def test_transfer_whose_look_up_cannot_tell() -> None:
    """A transfer sent twice is done twice, and nobody can say whether it was done at all."""
    async with opened() as door:
        partner = door.partner
        data(await partner.register("H-1"))
        for known in (False, True, True):
            assert data(await partner.find_transfer("H-1", "CG-1"))["answer"] == "cannot_tell"
            if known:
                data(await partner.transfer("H-1", "CG-1"))
        assert data(await partner.read("H-1"))["held_by"] == "000.00.02.H99"
        assert (await door.effects())["transfer", "H-1:CG-1"] == 2


async def test_notify_never_again() -> None:
    """A notice sent twice is given twice, and there is nothing to look it up by."""
    async with opened() as door:
        partner = door.partner
        data(await partner.register("H-1"))
        for times in (1, 2):
            assert data(await partner.notify("H-1", "TB-1"))["times"] == times
        assert (await door.effects())["notify", "H-1:TB-1"] == 2
        for path in ("/records/H-1/notices", "/records/H-1/notices/TB-1"):
            assert (await partner.send("GET", path)).status_code == 404


async def test_replace_is_safe() -> None:
    """The same content once more changes nothing, however often; the ledger says which was which."""
    async with opened() as door:
        partner = door.partner
        data(await partner.register("H-1"))
        first = await partner.replace("H-1", 1, title="một")
        assert (await door.last())["outcome"] == "replaced"
        for _ in range(2):
            assert (await partner.replace("H-1", 1, title="một")).content == first.content
            assert (await door.last())["outcome"] == "same"
        assert (await door.effects())["replace", "H-1:1"] == 3
        version = door.app.default.state.get("record", "H-1")
        data(await partner.replace("H-1", 1, title="một"))
        assert door.app.default.state.get("record", "H-1") == version


@pytest.mark.parametrize(("operation", "effects"), [("append", 2), ("transfer", 2), ("notify", 2), ("register", 1)])
async def test_acknowledgement_lost(operation: str, effects: int) -> None:
    """The partner has acted, its answer is lost, and the caller sends again: twice where there is no key."""
    async with opened() as door:
        if operation != "register":
            data(await door.partner.register("H-1"))
        await door.fault("reset_after", whom={"operation": operation})
        with pytest.raises(ConnectionResetError):
            await OPERATIONS[operation](door.partner)
        data(await OPERATIONS[operation](door.partner))
        found = await door.effects()
        assert [times for (name, _), times in found.items() if name == operation] == [effects]


async def test_a_slow_partner_acts_after_its_session_has_ended() -> None:
    """What was let in is done, however late the partner acts; the look-up tells only then."""
    async with opened() as door:
        await door.clock(freeze=True)
        data(await door.partner.register("H-1"))
        await door.fault("acts_late", whom={"operation": "append"}, details={"seconds": 3600})
        await door.fault("reset_after", whom={"operation": "append"})
        with pytest.raises(ConnectionResetError):
            await door.partner.append("H-1", 1)
        assert data(await door.partner.find_step("H-1", 1))["answer"] == "not_there"
        await door.clock(advance_seconds=3600)
        data(await door.partner.log_in())
        await eventually(lambda: found(door), "done")
        assert (await door.effects())["append", "H-1:1"] == 1


# The ledger


async def test_what_the_ledger_knows() -> None:
    """Every exchange stands there with request id, business key, idempotency key, lane, agency, attempt, outcome."""
    async with opened() as door:
        await door.partner.register("H-1", key="khoa-1", lane="000.00.01.H99/So-1")
        await door.partner.register("H-1", key="khoa-1", lane="000.00.01.H99/So-1")
        await door.partner.append("H-1", 1)
        await door.partner.read("H-1")
        exchanges = (await door.exchanges())[1:]
        names = ("operation", "key", "idempotency_key", "lane", "agency", "attempt", "outcome", "acted")
        assert [tuple(one[name] for name in names) for one in exchanges] == [
            ("register", "H-1", "khoa-1", "000.00.01.H99/So-1", "000.00.01.H99", 1, "registered", True),
            ("register", "H-1", "khoa-1", "000.00.01.H99/So-1", "000.00.01.H99", 2, "repeated", False),
            ("append", "H-1:1", None, "H-1", "000.00.01.H99", 1, "applied", True),
            ("read", "H-1", None, None, "000.00.01.H99", 1, "found", True),
        ]
        assert [one["request_id"] for one in exchanges] == [f"YC-thu_xa_mot-{number}" for number in (2, 3, 4, 5)]


# Kills, chance, and the whole over sockets


async def test_a_killed_partner_knows_everything_again(tmp_path: Path) -> None:
    """Sessions, records, what was applied, keys and quotas are after a kill as they were before it."""
    async with opened(journal=tmp_path / "journal") as door:
        await door.speak(transfer_lookup="at_once", quota_per_day=100)
        first = await door.partner.register("H-1", key="k1")
        await door.partner.append("H-1", 1)
        await door.partner.transfer("H-1", "CG-1")
        await door.partner.notify("H-1", "TB-1")
        await door.partner.replace("H-1", 1, title="sau")
        read = await door.partner.read("H-1")
        effects, exchanges = await door.effects(), await door.exchanges()
        kinds = await door.admin("GET", "world/kinds")
        token, left = door.partner.token, killed(door, tmp_path / "copy")
    async with opened(journal=left, log_in=False) as door:
        door.partner.token = token
        assert await door.effects() == effects
        assert [one["seq"] for one in await door.exchanges()] == [one["seq"] for one in exchanges]
        assert await door.admin("GET", "world/kinds") == kinds
        assert (await door.partner.read("H-1")).content == read.content
        assert (await door.partner.register("H-1", key="k1")).content == first.content
        assert data(await door.partner.append("H-1", 1))["times"] == 2
        assert data(await door.partner.notify("H-1", "TB-1"))["times"] == 2
        assert data(await door.partner.find_transfer("H-1", "CG-1"))["times"] == 1
        account = await door.admin("GET", "world/account/thu_xa_mot")
        assert (account["fields"]["used"], account["fields"]["sessions"]) == (11, 1)


async def test_sixteen_at_once_change_nothing() -> None:
    """Same seed: same answers and same faults, in whatever order sixteen callers come."""

    async def run(order: int) -> dict[str, list[bytes]]:
        async with opened() as door:
            await door.clock(freeze=True)
            await door.clock(at="2026-01-05T01:15:00Z")
            data(await door.partner.log_in())
            await door.fault("system_fault", when={"share": 0.2}, until={"count": 1000})
            await door.fault("wrong_type", when={"share": 0.2}, until={"count": 1000})
            answers: dict[str, list[bytes]] = {}

            async def work(name: str) -> None:
                partner = Partner(door.client, token=door.partner.token)
                found = answers.setdefault(name, [])
                found.append((await partner.register(name, title="x")).content)
                found.append((await partner.append(name, 1)).content)
                found.append((await partner.append(name, 2)).content)
                found.append((await partner.read(name)).content)

            names = [f"H-{number}" for number in range(16)][::order]
            await asyncio.gather(*map(work, names))
            return answers

    assert await run(1) == await run(-1)


def test_over_sockets() -> None:
    """The ready line leads to the door and says what opens it; the same caller finds it over a socket."""
    with running("--citizens", "300") as mocks:
        accounts = mocks.ready["credentials"]["partner"]["accounts"]
        assert {one["username"]: (one["agency"], one["secret"]) for one in accounts} == ACCOUNTS

        async def call() -> None:
            async with httpx.AsyncClient(trust_env=False) as client:
                partner = Partner(client, mocks.ready["partner"])
                data(await partner.log_in())
                assert data(await partner.register("H-1"))["state"] == "open"
                about = (await client.get(mocks.ready["partner"])).json()
                assert about["synthetic"] is True
                assert "made up" in about["about"]

        asyncio.run(call())
        assert [one["outcome"] for one in mocks.exchanges()] == ["logged_in", "registered"]


async def test_settings_open_other_doors() -> None:
    """Path, accounts, sessions and refused officers are settings."""
    account = {"agency": "000.00.09.H99", "username": "rieng", "secret": "rieng-1"}
    settings = PartnerDoorSettings.model_validate(
        {"path": "/doi-tac", "accounts": [account], "session_minutes": 1, "refused_officers": ["canbo.mau"]}
    )
    async with opened(log_in=False, partner=settings) as door:
        partner = Partner(door.client, "http://mocks.example/doi-tac")
        data(await partner.log_in("rieng", "rieng-1"))
        body = {**WRITE, "title": "x", "code": "H-1"}
        assert code(await partner.send("POST", "/records", body, key="k")) == "OFFICER_REFUSED"
        assert code(await partner.log_in()) == "ACCOUNT_REFUSED"
        await door.clock(advance_seconds=60)
        assert code(await partner.read("H-1")) == "SESSION_EXPIRED"
