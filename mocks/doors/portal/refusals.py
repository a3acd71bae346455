"""How the portal says no. No list of its codes was ever published: numbers and texts are assumed, but for 3 and -3."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mocks.doors.portal import wire

if TYPE_CHECKING:
    from mocks.asgi import Answer
    from mocks.doors.portal.fields import Wrong
    from mocks.doors.portal.settings import Dialects


class Refusal(NamedTuple):
    """A refusal: what the ledger calls it, its own number, its sentence, the HTTP status where one is used."""

    outcome: str
    number: int
    text: str
    status: int


COMMON = -1
ACCOUNT_REFUSED = Refusal("account_refused", 101, "Tài khoản hoặc mật khẩu không đúng", 401)
SESSION_UNKNOWN = Refusal("session_unknown", 102, "Phiên làm việc không hợp lệ", 401)
SESSION_EXPIRED = Refusal("session_expired", 102, "Phiên làm việc đã hết hạn", 401)
AGENCY_REFUSED = Refusal("agency_refused", 103, "Tài khoản không được dùng mã đơn vị này", 403)
NO_SUCH_ADDRESS = Refusal("no_such_address", 104, "Không có địa chỉ này", 404)
NO_SUCH_SERVICE = Refusal("no_such_service", 105, "Không có dịch vụ này", 404)
NOT_MODELLED = Refusal("not_modelled", 106, "Dịch vụ chưa được mô phỏng", 501)
NOT_UNDERSTOOD = Refusal("not_understood", 107, "Không đọc được thông điệp", 400)
WRONG_FIELDS = Refusal("wrong_fields", 108, "Dữ liệu không hợp lệ", 422)
UNKNOWN_FIELDS = Refusal("unknown_fields", 109, "Có trường không được phép", 422)
DOSSIER_EXISTS = Refusal("dossier_exists", 3, "Hồ sơ đã tồn tại trên hệ thống", 409)
DOSSIER_UNKNOWN = Refusal("dossier_unknown", 111, "Hồ sơ không tồn tại", 404)
FOREIGN_DOSSIER = Refusal("foreign_dossier", 112, "Hồ sơ của đơn vị khác", 403)
PROCEDURE_REFUSED = Refusal("procedure_refused", 113, "Thủ tục hành chính chưa được công bố", 422)
NOTE_TOO_LONG = Refusal("note_too_long", 114, "Ghi chú quá dài", 422)
TEXT_TOO_LONG = Refusal("text_too_long", 115, "Nội dung quá dài", 422)
SUBJECT_BLANK = Refusal("subject_blank", 116, "Trích yếu hồ sơ không được để trống", 422)
STEP_TEXT_BLANK = Refusal("step_text_blank", 117, "Nội dung xử lý không được để trống", 422)
STEP_REPEATED = Refusal("step_repeated", 118, "Tiến trình đã được ghi nhận", 409)
OUT_OF_ORDER = Refusal("out_of_order", 119, "Tiến trình không đúng thứ tự thời gian", 409)
STATUS_NOT_ALLOWED = Refusal("status_not_allowed", 120, "Không được chuyển sang trạng thái này", 409)
TOO_MANY_STEPS = Refusal("too_many_steps", 121, "Quá nhiều tiến trình trong một yêu cầu", 422)
FILES_UNREACHABLE = Refusal("files_unreachable", 122, "Không tải được tệp đính kèm", 422)
ITEM_FAILED = Refusal("item_failed", 123, "Không xử lý được hồ sơ", 500)
SYSTEM_FAILED = Refusal("system_failed", COMMON, "Lỗi hệ thống", 500)

OF_THE_SESSION = (SESSION_UNKNOWN, SESSION_EXPIRED)
OF_THE_CALLER = (ACCOUNT_REFUSED, *OF_THE_SESSION)
OF_THE_DOSSIER = (DOSSIER_EXISTS, DOSSIER_UNKNOWN)
OF_THE_SERVER = (NO_SUCH_ADDRESS, SYSTEM_FAILED)
OK = 200


def refuse(refusal: Refusal, dialects: Dialects, wrong: Wrong = (), *, dossier: str = "") -> Answer:
    """Say no; wrong fields are named by path, without their values."""
    if _fails(refusal, dialects):
        return refuse(SYSTEM_FAILED, dialects)
    text = said(refusal, dialects, wrong, dossier=dossier)
    return wire.envelope(code(refusal, dialects), text, dialects, status=status(refusal, dialects))


def said(refusal: Refusal, dialects: Dialects, wrong: Wrong = (), *, dossier: str = "") -> str:
    """Return the sentence."""
    if dossier and dialects.names_dossier and refusal in OF_THE_DOSSIER:
        return refusal.text.replace("Hồ sơ", f"Hồ sơ {dossier}", 1)
    return f"{refusal.text}: {', '.join(path for path, _ in wrong)}" if wrong else refusal.text


def code(refusal: Refusal, dialects: Dialects) -> int:
    """Return the number as the dialect has it."""
    if refusal is DOSSIER_EXISTS:
        return {"3": 3, "-3": -3, "text": COMMON}[dialects.exists]
    if refusal in OF_THE_SESSION:
        return {"own": refusal.number, "common": COMMON, "minus_2": -2}[dialects.session_code]
    return refusal.number if dialects.codes == "own" else COMMON


def status(refusal: Refusal, dialects: Dialects) -> int:
    """Return the HTTP status as the dialect has it."""
    if refusal in OF_THE_SERVER:
        return refusal.status
    if refusal in OF_THE_CALLER:
        return OK if dialects.session_refusal == "http_200" else refusal.status
    return OK if dialects.refusals == "http_200" else refusal.status


def _fails(refusal: Refusal, dialects: Dialects) -> bool:
    """Say whether the portal is taken to break over this, instead of answering in its own words."""
    return (refusal is NOTE_TOO_LONG and dialects.long_note == "http_500") or (
        refusal is STEP_TEXT_BLANK and dialects.blank_step_text == "http_500"
    )
