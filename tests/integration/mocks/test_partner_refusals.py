"""What the synthetic partner refuses: messages, records, the order of things."""

from __future__ import annotations

import json

import pytest

from tests.support.partner import OPERATIONS, WRITES, code, data, registration
from tests.support.partner_door import opened

SENT = pytest.mark.parametrize("operation", OPERATIONS)


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
        exchange = await door.last()
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
        assert (await door.last())["operation"] == "unknown"


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
        assert "999190000017" not in (await door.last())["key"]


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
