"""How a peer talks to the national portal's mock, and how an answer is read in each dialect, with no code of the mock.

Numbers, texts and statuses are those of the door's own description; nothing is asked of it to know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.support.conformance import PATIENCE
from tests.support.portal import Portal, lines

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from tests.support.conformance import Peer

    Asking = Coroutine[Any, Any, httpx.Response]

DOOR: Final = "portal"
OK: Final = "ok"
OTHER: Final = "dvc_h98"
WORDS: Final = {
    "account_refused": (101, "Tài khoản hoặc mật khẩu không đúng", 401),
    "session_unknown": (102, "Phiên làm việc không hợp lệ", 401),
    "session_expired": (102, "Phiên làm việc đã hết hạn", 401),
    "agency_refused": (103, "Tài khoản không được dùng mã đơn vị này", 403),
    "no_such_address": (104, "Không có địa chỉ này", 404),
    "no_such_service": (105, "Không có dịch vụ này", 404),
    "not_modelled": (106, "Dịch vụ chưa được mô phỏng", 501),
    "not_understood": (107, "Không đọc được thông điệp", 400),
    "wrong_fields": (108, "Dữ liệu không hợp lệ", 422),
    "unknown_fields": (109, "Có trường không được phép", 422),
    "dossier_exists": (3, "đã tồn tại trên hệ thống", 409),
    "dossier_unknown": (111, "không tồn tại", 404),
    "foreign_dossier": (112, "Hồ sơ của đơn vị khác", 403),
    "procedure_refused": (113, "Thủ tục hành chính chưa được công bố", 422),
    "note_too_long": (114, "Ghi chú quá dài", 422),
    "text_too_long": (115, "Nội dung quá dài", 422),
    "subject_blank": (116, "Trích yếu hồ sơ không được để trống", 422),
    "step_text_blank": (117, "Nội dung xử lý không được để trống", 422),
    "step_repeated": (118, "Tiến trình đã được ghi nhận", 409),
    "out_of_order": (119, "Tiến trình không đúng thứ tự thời gian", 409),
    "status_not_allowed": (120, "Không được chuyển sang trạng thái này", 409),
    "too_many_steps": (121, "Quá nhiều tiến trình trong một yêu cầu", 422),
    "files_unreachable": (122, "Không tải được tệp đính kèm", 422),
    "item_failed": (123, "Không xử lý được hồ sơ", 500),
    "system_failed": (-1, "Lỗi hệ thống", 500),
}
SESSION: Final = ("session_unknown", "session_expired")
ALWAYS: Final = ("no_such_address", "system_failed")
"""Whose status no dialect changes."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the portal said, and what the ledger says of it. `word` is `ok`, or what the refusal means."""

    response: httpx.Response
    word: str
    content: dict[str, Any]
    record: Mapping[str, Any]

    @property
    def outcome(self) -> tuple[str | None, bool]:
        """What was decided, and whether it was done."""
        return self.record["outcome"], self.record["acted"]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What `result` holds."""
        return lines(self.content)


class Desk:
    """One account at the portal, logged in."""

    def __init__(self, peer: Peer, account: str = "dvc_h99", *, log_in: bool = True) -> None:
        self.peer = peer
        self.portal = Portal(peer.desk, url=peer.mocks.ready[DOOR], account=account, _ids=peer.ids)
        if peer.dialects(DOOR)["dstcode"] == "always":
            self.portal.headers["dstcode"] = "VN:GOV:000.00.00.G22:vpcpdvcprovider"
        if log_in:
            self.log_in()

    def log_in(self) -> Said:
        """Open a session."""
        return self.did(self.portal.log_in())

    def raw(self, asking: Asking, patience: float = PATIENCE) -> httpx.Response:
        """Return the answer as it came; raises what the client raises."""
        self.peer.desk.timeout = httpx.Timeout(patience)
        try:
            return self.peer.run(asking)
        finally:
            self.peer.desk.timeout = httpx.Timeout(PATIENCE)

    def said(self, asking: Asking) -> Said:
        """Return the answer, read, and what the ledger says of it."""
        response = self.raw(asking)
        return read(response, self.peer, self.peer.last())

    def did(self, asking: Asking) -> Said:
        """Return the answer of something that has to succeed."""
        said = self.said(asking)
        assert said.word == OK, said.response.text
        return said

    def refused(self, asking: Asking, outcome: str, word: str | None = None) -> Said:
        """Return the answer of something that has to be refused so, with nothing done."""
        said = self.said(asking)
        assert said.word == (word or outcome), said.response.text
        assert said.outcome == (outcome, False)
        return said


def read(response: httpx.Response, peer: Peer, record: Mapping[str, Any]) -> Said:
    """Read an answer as the dialect has it. Status and code of a refusal have to be those of its word."""
    dialects = peer.dialects(DOOR)
    if response.headers["content-type"].startswith("text/plain"):
        assert response.status_code == 200
        assert response.text.lower().endswith("thành công")
        wanted = ("progress_text", "text") if record.get("operation") == "progress" else ("text",)
        assert dialects["success"] in wanted or "success_as_text" in record.get("faults", ())
        return Said(response=response, word=OK, content={}, record=record)
    content = response.json()
    told = content["error_code"]
    assert isinstance(told, str) is (dialects["error_code"] == "string")
    if "result" in content:
        assert isinstance(content["result"], list) is (dialects["result"] == "array")
    if int(told) == 0:
        assert response.status_code == 200
        assert content["message"].lower().endswith("thành công")
        return Said(response=response, word=OK, content=content, record=record)
    word = next(word for word, (_, text, _) in WORDS.items() if text in content["message"])
    assert int(told) == number(word, dialects)
    assert response.status_code == status(word, dialects)
    return Said(response=response, word=word, content=content, record=record)


def number(word: str, dialects: Mapping[str, Any]) -> int:
    """Return which number a refusal has in a dialect."""
    if word == "dossier_exists":
        return {"3": 3, "-3": -3, "text": -1}[dialects["exists"]]
    if word in SESSION:
        return {"own": 102, "common": -1, "minus_2": -2}[dialects["session_code"]]
    return WORDS[word][0] if dialects["codes"] == "own" else -1


def status(word: str, dialects: Mapping[str, Any]) -> int:
    """Return which HTTP status a refusal has in a dialect."""
    if word in ALWAYS:
        return WORDS[word][2]
    name = "session_refusal" if word in (*SESSION, "account_refused") else "refusals"
    return 200 if dialects[name] == "http_200" else WORDS[word][2]


def new(peer: Peer) -> str:
    """Return a dossier code that nothing has had."""
    return f"H99.5-260302-{next(peer.ids):05}"


def done(peer: Peer, operation: str, key: str) -> int:
    """Return how often an operation was done to a key."""
    wanted = (DOOR, operation, key)
    counts = peer.told("effects?limit=0")["counts"]
    return sum(one["count"] for one in counts if (one["door"], one["operation"], one["key"]) == wanted)


def kept(peer: Peer, code: str) -> Any:
    """Return a dossier as the world has it."""
    return peer.told(f"world/dossier/{code}")["fields"]
