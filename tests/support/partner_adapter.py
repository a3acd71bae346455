"""Values and answers for the tests of the partner's adapter. Nobody in them exists: every number starts with 999."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from adapters.partner import Credential, Partner, PartnerSettings
from adapters.transport import Request, Response
from contracts import partner
from contracts.model import AgencyCode, Exchange, Failure, IdentityNumber, ProcedureCode, Purpose
from contracts.model.partner import Handover, Notice, Progress, RecordCode, Registration, Replacement, StepState

if TYPE_CHECKING:
    from contracts.model import Operation

AGENCY = AgencyCode("000.00.01.H99")
OTHER = AgencyCode("000.00.02.H99")
PURPOSE = Purpose(agency=AGENCY, procedure=ProcedureCode("9.000001"), officer="canbo.mau", dossier=None)
CODE = RecordCode("H-1")
KEY = "khoa-H-1"
REGISTRATION = Registration(code=CODE, title="Hồ sơ H-1", amount=20_000, applicant=IdentityNumber("999190000017"))
REPLACEMENT = Replacement(code=CODE, revision=1, title="Hồ sơ H-1", amount=20_000)
PROGRESS = Progress(code=CODE, step=1, state=StepState.PROCESSING, note="Đã nhận")
HANDOVER = Handover(code=CODE, transfer=RecordCode("CG-1"), to=OTHER)
NOTICE = Notice(code=CODE, notice=RecordCode("TB-1"), text="Mời đến nhận kết quả")
SESSION = Credential(
    token=SecretStr("the-bai-mau"), account="0123456789ab", expires_at=datetime(2026, 1, 5, 1, 45, tzinfo=UTC)
)
WRITES = ("register", "replace", "append", "transfer", "notify")
ABOUT = {
    "register": REGISTRATION,
    "replace": REPLACEMENT,
    "append": PROGRESS,
    "transfer": HANDOVER,
    "notify": NOTICE,
    "read": CODE,
    "find_step": PROGRESS,
    "find_transfer": HANDOVER,
}
"""What each operation is given, if nothing else is said."""
LOOKUPS = ("read", "find_step", "find_transfer")


def settings(**changes: Any) -> PartnerSettings:
    """Return settings that talk to nobody."""
    values: dict[str, Any] = {
        "endpoint": "https://partner.example/partner",
        "account": {"username": "thu_xa_mot", "secret": "bi-mat-mau-1"},
    }
    return PartnerSettings(**(values | changes))


DECLARED = Partner(settings(), None).operations  # type: ignore[arg-type] - nothing is sent


def example(name: str) -> bytes:
    """Return an example message of the contract."""
    return partner.file(f"examples/{name}.json").read_bytes()


def content(name: str) -> dict[str, Any]:
    """Return what an example holds."""
    found: dict[str, Any] = json.loads(example(name))
    return found


def exchange(operation: Operation = DECLARED.read, request_id: str = "MC-1") -> Exchange:
    """Return an exchange that has not begun."""
    return Exchange(operation=operation, request_id=request_id, timeout=10.0)


def answer(content: object, status: int = 200, **headers: str) -> Response:
    """Return an answer; bytes go as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Response(status, content=body, headers={"content-type": "application/json; charset=utf-8", **headers})


@dataclass
class Peer:
    """Stands where a transport does: remembers what was sent and gives one answer."""

    response: Response | Failure
    sent: list[Request] = field(default_factory=list)

    async def send(self, request: Request, exchange: Exchange) -> Response:
        """Return the answer, or raise what stands for it."""
        self.sent.append(request)
        if isinstance(self.response, Failure):
            raise self.response
        exchange.status = self.response.status_code
        return self.response


async def done(
    system: Partner,
    operation: str,
    *,
    write: Any = None,
    purpose: Purpose = PURPOSE,
    key: str = KEY,
    session: Credential = SESSION,
    request_id: str = "MC-1",
) -> Any:
    """Run one operation by its name, about record H-1 or with another write."""
    run = exchange(getattr(system.operations, operation), request_id)
    if operation == "login":
        return await system.login(system.account(AGENCY), run)
    method, about = getattr(system, operation), ABOUT[operation] if write is None else write
    if operation in LOOKUPS:
        return await method(about, session, run)
    return await method(about, purpose, *([key] if operation == "register" else []), session, run)
