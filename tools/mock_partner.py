"""A caller of the synthetic partner for the coverage table: good requests, and every way to get each outcome."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mocks.doors.partner.query import LOOKUPS, ROUTES, WRITES
from mocks.doors.partner.settings import ACCOUNTS, PartnerDoorSettings
from tools.mock_bench import Asked, Bench, Recipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

STANDARD: Final = PartnerDoorSettings()
PATHS: Final = {route.operation: (route.method, route.path) for route in ROUTES}
CODE: Final = "HS-1"
PARTS: Final = {"step": "1", "transfer": "CG-1"}
WRITE: Final = {"officer": "canbo.mau", "procedure": "9.000001"}
CONTENT: Final = {"title": "Hồ sơ mẫu", "amount": 20_000}
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "register": {**WRITE, **CONTENT, "code": CODE},
    "replace": {**WRITE, **CONTENT, "revision": 1},
    "append": {**WRITE, "step": 1, "state": "processing"},
    "transfer": {**WRITE, "transfer": "CG-1", "to": "000.00.02.H99"},
    "notify": {**WRITE, "notice": "TB-1", "text": "Mời đến nhận kết quả"},
}
DONE_BEFORE: Final = {"find_step": "append", "find_transfer": "transfer"}
"""What a look-up looks for."""
EXPIRED_SECONDS: Final = STANDARD.session_minutes * 60 + 1
Step = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What is done before, and what is otherwise than in a good request."""

    outcome: str
    how: str
    before: tuple[Step, ...] = ()
    """Operations that are done first, with what is otherwise in them."""
    there: bool = True
    """Whether the record is there before."""
    of: int = 0
    """Whose the record is."""
    body: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    code: str = CODE
    key: str | None = "khoa-2"
    account: int = 0
    secret: str | None = None
    token: str | None = None
    verb: str = ""
    """What the partner's officer does to the record before."""
    wait: float = 0.0
    dialects: Mapping[str, Any] = field(default_factory=dict)
    late_dialects: Mapping[str, Any] = field(default_factory=dict)
    """Dialects that are set just before the request."""


def ways(operation: str) -> Iterable[Way]:
    """Return how each outcome of an operation is had."""
    yield from OWN[operation]
    if operation == "login":
        return
    yield Way(outcome="token_refused", how="A token that nobody was given.", token="made-up")  # noqa: S106 - made up
    yield Way(outcome="session_expired", how="A session older than half an hour.", wait=EXPIRED_SECONDS)
    yield Way(
        outcome="quota_used_up",
        how="Dialect `quota_per_day` = 0, after the log-in.",
        late_dialects={"quota_per_day": 0},
    )
    yield Way(
        outcome="foreign_record",
        how="The code of a record of another agency.",
        of=1,
        before=((DONE_BEFORE[operation], {}),) if operation in DONE_BEFORE else (),
    )
    if operation in LOOKUPS:
        yield Way(outcome="wrong_fields", how="A code of digits alone.", code="1234")
        yield Way(
            outcome="not_there",
            how="Dialect `absent` = `error`; a code that nobody has registered.",
            code="HS-9",
            dialects={"absent": "error", "transfer_lookup": "at_once"},
        )
        return
    yield Way(outcome="not_understood", how="A body that is no JSON.", raw=b"{")
    yield Way(outcome="wrong_fields", how="A body without `officer`.", body={"officer": None})
    yield Way(outcome="officer_refused", how="`officer` canbo.khong_quyen.", body={"officer": "canbo.khong_quyen"})
    yield Way(outcome="procedure_refused", how="`procedure` 9.999004.", body={"procedure": "9.999004"})
    if operation != "register":
        yield Way(outcome="record_unknown", how="A code that nobody has registered.", code="HS-9")
    if operation in ("replace", "append", "transfer"):
        yield Way(outcome="record_closed", how="A record that was withdrawn.", verb="withdraw")


_TWICE_APPLIED: Final = "Send the same twice: it is done twice."
OWN: Final[Mapping[str, tuple[Way, ...]]] = {
    "login": (
        Way(outcome="logged_in", how="Account and secret."),
        Way(outcome="not_understood", how="A body that is no JSON.", raw=b"{"),
        Way(outcome="wrong_fields", how="A body without `secret`.", body={"secret": None}),
        Way(outcome="account_refused", how="A wrong secret.", body={"secret": "made-up"}),
    ),
    "register": (
        Way(outcome="registered", how="A new code under a new key.", there=False),
        Way(outcome="repeated", how="The same body under the same key: the first answer comes again.", key="khoa-1"),
        Way(
            outcome="existed",
            how="Dialect `exists` = `success_with_note`; a code that is there, under a new key.",
            dialects={"exists": "success_with_note"},
        ),
        Way(outcome="key_missing", how="No `Idempotency-Key`.", key=None),
        Way(outcome="key_reused", how="Another body under the same key.", key="khoa-1", body={"amount": 1}),
        Way(outcome="record_exists", how="A code that is there, under a new key."),
        Way(
            outcome="suspected_duplicate",
            how="Dialect `suspects_duplicates`; the content of another record under a new code and key.",
            body={"code": "HS-2"},
            dialects={"suspects_duplicates": True},
        ),
    ),
    "read": (
        Way(outcome="found", how="The code of a record."),
        Way(outcome="not_there", how="A code that nobody has registered.", code="HS-9"),
    ),
    "replace": (
        Way(outcome="replaced", how="A revision later than the last."),
        Way(outcome="same", how="The last revision with the same content.", before=(("replace", {}),)),
        Way(
            outcome="out_of_order",
            how="A revision earlier than the last.",
            before=(("replace", {"revision": 2, "amount": 1}),),
        ),
    ),
    "append": (
        Way(outcome="applied", how="A step later than the last."),
        Way(outcome="applied_again", how=_TWICE_APPLIED, before=(("append", {}),)),
        Way(
            outcome="recognised",
            how="Dialect `repeated_step` = `recognised`; send the same twice.",
            before=(("append", {}),),
            dialects={"repeated_step": "recognised"},
        ),
        Way(outcome="out_of_order", how="A step earlier than the last.", before=(("append", {"step": 2}),)),
        Way(outcome="state_not_allowed", how="`done` for a record that nobody has taken up.", body={"state": "done"}),
    ),
    "find_step": (
        Way(outcome="found", how="A step that was applied.", before=(("append", {}),)),
        Way(outcome="not_there", how="A step that was not applied."),
    ),
    "transfer": (
        Way(outcome="applied", how="A transfer id of its own."),
        Way(outcome="applied_again", how=_TWICE_APPLIED, before=(("transfer", {}),)),
    ),
    "find_transfer": (
        Way(
            outcome="found",
            how="Dialect `transfer_lookup` = `at_once`; a transfer that was done.",
            before=(("transfer", {}),),
            dialects={"transfer_lookup": "at_once"},
        ),
        Way(
            outcome="not_there",
            how="Dialect `transfer_lookup` = `at_once`; a transfer that was not done.",
            dialects={"transfer_lookup": "at_once"},
        ),
        Way(outcome="cannot_tell", how="Any transfer: unless a dialect says otherwise, this partner cannot tell."),
    ),
    "notify": (
        Way(outcome="applied", how="A notice id of its own."),
        Way(outcome="applied_again", how=_TWICE_APPLIED, before=(("notify", {}),)),
    ),
}


class PartnerCaller:
    """See the module."""

    door = "partner"

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the mocks are told for a door with other settings."""
        return {"partner": PartnerDoorSettings(**changes)} if changes else {}

    async def well(self, bench: Bench, operation: str) -> Asked:
        """Log in, do what has to be there before, and return a request that is answered well."""
        return await _asked(bench, operation, OWN[operation][0])

    def recipes(self, operation: str) -> Iterable[Recipe]:
        """Return how each outcome is had."""

        def doing(way: Way) -> Callable[[Bench], Awaitable[Asked]]:
            return lambda bench: _asked(bench, operation, way)

        for way in ways(operation):
            yield Recipe(outcome=way.outcome, how=way.how, request=doing(way), dialects=way.dialects)

    async def cause(self, bench: Bench, callback: str) -> None:
        """Register a record, and have an officer take it up where that is what the callback tells of."""
        await bench.send(await _asked(bench, "register", OWN["register"][0]))
        if callback == "progressed":
            await bench.admin("POST", f"world/record/{CODE}", {"verb": "take_up"})


async def _asked(bench: Bench, operation: str, way: Way) -> Asked:
    if operation == "login":
        return _request("login", _body({"account": ACCOUNTS[0].username, "secret": ACCOUNTS[0].secret}, way), way)
    owner = await _token(bench, way.of)
    if way.there:
        await _do(bench, "register", {}, owner, key="khoa-1")
    for before, changes in way.before:
        await _do(bench, before, changes, owner)
    if way.verb:
        await bench.admin("POST", f"world/record/{CODE}", {"verb": way.verb})
    token = way.token or (owner if way.of == way.account else await _token(bench, way.account))
    if way.wait:
        await bench.admin("POST", "clock", {"advance_seconds": way.wait})
    if way.late_dialects:
        await bench.admin("PATCH", "dialects", {"partner": dict(way.late_dialects)})
    body = _body(BODIES[operation], way) if operation in WRITES else b""
    return _request(operation, body, way, token)


async def _token(bench: Bench, place: int) -> str:
    account = ACCOUNTS[place]
    body = json.dumps({"account": account.username, "secret": account.secret}).encode()
    reply = await bench.send(_request("login", body, OWN["login"][0]))
    token: str = json.loads(reply.body)["data"]["token"]
    return token


async def _do(bench: Bench, operation: str, changes: Mapping[str, Any], token: str, key: str | None = None) -> None:
    way = Way(outcome="", how="", body=changes, key=key)
    await bench.send(_request(operation, _body(BODIES[operation], way), way, token))


def _body(usual: Mapping[str, Any], way: Way) -> bytes:
    if way.raw is not None:
        return way.raw
    body = {**usual, **way.body}
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def _request(operation: str, body: bytes, way: Way, token: str | None = None) -> Asked:
    method, path = PATHS[operation]
    headers = {"Host": "mocks.test", "Content-Type": "application/json", "X-Request-Id": "YC-1"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if operation == "register" and way.key is not None:
        headers["Idempotency-Key"] = way.key
    return Asked(method=method, path=STANDARD.path + path.format(code=way.code, **PARTS), headers=headers, body=body)
