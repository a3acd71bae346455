"""Every answer is one result or one failure; nothing is a success that the table does not know as one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.portal import Portal
from adapters.portal.answers import SUCCESS, Answers, normalised
from contracts import portal
from contracts.model import Acted, Failure, Kind, Layer
from contracts.model.portal import PortalLookup, PortalReceipt, PortalRecord
from tests.support.portal_adapter import (
    CODE,
    DECLARED,
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

TABLE = json.loads(portal.file("answers.json").read_text(encoding="utf-8"))
NO, MAYBE = Acted.NO, Acted.MAYBE
FOUND = PortalRecord(
    code=CODE,
    status="4",
    procedure="9.999001",
    procedure_name="Thủ tục mẫu",
    field_code="G99-XX01",
    field_name="Lĩnh vực mẫu",
    owner_kind="1",
    result_delivery="0",
    processing_unit="UBND xã Mẫu",
)
ITEM = content("look_up-answer")["result"][0]


async def result(operation: str, response: Response, **configured: Any) -> Any:
    """Return what an operation makes of an answer."""
    return await done(Portal(settings(**configured), Peer(response)), operation)


async def failed(operation: str, response: Response, **configured: Any) -> Failure:
    """Return the failure that an operation makes of an answer; it is about that operation."""
    with pytest.raises(Failure) as caught:
        await result(operation, response, **configured)
    assert caught.value.operation.name == operation
    return caught.value


def said(code: object, text: str | None = None, **parts: Any) -> dict[str, Any]:
    """Return an envelope."""
    return {"error_code": code} | ({} if text is None else {"message": text}) | parts


def told(failure: Failure) -> tuple[Kind, str, Acted]:
    """Return what decides what happens next."""
    return failure.kind, failure.reason, failure.may_have_acted


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("create", "create-answer"),
        ("create", "create-answer-text-code"),
        ("create", "create-answer-no-text"),
        ("update", "update-answer"),
        ("progress", "progress-answer"),
    ],
)
async def test_a_success_is_a_receipt(operation: str, name: str) -> None:
    """The code a number or a text; the text is kept as it was said."""
    receipt = await result(operation, answer(content(name)))
    assert receipt == PortalReceipt(code=CODE, text=content(name).get("message"))


@pytest.mark.parametrize("code", [0, "0", " 0 "])
@pytest.mark.parametrize("text", [None, "", "Thành công", "THÀNH  CÔNG.", "Tha\u0300nh co\u0302ng!", "Đã ghi nhận"])
@pytest.mark.parametrize("operation", WRITES)
async def test_code_0_is_a_success_unless_the_text_speaks_against_it(
    operation: str, code: object, text: str | None
) -> None:
    """In this form of the contract the code is enough."""
    assert (await result(operation, answer(said(code, text)))).code == CODE


@pytest.mark.parametrize(
    "text",
    [
        "Đồng bộ không thành công",
        "Chưa thành công",
        "Thất bại",
        "THÀNH CÔNG: 0, LỖI: 1",
        "Import failed",
        "not ok",
        '{"trang_thai": 1}',
        "<p>ok</p>",
    ],
)
async def test_code_0_with_a_doubtful_text_is_no_success(text: str) -> None:
    """The word of a success in it changes nothing."""
    assert told(await failed("create", answer(said(0, text)))) == (Kind.CONTRACT_BROKEN, "answer_doubtful", MAYBE)


async def test_a_success_may_have_to_be_said_in_words() -> None:
    """By settings: then a code alone, or an unknown sentence, is none."""
    strict = {"success_needs_text": True}
    assert (await result("create", answer(said(0, "Thành công")), **strict)).code == CODE
    for text in (None, "Đã ghi nhận"):
        assert (await failed("create", answer(said(0, text)), **strict)).reason == "answer_doubtful"


@pytest.mark.parametrize("code", [3, "3", -3, "-3", 0, "0", 17, "E-EXISTS"])
@pytest.mark.parametrize(
    "text", ["Hồ sơ đã tồn tại", "hồ sơ đã  tồn tại.", f"Mã hồ sơ {CODE} đã tồn tại", f"HỒ SƠ {CODE} ĐÃ TỒN TẠI!"]
)
async def test_that_a_dossier_exists_is_told_by_the_text(code: object, text: str) -> None:
    """Whatever the code. It may be there because the same request came twice on its way: there is no key."""
    failure = await failed("create", answer(said(code, text)))
    assert told(failure) == (Kind.REJECTED, "dossier_exists", MAYBE)
    assert (failure.layer, failure.partner_text) == (Layer.BUSINESS, text)


@pytest.mark.parametrize(
    ("operation", "code", "text"),
    [
        ("create", 3, "Hồ sơ H99.5-260302-0018 đã tồn tại"),
        ("create", 3, "Hồ sơ đã tồn tại ở xã khác"),
        ("create", 3, "Không: hồ sơ đã tồn tại"),
        ("create", -3, "Thiếu mã thủ tục"),
        ("create", 3, None),
        ("update", 3, "Hồ sơ đã tồn tại"),
        ("create", -17, "Dữ liệu đầu vào"),
        ("progress", "x y", "?"),
        ("look_up", 99, None),
    ],
)
async def test_what_no_row_knows_is_not_understood(operation: str, code: object, text: str | None) -> None:
    """Also where the words of a row stand in it: it may mean anything, and may have acted."""
    failure = await failed(operation, answer(said(code, text)))
    assert told(failure) == (Kind.CONTRACT_BROKEN, "code_unlisted", MAYBE)


@pytest.mark.parametrize("code", [3, -3, -1, "17"])
async def test_a_success_with_the_code_of_a_failure_contradicts_itself(code: object) -> None:
    """Neither is believed."""
    failure = await failed("create", answer(said(code, "Thành công")))
    assert told(failure) == (Kind.CONTRACT_BROKEN, "answer_contradicts_itself", MAYBE)


@pytest.mark.parametrize("status", [201, 204])
async def test_any_good_http_status_will_do(status: int) -> None:
    """The envelope speaks."""
    assert (await result("create", answer(said(0), status))).code == CODE


@pytest.mark.parametrize("status", [302, 400, 409, 500])
async def test_a_success_under_a_bad_http_status_is_none(status: int) -> None:
    """They contradict each other."""
    assert (await failed("create", answer(said(0, "Thành công"), status))).reason == "answer_contradicts_itself"


@pytest.mark.parametrize("operation", ["update", "progress"])
@pytest.mark.parametrize("text", ["Không tìm thấy hồ sơ", f"Hồ sơ {CODE} không tồn tại"])
async def test_that_a_dossier_is_not_there_is_a_rejection_of_a_write(operation: str, text: str) -> None:
    """And nothing was done."""
    assert told(await failed(operation, answer(said(-1, text)))) == (Kind.REJECTED, "dossier_unknown", NO)


@pytest.mark.parametrize("operation", [*WRITES, "look_up"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [("Phiên làm việc đã hết hạn", "session_expired"), ("Invalid session.", "session_refused")],
)
async def test_an_ended_session_is_a_refused_credential(operation: str, text: str, reason: str) -> None:
    """So that it is renewed; nothing was done."""
    assert told(await failed(operation, answer(said(-99, text)))) == (Kind.CREDENTIAL_REFUSED, reason, NO)


@pytest.mark.parametrize("code", [-2, "-2"])
async def test_the_code_of_an_ended_session_is_a_setting(code: object) -> None:
    """It is published nowhere; without the setting it is not understood."""
    answered = answer(said(code, "Mã phiên"))
    assert (await failed("create", answered)).reason == "code_unlisted"
    rows = [{"meaning": "session_expired", "code": "-2"}]
    failure = await failed("create", answered, answers=rows)
    assert told(failure) == (Kind.CREDENTIAL_REFUSED, "session_expired", NO)


async def test_an_installations_own_answers_go_before_the_table() -> None:
    """By code, by text, by both, and only at the operations that they name."""
    rows = [
        {"meaning": "exists", "code": "7", "operations": ["create"]},
        {"meaning": "success", "code": "200", "text": "Đã nhận {code}."},
        {"meaning": "rejected", "text": "thành công"},
        {"meaning": "busy", "code": "8"},
    ]
    assert (await failed("create", answer(said(7)), answers=rows)).reason == "dossier_exists"
    assert (await failed("update", answer(said(7)), answers=rows)).reason == "code_unlisted"
    assert (await result("update", answer(said(200, f"đã nhận {CODE}")), answers=rows)).code == CODE
    assert (await failed("update", answer(said(200, "đã nhận")), answers=rows)).reason == "code_unlisted"
    assert (await failed("update", answer(said(0, "Thành công")), answers=rows)).reason == "dossier_refused"
    busy = await failed("update", answer(said(8), 200, **{"retry-after": "30"}), answers=rows)
    assert (busy.kind, busy.retry_after) == (Kind.BUSY, 30.0)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Kind.CREDENTIAL_REFUSED), (403, Kind.CREDENTIAL_REFUSED), (429, Kind.BUSY), (500, Kind.SYSTEM_FAILED)],
)
async def test_an_unknown_code_leaves_the_word_to_the_status(status: int, kind: Kind) -> None:
    """Where the status says something by itself; the text is kept."""
    failure = await failed("create", answer(said(17, "Lời khác"), status))
    assert (failure.kind, failure.partner_text) == (kind, "Lời khác")


@pytest.mark.parametrize("operation", WRITES)
async def test_a_short_plain_text_is_an_answer_if_the_table_knows_it(operation: str) -> None:
    """With or without quotation marks around it."""
    for body in ("Thành công".encode(), '"Thành công"'.encode(), "\ufeffOK".encode()):
        assert (await result(operation, answer(body))).code == CODE
    assert (await result("progress", answer(example("progress-plain.txt")))).text == "Cập nhật tiến độ thành công"


@pytest.mark.parametrize(
    "body",
    [
        "Cập nhật không thành công",
        "Đã ghi nhận, thành công",
        "0",
        "[]",
        "null",
        "{}",
        '{"message": ""}',
        '{"status": "ok"}',
        '{"error_code": 0',
        "<html>Thành công</html>",
        "",
        "Thành công" * 60,
        '{"error_code": 0, "error_code": -1}',
    ],
)
@pytest.mark.parametrize("operation", WRITES)
async def test_what_is_not_recognised_is_an_unknown_outcome(operation: str, body: str) -> None:
    """A success by its HTTP status alone is none."""
    failure = await failed(operation, answer(body.encode()))
    assert (failure.kind, failure.may_have_acted, failure.layer) == (Kind.UNKNOWN_OUTCOME, MAYBE, Layer.NETWORK)


async def test_a_plain_success_under_a_bad_status_is_judged_by_the_status() -> None:
    """A gateway's page may say anything."""
    assert (await failed("create", answer("Thành công".encode(), 502))).kind is Kind.UNKNOWN_OUTCOME
    assert (await failed("create", answer("Thành công".encode(), 500))).kind is Kind.SYSTEM_FAILED
    assert (await failed("create", answer("Hồ sơ đã tồn tại".encode()))).reason == "dossier_exists"
    assert (await failed("update", answer("Không tìm thấy hồ sơ".encode()))).reason == "dossier_unknown"


def wrapped(content: object) -> list[object]:
    """Return the ways in which an envelope is packed once more."""
    text = json.dumps(content, ensure_ascii=False)
    return [text, {"message": text}, {"message": json.dumps(text, ensure_ascii=False)}]


@pytest.mark.parametrize("way", range(3))
async def test_text_within_text_is_unpacked(way: int) -> None:
    """In an object without a code, or as one text; the inner envelope is the answer."""
    assert (await result("create", answer(wrapped(said(0, "Thành công"))[way]))).text == "Thành công"
    exists = answer(wrapped(said("-3", "Hồ sơ đã tồn tại"))[way])
    assert (await failed("create", exists)).reason == "dossier_exists"
    found = answer(wrapped(said(0, result=[ITEM]))[way])
    assert (await result("look_up", found)).record == FOUND


@pytest.mark.parametrize(
    "body",
    [
        said(0, json.dumps(said(-17, "Dữ liệu đầu vào"))),
        said(-1, json.dumps(said(0, "Thành công"))),
    ],
)
async def test_an_envelope_in_another_has_the_same_code(body: dict[str, Any]) -> None:
    """Else nobody knows which of them counts."""
    assert (await failed("create", answer(body))).reason == "answer_contradicts_itself"


async def test_a_failure_around_the_word_of_a_success_stays_one() -> None:
    """The text inside has no code of its own."""
    assert (await failed("create", answer(said(-1, '{"message": "Thành công"}')))).reason == "code_unlisted"
    assert (await failed("create", answer(said(0, '{"message": "Thành công"}')))).reason == "answer_doubtful"


@pytest.mark.parametrize("code", [True, None, 0.0, "", " ", [], {}])
async def test_a_code_is_a_whole_number_or_a_text(code: object) -> None:
    """Anything else is outside the contract."""
    failure = await failed("create", answer(said(code, "Thành công")))
    assert told(failure) == (Kind.CONTRACT_BROKEN, "answer_outside_contract", MAYBE)
    assert [one.path for one in failure.fields] == ["/error_code"]


@pytest.mark.parametrize("items", [[], [{}], {}, {"data": []}, None, [{"MaHoSo": str(CODE), "error_code": "0"}], ["x"]])
async def test_what_a_success_tells_of_single_things_may_be_nothing(items: object) -> None:
    """Nobody knows how it looks; what does not speak against the success is passed over."""
    assert (await result("create", answer(said(0, "Thành công", result=items)))).code == CODE


@pytest.mark.parametrize("wrap", [lambda one: [one], lambda one: one, lambda one: {"data": [one]}])
async def test_one_thing_that_failed_is_the_failure(wrap: Any) -> None:
    """A dossier goes alone, so what is said of it is said of all."""
    item = wrap({"MaHoSo": str(CODE), "error_code": 3, "message": "Hồ sơ đã tồn tại"})
    assert (await failed("create", answer(said(0, "Thành công", result=item)))).reason == "dossier_exists"
    item = wrap({"error_code": 17})
    assert (await failed("update", answer(said(0, "Thành công", result=item)))).reason == "code_unlisted"


async def test_one_step_of_several_that_failed_breaks_the_whole() -> None:
    """What became of the others is not known."""
    items = [said(0), said(17, "Sai bước")]
    failure = await failed("progress", answer(said(0, "Thành công", result=items)))
    assert told(failure) == (Kind.CONTRACT_BROKEN, "part_refused", MAYBE)
    assert ([one.path for one in failure.fields], failure.code) == (["/result/1"], "17")


@pytest.mark.parametrize("operation", [*WRITES, "look_up"])
async def test_an_answer_about_another_dossier_is_broken(operation: str) -> None:
    """Whatever it says."""
    other = said(0, "Thành công", result=[ITEM | {"MaHoSo": "H99.5-260302-0018"}])
    failure = await failed(operation, answer(other))
    assert told(failure) == (Kind.CONTRACT_BROKEN, "answer_about_other_record", MAYBE)


@pytest.mark.parametrize("name", ["look_up-answer", "look_up-answer-object", "look_up-answer-one"])
async def test_a_look_up_tells_what_the_portal_has(name: str) -> None:
    """As an array, inside an object, or as the object itself; codes stay the portal's."""
    assert await result("look_up", answer(content(name))) == PortalLookup(record=FOUND)


@pytest.mark.parametrize("name", ["look_up-answer-none", "look_up-answer-none-text"])
async def test_a_look_up_may_find_nothing(name: str) -> None:
    """That is an answer and no failure."""
    assert await result("look_up", answer(content(name))) == PortalLookup(record=None)


async def test_a_result_that_is_not_empty_is_enough() -> None:
    """Its members are assumed; a number is taken for its digits, what is new is counted."""
    run = exchange(DECLARED.look_up)
    peer = Peer(answer(said(0, result=[{"TrangThaiHoSo": 4, "MoiThem": "x"}], them="y")))
    found = await done(Portal(settings(), peer), "look_up", run=run)
    assert found == PortalLookup(record=PortalRecord(code=CODE, status="4"))
    assert (run.unknown_elements, set(run.unknown_names)) == (2, {"MoiThem", "them"})
    assert (await result("look_up", answer(said(0, result={})))).record is None
    assert (await result("look_up", answer(said(0, result={"data": []})))).record is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (content("look_up-broken-no-result"), "/result"),
        (content("look_up-broken-text"), "/result"),
        (said(0, result=["x"]), "/result"),
        (said(0, result={"data": None}), "/result"),
        (said(0, result=[{"TrangThaiHoSo": {}}]), "/result/0/TrangThaiHoSo"),
    ],
)
async def test_a_look_up_without_a_result_cannot_tell(body: dict[str, Any], path: str) -> None:
    """It is not "not there"."""
    failure = await failed("look_up", answer(body))
    assert failure.reason == "answer_outside_contract"
    assert path in [one.path for one in failure.fields]
    assert (await failed("look_up", answer(b"ok"))).reason == "answer_outside_contract"


@pytest.mark.parametrize("name", ["login-answer", "login-answer-text-code"])
async def test_a_log_in_gives_a_session(name: str) -> None:
    """Nothing says when it ends, and it shows nowhere."""
    session = await result("login", answer(content(name)))
    assert (session.token.get_secret_value(), session.expires_at) == ("s-7f31", None)
    assert "s-7f31" not in repr(session) + session.fingerprint


@pytest.mark.parametrize("body", [content("login-answer-refused"), said("-304"), said(401, "Tài khoản bị khóa")])
async def test_a_refused_log_in_is_a_refused_account(body: dict[str, Any]) -> None:
    """By whatever code: to try again and again could lock the account."""
    assert told(await failed("login", answer(body))) == (Kind.CREDENTIAL_REFUSED, "credential_refused", NO)


@pytest.mark.parametrize("session", [None, "", 7, "a\nb", "a" * 5000])
async def test_a_session_is_one_line_of_text(session: object) -> None:
    """Code 0 without one opens nothing."""
    failure = await failed("login", answer(said(0, "ok", session=session)))
    assert (failure.reason, [one.path for one in failure.fields]) == ("answer_outside_contract", ["/session"])


async def test_a_busy_portal_does_not_lock_an_account() -> None:
    """A log-in that the table understands is judged by it."""
    assert (await failed("login", answer(said(9, "Lỗi hệ thống")))).kind is Kind.SYSTEM_FAILED
    assert (await failed("login", answer(said(9, "x"), 429))).kind is Kind.BUSY
    assert (await failed("login", answer(b"<html>", 502))).kind is Kind.UNKNOWN_OUTCOME


async def test_the_platforms_own_fault_goes_first() -> None:
    """Whatever the body says."""
    response = answer(said(0, "Thành công"), 500, **{"x-road-error": "Server.ClientProxy.NetworkError"})
    assert (await failed("create", response)).kind is Kind.PLATFORM_FAILED


NAMES = sorted(entry.name for entry in portal.file("examples").iterdir())


@pytest.mark.parametrize("name", [name for name in NAMES if "-broken-" in name and not name.startswith("g1w-")])
async def test_no_broken_example_gives_a_result(name: str) -> None:
    """Each is a failure that may have acted, except that nothing was written by a log-in or a look-up."""
    failure = await failed(name.partition("-")[0], answer(example(name)))
    assert (failure.kind, failure.may_have_acted) == (Kind.CONTRACT_BROKEN, MAYBE)


@given(st.text(max_size=60), st.integers(-20, 20).map(str) | st.text(max_size=5), st.sampled_from(WRITES))
def test_only_the_table_makes_a_success(text: str, code: str, operation: str) -> None:
    """Whatever is said under another code than that of a success is none."""
    meaning = Answers().meaning(operation, code, text, str(CODE))
    assert meaning.word != SUCCESS or code == "0" or meaning.contradicts


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_row_is_never_looked_for_inside_a_text(before: str, after: str) -> None:
    """A sentence around the word of a success is another sentence."""
    text = f"{before} thành công {after}"
    known = {normalised(row["text"]) for row in TABLE["texts"]}
    word = Answers().meaning("create", None, text, None).word
    assert (word is not None) is (normalised(text) in known)


@given(st.text(max_size=40))
def test_the_normaliser_comes_to_rest(text: str) -> None:
    """What has been normalised once stays so."""
    assert normalised(normalised(text)) == normalised(text)


def test_no_row_of_the_table_is_said_twice() -> None:
    """Texts are normalised in one way, and none has two meanings at one operation."""
    seen: dict[tuple[str, str], str] = {}
    for row in TABLE["texts"]:
        assert normalised(row["text"]) == row["text"].strip()
        for operation in row.get("operations", ["login", "create", "update", "progress", "look_up"]):
            assert seen.setdefault((row["text"], operation), row["meaning"]) == row["meaning"]
    assert {row["meaning"] for row in TABLE["texts"]} - {SUCCESS} <= {row["meaning"] for row in TABLE["meanings"]}
