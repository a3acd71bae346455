"""The synthetic partner's door: sessions, each operation and how it repeats, refusals, faults, kills, chance."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mocks.doors.partner.settings import PartnerDoorSettings
from tests.support.mocks import running
from tests.support.partner import ACCOUNTS, WRITE, Door, Partner, code, data, killed, opened, registration
from tests.support.receiver import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Send = Callable[[Partner], Awaitable[httpx.Response]]

OPERATIONS: dict[str, Send] = {
    "register": lambda partner: partner.register("H-1"),
    "replace": lambda partner: partner.replace("H-1", 1),
    "append": lambda partner: partner.append("H-1", 1),
    "transfer": lambda partner: partner.transfer("H-1", "CG-1"),
    "notify": lambda partner: partner.notify("H-1", "TB-1"),
    "read": lambda partner: partner.read("H-1"),
    "find_step": lambda partner: partner.find_step("H-1", 1),
    "find_transfer": lambda partner: partner.find_transfer("H-1", "CG-1"),
}
WRITES = ("register", "replace", "append", "transfer", "notify")
LOOKUPS = ("read", "find_step", "find_transfer")
SENT = pytest.mark.parametrize("operation", OPERATIONS)


async def found(door: Door) -> object:
    return data(await door.partner.find_step("H-1", 1))["answer"]


async def last(door: Door) -> dict[str, Any]:
    return (await door.exchanges())[-1]


# Sessions


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
        assert (await last(door))["agency"] is None


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
            assert (await last(door))["agency"] == agency
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
        assert (await last(door))["outcome"] == "replaced"
        for _ in range(2):
            assert (await partner.replace("H-1", 1, title="một")).content == first.content
            assert (await last(door))["outcome"] == "same"
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


# What is refused


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ([(1, "processing"), (3, "processing")], None),
        ([(2, "processing"), (1, "processing")], "OUT_OF_ORDER"),
        ([(1, "processing"), (2, "done"), (3, "processing")], "RECORD_CLOSED"),
        ([(1, "withdrawn"), (2, "processing")], "RECORD_CLOSED"),
        ([(1, "done")], "STATE_NOT_ALLOWED"),
        ([(1, "returned"), (2, "done")], "STATE_NOT_ALLOWED"),
        ([(1, "returned"), (2, "returned")], "STATE_NOT_ALLOWED"),
        ([(1, "returned"), (2, "processing"), (3, "processing"), (4, "done")], None),
        ([(1, "processing"), (2, "returned"), (3, "withdrawn")], None),
    ],
)
async def test_the_life_of_a_record(steps: list[tuple[int, str]], refused: str | None) -> None:
    """Steps go forward through declared transitions; one that does not is refused and changes nothing."""
    async with opened() as door:
        data(await door.partner.register("H-1"))
        answers = [await door.partner.append("H-1", step, state) for step, state in steps]
        for answer in answers[:-1]:
            data(answer)
        if refused is None:
            assert data(answers[-1])["state"] == steps[-1][1]
        else:
            assert code(answers[-1]) == refused
            assert data(await door.partner.find_step("H-1", steps[-1][0]))["answer"] == "not_there"


async def test_replacing_out_of_order() -> None:
    """An older revision, or another content under the same one, is refused; so is a new one after the end."""
    async with opened() as door:
        partner = door.partner
        data(await partner.register("H-1"))
        data(await partner.replace("H-1", 2, title="hai"))
        assert code(await partner.replace("H-1", 1, title="một")) == "OUT_OF_ORDER"
        assert code(await partner.replace("H-1", 2, title="khác")) == "OUT_OF_ORDER"
        await door.officer("H-1", "withdraw")
        assert data(await partner.replace("H-1", 2, title="hai"))["revision"] == 2
        assert code(await partner.replace("H-1", 3, title="ba")) == "RECORD_CLOSED"
        assert code(await partner.transfer("H-1", "CG-1")) == "RECORD_CLOSED"
        data(await partner.notify("H-1", "TB-1"))


@pytest.mark.parametrize("operation", ["replace", "append", "transfer", "notify"])
async def test_an_unknown_record(operation: str) -> None:
    """Nothing can be done to a record that is not there."""
    async with opened() as door:
        assert code(await OPERATIONS[operation](door.partner)) == "RECORD_UNKNOWN"
        assert (operation, "H-1") not in await door.effects()


@SENT
async def test_a_record_of_another_agency(operation: str) -> None:
    """Another agency's record can be neither seen nor touched, nor its code taken."""
    async with opened() as door:
        other = door.caller("thu_xa_hai")
        await other.log_in()
        data(await other.register("H-1"))
        assert code(await OPERATIONS[operation](door.partner)) == "FOREIGN_RECORD"


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize(
    ("field", "value", "refused"),
    [
        ("officer", "canbo.khong_quyen", "OFFICER_REFUSED"),
        ("procedure", "9.999004", "PROCEDURE_REFUSED"),
    ],
)
async def test_who_may_not(operation: str, field: str, value: str, refused: str) -> None:
    """Some officers and procedures are refused at every write."""
    send = {
        "register": lambda partner: partner.register("H-2", **{field: value}),
        "replace": lambda partner: partner.replace("H-1", 1, **{field: value}),
        "append": lambda partner: partner.append("H-1", 1, **{field: value}),
        "transfer": lambda partner: partner.transfer("H-1", "CG-1", **{field: value}),
        "notify": lambda partner: partner.notify("H-1", "TB-1", **{field: value}),
    }
    async with opened() as door:
        data(await door.partner.register("H-1"))
        before = await door.effects()
        assert code(await send[operation](door.partner)) == refused
        assert await door.effects() == before


async def test_every_wrong_field_is_told() -> None:
    """All wrong fields are told at once, by path, without their values."""
    async with opened() as door:
        body = {**registration("9" * 12), "title": "", "amount": "20000", "extra": 1, "procedure": "bí mật", "lane": ""}
        del body["officer"]
        answer = await door.partner.send("POST", "/records", body, key="k")
        assert code(answer) == "WRONG_FIELDS"
        wrong = {one["path"]: one["problem"] for one in answer.json()["errors"]}
        assert set(wrong) == {"code", "title", "amount", "extra", "procedure", "lane", "officer"}
        assert all(wrong.values())
        assert "bí mật" not in answer.text
        assert "999999999999" not in answer.text
        exchange = await last(door)
        assert (exchange["key"], exchange["lane"], exchange["acted"]) == ("unknown", None, False)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b'"x"', b"[" * 50_000, b'{"code": "\\ud800"}', b'{"amount": NaN}', b"<x/>"],
)
async def test_a_body_that_is_no_object(body: bytes) -> None:
    """What is no JSON object is refused, whatever it is."""
    async with opened() as door:
        for method, path in (("POST", "/records"), ("PUT", "/records/H-1"), ("POST", "/sessions")):
            assert code(await door.partner.send(method, path, body, key="k")) == "NOT_UNDERSTOOD"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/records"),
        ("DELETE", "/records/H-1"),
        ("POST", "/records/H-1"),
        ("GET", "/records/H-1/steps"),
        ("GET", "/records/H-1/notices/TB-1"),
        ("GET", "/sessions"),
        ("POST", "/"),
        ("POST", ""),
        ("GET", "/records/"),
        ("GET", "//records/H-1"),
        ("PATCH", "/records/H-1/steps/1"),
    ],
)
async def test_no_such_operation(method: str, path: str) -> None:
    """What is no operation is 404 in the partner's envelope."""
    async with opened() as door:
        answer = await door.partner.send(method, path)
        assert (answer.status_code, code(answer)) == (404, "NO_SUCH_OPERATION")
        assert (await last(door))["operation"] == "unknown"


@pytest.mark.parametrize(
    "path",
    [
        "/records/999190000017",
        "/records/H 1",
        "/records/H%001",
        "/records/-H",
        "/records/" + "H" * 65,
        "/records/H-1/steps/0",
        "/records/H-1/steps/x",
        "/records/H-1/steps/10000",
        "/records/H-1/transfers/999190000017",
    ],
)
async def test_an_address_that_is_none(path: str) -> None:
    """Codes and steps in a path have their form, and nothing else of it comes into the ledger."""
    async with opened() as door:
        assert code(await door.partner.send("GET", path)) == "WRONG_FIELDS"
        assert "999190000017" not in (await last(door))["key"]


async def test_an_applicant_is_a_citizen() -> None:
    """An applicant is somebody of the world, and stands nowhere by number afterwards."""
    async with opened() as door:
        people = (await door.admin("GET", "world/citizens?limit=300"))["citizens"]
        person = next(one for one in people if one["identity_number"])
        data(await door.partner.register("H-1", applicant=person["identity_number"]))
        answer = await door.partner.register("H-2", applicant="999999999999")
        assert (code(answer), answer.json()["errors"][0]["path"]) == ("WRONG_FIELDS", "applicant")
        kept = json.dumps(await door.admin("GET", "world/record/H-1"))
        assert person["key"] in kept
        assert person["identity_number"] not in kept + json.dumps(await door.exchanges())


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


# Dialects


async def test_codes() -> None:
    """A code is a number, a word, or a number in a text."""
    async with opened() as door:
        for codes, success, error in (("mixed", 0, "RECORD_UNKNOWN"), ("numbers", 0, 1401), ("texts", "0", "1401")):
            await door.speak(codes=codes)
            answer = await door.partner.read("H-1")
            assert (answer.json()["code"], type(answer.json()["code"])) == (success, type(success))
            assert code(await door.partner.append("H-1", 1)) == error


async def test_result_as_array() -> None:
    """Data is an object, or a list of one."""
    async with opened() as door:
        await door.speak(result="array")
        assert (await door.partner.register("H-1")).json()["data"][0]["code"] == "H-1"
        data_of_login = (await door.partner.log_in()).json()["data"]
        assert isinstance(data_of_login, list)


async def test_times() -> None:
    """A time is in milliseconds, in seconds, or ISO 8601 in the time of Vietnam; of a callback too."""
    async with opened() as door:
        await door.clock(at="2026-01-05T01:15:00.250Z")
        await door.clock(freeze=True)
        await door.clock(at="2026-01-05T01:15:00.250Z")
        data(await door.partner.log_in())
        data(await door.partner.register("H-1"))
        for times, wanted in (
            ("ms", 1767575700250),
            ("s", 1767575700),
            ("iso", "2026-01-05T08:15:00.250+07:00"),
        ):
            await door.speak(times=times)
            assert data(await door.partner.read("H-1"))["registered_at"] == wanted
        await door.officer("H-1", "take_up")
        assert json.loads((await door.callbacks())[-1]["body"])["happened_at"] == "2026-01-05T08:15:00.250+07:00"


async def test_status_of_refusals() -> None:
    """The partner's own refusals come with status 200, or with the status that fits."""
    async with opened() as door:
        cases = {
            "RECORD_UNKNOWN": (404, lambda: door.partner.append("H-9", 1)),
            "WRONG_FIELDS": (422, lambda: door.partner.append("H-9", 0)),
            "KEY_REUSED": (409, lambda: door.partner.register("H-1", amount=7)),
            "NOT_UNDERSTOOD": (400, lambda: door.partner.send("POST", "/records", b"{", key="k")),
            "OFFICER_REFUSED": (403, lambda: door.partner.append("H-1", 1, officer="canbo.khong_quyen")),
        }
        data(await door.partner.register("H-1"))
        for refusals in ("http_200", "http_4xx"):
            await door.speak(refusals=refusals)
            for name, (status, send) in cases.items():
                answer = await send()
                assert (code(answer), answer.status_code) == (name, 200 if refusals == "http_200" else status)


@pytest.mark.parametrize(("dialect", "status"), [("http_401", 401), ("http_200", 200)])
async def test_status_of_an_expired_session(dialect: str, status: int) -> None:
    """An expired session, an unknown token and a refused account come with 401, or with 200."""
    async with opened() as door:
        await door.speak(session_refusal=dialect)
        await door.clock(advance_seconds=1801)
        answer = await door.partner.read("H-1")
        assert (answer.status_code, code(answer)) == (status, "SESSION_EXPIRED")
        door.partner.token = "sai"
        assert (await door.partner.read("H-1")).status_code == status
        assert (await door.partner.log_in(secret="sai")).status_code == status


async def test_exists_as_success() -> None:
    """A code that is there already is an error, or a success with a note that did nothing; its key counts then."""
    async with opened() as door:
        data(await door.partner.register("H-1", key="k1"))
        await door.speak(exists="success_with_note")
        answer = await door.partner.register("H-1", key="k2")
        assert data(answer)["note"] == "exists"
        assert (await last(door))["outcome"] == "existed"
        assert (await door.effects())["register", "H-1"] == 1
        await door.speak(exists="error")
        assert (await door.partner.register("H-1", key="k2")).content == answer.content


async def test_absent_as_error() -> None:
    """A look-up that finds nothing says so, or is an error."""
    async with opened() as door:
        for operation in ("read", "find_step"):
            assert data(await OPERATIONS[operation](door.partner))["answer"] == "not_there"
        await door.speak(absent="error", transfer_lookup="at_once")
        for operation in LOOKUPS:
            assert code(await OPERATIONS[operation](door.partner)) == "RECORD_UNKNOWN"
        data(await door.partner.register("H-1"))
        for operation in ("find_step", "find_transfer"):
            assert code(await OPERATIONS[operation](door.partner)) == "RECORD_UNKNOWN"


async def test_repeated_steps_recognised() -> None:
    """A step that is there already is applied again, or known again: then once, however late it comes."""
    async with opened() as door:
        data(await door.partner.register("H-1"))
        await door.speak(repeated_step="recognised")
        data(await door.partner.append("H-1", 1))
        data(await door.partner.append("H-1", 2, "done"))
        assert data(await door.partner.append("H-1", 1))["note"] == "repeated"
        assert (await last(door))["outcome"] == "recognised"
        assert (await door.effects())["append", "H-1:1"] == 1


@pytest.mark.parametrize(
    ("order", "steps"),
    [
        ("rising", {2: True, 5: True, 3: False}),
        ("gapless", {2: False, 1: True, 3: False}),
        ("any", {5: True, 2: True, 9: True}),
    ],
)
async def test_order_of_steps(order: str, steps: dict[int, bool]) -> None:
    """A step may follow if it is later, if it is the next one, or in any case."""
    async with opened() as door:
        await door.speak(step_order=order)
        data(await door.partner.register("H-1"))
        for step, fits in steps.items():
            answer = await door.partner.append("H-1", step)
            assert answer.json()["status"] == ("ok" if fits else "error"), step


async def test_when_a_transfer_can_be_told() -> None:
    """The look-up of a transfer tells never, at once, or only some time after the record was last touched."""
    async with opened(partner=PartnerDoorSettings(transfer_known_after_seconds=100)) as door:
        await door.clock(freeze=True)

        async def found(transfer: str) -> object:
            return data(await door.partner.find_transfer("H-1", transfer))["answer"]

        data(await door.partner.register("H-1"))
        data(await door.partner.transfer("H-1", "CG-1"))
        await door.speak(transfer_lookup="at_once")
        assert (await found("CG-1"), await found("CG-2")) == ("done", "not_there")
        await door.speak(transfer_lookup="later")
        assert (await found("CG-1"), await found("CG-2")) == ("cannot_tell", "cannot_tell")
        await door.clock(advance_seconds=99)
        data(await door.partner.transfer("H-1", "CG-1"))
        await door.clock(advance_seconds=99)
        assert await found("CG-1") == "cannot_tell"
        await door.clock(advance_seconds=1)
        assert (await found("CG-1"), await found("CG-2")) == ("done", "not_there")
        await door.speak(transfer_lookup="never")
        assert await found("CG-1") == "cannot_tell"


async def test_suspected_duplicates() -> None:
    """If the partner suspects duplicates, the same content under another code is refused, in the same agency."""
    async with opened() as door:
        same = {"title": "Cùng một việc", "amount": 1}
        other = door.caller("thu_xa_hai")
        await other.log_in()
        data(await door.partner.register("H-1", **same))
        data(await door.partner.register("H-2", **same))
        await door.speak(suspects_duplicates=True)
        assert code(await door.partner.register("H-3", **same)) == "SUSPECTED_DUPLICATE"
        data(await other.register("H-3", **same))
        data(await door.partner.register("H-4", title="Cùng một việc", amount=2))


@pytest.mark.parametrize(("dialect", "status"), [("http_429", 429), ("http_200", 200)])
async def test_quota(dialect: str, status: int) -> None:
    """A quota counts the calls of an account on a day in Vietnam, whatever becomes of them; log-ins are free."""
    async with opened() as door:
        await door.clock(freeze=True)
        await door.clock(at="2026-01-05T16:00:00Z")
        data(await door.partner.log_in())
        other = door.caller("thu_xa_hai")
        data(await other.log_in())
        await door.speak(quota_per_day=2, quota_refusal=dialect)
        data(await door.partner.register("H-1"))
        assert code(await door.partner.append("H-1", 0)) == "WRONG_FIELDS"
        answer = await door.partner.read("H-1")
        assert (answer.status_code, code(answer)) == (status, "QUOTA_USED_UP")
        assert answer.headers.get("retry-after") == ("3600" if status == 429 else None)
        assert (await last(door))["wait_asked"] == (3600 if status == 429 else None)
        data(await door.partner.log_in())
        data(await other.read("H-9"))
        await door.clock(at="2026-01-05T17:00:00Z")
        data(await door.partner.log_in())
        data(await door.partner.read("H-1"))


# Faults


async def ready(door: Door) -> None:
    """Have a record, so that everything that is looked up or done to it succeeds, and an operation to disturb."""
    await door.speak(transfer_lookup="at_once")
    data(await door.partner.register("H-1", key="dau"))
    data(await door.partner.append("H-1", 1))
    data(await door.partner.transfer("H-1", "CG-1"))


FRESH = count(1)
OPERATIONS_READY: dict[str, Send] = {
    **OPERATIONS,
    "register": lambda partner: partner.register(f"M-{next(FRESH)}"),
    "login": lambda partner: partner.log_in(),
}
EVERY = pytest.mark.parametrize("operation", OPERATIONS_READY)


@EVERY
@pytest.mark.parametrize(
    ("what", "details", "status", "wanted"),
    [
        ("system_fault", {}, 500, {"status": "error", "code": "SYSTEM_FAILED"}),
        ("system_fault", {"status": 503, "code": "X", "text": "Y"}, 503, {"code": "X", "message": "Y"}),
        ("fault_ok", {}, 200, {"status": "error", "code": "SYSTEM_FAILED"}),
        ("platform_down", {}, 500, {"type": "Server.ClientProxy.NetworkError"}),
        ("platform_near_fault", {"spelling": "snake"}, 500, {"type": "server.clientproxy.network_error"}),
        ("platform_far_fault", {}, 500, {"type": "Server.ServerProxy.ServiceFailed.HttpError"}),
        ("platform_far_fault", {"code": "client.x", "status": 400}, 400, {"type": "Client.X"}),
    ],
)
async def test_system_and_platform_fail(
    operation: str, what: str, details: dict[str, Any], status: int, wanted: dict[str, Any]
) -> None:
    """A fault of system or platform comes in the dialect of its layer, and nothing is done unless it says so."""
    async with opened() as door:
        await ready(door)
        before = await door.effects()
        await door.fault(what, whom={"operation": operation}, details=details)
        answer = await OPERATIONS_READY[operation](door.partner)
        assert (answer.status_code, answer.json() | wanted) == (status, answer.json())
        assert await door.effects() == before


@EVERY
async def test_error_in_success(operation: str) -> None:
    """A success envelope carries a business error, and nothing is done."""
    async with opened() as door:
        await ready(door)
        before = await door.effects()
        await door.fault("error_in_success", whom={"operation": operation}, details={"code": "X9"})
        answer = (await OPERATIONS_READY[operation](door.partner)).json()
        assert (answer["status"], answer["code"], answer["data"]["error"]["code"]) == ("ok", 0, "X9")
        assert await door.effects() == before


@EVERY
@pytest.mark.parametrize("result", ["object", "array"])
async def test_spoilt_answers(operation: str, result: str) -> None:
    """Fields are missing or of another type, data is text: and the partner has acted."""
    async with opened() as door:
        await ready(door)
        await door.speak(result=result)
        for what in ("missing_fields", "wrong_type", "double_encoded"):
            await door.fault(what, whom={"operation": operation})
            answer = (await OPERATIONS_READY[operation](door.partner)).json()
            assert (answer["status"], (await last(door))["acted"]) == ("ok", True)
            found = answer["data"]
            if what == "double_encoded":
                found = json.loads(found)
            if result == "array":
                (found,) = found
            needed = [found[name] for name in ("token", "answer", "code", "state") if name in found]
            if what == "missing_fields":
                assert not needed
            else:
                assert needed
                assert all(isinstance(value, dict) for value in needed) == (what == "wrong_type")


async def test_spoilt_fields_by_name() -> None:
    """A fault may name the fields; where there is none of them, the data as a whole is missing."""
    async with opened() as door:
        await ready(door)
        await door.fault("wrong_type", details={"fields": ["amount"]})
        assert (await door.partner.read("H-1")).json()["data"]["amount"] == "20000"
        await door.fault("missing_fields", details={"fields": ["colour"]})
        assert "data" not in (await door.partner.read("H-1")).json()
        await door.fault("missing_fields")
        assert code(await door.partner.append("H-9", 1)) == "RECORD_UNKNOWN"


@pytest.mark.parametrize("operation", LOOKUPS)
@pytest.mark.parametrize("absent", ["answer", "error"])
async def test_a_status_that_contradicts(operation: str, absent: str) -> None:
    """A look-up says the opposite of what is so, once; and a refused caller learns nothing by it."""
    async with opened() as door:
        await ready(door)
        await door.speak(absent=absent)
        await door.fault("status_contradicts", until={"count": 2})
        answer = await OPERATIONS[operation](door.partner)
        assert code(answer) == "RECORD_UNKNOWN" if absent == "error" else data(answer)["answer"] == "not_there"
        elsewhere: dict[str, Send] = {
            "read": lambda partner: partner.read("H-9"),
            "find_step": lambda partner: partner.find_step("H-1", 9),
            "find_transfer": lambda partner: partner.find_transfer("H-1", "CG-9"),
        }
        assert data(await elsewhere[operation](door.partner))["answer"] == "done"
        assert data(await OPERATIONS[operation](door.partner))["answer"] == "done"
        await door.fault("status_contradicts")
        door.partner.token = "sai"
        assert code(await OPERATIONS[operation](door.partner)) == "TOKEN_REFUSED"


@EVERY
async def test_credentials_refused_by_fault(operation: str) -> None:
    """An account is refused although it is right; afterwards it counts as before."""
    async with opened() as door:
        await ready(door)
        await door.fault("credential_refused", whom={"operation": operation})
        refused = "ACCOUNT_REFUSED" if operation == "login" else "TOKEN_REFUSED"
        answer = await OPERATIONS_READY[operation](door.partner)
        assert (answer.status_code, code(answer)) == (401, refused)
        data(await door.partner.read("H-1"))


@SENT
async def test_a_session_expires_before_its_time(operation: str) -> None:
    """A session that a fault has ended is ended: the same token does not count again, a new log-in helps."""
    async with opened() as door:
        await door.fault("session_expired", whom={"operation": operation})
        assert code(await OPERATIONS[operation](door.partner)) == "SESSION_EXPIRED"
        assert code(await OPERATIONS[operation](door.partner)) == "SESSION_EXPIRED"
        data(await door.partner.log_in())
        assert (await OPERATIONS[operation](door.partner)).json()["code"] in (0, "RECORD_UNKNOWN")


@pytest.mark.parametrize(
    ("what", "refused", "operations"),
    [
        ("officer_refused", "OFFICER_REFUSED", WRITES),
        ("procedure_refused", "PROCEDURE_REFUSED", WRITES),
        ("suspected_duplicate", "SUSPECTED_DUPLICATE", ("register",)),
        ("quota_used_up", "QUOTA_USED_UP", tuple(OPERATIONS)),
    ],
)
async def test_refused_by_fault(what: str, refused: str, operations: tuple[str, ...]) -> None:
    """A refusal comes although there is no reason for it, wherever it can come and nowhere else."""
    async with opened() as door:
        await ready(door)
        await door.fault(what, until={"count": len(operations)})
        for operation in OPERATIONS:
            answer = (await OPERATIONS_READY[operation](door.partner)).json()
            assert (answer["code"] == refused) == (operation in operations), operation


@pytest.mark.parametrize("wait", [None, 7])
async def test_a_quota_by_fault_says_how_long(wait: int | None) -> None:
    """A quota that a fault has used up lasts until midnight, unless the fault says otherwise."""
    async with opened() as door:
        await door.clock(freeze=True)
        await door.clock(at="2026-01-05T16:59:00Z")
        await door.fault("quota_used_up", details={} if wait is None else {"retry_after": wait})
        assert (await door.partner.read("H-1")).headers["retry-after"] == str(wait or 60)


async def test_the_platform_takes_every_door_down() -> None:
    """The partner stands behind the platform that the population door stands behind."""
    async with opened() as door:
        await door.fault("platform_down", whom={"platform": "ndxp"}, until={"count": 2})
        assert "type" in (await door.partner.read("H-1")).json()
        answer = await door.client.post("http://mocks.example/population", content=b"")
        assert answer.status_code == 500


async def test_a_skewed_clock_ends_sessions_early() -> None:
    """To a partner whose clock is ahead a session has expired; to its own clock it has not."""
    async with opened() as door:
        await door.fault("clock_skew", details={"skew": 1801})
        assert code(await door.partner.read("H-1")) == "SESSION_EXPIRED"
        data(await door.partner.read("H-1"))


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


async def test_every_outcome_is_declared() -> None:
    """What the door says it may decide is what its ledger holds: nothing else ever stands there."""
    async with opened() as door:
        await ready(door)
        for send in OPERATIONS.values():
            await send(door.partner)
        declared = {door_.name: door_.operations for door_ in door.app.doors}["partner"]
        for one in await door.exchanges():
            assert one["outcome"] in declared[one["operation"]]


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
