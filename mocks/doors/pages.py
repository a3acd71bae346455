"""Answers that no national system makes: pages and texts of proxies on the way, the same for every door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mocks.asgi import Answer, text_answer
from mocks.faults import What

if TYPE_CHECKING:
    from datetime import datetime

    from mocks.faults import Fault

MAINTENANCE = (
    '<!DOCTYPE html>\n<html lang="vi"><head><meta charset="utf-8"><title>Bảo trì hệ thống</title></head>'
    "<body><h1>Hệ thống đang bảo trì</h1><p>Xin quay lại sau.</p></body></html>\n"
)
PROXY_PAGE = "<html>\r\n<head><title>{reason}</title></head>\r\n<body><h1>{reason}</h1></body>\r\n</html>\r\n"
REASONS = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}


def page(fault: Fault, now: datetime) -> Answer | None:
    """Return the answer of a fault that strikes before any system is reached, or `None` for the others.

    Maintenance by calendar says when it ends, unless the fault says otherwise.
    """
    details = fault.details
    wait = () if details.retry_after is None else (("retry-after", str(details.retry_after)),)
    match fault.what:
        case What.BAD_GATEWAY:
            status = details.status or 502
            reason = f"{status} {REASONS.get(status, 'Error')}"
            body = PROXY_PAGE.format(reason=reason).encode()
            return Answer(status, body, "text/html", wait)
        case What.HTML_OK:
            return Answer(details.status or 200, MAINTENANCE.encode(), "text/html; charset=utf-8")
        case What.MAINTENANCE:
            if not wait and fault.when.calendar is not None:
                wait = (("retry-after", str(fault.when.calendar.left(now.timestamp()))),)
            return Answer(details.status or 503, MAINTENANCE.encode(), "text/html; charset=utf-8", wait)
        case What.PLAIN_TEXT:
            return text_answer(details.text or "client received SOAP Fault", details.status or 200)
        case What.BUSY:
            return text_answer(details.text or "Too Many Requests", details.status or 429, *wait)
        case _:
            return None
