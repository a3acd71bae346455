"""The door itself: who may come in, what is asked, what comes of it, and what the partner sends by itself."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from mocks.asgi import json_answer
from mocks.clock import VIETNAM
from mocks.doors import UNKNOWN, Callback, Result, Subject
from mocks.doors.partner import actions, credentials, disturbances, refusals, wire
from mocks.doors.partner.actions import Desk, Done, No
from mocks.doors.partner.kinds import ACCOUNT, MOVES, RECORD, kinds
from mocks.doors.partner.outcomes import OUTCOMES
from mocks.doors.partner.query import ROUTES, WRITES, LogIn, Query, Write, account_of, bearer, read
from mocks.doors.partner.settings import PartnerDoorSettings
from mocks.faults import What

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.asgi import Answer, Request
    from mocks.doors import Site
    from mocks.doors.partner.settings import Dialects
    from mocks.faults import Fault
    from mocks.world import Kind

REGISTERED, PROGRESSED = "registered", "progressed"
CALLBACKS = (REGISTERED, PROGRESSED)
PLAYS: Mapping[What, tuple[str, ...]] = {
    **disturbances.PLAYS,
    **dict.fromkeys(
        (What.CALLBACK_TWICE, What.CALLBACK_LATE, What.CALLBACK_OUT_OF_ORDER, What.CALLBACK_LOST), CALLBACKS
    ),
}


class PartnerDoor:
    """One operation of each kind of repetition, over JSON and HTTP."""

    name = "partner"
    aliases: tuple[str, ...] = ()
    platform: str | None = "ndxp"
    operations: Mapping[str, tuple[str, ...]] = OUTCOMES
    callbacks: tuple[str, ...] = CALLBACKS
    plays: Mapping[What, tuple[str, ...]] = PLAYS
    views: Mapping[What, Mapping[str, Any]] = {}

    def __init__(self, settings: PartnerDoorSettings | None = None) -> None:
        self.settings = settings or PartnerDoorSettings()
        self.path = self.settings.path
        self.standard = self.settings.dialects
        self.kinds: tuple[Kind, ...] = kinds(self.settings.accounts)

    def publish(self, request: Request) -> Answer | None:
        """Return the list of operations, at the door's own path."""
        if request.method != "GET" or request.path != self.path:
            return None
        operations = {
            route.operation: {
                "request": f"{route.method} {self.path}{route.path}",
                "repeat": route.repeat,
                "body": None if route.body is None else route.body.model_json_schema(),
            }
            for route in ROUTES
        }
        about = "A synthetic partner: made up, modelled on no real system."
        return json_answer({"synthetic": True, "about": about, "operations": operations, "callbacks": self.callbacks})

    def login(self, request: Request) -> str | None:
        """Return the account of a log-in, or the token: either may name a namespace."""
        return account_of(request) if request.path == f"{self.path}/sessions" else bearer(request)

    def recognise(self, request: Request, site: Site[Dialects]) -> Subject:
        """Say which operation, which record and which agency a request is about."""
        query = read(request, self.path)
        if query.operation == "login":
            account = credentials.known(query.account, self.settings)
            key = account.username if account else UNKNOWN
        else:
            account = credentials.holder(query.token, site.world, self.settings)
            key = (f"{query.code}:{query.part}" if query.part else query.code) or UNKNOWN
        return Subject(
            operation=query.operation,
            key=key,
            agency=account.agency if account else None,
            request_id=query.request_id,
            idempotency_key=query.idempotency_key,
            lane=query.lane if query.operation in WRITES else None,
            content=query,
        )

    def act(self, request: Request, subject: Subject, site: Site[Dialects]) -> Result:
        """Let the caller in, check what is asked, and do it."""
        query = self._query(request, subject)
        decision = self._log_in(query, site) if query.operation == "login" else self._serve(query, site)
        answer = self._said(decision, site)
        if isinstance(decision, No):
            return Result(answer, decision.refusal.outcome, acted=False)
        if not decision.registered:
            return Result(answer, decision.outcome, decision.acted)
        told = self._callback(REGISTERED, query.code, site, self.settings.registered_after_seconds)
        return Result(answer, decision.outcome, decision.acted, (told,))

    def disturb(self, fault: Fault, subject: Subject, site: Site[Dialects], result: Result | None) -> Answer:
        """Return the answer that the fault puts in place of the real one."""
        query = subject.content if isinstance(subject.content, Query) else Query()
        if fault.what is What.SESSION_EXPIRED:
            credentials.end(query.token, site.world)
        if fault.what is What.STATUS_CONTRADICTS and result is not None:
            desk = self._desk(query, site)
            if isinstance(desk, No) or not result.acted:
                return result.answer
            return self._said(actions.contradiction(desk), site)
        answer = None if result is None else result.answer
        return disturbances.disturbed(fault, site.dialects, subject, answer, _until_midnight(site.now))

    def happened(self, kind: str, resource_id: str, verb: str, site: Site[Dialects]) -> tuple[Callback, ...]:
        """Return what the partner tells the caller after one of its officers has moved a record."""
        if kind != RECORD or verb not in MOVES:
            return ()
        return (self._callback(PROGRESSED, resource_id, site, self.settings.progressed_after_seconds),)

    def _log_in(self, query: Query, site: Site[Dialects]) -> Done | No:
        message = query.message
        if not isinstance(message, LogIn):
            return _malformed(query)
        session = credentials.log_in(message, site.world, self.settings, site.seed, site.now.timestamp())
        if isinstance(session, refusals.Refusal):
            return No(session)
        token, expires = session
        return Done("logged_in", {"token": token, "expires_at": expires})

    def _serve(self, query: Query, site: Site[Dialects]) -> Done | No:
        if query.operation == UNKNOWN:
            return No(refusals.NO_SUCH_OPERATION)
        desk = self._desk(query, site)
        if isinstance(desk, No):
            return desk
        if not _counted(desk):
            return No(refusals.QUOTA_USED_UP)
        if query.wrong or not query.readable:
            return _malformed(query)
        message = query.message
        if not isinstance(message, Write):
            return actions.LOOKED_UP[query.operation](desk)
        return self._person_refused(message) or actions.WRITTEN[query.operation](desk, message)

    def _person_refused(self, message: Write) -> No | None:
        if message.procedure in self.settings.refused_procedures:
            return No(refusals.PROCEDURE_REFUSED)
        return No(refusals.OFFICER_REFUSED) if message.officer in self.settings.refused_officers else None

    def _desk(self, query: Query, site: Site[Dialects]) -> Desk | No:
        """Let a caller in by the session that it shows."""
        refusal = credentials.refusal(query.token, site.world, self.settings, site.now.timestamp())
        account = credentials.holder(query.token, site.world, self.settings)
        if refusal is not None or account is None:
            return No(refusal or refusals.TOKEN_REFUSED)
        return Desk(query, account, site, self.settings)

    def _query(self, request: Request, subject: Subject) -> Query:
        content = subject.content
        return content if isinstance(content, Query) else read(request, self.path)

    def _said(self, decision: Done | No, site: Site[Dialects]) -> Answer:
        if isinstance(decision, No):
            return refusals.refuse(decision.refusal, site.dialects, decision.wrong, wait=_until_midnight(site.now))
        if decision.outcome == actions.ABSENT and site.dialects.absent == "error":
            return refusals.refuse(refusals.RECORD_UNKNOWN, site.dialects)
        return wire.success(decision.data, site.dialects)

    def _callback(self, name: str, code: str, site: Site[Dialects], after: float) -> Callback:
        """Return what the partner sends about a record; its order number tells the receiver what came before it."""
        record = site.world.do(RECORD, code, "call_back")
        fields = record.fields
        data = {
            "event": name,
            "code": code,
            "number": fields["number"],
            "state": record.state,
            "reason": fields.get("reason") or None,
            "sequence": fields["sequence"],
            "happened_at": site.now.timestamp(),
        }
        body = wire.text_of(data, site.dialects)
        signed = credentials.signature(body, credentials.known(fields["account"], self.settings))
        headers = ((credentials.SIGNATURE, signed),)
        return Callback(name, code, body, headers=headers, after=after, agency=fields["agency"])


def _malformed(query: Query) -> No:
    return No(refusals.WRONG_FIELDS, query.wrong) if query.readable else No(refusals.NOT_UNDERSTOOD)


def _counted(desk: Desk) -> bool:
    """Count a call of the account, and say whether its quota allows it."""
    limit = desk.site.dialects.quota_per_day
    account = desk.site.world.get(ACCOUNT, desk.account.username)
    if limit is None or account is None:
        return True
    today = desk.site.now.astimezone(VIETNAM).date().isoformat()
    used = account.fields.get("used", 0) if account.fields.get("day") == today else 0
    if used >= limit:
        return False
    desk.site.world.do(ACCOUNT, account.id, "use", day=today, used=used + 1)
    return True


def _until_midnight(now: datetime) -> float:
    local = now.astimezone(VIETNAM)
    return (datetime.combine(local.date() + timedelta(days=1), time(), VIETNAM) - local).total_seconds()
