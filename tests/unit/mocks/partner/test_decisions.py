"""The synthetic partner decides about anything that comes, with a declared outcome and an answer that can be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.asgi import Request
from mocks.doors import UNKNOWN, Site
from mocks.doors.partner.door import PartnerDoor
from mocks.doors.partner.query import ROUTES
from mocks.doors.partner.settings import Dialects
from mocks.world import Citizens, People, Registry, State, Turn, generate
from tests.support.partner import WRITE

NOW = datetime(2026, 1, 5, 1, 15, tzinfo=UTC)
DOOR = PartnerDoor()
VALID: dict[str, Any] = {
    **WRITE,
    "account": "thu_xa_mot",
    "secret": "bi-mat-mau-1",
    "code": "H-1",
    "title": "Hồ sơ",
    "revision": 1,
    "step": 1,
    "state": "processing",
    "transfer": "CG-1",
    "to": "000.00.02.H99",
    "notice": "TB-1",
    "text": "Mời đến",
}
VARIANTS = [
    (name, value)
    for name, field in Dialects.model_fields.items()
    for value in get_args(field.annotation)
    if value not in (int, type(None))
] + [("suspects_duplicates", True), ("quota_per_day", 0), ("quota_per_day", 1)]


@cache
def people() -> People:
    return generate(1, 300)


def state() -> State:
    return State({"citizen": Citizens(people()), **{kind.lifecycle.kind: kind for kind in DOOR.kinds}})


def site(world: Turn, **dialects: object) -> Site[Dialects]:
    return Site(world, Registry(people(), world), NOW, Dialects.model_validate(dialects), 1)


def send(began: State, operation: str, body: object, token: str = "", **dialects: object) -> tuple[str, dict[str, Any]]:
    """Let the door decide about one request; return the outcome and the answer's content."""
    route = next(one for one in ROUTES if one.operation == operation)
    headers = (("authorization", f"Bearer {token}"), ("idempotency-key", "k"))
    path = f"{DOOR.path}{route.path.format(code='H-1', step='1', transfer='CG-1')}"
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(route.method, path, "", headers, content if route.body else b"", "127.0.0.1")
    turn = Turn(began, NOW.timestamp())
    at = site(turn, **dialects)
    subject = DOOR.recognise(request, at)
    result = DOOR.act(request, subject, at)
    assert subject.operation == operation
    assert result.outcome in DOOR.operations[operation]
    began.apply(turn.changes)
    found: dict[str, Any] = json.loads(result.answer.body)
    return result.outcome, found


def message(operation: str, **changes: object) -> dict[str, object]:
    """Return a body that the operation takes, as far as the changes let it."""
    route = next(one for one in ROUTES if one.operation == operation)
    fields = set() if route.body is None else set(route.body.model_fields)
    return {**{name: value for name, value in VALID.items() if name in fields}, **changes}


def logged_in() -> tuple[State, str]:
    began = state()
    _, answer = send(began, "login", message("login"))
    return began, answer["data"]["token"]


@pytest.mark.parametrize(("name", "value"), VARIANTS)
def test_every_variant_decides_about_everything(name: str, value: object) -> None:
    """Under each value of each dialect every operation, first and repeated, has a declared outcome and an envelope."""
    began, token = logged_in()
    for _ in range(2):
        for route in ROUTES:
            _, answer = send(began, route.operation, message(route.operation), token, **{name: value})
            assert answer["status"] in ("ok", "error")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    operation=st.sampled_from([route.operation for route in ROUTES]),
    changes=st.dictionaries(st.sampled_from(sorted(VALID)) | st.text(), JSON, max_size=3),
)
def test_whatever_a_field_holds(operation: str, changes: dict[str, Any]) -> None:
    """Fields of any kind and value are refused or taken, never an accident; an error names each wrong one."""
    began, token = logged_in()
    send(began, "register", message("register"), token)
    outcome, answer = send(began, operation, message(operation, **changes), token)
    if outcome == "wrong_fields":
        assert answer["errors"]
        assert all(one["problem"] for one in answer["errors"])


@given(body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_body_holds(body: bytes) -> None:
    """A body of any bytes is refused or taken; nothing of it comes into the ledger but a code."""
    began, token = logged_in()
    send(began, "register", body, token)


def test_unknown_addresses_are_no_operation() -> None:
    """An address that is none is decided about too."""
    began, _ = logged_in()
    request = Request("GET", f"{DOOR.path}/elsewhere", "", (), b"", "127.0.0.1")
    at = site(Turn(began, NOW.timestamp()))
    subject = DOOR.recognise(request, at)
    assert (subject.operation, subject.key) == (UNKNOWN, UNKNOWN)
    assert DOOR.act(request, subject, at).outcome == "no_such_operation"
