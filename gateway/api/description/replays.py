"""Replays of many deliveries."""

from __future__ import annotations

from gateway.api.description.words import BODY, DOOR, JSON, content, operation
from gateway.api.schemas.deliveries import DecisionRequestV1
from gateway.api.schemas.replays import ReplayPreviewV1, ReplayRequestV1, ReplaysV1, ReplayV1
from gateway.security import Scope

SCHEMAS = (ReplayRequestV1, ReplayPreviewV1, ReplayV1, ReplaysV1)
_PATH = ("replay", "0c5b8a5e-2f4f-4a39-8a3d-6f6e1b0d9b11")
_HEADERS = ("AcceptLanguage", "CorrelationId")
_WORD = content(DecisionRequestV1, JSON, "decision_request")
_PROBLEMS = (*DOOR, *BODY, 409, 429)
MAKE_REPLAY = operation(
    "makeReplay",
    "Gửi lại nhiều giao dịch, chậm rãi; `dry_run` chỉ đếm (send many deliveries again, slowly; or only count them)",
    "replays",
    scope=Scope.DELIVERIES_OPERATE,
    body=content(ReplayRequestV1, JSON, "replay_request", "replay_dry_run"),
    answer=content(ReplayPreviewV1, JSON, "replay_preview"),
    created=content(ReplayV1, JSON, "replay_running"),
    problems=_PROBLEMS,
    headers=_HEADERS,
)
LIST_REPLAYS = operation(
    "listReplays",
    "Các đợt gửi lại, mới nhất trước (replays, the newest first)",
    "replays",
    scope=Scope.DELIVERIES_OPERATE,
    answer=content(ReplaysV1, JSON, "replays"),
    problems=(*DOOR, 422),
    headers=_HEADERS,
    query=("Limit", "Cursor"),
)
GET_REPLAY = operation(
    "getReplay",
    "Một đợt gửi lại và tiến độ của nó (a replay and how far it has come)",
    "replays",
    scope=Scope.DELIVERIES_OPERATE,
    answer=content(ReplayV1, JSON, "replay_stopped"),
    problems=DOOR,
    headers=_HEADERS,
    path=_PATH,
)
PAUSE_REPLAY = operation(
    "pauseReplay",
    "Tạm dừng: không gửi lại thêm giao dịch nào (set nothing more going until it is resumed)",
    "replays",
    scope=Scope.DELIVERIES_OPERATE,
    body=_WORD,
    answer=content(ReplayV1, JSON, "replay_paused"),
    problems=_PROBLEMS,
    headers=_HEADERS,
    path=_PATH,
)
RESUME_REPLAY = operation(
    "resumeReplay",
    "Cho chạy tiếp sau khi tạm dừng hoặc tự dừng (go on after a pause, or after it stopped by itself)",
    "replays",
    scope=Scope.DELIVERIES_OPERATE,
    body=_WORD,
    answer=content(ReplayV1, JSON, "replay_running"),
    problems=_PROBLEMS,
    headers=_HEADERS,
    path=_PATH,
)
CANCEL_REPLAY = operation(
    "cancelReplay",
    "Hủy phần chưa đến lượt (set nothing more going, for good)",
    "replays",
    scope=Scope.DELIVERIES_OPERATE,
    body=_WORD,
    answer=content(ReplayV1, JSON, "replay_cancelled"),
    problems=_PROBLEMS,
    headers=_HEADERS,
    path=_PATH,
)
