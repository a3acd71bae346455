"""Every answer is one result or one failure, and the failure says honestly whether the partner may have acted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.partner import Partner, codes
from adapters.partner.wire import read_found, read_receipt, read_record, read_session
from contracts import partner
from contracts.model import (
    Acted,
    AgencyCode,
    ContractBroken,
    Failure,
    Kind,
    Layer,
    LookupAnswer,
    WrongField,
)
from contracts.model.partner import Receipt, Record, RecordCode, RecordLookup
from tests.support.partner_adapter import (
    CODE,
    DECLARED,
    LOOKUPS,
    PROGRESS,
    WRITES,
    Peer,
    answer,
    content,
    done,
    example,
    exchange,
    settings,
)

if TYPE_CHECKING:
    from adapters.transport import Response

REFUSALS = json.loads(partner.file("codes/refusals.json").read_text(encoding="utf-8"))["codes"]
NO, MAYBE, YES = Acted.NO, Acted.MAYBE, Acted.YES
OK: dict[str, Any] = content("register-answer")
RECEIPT = Receipt(code=CODE, number="SP-0A1B2C3D4E5F", state="open")


async def result(operation: str, response: Response, **parts: Any) -> Any:
    """Return what an operation makes of an answer."""
    return await done(Partner(settings(), Peer(response)), operation, **parts)


async def failed(operation: str, response: Response, **parts: Any) -> Failure:
    """Return the failure that an operation makes of an answer; it is about that operation."""
    with pytest.raises(Failure) as caught:
        await result(operation, response, **parts)
    assert caught.value.operation.name == operation
    return caught.value


def error(code: object, **parts: Any) -> dict[str, Any]:
    """Return an error."""
    return {"status": "error", "code": code, "message": "Lời của đối tác", "errors": [], **parts}


def ok(data: object, code: object = 0) -> dict[str, Any]:
    """Return a success."""
    return {"status": "ok", "code": code, "data": data}


def data(**changes: Any) -> dict[str, Any]:
    """Return a success whose data is changed; `None` takes a member out."""
    return ok({name: value for name, value in {**OK["data"], **changes}.items() if value is not None})


@pytest.mark.parametrize("code", [0, "0", " 0 "])
@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one]], ids=["object", "array"])
async def test_a_success_is_read_in_every_dialect(code: object, wrap: Any) -> None:
    """The code a number or a text, the data an object or a list of one."""
    assert await result("register", answer(ok(wrap(OK["data"]), code))) == RECEIPT


@pytest.mark.parametrize("operation", WRITES)
async def test_every_write_gives_a_receipt(operation: str) -> None:
    """As the example of the contract has it."""
    found = await result(operation, answer(example(f"{operation}-answer")))
    assert (found.code, found.number) == (CODE, "SP-0A1B2C3D4E5F")
    assert found.state == ("processing" if operation == "append" else "open")


async def test_an_unknown_state_is_told_as_it_is() -> None:
    """Nothing is rewritten into what we know."""
    assert (await result("append", answer(data(state="được gọi lên")))).state == "được gọi lên"


@pytest.mark.parametrize("form", ["read-answer", "read-answer-seconds", "read-answer-iso"])
async def test_a_record_is_read_whole_in_every_form_of_time(form: str) -> None:
    """Milliseconds, seconds, ISO: the same moment."""
    assert await result("read", answer(example(form))) == RecordLookup(
        record=Record(
            code=CODE,
            state="open",
            number="SP-0A1B2C3D4E5F",
            title="Hồ sơ H-1",
            procedure="9.000001",
            amount=20_000,
            revision=0,
            last_step=0,
            registered_at=datetime(2026, 1, 5, 1, 15, tzinfo=UTC),
            held_by=AgencyCode("000.00.01.H99"),
        )
    )


async def test_a_record_may_be_told_by_its_state_alone() -> None:
    """What is not required may be absent."""
    found = await result("read", answer(ok({"answer": "done", "code": "H-1", "state": "processing"})))
    assert found == RecordLookup(record=Record(code=CODE, state="processing"))


@pytest.mark.parametrize("form", ["read-answer-not-there", "read-answer-unknown"])
async def test_no_record_is_an_answer_in_both_dialects(form: str) -> None:
    """Said as an answer or as an error: nobody failed."""
    assert await result("read", answer(example(form))) == RecordLookup(record=None)


@pytest.mark.parametrize("code", ["RECORD_UNKNOWN", 1401, "1401"])
@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("operation", ["find_step", "find_transfer"])
async def test_what_is_not_there_is_an_answer_in_every_dialect(operation: str, status: int, code: object) -> None:
    """The error of the one dialect says what `not_there` says in the other."""
    assert await result(operation, answer(error(code), status)) is LookupAnswer.NOT_THERE


@pytest.mark.parametrize(
    ("operation", "form", "found"),
    [
        ("find_step", "find_step-answer", LookupAnswer.DONE),
        ("find_step", "find_step-answer-not-there", LookupAnswer.NOT_THERE),
        ("find_transfer", "find_transfer-answer-cannot-tell", LookupAnswer.CANNOT_TELL),
    ],
)
async def test_a_look_up_answers_one_of_three(operation: str, form: str, found: LookupAnswer) -> None:
    """Done, not there, cannot tell."""
    assert await result(operation, answer(example(form))) is found


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: str(row["code"]))
@pytest.mark.parametrize("status", [200, 400, 401, 409, 500])
@pytest.mark.parametrize("form", ["word", "number", "text", "inside"])
async def test_a_refusal_is_what_the_table_says(row: dict[str, Any], status: int, form: str) -> None:
    """By its code in every spelling, whatever the HTTP status, and inside a success as well."""
    code = {"word": row["code"], "number": row["number"], "text": str(row["number"]), "inside": row["code"]}[form]
    body, status = (ok({"error": error(code)}), 200) if form == "inside" else (error(code), status)
    failure = await failed("append", answer(body, status))
    assert (failure.kind, failure.layer, failure.reason) == (row["kind"], row["layer"], row["reason"])
    assert failure.may_have_acted == row["may_have_acted"]
    assert (failure.code, failure.partner_text) == (str(code), "Lời của đối tác")


@pytest.mark.parametrize(
    ("operation", "form", "kind", "reason", "acted"),
    [
        ("register", "register-answer-exists", Kind.REJECTED, "record_exists", NO),
        ("append", "append-answer-repeated", Kind.ALREADY_DONE, "already_received", YES),
    ],
)
async def test_a_success_that_did_nothing_says_why(
    operation: str, form: str, kind: Kind, reason: str, acted: Acted
) -> None:
    """A note means the same as the error that another dialect has for it."""
    failure = await failed(operation, answer(example(form)))
    assert (failure.kind, failure.reason, failure.may_have_acted) == (kind, reason, acted)


async def test_a_note_that_nobody_knows_changes_nothing() -> None:
    """A success is a success."""
    assert await result("register", answer(data(note="cảm ơn"))) == RECEIPT


async def test_wrong_fields_are_named_and_a_wait_is_told() -> None:
    """What the partner says beside the code: paths, and how long to wait."""
    body = error("WRONG_FIELDS", errors=[{"path": "applicant", "problem": "x"}, {"path": "/a/b"}, {"path": 1}, "x", {}])
    assert (await failed("register", answer(body))).fields == (
        WrongField("/applicant", "invalid"),
        WrongField("/a/b", "invalid"),
    )
    busy = await failed("read", answer(error("QUOTA_USED_UP"), 429, **{"retry-after": "90"}))
    assert (busy.kind, busy.retry_after) == (Kind.BUSY, 90)
    assert (await failed("read", answer(error("QUOTA_USED_UP")))).retry_after is None
    assert (await failed("read", answer(error("RECORD_CLOSED"), **{"retry-after": "90"}))).retry_after is None


PAGE = b"<!DOCTYPE html><html><body>B\xe1\xba\xa3o tr\xc3\xac</body></html>"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        # An envelope whose content is wrong: the partner spoke, and nobody knows whether it acted.
        (ok(None), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (ok([]), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (ok([OK["data"], OK["data"]]), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (ok("x"), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (ok(json.dumps(OK["data"])), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        ({"status": "ok", "code": 0}, 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (ok({}), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (data(code=None), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (data(number=None), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (data(state=""), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (data(state={"value": "open"}), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (data(number=12), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (data(note=1), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (data(error="x"), 200, ("contract_broken", "answer_outside_contract", MAYBE)),
        (data(code="H-2"), 200, ("contract_broken", "answer_about_other_record", MAYBE)),
        (OK, 500, ("contract_broken", "answer_contradicts_itself", MAYBE)),
        (OK, 409, ("contract_broken", "answer_contradicts_itself", MAYBE)),
        (ok(OK["data"], 1), 200, ("contract_broken", "answer_contradicts_itself", MAYBE)),
        (ok(OK["data"], code=True), 200, ("contract_broken", "answer_contradicts_itself", MAYBE)),
        (ok(OK["data"], None), 200, ("contract_broken", "answer_contradicts_itself", MAYBE)),
        (ok(OK["data"], "RECORD_CLOSED"), 200, ("contract_broken", "answer_contradicts_itself", MAYBE)),
        (error(0), 200, ("contract_broken", "answer_contradicts_itself", MAYBE)),
        (error("CHUA_TUNG_THAY"), 200, ("contract_broken", "code_unlisted", MAYBE)),
        (error("CHUA_TUNG_THAY"), 409, ("contract_broken", "code_unlisted", MAYBE)),
        (error(None), 200, ("contract_broken", "code_unlisted", MAYBE)),
        (error({"x": 1}), 200, ("contract_broken", "code_unlisted", MAYBE)),
        (error(1.5), 200, ("contract_broken", "code_unlisted", MAYBE)),
        (ok({"error": {}}), 200, ("contract_broken", "code_unlisted", MAYBE)),
        # A code in no table, under a status that says something.
        (error("CHUA_TUNG_THAY"), 401, ("credential_refused", "credential_refused", NO)),
        (error("CHUA_TUNG_THAY"), 429, ("busy", "busy", NO)),
        (error("CHUA_TUNG_THAY"), 503, ("system_failed", "server_error", MAYBE)),
        (error(None), 500, ("system_failed", "server_error", MAYBE)),
        # Not the partner's: by the status, and by that alone.
        (PAGE, 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        (b"", 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        (b"client received SOAP Fault", 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        (b"client received SOAP Fault", 500, ("system_failed", "server_error", MAYBE)),
        (b'{"status": "ok", "code": 0, "da', 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        ([OK], 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        ({}, 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        ({"message": "ok"}, 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        ({"status": "OK"}, 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        ({"status": True, "code": 0}, 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        ({"status": ["ok"]}, 200, ("unknown_outcome", "answer_not_recognised", MAYBE)),
        (b'{"status":"ok","status":"error","code":0}', 200, ("unknown_outcome", "answer_unsafe", MAYBE)),
        (
            b'{"status":"ok","code":0,"data":' + b"[" * 70 + b"]" * 70 + b"}",
            200,
            ("unknown_outcome", "answer_unsafe", MAYBE),
        ),
        (PAGE, 502, ("unknown_outcome", "gateway_page", MAYBE)),
        (PAGE, 504, ("unknown_outcome", "gateway_page", MAYBE)),
        (PAGE, 503, ("system_failed", "server_error", MAYBE)),
        (PAGE, 302, ("unknown_outcome", "redirected", MAYBE)),
        (PAGE, 404, ("unknown_outcome", "status_unexpected", MAYBE)),
        (PAGE, 401, ("credential_refused", "credential_refused", NO)),
        (b"Too Many Requests", 429, ("busy", "busy", NO)),
    ],
)
@pytest.mark.parametrize("operation", WRITES)
async def test_every_other_answer_to_a_write_is_one_honest_failure(
    operation: str, body: object, status: int, told: tuple[str, str, Acted]
) -> None:
    """Never a success, never a "no" without a reason for it."""
    failure = await failed(operation, answer(body, status))
    assert (failure.kind, failure.reason, failure.may_have_acted) == told


async def test_every_wrong_member_is_named_at_once() -> None:
    """By its path, and never by its value."""
    broken = data(code={"value": "H-1"}, state=None, number=7)
    failure = await failed("register", answer(broken))
    assert {wrong.path: wrong.reason for wrong in failure.fields} == {
        "/data/code": "text",
        "/data/number": "text",
        "/data/state": "required",
    }
    assert failure.layer is Layer.SYSTEM


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("read", {"answer": "done", "code": "H-1"}),
        ("read", {"answer": "cannot_tell", "code": "H-1"}),
        ("read", {"answer": "perhaps", "code": "H-1", "state": "open"}),
        ("read", {"code": "H-1", "state": "open"}),
        ("read", {"answer": "not_there"}),
        ("read", {"answer": "done", "code": "H-1", "state": "open", "amount": "1"}),
        ("read", {"answer": "done", "code": "H-1", "state": "open", "registered_at": "hôm qua"}),
        ("read", {"answer": "done", "code": "H-1", "state": "open", "held_by": "h99"}),
        ("find_step", {"answer": "yes", "code": "H-1"}),
        ("find_step", {"code": "H-1", "step": 1}),
        ("find_step", {"answer": "done", "step": 1}),
        ("find_step", {"answer": "done", "code": "H-1", "step": "1"}),
        ("find_transfer", {"answer": True, "code": "H-1"}),
        ("login", {}),
        ("login", {"token": ""}),
        ("login", {"token": {"value": "x"}}),
        ("login", {"token": "a b"}),
        ("login", {"token": "a\r\nb"}),
        ("login", {"token": "thẻ"}),
        ("login", {"token": "the", "expires_at": "lúc nào đó"}),
    ],
)
async def test_a_spoilt_answer_to_a_question_is_no_answer(operation: str, body: dict[str, Any]) -> None:
    """What decides whether a write is sent again is whole or nothing."""
    failure = await failed(operation, answer(ok(body)))
    assert (failure.kind, failure.reason) == (Kind.CONTRACT_BROKEN, "answer_outside_contract")
    assert failure.fields


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("read", {"answer": "done", "code": "H-2", "state": "open"}),
        ("read", {"answer": "not_there", "code": "H-2"}),
        ("find_step", {"answer": "done", "code": "H-2", "step": 1}),
        ("find_step", {"answer": "not_there", "code": "H-1", "step": 2}),
        ("find_transfer", {"answer": "done", "code": "H-1", "transfer": "CG-2"}),
    ],
)
async def test_an_answer_about_something_else_is_no_answer(operation: str, body: dict[str, Any]) -> None:
    """A mixed-up answer must not settle a delivery, nor have it sent again."""
    failure = await failed(operation, answer(ok(body)))
    assert (failure.kind, failure.reason) == (Kind.CONTRACT_BROKEN, "answer_about_other_record")


async def test_another_record_of_ours_is_no_other_record() -> None:
    """What is compared is what was asked."""
    other = replace(PROGRESS, code=RecordCode("H-2"), step=7)
    body = ok({"answer": "done", "code": "H-2", "step": 7})
    assert await result("find_step", answer(body), write=other) is LookupAnswer.DONE


@pytest.mark.parametrize("operation", ["login", *WRITES, *LOOKUPS])
@pytest.mark.parametrize(
    ("code", "kind", "layer", "acted"),
    [
        ("server.clientproxy.network_error", Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, MAYBE),
        ("Server.ClientProxy.NetworkError", Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, MAYBE),
        ("server.clientproxy.unheard_of", Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, MAYBE),
        ("server.serverproxy.service_failed.http_error", Kind.PLATFORM_FAILED, Layer.PLATFORM_FAR, MAYBE),
        ("server.serverproxy.access_denied", Kind.CREDENTIAL_REFUSED, Layer.PLATFORM_FAR, NO),
        ("server.serverproxy.service_disabled", Kind.BUSY, Layer.PLATFORM_FAR, NO),
        ("client.missing_header", Kind.INVALID_REQUEST, Layer.OURS, NO),
        ("never.heard.of", Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, MAYBE),
    ],
)
async def test_the_platforms_faults_are_the_platforms(
    operation: str, code: str, kind: Kind, layer: Layer, acted: Acted
) -> None:
    """By its header, even where the body would look like the partner's."""
    body = {"type": code, "message": "m", "detail": "d", "status": "ok", "code": 0, "data": OK["data"]}
    failure = await failed(operation, answer(body, 500, **{"x-road-error": code}))
    assert (failure.kind, failure.layer, failure.may_have_acted) == (kind, layer, acted)


async def test_what_is_new_is_counted_and_named_on_the_evidence() -> None:
    """A member that the contract does not have is no error; that it came is noted, without its content."""
    run = exchange(DECLARED.register)
    assert read_receipt(answer(data(moi="bí mật", **{"Nguyễn Mẫu": 1})), CODE, run) == RECEIPT
    assert (run.unknown_elements, run.unknown_names) == (2, ("moi",))


def test_a_code_is_a_word_or_a_whole_number() -> None:
    """True is no code, and neither is half of one."""
    spelt = [codes.code_text(one) for one in (0, "0", " A ", 1401, True, None, 1.0, {}, [], "")]
    assert spelt == ["0", "0", "A", "1401", None, None, None, None, None, None]


def test_a_sentence_in_place_of_a_code_is_not_kept_as_one() -> None:
    """Codes are stored and counted: nothing that could name somebody gets through as one."""
    with pytest.raises(ContractBroken) as caught:
        read_record(answer(error("Ông Nguyễn Văn Mẫu 999190000017")), CODE, exchange())
    assert caught.value.code is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 2000)
    | st.sampled_from(["", "0", "done", "H-1", "open", "CG-1", "exists"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["code", "number", "state", "answer", "error", "note", "token", "step", "transfer", "new"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["ok", "error", "OK", True, None]),
        "code": JSON | st.sampled_from([row["code"] for row in REFUSALS]),
        "data": JSON | st.builds(lambda extra: {**OK["data"], **(extra if isinstance(extra, dict) else {})}, JSON),
        "message": JSON,
        "errors": JSON,
    },
)
STATUSES = st.sampled_from([200, 201, 302, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504])
SPEAKING = (401, 403, 429, 503)
RETRY = st.none() | st.sampled_from(["3", "x", "-1", "Wed, 21 Oct 2015 07:28:00 GMT"])


def read(operation: str, response: Response) -> Any:
    """Read an answer as one to this operation."""
    run = exchange(getattr(DECLARED, operation))
    match operation:
        case "login":
            return read_session(response, "account", run)
        case "read":
            return read_record(response, CODE, run)
        case "find_step":
            return read_found(response, CODE, 1, run)
        case _:
            return read_receipt(response, CODE, run)


def came_of(operation: str, response: Response) -> Any:
    """Return what comes of an answer: a result or a failure."""
    try:
        return read(operation, response)
    except Failure as failure:
        return failure


@given(
    body=ENVELOPES | JSON,
    status=STATUSES,
    wait=RETRY,
    operation=st.sampled_from(["login", "read", "find_step", "append"]),
)
def test_any_envelope_is_one_result_or_one_failure(body: object, status: int, wait: str | None, operation: str) -> None:
    """No other exception; a result comes of a whole success only, and "no" of a listed code or a speaking status."""
    response = answer(body, status, **({} if wait is None else {"retry-after": wait}))
    found = came_of(operation, response)
    if isinstance(found, Failure):
        listed = found.code is not None and codes.refusal(found.code) is not None
        assert found.may_have_acted is not NO or listed or found.code == "exists" or status in SPEAKING
        return
    assert isinstance(body, dict)
    if body["status"] == "error":
        assert found in (LookupAnswer.NOT_THERE, RecordLookup(record=None))
        return
    assert 200 <= status < 300
    assert body["status"] == "ok"
    assert str(body["code"]) == "0"
    inner = body["data"][0] if isinstance(body["data"], list) else body["data"]
    needed = {"login": ("token",), "append": ("code", "number", "state")}.get(operation, ("answer", "code"))
    if inner.get("error") is None:
        assert all(isinstance(inner[name], str) and inner[name] for name in needed)


@given(content=st.binary(max_size=60), status=STATUSES, cut=st.integers(0, 200))
def test_a_damaged_answer_is_never_a_success(content: bytes, status: int, cut: int) -> None:
    """Bytes of any kind, and a true answer cut anywhere: one failure, or the whole answer."""
    whole = example("register-answer")
    for damaged in (content, whole[:cut] + content if cut < len(whole.rstrip()) else whole):
        found = came_of("append", answer(damaged, status))
        if isinstance(found, Failure):
            assert found.may_have_acted is not NO or status in SPEAKING
        else:
            assert found == RECEIPT
            assert damaged == whole or json.loads(damaged) == json.loads(whole)
