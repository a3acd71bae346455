"""The door itself: who may come in, what is asked, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocks.asgi import Answer, json_answer
from mocks.doors import UNKNOWN, Callback, Result, Subject
from mocks.doors.portal import batch, credentials, disturbances, reads, refusals, wire, wrapper
from mocks.doors.portal.desk import Desk
from mocks.doors.portal.kinds import ACCOUNT, LOCKED, kinds
from mocks.doors.portal.outcomes import DESTINATION, OUTCOMES
from mocks.doors.portal.query import NOT_HERE, PLACES, READS, SERVICES, SYNC, WRITES, Query, login_of
from mocks.doors.portal.settings import PortalDoorSettings
from mocks.faults import What

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.asgi import Request
    from mocks.doors import Site
    from mocks.doors.portal.fields import Wrong
    from mocks.doors.portal.refusals import Refusal
    from mocks.doors.portal.settings import Dialects
    from mocks.faults import Fault
    from mocks.world import Kind

UNKNOWN_MEMBER = "server.clientproxy.unknown_member"
NO_MEMBER = "Could not find addresses for service provider"


class PortalDoor:
    """One JSON address for everything: the body names the service, and carries the session."""

    name = "portal"
    aliases: tuple[str, ...] = (*PLACES, *wrapper.PLACES)
    platform: str | None = "ndxp"
    operations: Mapping[str, tuple[str, ...]] = OUTCOMES
    callbacks: tuple[str, ...] = ()
    plays: Mapping[What, tuple[str, ...]] = disturbances.PLAYS
    views: Mapping[What, Mapping[str, Any]] = disturbances.VIEWS

    def __init__(self, settings: PortalDoorSettings | None = None) -> None:
        self.settings = settings or PortalDoorSettings()
        self.path = self.settings.path
        self.standard = self.settings.dialects
        self.kinds: tuple[Kind, ...] = kinds(self.settings)

    def publish(self, request: Request) -> Answer | None:
        """Return where the portal is and what it serves, at the door's own path."""
        if request.method != "GET" or request.path != self.path:
            return None
        addresses = [f"{place}/{name}" for place in PLACES for name in ("login", "g")]
        shown = {"addresses": addresses, "dstcode": self.settings.dstcode, "services": [SYNC, *SERVICES]}
        return json_answer({**shown, "wrapper": [f"{method} {path}" for method, path in wrapper.ROUTES]})

    def login(self, request: Request) -> str | None:
        """Return the account of a log-in, or the session: either may name a namespace."""
        return login_of(request)

    def recognise(self, request: Request, site: Site[Dialects]) -> Subject:
        """Say which service, which dossier and which agency a request is about."""
        query = wrapper.read_any(request, self.path)
        return Subject(
            operation=query.operation,
            key=self._key(query, site) or UNKNOWN,
            agency=self._agency(query, site),
            request_id=query.request_id,
            lane=(query.code or None) if query.operation in WRITES else None,
            content=query,
        )

    def act(self, request: Request, subject: Subject, site: Site[Dialects]) -> Result:
        """Let the caller in, check what is asked, and do it."""
        query = self._query(request, subject)
        if self._goes_astray(query, site.dialects):
            answer = disturbances.platform_fault(UNKNOWN_MEMBER, NO_MEMBER, query.request_id)
            return Result(answer, DESTINATION, acted=False)
        if not query.known:
            return _no(refusals.NO_SUCH_ADDRESS, site.dialects)
        if not query.readable:
            return _no(refusals.NOT_UNDERSTOOD, site.dialects)
        return self._log_in(query, site) if query.operation == "login" else self._serve(query, site)

    def disturb(self, fault: Fault, subject: Subject, site: Site[Dialects], result: Result | None) -> Answer:
        """Return the answer that the fault puts in place of the real one."""
        query = subject.content if isinstance(subject.content, Query) else Query()
        if fault.what is What.SESSION_EXPIRED:
            credentials.end(query.session, site.world)
        if fault.what is What.STATUS_CONTRADICTS and result is not None:
            desk = self._desk(query, site)
            return self._told(desk, contrary=True).answer if result.acted and isinstance(desk, Desk) else result.answer
        return disturbances.disturbed(fault, site.dialects, subject, None if result is None else result.answer)

    def happened(self, kind: str, resource_id: str, verb: str, site: Site[Dialects]) -> tuple[Callback, ...]:
        """Return nothing: this portal sends nothing by itself."""
        del kind, resource_id, verb, site
        return ()

    def _log_in(self, query: Query, site: Site[Dialects]) -> Result:
        if query.message is None:
            return _no(refusals.WRONG_FIELDS, site.dialects, query.wrong)
        session = credentials.log_in(query.message, site, self.settings)
        if isinstance(session, refusals.Refusal):
            return _no(session, site.dialects)
        text = wire.success_text("", site.dialects)
        return Result(wire.envelope(0, text, site.dialects, session=session), "logged_in", acted=True)

    def _serve(self, query: Query, site: Site[Dialects]) -> Result:
        desk = self._desk(query, site)
        if not isinstance(desk, Desk):
            return _no(desk, site.dialects, query.wrong if desk is refusals.WRONG_FIELDS else ())
        if query.operation == UNKNOWN:
            modelled = query.service not in NOT_HERE
            return _no(refusals.NO_SUCH_SERVICE if modelled else refusals.NOT_MODELLED, site.dialects)
        if query.wrong:
            return _no(refusals.WRONG_FIELDS, site.dialects, query.wrong)
        return self._told(desk) if query.operation in READS else batch.write(desk)

    def _told(self, desk: Desk, *, contrary: bool = False) -> Result:
        outcome, lines = reads.read(desk, contrary=contrary)
        answer = wire.envelope(0, wire.success_text("", desk.site.dialects), desk.site.dialects, result=lines)
        return Result(wrapper.told(answer, desk), outcome, acted=True)

    def _desk(self, query: Query, site: Site[Dialects]) -> Desk | Refusal:
        """Let a caller in by the session that it shows, for the agency that it states."""
        if query.wrapped:
            return self._wrapped(query, site)
        refusal = credentials.refusal(query.session, site, self.settings)
        account = credentials.holder(query.session, site.world, self.settings)
        if refusal is not None or account is None:
            return refusal or refusals.SESSION_UNKNOWN
        if query.agency is None:
            return refusals.WRONG_FIELDS
        if not credentials.may_speak_for(account, query.agency, site.dialects):
            return refusals.AGENCY_REFUSED
        return Desk(query, account, query.agency, site, self.settings)

    def _wrapped(self, query: Query, site: Site[Dialects]) -> Desk | Refusal:
        """Let whoever comes through the wrapper in by the wrapper's own account."""
        account = credentials.known(self.settings.wrapper_account, self.settings)
        resource = site.world.get(ACCOUNT, account.username) if account else None
        if account is None or resource is None or resource.state == LOCKED:
            return refusals.ACCOUNT_REFUSED
        agency = query.agency or account.agency
        if not credentials.may_speak_for(account, agency, site.dialects):
            return refusals.AGENCY_REFUSED
        return Desk(query, account, agency, site, self.settings)

    def _goes_astray(self, query: Query, dialects: Dialects) -> bool:
        """Say whether an adapter cannot tell for whom a request is."""
        if query.wrapped:
            return False
        if query.dstcode is not None:
            return query.dstcode != self.settings.dstcode
        return dialects.dstcode == "always" or (dialects.dstcode == "behind_adapter" and query.through)

    def _key(self, query: Query, site: Site[Dialects]) -> str:
        match query.operation:
            case "login":
                account = credentials.known(query.account, self.settings)
                return account.username if account else ""
            case "tech_id":
                return site.registry.key(query.number) if query.number else ""
            case "procedures":
                return query.operation
            case _:
                return f"{query.code}:{query.step}" if query.code and query.step else query.code

    def _agency(self, query: Query, site: Site[Dialects]) -> str | None:
        if query.operation == "login" or query.wrapped:
            name = self.settings.wrapper_account if query.wrapped else query.account
            account = credentials.known(name, self.settings)
        else:
            account = credentials.holder(query.session, site.world, self.settings)
        return query.agency or (account.agency if account else None)

    def _query(self, request: Request, subject: Subject) -> Query:
        content = subject.content
        return content if isinstance(content, Query) else wrapper.read_any(request, self.path)


def _no(refusal: Refusal, dialects: Dialects, wrong: Wrong = ()) -> Result:
    return Result(refusals.refuse(refusal, dialects, wrong), refusal.outcome, acted=False)
