"""The door itself: which provider is asked for what, about which sign-in, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mocks.asgi import Answer, json_answer
from mocks.doors import UNKNOWN, Callback, Result, Subject
from mocks.doors.vneid import authorize, decide, disturbances, logout, metadata, pages, refusals, token, wire
from mocks.doors.vneid.desk import CONNECTION, Desk
from mocks.doors.vneid.faces import ALIASES, FACES
from mocks.doors.vneid.kinds import SIGN_IN, kinds
from mocks.doors.vneid.outcomes import LEFT_WAITING, OUTCOMES
from mocks.doors.vneid.query import Query, login_of, read
from mocks.doors.vneid.settings import VneidDoorSettings
from mocks.faults import What

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mocks.asgi import Request
    from mocks.doors import Site
    from mocks.doors.vneid.settings import Dialects
    from mocks.faults import Fault
    from mocks.world import Kind, Resource

SERVED: Final[Mapping[str, Callable[[Desk], Result]]] = {
    "discovery": metadata.discovery,
    "jwks": metadata.jwks,
    "authorize": authorize.authorize,
    "login": decide.login,
    "identify": decide.decide,
    "decide": decide.decide,
    "choose": authorize.federate,
    "federate": authorize.federate,
    "token": token.token,
    "userinfo": token.userinfo,
    "introspect": token.introspect,
    "revoke": token.revoke,
    "logout": logout.logout,
    "view_info": logout.view_info,
    "idp_logout": logout.idp_logout,
}
PUBLIC: Final = ("discovery", "jwks")
ONE_AT_A_TIME: Final = ("identify", "decide", "choose", "federate", "token", "revoke")
"""What must not be done twice at once for one sign-in."""


class VneidDoor:
    """Three OpenID providers over one world: the path says which of them is asked, and for what."""

    name = "vneid"
    aliases: tuple[str, ...] = ALIASES
    platform: str | None = None
    operations: Mapping[str, tuple[str, ...]] = OUTCOMES
    callbacks: tuple[str, ...] = ()
    plays: Mapping[What, tuple[str, ...]] = disturbances.PLAYS
    views: Mapping[What, Mapping[str, Any]] = {}

    def __init__(self, settings: VneidDoorSettings | None = None) -> None:
        self.settings = settings or VneidDoorSettings()
        self.path = self.settings.path
        self.standard = self.settings.dialects
        self.kinds: tuple[Kind, ...] = kinds(self.settings)

    def publish(self, request: Request) -> Answer | None:
        """Return which providers there are and where, at the door's own path."""
        if request.method != "GET" or request.path != self.path:
            return None
        base = f"{self.settings.public_url or request.base}{self.path}"
        shown = {
            face.name: {"issuer": face.issuer(base, self.standard), **{n: f"{base}{p}" for n, p in face.paths.items()}}
            for face in FACES.values()
        }
        return json_answer(shown)

    def login(self, request: Request) -> str | None:
        """Return what names a namespace: the path, the caller's own name, a token."""
        return login_of(read(request, self.settings))

    def recognise(self, request: Request, site: Site[Dialects]) -> Subject:
        """Say which provider is asked for what, about which sign-in, by whose caller."""
        query = read(request, self.settings)
        sign_in = self._about(query, site)
        client = Desk(query, site, self.settings).client(sign_in.fields["client"] if sign_in else query.client)
        if sign_in is not None:
            about = sign_in.id
        elif query.operation == "authorize":
            about = client.username if client else UNKNOWN
        else:
            about = query.face.name if query.operation in PUBLIC else UNKNOWN
        return Subject(
            operation=query.operation,
            key=about,
            agency=client.agency if client else None,
            request_id=query.request_id,
            lane=about if sign_in and query.operation in ONE_AT_A_TIME else None,
            content=query,
        )

    def _about(self, query: Query, site: Site[Dialects]) -> Resource | None:
        """Return the sign-in that a request is about: what A2 does for A1 is about the one with A1."""
        begins = query.operation == "authorize" and query.client.partition("+")[0] == CONNECTION
        name = query.get("state") if begins else query.sign_in
        sign_in = site.world.get(SIGN_IN, name) if name else None
        parent = sign_in.fields["parent"] if sign_in else ""
        return site.world.get(SIGN_IN, parent) if parent else sign_in

    def act(self, request: Request, subject: Subject, site: Site[Dialects]) -> Result:
        """Do what is asked."""
        query = self._query(request, subject)
        if query.operation == UNKNOWN:
            refusal = refusals.NO_SUCH_ADDRESS
            return Result(wire.refused(refusal), refusal.outcome, acted=False)
        if site.struck(What.SPINNER):
            return Result(pages.spinner(), LEFT_WAITING, acted=False)
        return SERVED[query.operation](Desk(query, site, self.settings))

    def disturb(self, fault: Fault, subject: Subject, site: Site[Dialects], result: Result | None) -> Answer:
        """Return the answer that the fault puts in place of the real one."""
        query = subject.content if isinstance(subject.content, Query) else Query()
        desk = Desk(query, site, self.settings)
        if fault.what is What.SESSION_EXPIRED:
            disturbances.expire(desk)
        return disturbances.disturbed(fault, desk, None if result is None else result.answer)

    def happened(self, kind: str, resource_id: str, verb: str, site: Site[Dialects]) -> tuple[Callback, ...]:
        """Return nothing: a provider goes back to its caller through the citizen's browser alone."""
        del kind, resource_id, verb, site
        return ()

    def _query(self, request: Request, subject: Subject) -> Query:
        content = subject.content
        return content if isinstance(content, Query) else read(request, self.settings)
