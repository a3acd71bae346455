"""How the synthetic partner puts things: its envelope, its times, what it sends by itself. Decides nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mocks.asgi import Answer, json_answer
from mocks.clock import VIETNAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.doors.partner.settings import Dialects

TIME = "_at"
"""Fields of this ending hold seconds since 1970 until they are written."""


def success(data: Mapping[str, Any], dialects: Dialects) -> Answer:
    """Return a success with its data."""
    written = written_out(data, dialects)
    code = "0" if dialects.codes == "texts" else 0
    return json_answer({"status": "ok", "code": code, "data": [written] if dialects.result == "array" else written})


def error(
    code: object, text: str, status: int, wrong: tuple[tuple[str, str], ...] = (), *headers: tuple[str, str]
) -> Answer:
    """Return an error with every wrong field."""
    errors = [{"path": path, "problem": problem} for path, problem in wrong]
    answer = json_answer({"status": "error", "code": code, "message": text, "errors": errors}, status)
    return Answer(answer.status, answer.body, answer.content_type, headers)


def text_of(data: Mapping[str, Any], dialects: Dialects) -> str:
    """Return the body of something that the partner sends by itself."""
    return json.dumps(written_out(data, dialects), ensure_ascii=False, separators=(",", ":"))


def written_out(data: Mapping[str, Any], dialects: Dialects) -> dict[str, Any]:
    """Return data with its times as the dialect has them."""
    return {name: time(value, dialects) if name.endswith(TIME) else value for name, value in data.items()}


def time(seconds: float, dialects: Dialects) -> int | str:
    """Return an instant as the dialect has it; ISO in the time of Vietnam."""
    match dialects.times:
        case "ms":
            return round(seconds * 1000)
        case "s":
            return int(seconds)
        case "iso":
            return datetime.fromtimestamp(seconds, UTC).astimezone(VIETNAM).isoformat(timespec="milliseconds")
