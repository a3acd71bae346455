"""How the synthetic partner says no."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from mocks.doors.partner import wire

if TYPE_CHECKING:
    from mocks.asgi import Answer
    from mocks.doors.partner.settings import Dialects


class Refusal(NamedTuple):
    """A refusal: its code as word and as number, its sentence, the HTTP status where one is used."""

    code: str
    number: int
    text: str
    status: int

    @property
    def outcome(self) -> str:
        """What the ledger calls it."""
        return self.code.lower()


ACCOUNT_REFUSED = Refusal("ACCOUNT_REFUSED", 1001, "Tài khoản không được chấp nhận", 401)
TOKEN_REFUSED = Refusal("TOKEN_REFUSED", 1002, "Phiên làm việc không hợp lệ", 401)
SESSION_EXPIRED = Refusal("SESSION_EXPIRED", 1003, "Phiên làm việc đã hết hạn", 401)
QUOTA_USED_UP = Refusal("QUOTA_USED_UP", 1101, "Đã hết hạn mức trong ngày", 429)
NO_SUCH_OPERATION = Refusal("NO_SUCH_OPERATION", 1201, "Không có chức năng này", 404)
NOT_UNDERSTOOD = Refusal("NOT_UNDERSTOOD", 1202, "Không đọc được thông điệp", 400)
WRONG_FIELDS = Refusal("WRONG_FIELDS", 1203, "Dữ liệu không hợp lệ", 422)
KEY_MISSING = Refusal("KEY_MISSING", 1204, "Thiếu Idempotency-Key", 400)
KEY_REUSED = Refusal("KEY_REUSED", 1205, "Idempotency-Key đã dùng cho nội dung khác", 409)
OFFICER_REFUSED = Refusal("OFFICER_REFUSED", 1301, "Cán bộ không có quyền", 403)
PROCEDURE_REFUSED = Refusal("PROCEDURE_REFUSED", 1302, "Thủ tục chưa được cấp quyền", 403)
RECORD_UNKNOWN = Refusal("RECORD_UNKNOWN", 1401, "Không có hồ sơ này", 404)
RECORD_EXISTS = Refusal("RECORD_EXISTS", 1402, "Hồ sơ đã tồn tại", 409)
RECORD_CLOSED = Refusal("RECORD_CLOSED", 1403, "Hồ sơ đã kết thúc", 409)
OUT_OF_ORDER = Refusal("OUT_OF_ORDER", 1404, "Cập nhật không đúng thứ tự", 409)
STATE_NOT_ALLOWED = Refusal("STATE_NOT_ALLOWED", 1405, "Trạng thái không cho phép", 409)
SUSPECTED_DUPLICATE = Refusal("SUSPECTED_DUPLICATE", 1406, "Nghi trùng với hồ sơ khác", 409)
FOREIGN_RECORD = Refusal("FOREIGN_RECORD", 1407, "Hồ sơ của đơn vị khác", 403)
SYSTEM_FAILED = Refusal("SYSTEM_FAILED", 1901, "Lỗi hệ thống", 500)

OF_THE_CALLER = (ACCOUNT_REFUSED, TOKEN_REFUSED, SESSION_EXPIRED)
OF_THE_SERVER = (NO_SUCH_OPERATION, SYSTEM_FAILED)
OK = 200


def refuse(
    refusal: Refusal, dialects: Dialects, wrong: tuple[tuple[str, str], ...] = (), *, wait: float = 0.0
) -> Answer:
    """Say no; a quota is used up for `wait` more seconds."""
    status = _status(refusal, dialects)
    waits = refusal is QUOTA_USED_UP and status != OK
    headers = (("retry-after", str(math.ceil(wait))),) if waits else ()
    return wire.error(code(refusal, dialects), refusal.text, status, wrong, *headers)


def code(refusal: Refusal, dialects: Dialects) -> int | str:
    """Return the code as the dialect has it."""
    if dialects.codes == "mixed":
        return refusal.code
    return refusal.number if dialects.codes == "numbers" else str(refusal.number)


def _status(refusal: Refusal, dialects: Dialects) -> int:
    if refusal in OF_THE_SERVER:
        return refusal.status
    if refusal is QUOTA_USED_UP:
        return OK if dialects.quota_refusal == "http_200" else refusal.status
    if refusal in OF_THE_CALLER:
        return OK if dialects.session_refusal == "http_200" else refusal.status
    return OK if dialects.refusals == "http_200" else refusal.status
