"""The synthetic partner's door under each of its faults."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.partner import LOOKUPS, OPERATIONS, WRITES, code, data
from tests.support.partner_door import Door, opened

if TYPE_CHECKING:
    from tests.support.partner import Send

SENT = pytest.mark.parametrize("operation", OPERATIONS)


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
            assert (answer["status"], (await door.last())["acted"]) == ("ok", True)
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


async def test_every_outcome_is_declared() -> None:
    """What the door says it may decide is what its ledger holds: nothing else ever stands there."""
    async with opened() as door:
        await ready(door)
        for send in OPERATIONS.values():
            await send(door.partner)
        declared = {door_.name: door_.operations for door_ in door.app.doors}["partner"]
        for one in await door.exchanges():
            assert one["outcome"] in declared[one["operation"]]
