"""Dossiers and their progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.api.description.words import BODY, DOOR, JSON, content, operation
from gateway.api.schemas.deliveries import DeliveryV1
from gateway.api.schemas.dossiers import DossierRequestV1, ProgressRequestV1
from gateway.api.schemas.timeline import TimelineV1
from gateway.security import Scope

if TYPE_CHECKING:
    from pydantic import BaseModel

SCHEMAS = (DeliveryV1, DossierRequestV1, ProgressRequestV1, TimelineV1)
_CODE = ("code", "H99.5-260302-0017")


def _write(operation_id: str, summary: str, body: type[BaseModel], problems: tuple[int, ...], *examples: str) -> Any:
    return operation(
        operation_id,
        summary,
        "dossiers",
        scope=Scope.DOSSIERS_WRITE,
        body=content(body, JSON, *examples),
        answer=content(DeliveryV1, JSON, "dossier_settled"),
        accepted=content(DeliveryV1, JSON, "dossier_waiting"),
        problems=(*DOOR, *BODY, 409, 429, *problems),
        headers=("IdempotencyKey", "Prefer", "AcceptLanguage", "CorrelationId"),
        path=_CODE,
    )


PUT_DOSSIER = _write(
    "putDossier",
    "Gửi toàn bộ nội dung hồ sơ lên Cổng Dịch vụ công quốc gia (the whole state of a dossier)",
    DossierRequestV1,
    (),
    "dossier_request",
    "dossier_request_full",
)
ADD_PROGRESS = _write(
    "addProgress",
    "Báo tiến độ xử lý hồ sơ lên Cổng Dịch vụ công quốc gia (steps of the work on a dossier)",
    ProgressRequestV1,
    (502, 504),
    "progress_request",
)
FOLLOW = operation(
    "followDossier",
    "Hồ sơ đang ở đâu: mọi bước ở mọi hệ thống (where is my dossier: every step across systems)",
    "dossiers",
    scope=Scope.DOSSIERS_READ,
    answer=content(TimelineV1, JSON, "dossier_timeline"),
    problems=(*DOOR, 422),
    headers=("AcceptLanguage", "CorrelationId"),
    query=("Limit", "TimelineCursor"),
    path=_CODE,
)
