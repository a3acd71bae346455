"""Writes to the synthetic partner; in the document of a gateway that has it configured, and in no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.api.description.words import BODY, DOOR, JSON, content, operation
from gateway.api.schemas.deliveries import DeliveryV1
from gateway.api.schemas.partner import HandoverV1, NoticeV1, ProgressV1, RegistrationV1, ReplacementV1
from gateway.security import Scope

if TYPE_CHECKING:
    from pydantic import BaseModel

SCHEMAS = (DeliveryV1, RegistrationV1, ReplacementV1, ProgressV1, HandoverV1, NoticeV1)


def _write(operation_id: str, summary: str, body: type[BaseModel], path: tuple[str, str] | None) -> dict[str, Any]:
    return operation(
        operation_id,
        summary,
        "partner",
        scope=Scope.PARTNER_WRITE,
        body=content(body, JSON),
        answer=content(DeliveryV1, JSON, "delivery_settled"),
        accepted=content(DeliveryV1, JSON, "delivery_waiting"),
        problems=(*DOOR, *BODY, 409, 429),
        headers=("IdempotencyKey", "Prefer", "AcceptLanguage", "CorrelationId"),
        path=path,
    )


_RECORD = ("code", "H-1")
REGISTER = _write("registerRecord", "Tạo bản ghi (register; once under its key)", RegistrationV1, None)
REPLACE = _write("replaceRecord", "Thay nội dung (replace; safe to repeat)", ReplacementV1, _RECORD)
APPEND = _write("appendStep", "Thêm một bước (append; looked up before it is repeated)", ProgressV1, _RECORD)
TRANSFER = _write("transferRecord", "Chuyển cơ quan (transfer; the look-up may not tell)", HandoverV1, _RECORD)
NOTIFY = _write("notifyApplicant", "Báo người nộp (notify; never repeated by itself)", NoticeV1, _RECORD)
