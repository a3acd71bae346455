"""How the portal puts things: its envelope, its results, its times. Decides nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mocks.asgi import Answer, json_answer, text_answer
from mocks.clock import VIETNAM

if TYPE_CHECKING:
    from mocks.doors.portal.settings import Dialects

TIME = "%Y%m%d%H%M%S"
WORD = "Thành công"


def envelope(
    code: int,
    message: str,
    dialects: Dialects,
    *,
    status: int = 200,
    result: list[dict[str, Any]] | None = None,
    **more: str,
) -> Answer:
    """Return an answer in the portal's envelope; `more` stands beside the code, as the session does."""
    content: dict[str, Any] = {"error_code": error_code(code, dialects), "message": message, **more}
    if result is not None:
        content["result"] = result if dialects.result == "array" else {"data": result}
    return json_answer(content, status)


def error_code(code: int, dialects: Dialects) -> int | str:
    """Return a code as the dialect has it."""
    return str(code) if dialects.error_code == "string" else code


def success_text(sentence: str, dialects: Dialects) -> str:
    """Return the message of a success."""
    return f"{sentence} {WORD.lower()}" if dialects.success_text == "sentence" and sentence else WORD


def plain(sentence: str, dialects: Dialects) -> Answer:
    """Return a success as plain text."""
    return text_answer(success_text(sentence, dialects), 200)


def time(seconds: float) -> str:
    """Return an instant (seconds since 1970) in the portal's form, in the time of Vietnam."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(VIETNAM).strftime(TIME)


def moment(text: str) -> datetime:
    """Return the instant that a text of the portal's form names. Raises `ValueError`."""
    if len(text) != len("yyyyMMddHHmmss") or not (text.isascii() and text.isdigit()):
        raise ValueError("a time is written yyyyMMddHHmmss")
    return datetime.strptime(text, TIME).replace(tzinfo=VIETNAM)
