"""The feed of events, and webhooks."""

from __future__ import annotations

from gateway.api.description.words import BODY, DOOR, JSON, content, operation
from gateway.api.schemas.events import (
    EventsV1,
    EventV1,
    RedeliverRequestV1,
    WebhookDisableRequestV1,
    WebhookIssuedV1,
    WebhookRemovedV1,
    WebhookRequestV1,
    WebhooksV1,
    WebhookTestV1,
    WebhookV1,
)
from gateway.security import Scope

EVENT_SCHEMAS = (EventV1, EventsV1)
WEBHOOK_SCHEMAS = (
    WebhookRequestV1,
    WebhookDisableRequestV1,
    RedeliverRequestV1,
    WebhookV1,
    WebhookIssuedV1,
    WebhooksV1,
    WebhookRemovedV1,
    WebhookTestV1,
)
_HEADERS = ("AcceptLanguage", "CorrelationId")
_PATH = ("webhook", "0a4c6f1e-2b7d-4d0f-9a51-6d1f0c3b7e22")
LIST_EVENTS = operation(
    "listEvents",
    "Dòng sự kiện, đọc tiếp từ một vị trí (the feed of events from a cursor on)",
    "events",
    scope=Scope.EVENTS_READ,
    answer=content(EventsV1, JSON, "events"),
    problems=(*DOOR, 410, 422),
    headers=_HEADERS,
    query=("EventCursor", "EventLimit", "EventWait"),
)
ADD_WEBHOOK = operation(
    "addWebhook",
    "Đăng ký webhook; khóa bí mật chỉ hiện một lần (register; the secret is shown this once)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    body=content(WebhookRequestV1, JSON, "webhook_request"),
    answer=content(WebhookIssuedV1, JSON, "webhook_issued"),
    problems=(*DOOR, *BODY, 409),
    headers=_HEADERS,
)
LIST_WEBHOOKS = operation(
    "listWebhooks",
    "Các webhook của phần mềm này (the webhooks of this client)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    answer=content(WebhooksV1, JSON, "webhooks"),
    problems=DOOR,
    headers=_HEADERS,
)
GET_WEBHOOK = operation(
    "getWebhook",
    "Tình trạng một webhook (a webhook as it stands)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    answer=content(WebhookV1, JSON, "webhook"),
    problems=DOOR,
    headers=_HEADERS,
    path=_PATH,
)
REMOVE_WEBHOOK = operation(
    "removeWebhook",
    "Xóa webhook; thông điệp đang chờ không được gửi nữa (remove; what waits is sent no more)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    answer=content(WebhookRemovedV1, JSON, "webhook_removed"),
    problems=DOOR,
    headers=_HEADERS,
    path=_PATH,
)
ROTATE_SECRET = operation(
    "rotateWebhookSecret",
    "Đổi khóa bí mật; khóa cũ còn ký thêm một thời gian (a new secret; the old one signs on for a while)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    answer=content(WebhookIssuedV1, JSON, "webhook_issued"),
    problems=DOOR,
    headers=_HEADERS,
    path=_PATH,
)
DISABLE_WEBHOOK = operation(
    "disableWebhook",
    "Tắt webhook; sự kiện chờ đến khi bật lại (send nothing until it is enabled)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    body=content(WebhookDisableRequestV1, JSON, "webhook_disable_request"),
    answer=content(WebhookV1, JSON, "webhook_disabled"),
    problems=(*DOOR, *BODY),
    headers=_HEADERS,
    path=_PATH,
)
ENABLE_WEBHOOK = operation(
    "enableWebhook",
    "Bật lại webhook, gửi tiếp từ chỗ đã dừng (send again, from where it stopped)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    answer=content(WebhookV1, JSON, "webhook"),
    problems=DOOR,
    headers=_HEADERS,
    path=_PATH,
)
REDELIVER = operation(
    "redeliverWebhook",
    "Gửi lại từ một vị trí hoặc thời điểm (send everything once more from a cursor or a moment on)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    body=content(RedeliverRequestV1, JSON, "redeliver_request"),
    answer=content(WebhookV1, JSON, "webhook"),
    problems=(*DOOR, *BODY, 409, 410),
    headers=_HEADERS,
    path=_PATH,
)
TEST_WEBHOOK = operation(
    "testWebhook",
    "Gửi một thông điệp thử (send a message that is a test)",
    "webhooks",
    scope=Scope.WEBHOOKS_MANAGE,
    answer=content(WebhookTestV1, JSON, "webhook_test"),
    problems=(*DOOR, 409),
    headers=_HEADERS,
    path=_PATH,
)
