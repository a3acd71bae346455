"""A caller of the sign-in for the coverage table: browser and relying party, and how each outcome is had."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from mocks.doors.vneid.disturbances import BROWSER
from mocks.doors.vneid.faces import A1, A2, OP
from mocks.doors.vneid.settings import ACCOUNTS, VneidDoorSettings
from tools.mock_bench import URL, Asked, Bench, Recipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from mocks.doors.vneid.faces import Face
    from tools.mounted import Reply

STANDARD: Final = VneidDoorSettings()
CALLER: Final = ACCOUNTS[1]
OTHER: Final = ACCOUNTS[2]
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ASKED: Final = {
    "response_type": "code",
    "client_id": CALLER.username,
    "redirect_uri": CALLER.redirect_uris[0],
    "scope": "openid",
    "state": "mau-1",
    "nonce": "mau-2",
}
SECRET: Final = {"client_id": CALLER.username, "client_secret": CALLER.secret}
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What is done before, and what is otherwise than in a good request."""

    outcome: str
    how: str
    face: Face = OP
    state: str | None = None
    """What the sign-in is at before; `None`: as the operation needs it."""
    asked: Mapping[str, str | None] = field(default_factory=dict)
    """What is otherwise in the request with which the sign-in begins."""
    sent: Mapping[str, str | None] = field(default_factory=dict)
    """What is otherwise in the request itself."""
    verb: tuple[str, str, str, Mapping[str, Any]] | None = None
    """A simulator verb: kind, id (`citizen` and `sign_in` stand for those), verb, fields."""
    wait: float = 0.0
    fault: str | None = None
    dialects: Mapping[str, Any] = field(default_factory=dict)
    cookie: bool = False


GOOD: Final[Mapping[str, Way]] = {
    "discovery": Way(outcome="shown", how="The plain provider's."),
    "jwks": Way(outcome="shown", how="Any provider's."),
    "authorize": Way(outcome="started", how="A request as a registered caller makes it."),
    "login": Way(outcome="shown", how="The page, before anything is decided."),
    "identify": Way(outcome="identified", how="Number and password."),
    "decide": Way(outcome="approved", how="The citizen agrees in the app."),
    "choose": Way(outcome="sent_on", how="The tile of VNeID.", face=A1),
    "federate": Way(outcome="taken_back", how="VNeID sends the browser back with a code.", face=A1),
    "token": Way(outcome="issued", how="The code, with address and secret."),
    "userinfo": Way(outcome="told", how="An access token that counts."),
    "introspect": Way(outcome="active", how="An access token that counts."),
    "revoke": Way(outcome="revoked", how="An access token that counts."),
    "logout": Way(outcome="ended", how="With the ID token."),
    "view_info": Way(outcome="shown", how="The link that userinfo gave."),
    "idp_logout": Way(outcome="ended", how="The link that userinfo gave."),
}
PILOT: Final = ("vneid_autopilot", "citizen")
LATE: Final = STANDARD.dialects.sign_in_seconds + 1
LOW: Final[tuple[str, str, str, Mapping[str, Any]]] = ("vneid_account", "citizen", "lower", {})
LOW_LEVEL: Final = {"low_level": "access_denied"}


def _stopped(face: Face = OP) -> tuple[Way, ...]:
    return (
        Way(
            outcome="sign_in_unknown",
            how="A sign-in that nobody began.",
            face=face,
            sent={"session_code": "0" * 20, "sessionDataKey": "0" * 20, "state": "0" * 20},
        ),
        Way(outcome="sign_in_over", how="The code has been exchanged.", face=face, state="redeemed"),
        Way(outcome="sign_in_late", how="The citizen took more than ten minutes.", face=face, wait=LATE),
    )


MORE: Final[Mapping[str, tuple[Way, ...]]] = {
    "discovery": (Way(outcome="not_shown", how="A1's or A2's, unless the dialect `discovery` is `there`.", face=A1),),
    "jwks": (),
    "authorize": (
        Way(
            outcome="approved_at_once",
            how="Simulator verb `approve` of `vneid_autopilot`.",
            verb=(*PILOT, "approve", {"citizens": [1]}),
        ),
        Way(outcome="signed_in_before", how="A browser that is signed in.", state="approved", cookie=True),
        Way(outcome="denied", how="Simulator verb `deny` of `vneid_autopilot`.", verb=(*PILOT, "deny", {})),
        Way(
            outcome="level_low",
            how="Dialect `low_level` = `access_denied`; level 2 is asked of a browser signed in with level 1.",
            state="approved",
            cookie=True,
            verb=LOW,
            sent={"acr_values": "LoA2"},
            dialects=LOW_LEVEL,
        ),
        Way(outcome="client_unknown", how="A caller who is not registered.", sent={"client_id": "made-up"}),
        Way(
            outcome="redirect_refused",
            how="An address that is not registered, letter by letter.",
            sent={"redirect_uri": f"{CALLER.redirect_uris[0]}/"},
        ),
        Way(outcome="request_refused", how="`response_mode=fragment`.", sent={"response_mode": "fragment"}),
        Way(outcome="response_type_refused", how="`response_type=token`.", sent={"response_type": "token"}),
        Way(outcome="scope_refused", how="A scope without `openid`.", sent={"scope": "email"}),
        Way(outcome="pkce_refused", how="A challenge that is too short.", sent={"code_challenge": "x"}),
        Way(outcome="login_required", how="`prompt=none`, and nobody is signed in.", sent={"prompt": "none"}),
    ),
    "login": (
        Way(outcome="returned", how="The citizen has agreed by a simulator verb.", state="approved_by_verb"),
        Way(outcome="denied", how="The citizen has said no by a simulator verb.", state="denied_by_verb"),
        Way(
            outcome="level_low",
            how="Dialect `low_level` = `access_denied`; level 2 is asked, the citizen has level 1.",
            asked={"acr_values": "LoA2"},
            state="approved_by_verb",
            verb=LOW,
            dialects=LOW_LEVEL,
        ),
        *_stopped(),
    ),
    "identify": (
        Way(outcome="approved", how="Dialect `confirm` = `page`.", dialects={"confirm": "page"}),
        Way(outcome="qr_renewed", how="A new QR code.", sent={"action": "renew_qr"}),
        Way(outcome="password_wrong", how="A wrong password.", sent={"password": "made-up"}),
        Way(outcome="no_account", how="A number that nobody has.", sent={"number": "999000000000"}),
        Way(
            outcome="account_locked",
            how="Simulator verb `lock` of `vneid_account`.",
            verb=("vneid_account", "citizen", "lock", {}),
        ),
        Way(
            outcome="qr_expired",
            how="A QR code older than two minutes is scanned.",
            wait=STANDARD.dialects.qr_seconds + 1,
            sent={"action": "scan"},
        ),
        Way(outcome="not_understood", how="A button that is not there.", sent={"action": "dance"}),
        Way(
            outcome="level_low",
            how="Dialects `confirm` = `page`, `low_level` = `access_denied`; level 2 is asked, the account has 1.",
            asked={"acr_values": "LoA2"},
            verb=LOW,
            dialects={"confirm": "page", **LOW_LEVEL},
        ),
        *_stopped(),
    ),
    "decide": (
        Way(outcome="not_understood", how="Agreed, before it is known who it is.", state="started"),
        Way(outcome="denied", how="The citizen says no.", sent={"action": "deny"}),
        Way(
            outcome="level_low",
            how="Dialect `low_level` = `access_denied`; level 2 is asked, the citizen has level 1.",
            asked={"acr_values": "LoA2"},
            verb=LOW,
            dialects=LOW_LEVEL,
        ),
        *_stopped(),
    ),
    "choose": (
        Way(outcome="denied", how="The citizen chooses no provider.", face=A1, sent={"idp": "cancel"}),
        *_stopped(A1),
    ),
    "federate": (
        Way(outcome="code_refused", how="With a code that VNeID has not made.", face=A1, sent={"code": "made-up"}),
        Way(
            outcome="denied",
            how="VNeID says that nobody signed in.",
            face=A1,
            sent={"code": None, "error": "access_denied"},
        ),
        Way(
            outcome="level_low",
            how="Dialect `low_level` = `access_denied`; level 2 is asked, the citizen has level 1.",
            face=A1,
            asked={"acr_values": "LoA2"},
            verb=LOW,
            dialects=LOW_LEVEL,
        ),
        *_stopped(A1),
    ),
    "token": (
        Way(
            outcome="refreshed",
            how="The refresh token.",
            state="redeemed",
            sent={"grant_type": "refresh_token"},
        ),
        Way(outcome="client_refused", how="A wrong secret.", sent={"client_secret": "made-up"}),
        Way(outcome="request_refused", how="No `redirect_uri`.", sent={"redirect_uri": None}),
        Way(outcome="grant_type_refused", how="`grant_type=password`.", sent={"grant_type": "password"}),
        Way(outcome="code_refused", how="A code that nobody was given.", sent={"code": "made-up"}),
        Way(outcome="code_used", how="The same code again.", state="redeemed"),
        Way(
            outcome="code_expired",
            how="A code older than five minutes.",
            wait=STANDARD.dialects.code_seconds + 1,
        ),
        Way(
            outcome="code_foreign",
            how="Another caller's code.",
            sent={"client_id": OTHER.username, "client_secret": OTHER.secret},
        ),
        Way(outcome="redirect_differs", how="Another address.", sent={"redirect_uri": OTHER.redirect_uris[0]}),
        Way(
            outcome="verifier_refused",
            how="A challenge was sent, its verifier is not.",
            asked={"code_challenge": CHALLENGE, "code_challenge_method": "S256"},
        ),
        Way(
            outcome="refresh_refused",
            how="A refresh token that nobody was given.",
            sent={"grant_type": "refresh_token", "refresh_token": "made-up"},
        ),
    ),
    "userinfo": (
        Way(outcome="token_missing", how="No token.", sent={"access_token": None}),
        Way(outcome="token_refused", how="A token that nobody was given.", sent={"access_token": "made-up"}),
    ),
    "introspect": (
        Way(outcome="inactive", how="A token that nobody was given.", sent={"token": "made-up"}),
        Way(outcome="client_refused", how="A wrong secret.", sent={"client_secret": "made-up"}),
    ),
    "revoke": (
        Way(outcome="nothing_revoked", how="A token that nobody was given.", sent={"token": "made-up"}),
        Way(outcome="client_refused", how="A wrong secret.", sent={"client_secret": "made-up"}),
        Way(outcome="request_refused", how="No token.", sent={"token": None}),
    ),
    "logout": (
        Way(outcome="nothing_ended", how="A second time.", state="left"),
        Way(
            outcome="asked",
            how="Without the ID token: a page asks.",
            sent={"id_token_hint": None, "client_id": CALLER.username},
        ),
        Way(
            outcome="form_refused",
            how="At A1 a form from elsewhere, where it takes none.",
            face=A1,
            dialects={"logout_takes": "address"},
        ),
        Way(outcome="hint_refused", how="An ID token of nobody's.", sent={"id_token_hint": "made-up"}),
        Way(
            outcome="post_logout_refused",
            how="An address that is not registered.",
            sent={"post_logout_redirect_uri": "https://xa-khac.example/"},
        ),
    ),
    "view_info": (Way(outcome="token_refused", how="A token of nobody's.", sent={"token_id": "made-up"}),),
    "idp_logout": (
        Way(outcome="nothing_ended", how="A second time.", state="left"),
        Way(outcome="token_refused", how="A token of nobody's.", sent={"token_id": "made-up"}),
    ),
}
BEFORE: Final = {
    **dict.fromkeys(("login", "identify", "choose"), "started"),
    "decide": "confirming",
    "federate": "back",
    "token": "approved",
    **dict.fromkeys(("userinfo", "introspect", "revoke", "logout", "view_info", "idp_logout"), "redeemed"),
}
"""What a sign-in is at before a good request."""


def _waiting(operation: str) -> Way:
    good, how = GOOD[operation], "Fault `spinner`: a page that turns and turns."
    return Way(outcome="left_waiting", how=how, face=good.face, state=good.state, fault="spinner")


class VneidCaller:
    """See the module."""

    door = "vneid"

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the mocks are told for a door with other settings."""
        return {"vneid": VneidDoorSettings(**changes)} if changes else {}

    async def well(self, bench: Bench, operation: str) -> Asked:
        """Bring a sign-in as far as it has to be, and return a request that is answered well."""
        return await _asked(bench, operation, GOOD[operation])

    def recipes(self, operation: str) -> Iterable[Recipe]:
        """Return how each outcome is had."""

        def doing(way: Way) -> Callable[[Bench], Awaitable[Asked]]:
            return lambda bench: _asked(bench, operation, way)

        for way in (GOOD[operation], *MORE[operation], *([_waiting(operation)] if operation in BROWSER else ())):
            yield Recipe(outcome=way.outcome, how=way.how, request=doing(way), dialects=way.dialects)

    async def cause(self, bench: Bench, callback: str) -> None:
        """Do nothing: a provider sends nothing by itself."""
        del bench, callback


@dataclass
class _Walk:
    """One sign-in on its way: what has been handed out so far."""

    bench: Bench
    face: Face
    citizen: int
    number: str
    sign_in: str = ""
    page: str = ""
    back: str = ""
    cookie: str = ""
    code: str = ""
    tokens: dict[str, Any] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str) -> Reply:
        return await self.bench.send(Asked(method="GET", path=path, headers={"Host": "mocks.test"}))

    async def post(self, path: str, form: Mapping[str, str]) -> Reply:
        return await self.bench.send(_form(path, form))

    async def begin(self, asked: Mapping[str, str | None]) -> None:
        reply = await self.get(f"{self.face.paths['authorize']}?{_query({**ASKED, **asked})}")
        self.page = _path(_location(reply))
        self.sign_in = dict(parse_qsl(urlsplit(self.page).query)).popitem()[1]

    async def identify(self) -> None:
        await self.post(self._of_page, {"session_code": self.sign_in, **self.person})

    @property
    def _of_page(self) -> str:
        return (A2 if self.face is A1 else self.face).page

    @property
    def person(self) -> dict[str, str]:
        """What the citizen fills in."""
        return {"action": "login", "number": self.number, "password": STANDARD.password, "account": "person"}

    async def approve(self) -> None:
        if self.face is A1:
            await self.to_a2_and_back()
            return self._returned(await self.get(self.back))
        await self.identify()
        return self._returned(await self.post(self._of_page, {"session_code": self.sign_in, "action": "approve"}))

    async def to_a2_and_back(self) -> None:
        reply = await self.post(A1.paths["federate"], {"sessionDataKey": self.sign_in, "idp": "BCA"})
        page = _path(_location(await self.get(_path(_location(reply)))))
        inner = dict(parse_qsl(urlsplit(page).query))["session_code"]
        await self.post(A2.page, {"session_code": inner, **self.person})
        reply = await self.post(A2.page, {"session_code": inner, "action": "approve"})
        self.back = _path(_location(reply))

    def _returned(self, reply: Reply) -> None:
        self.code = dict(parse_qsl(urlsplit(_location(reply)).query)).get("code", "")
        self.cookie = (reply.header("set-cookie") or "").partition(";")[0]

    async def redeem(self) -> None:
        form = {"grant_type": "authorization_code", "code": self.code, "redirect_uri": CALLER.redirect_uris[0]}
        reply = await self.post(self.face.paths["token"], {**form, **SECRET})
        self.tokens = json.loads(reply.body)

    async def ask(self) -> None:
        bearer = {"Host": "mocks.test", "Authorization": f"Bearer {self.tokens['access_token']}"}
        reply = await self.bench.send(Asked(method="GET", path=self.face.paths["userinfo"], headers=bearer))
        told = json.loads(reply.body)
        self.links = {"view_info": told["userProfileUri"], "idp_logout": told["logoutUri"]}


async def _asked(bench: Bench, operation: str, way: Way) -> Asked:
    citizen = next(one for one in bench.app.default.people.citizens if one.number and not one.oddities)
    walk = _Walk(bench, way.face, citizen.id, citizen.number or "")
    # To look at the links A1 has to be asked: it has the session with A2 that they are about.
    if operation in ("view_info", "idp_logout"):
        walk.face = A1
    state = way.state or BEFORE.get(operation)
    if state is not None:
        await _bring(walk, operation, way, state)
    if way.verb is not None and state not in ("back", "confirming", "approved_by_verb"):
        await _move(walk, way)
    if way.wait:
        await bench.admin("POST", "clock", {"advance_seconds": way.wait})
    if way.fault is not None:
        whom = {"door": "vneid", "operation": operation}
        await bench.admin("POST", "faults", {"what": way.fault, "until": {"count": 1}, "for": whom})
    return _request(walk, operation, way)


async def _bring(walk: _Walk, operation: str, way: Way, state: str) -> None:
    """Bring a sign-in to a state."""
    await walk.begin(way.asked)
    if way.verb is not None and state in ("back", "confirming", "approved_by_verb"):
        await _move(walk, way)
    match state:
        case "confirming":
            await walk.identify()
        case "back":
            await walk.to_a2_and_back()
        case "approved_by_verb" | "denied_by_verb":
            verb = (
                {"verb": "deny"}
                if state == "denied_by_verb"
                else {"verb": "approve", "fields": {"citizen": walk.citizen}}
            )
            await walk.bench.admin("POST", f"world/vneid_sign_in/{walk.sign_in}", verb)
        case "approved" | "redeemed" | "left":
            await walk.approve()
    if state in ("redeemed", "left"):
        await walk.redeem()
    if operation in ("view_info", "idp_logout"):
        await walk.ask()
    if state == "left":
        await walk.bench.send(_request(walk, operation, GOOD[operation]))


async def _move(walk: _Walk, way: Way) -> None:
    if way.verb is not None:
        kind, name, verb, fields = way.verb
        who = str(walk.citizen) if kind == "vneid_account" else name
        await walk.bench.admin("POST", f"world/{kind}/{who}", {"verb": verb, "fields": dict(fields)})


def _request(walk: _Walk, operation: str, way: Way) -> Asked:
    """Return the request that an operation is asked with."""
    if operation in ("view_info", "idp_logout"):
        token = walk.links[operation].partition("token_id=")[2]
        return _get(A2.paths[operation], {"token_id": token, **way.sent})
    place = walk.face.paths.get("federate" if operation == "choose" else operation, walk.face.page)
    parameters = {**FORMS[operation](walk), **way.sent}
    if operation in QUERIES:
        return _get(place, parameters, walk.cookie if way.cookie else "")
    if parameters.get("grant_type") == "refresh_token":
        parameters = {"refresh_token": walk.tokens.get("refresh_token"), **parameters}
    return _form(place, parameters)


QUERIES: Final = ("discovery", "jwks", "authorize", "login", "federate")
FORMS: Final[Mapping[str, Callable[[_Walk], dict[str, str | None]]]] = {
    "discovery": lambda _: {},
    "jwks": lambda _: {},
    "authorize": lambda _: dict(ASKED),
    "login": lambda walk: {"session_code": walk.sign_in},
    "identify": lambda walk: {**walk.person, "session_code": walk.sign_in},
    "decide": lambda walk: {"session_code": walk.sign_in, "action": "approve"},
    "choose": lambda walk: {"sessionDataKey": walk.sign_in, "idp": "BCA"},
    "federate": lambda walk: {"state": walk.sign_in, **dict(parse_qsl(urlsplit(walk.back).query))},
    "token": lambda walk: {
        "grant_type": "authorization_code",
        "code": walk.code,
        "redirect_uri": CALLER.redirect_uris[0],
        **SECRET,
    },
    "userinfo": lambda walk: {"access_token": walk.tokens["access_token"]},
    "introspect": lambda walk: {"token": walk.tokens["access_token"], **SECRET},
    "revoke": lambda walk: {"token": walk.tokens["access_token"], **SECRET},
    "logout": lambda walk: {
        "id_token_hint": walk.tokens["id_token"],
        "post_logout_redirect_uri": CALLER.post_logout_redirect_uris[0],
    },
}
"""What a good request holds, in its address or in its body."""


def _get(path: str, query: Mapping[str, str | None], cookie: str = "") -> Asked:
    headers = {"Host": "mocks.test", **({"Cookie": cookie} if cookie else {})}
    return Asked(method="GET", path=f"{path}?{_query(query)}", headers=headers)


def _form(path: str, form: Mapping[str, str | None]) -> Asked:
    return Asked(path=path, headers={"Host": "mocks.test", "Content-Type": FORM}, body=_query(form).encode())


def _query(parameters: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in parameters.items() if value is not None})


def _location(reply: Reply) -> str:
    return reply.header("location") or ""


def _path(address: str) -> str:
    return address.removeprefix(URL)
