"""The synthetic partner's door under each of its dialects."""

from __future__ import annotations

import json

import pytest

from mocks.doors.partner.settings import PartnerDoorSettings
from tests.support.partner import LOOKUPS, OPERATIONS, code, data
from tests.support.partner_door import opened


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
        assert (await door.last())["outcome"] == "existed"
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
        assert (await door.last())["outcome"] == "recognised"
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
        assert (await door.last())["wait_asked"] == (3600 if status == 429 else None)
        data(await door.partner.log_in())
        data(await other.read("H-9"))
        await door.clock(at="2026-01-05T17:00:00Z")
        data(await door.partner.log_in())
        data(await door.partner.read("H-1"))
