"""The national systems and their stop switches."""

from __future__ import annotations

from gateway.api.description.words import BODY, DOOR, JSON, content, operation
from gateway.api.schemas.systems import PauseRequestV1, SystemsV1, SystemV1
from gateway.security import Scope

SCHEMAS = (PauseRequestV1, SystemV1, SystemsV1)
LIST_SYSTEMS = operation(
    "listSystems",
    "Trạng thái các hệ thống quốc gia (state of every system)",
    "systems",
    scope=Scope.SYSTEMS_READ,
    answer=content(SystemsV1, JSON, "systems"),
    problems=DOOR,
    headers=("AcceptLanguage", "CorrelationId"),
)
GET_SYSTEM = operation(
    "getSystem",
    "Trạng thái một hệ thống (state of one system)",
    "systems",
    scope=Scope.SYSTEMS_READ,
    answer=content(SystemV1, JSON, "system"),
    problems=DOOR,
    headers=("AcceptLanguage", "CorrelationId"),
    path=("system", "population"),
)
PAUSE_SYSTEM = operation(
    "pauseSystem",
    "Tạm dừng một hệ thống (press its stop switch)",
    "systems",
    scope=Scope.SYSTEMS_OPERATE,
    body=content(PauseRequestV1, JSON, "pause_request"),
    answer=content(SystemV1, JSON, "system_paused"),
    problems=(*DOOR, *BODY),
    headers=("AcceptLanguage", "CorrelationId"),
    path=("system", "population"),
)
RESUME_SYSTEM = operation(
    "resumeSystem",
    "Cho chạy lại một hệ thống (release its stop switch)",
    "systems",
    scope=Scope.SYSTEMS_OPERATE,
    answer=content(SystemV1, JSON, "system"),
    problems=DOOR,
    headers=("AcceptLanguage", "CorrelationId"),
    path=("system", "population"),
)
