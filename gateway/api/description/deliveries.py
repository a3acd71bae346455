"""Deliveries and what persons say about them."""

from __future__ import annotations

from gateway.api.description.words import BODY, DOOR, JSON, content, operation
from gateway.api.schemas.deliveries import (
    DecisionRequestV1,
    DeliveriesV1,
    DeliveryDetailV1,
    DeliveryV1,
    ResolveRequestV1,
)
from gateway.security import Scope

SCHEMAS = (DeliveryV1, DeliveriesV1, DeliveryDetailV1, DecisionRequestV1, ResolveRequestV1)
_EXAMPLE = "4f9d1c62-6f0e-4c4e-9a55-3f8f0b7c2a10"
_HEADERS = ("AcceptLanguage", "CorrelationId")
_DECISION = content(DecisionRequestV1, JSON, "decision_request")
_DECISION_PROBLEMS = (*DOOR, *BODY, 409, 429)
LIST_DELIVERIES = operation(
    "listDeliveries",
    "Các giao dịch gửi đi, mới nhất trước (deliveries, the newest first)",
    "deliveries",
    scope=Scope.DELIVERIES_READ,
    answer=content(DeliveriesV1, JSON, "deliveries"),
    problems=(*DOOR, 422),
    headers=_HEADERS,
    query=("State", "System", "Agency", "Limit", "Cursor"),
)
GET_DELIVERY = operation(
    "getDelivery",
    "Một giao dịch với mọi lần gọi và quyết định (a delivery with all that was tried and decided)",
    "deliveries",
    scope=Scope.DELIVERIES_READ,
    answer=content(DeliveryDetailV1, JSON, "delivery_detail"),
    problems=DOOR,
    headers=_HEADERS,
    path=("delivery", _EXAMPLE),
)
REPLAY = operation(
    "replayDelivery",
    "Cho gửi lại (set going again; looked up first where that can be)",
    "deliveries",
    scope=Scope.DELIVERIES_OPERATE,
    body=_DECISION,
    answer=content(DeliveryV1, JSON, "delivery_waiting"),
    problems=_DECISION_PROBLEMS,
    headers=_HEADERS,
    path=("delivery", _EXAMPLE),
)
CANCEL = operation(
    "cancelDelivery",
    "Rút lại khi chắc chắn chưa được thực hiện (take back what cannot have acted)",
    "deliveries",
    scope=Scope.DELIVERIES_OPERATE,
    body=_DECISION,
    answer=content(DeliveryV1, JSON, "delivery_cancelled"),
    problems=_DECISION_PROBLEMS,
    headers=_HEADERS,
    path=("delivery", _EXAMPLE),
)
RESOLVE = operation(
    "resolveDelivery",
    "Kết luận về giao dịch chưa rõ kết quả (say what became of it, with evidence)",
    "deliveries",
    scope=Scope.DELIVERIES_OPERATE,
    body=content(ResolveRequestV1, JSON, "resolve_request"),
    answer=content(DeliveryV1, JSON, "delivery_settled"),
    problems=_DECISION_PROBLEMS,
    headers=_HEADERS,
    path=("delivery", _EXAMPLE),
)
