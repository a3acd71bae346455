"""A request is read whatever it is, and what is wrong with it is told by path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.asgi import Request
from mocks.doors import UNKNOWN
from mocks.doors.partner.query import LOOKUPS, OPERATIONS, ROUTES, WRITES, bearer, read

WRITE = {"officer": "canbo.mau", "procedure": "9.000001"}
BODIES: dict[str, dict[str, Any]] = {
    "login": {"account": "thu_xa_mot", "secret": "x"},
    "register": {**WRITE, "code": "H-1", "title": "Hồ sơ"},
    "replace": {**WRITE, "title": "Hồ sơ", "revision": 1},
    "append": {**WRITE, "step": 1, "state": "processing"},
    "transfer": {**WRITE, "transfer": "CG-1", "to": "000.00.02.H99"},
    "notify": {**WRITE, "notice": "TB-1", "text": "Mời đến"},
}
PATHS = {route.operation: (route.method, route.path) for route in ROUTES}


def request(method: str, path: str, body: bytes = b"", **headers: str) -> Request:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(method, f"/partner{path}", "", named, body, "127.0.0.1")


def of(operation: str, **changes: object) -> Request:
    """Return a request of an operation about record H-1; `None` leaves a field out."""
    method, path = PATHS[operation]
    body = {name: value for name, value in {**BODIES.get(operation, {}), **changes}.items() if value is not None}
    filled = path.format(code="H-1", step="1", transfer="CG-1")
    return request(method, filled, json.dumps(body).encode() if operation in BODIES else b"")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_recognised(operation: str) -> None:
    """Method and path say which operation it is; a whole message has nothing wrong with it."""
    query = read(of(operation), "/partner")
    assert (query.operation, query.wrong, query.readable) == (operation, (), True)
    assert (query.message is not None) == (operation in BODIES)
    if operation != "login":
        assert query.code == "H-1"


def test_operations_are_told_apart() -> None:
    """Every operation but the log-in is a write or a look-up."""
    assert {*WRITES, *LOOKUPS, "login"} == set(OPERATIONS)


@pytest.mark.parametrize(
    ("operation", "changes", "paths"),
    [
        ("login", {"account": None, "secret": 1}, {"account", "secret"}),
        ("login", {"colour": "red"}, {"colour"}),
        ("register", {"code": None}, {"code"}),
        ("register", {"code": "999190000017"}, {"code"}),
        ("register", {"code": "H-1\n"}, {"code"}),
        ("register", {"code": "H 1"}, {"code"}),
        ("register", {"code": "H/1"}, {"code"}),
        ("register", {"code": "H" * 65}, {"code"}),
        ("register", {"code": 7, "title": 7, "amount": "7"}, {"code", "title", "amount"}),
        ("register", {"amount": 1.0}, {"amount"}),
        ("register", {"amount": True}, {"amount"}),
        ("register", {"amount": -1}, {"amount"}),
        ("register", {"amount": 10**15 + 1}, {"amount"}),
        ("register", {"amount": 10**40}, {"amount"}),
        ("register", {"title": "x" * 201}, {"title"}),
        ("register", {"title": ""}, {"title"}),
        ("register", {"officer": "", "procedure": "9.0000001"}, {"officer", "procedure"}),
        ("register", {"procedure": "9.000001\n"}, {"procedure"}),
        ("register", {"lane": ""}, {"lane"}),
        ("register", {"lane": "999190000017"}, {"lane"}),
        ("register", {"lane": "x" * 101}, {"lane"}),
        ("register", {"applicant": "99919000001"}, {"applicant"}),
        ("register", {"applicant": "99919000001a"}, {"applicant"}),
        ("register", {"title": ["x"], "lane": {"a": 1}}, {"title", "lane"}),
        ("replace", {"revision": 0}, {"revision"}),
        ("replace", {"revision": None, "title": None}, {"revision", "title"}),
        ("replace", {"code": "H-1"}, {"code"}),
        ("append", {"step": 0, "state": "open"}, {"step", "state"}),
        ("append", {"step": 10_000, "note": ""}, {"step", "note"}),
        ("append", {"step": "1", "state": None}, {"step", "state"}),
        ("transfer", {"transfer": "1", "to": "H99"}, {"transfer", "to"}),
        ("notify", {"notice": None, "text": "x" * 501}, {"notice", "text"}),
    ],
)
def test_what_is_wrong_is_told(operation: str, changes: dict[str, Any], paths: set[str]) -> None:
    """Every wrong field is told by its path, and no message is made of the rest."""
    query = read(of(operation, **changes), "/partner")
    assert {path for path, _ in query.wrong} == paths
    assert query.message is None
    assert query.operation == operation


def test_no_value_is_quoted() -> None:
    """What is told about a wrong field repeats nothing that stood in it."""
    query = read(of("register", applicant="Nguyễn Thị Bí Mật", title=["Bí Mật"], amount="Bí Mật"), "/partner")
    assert len(query.wrong) == 3
    assert "Mật" not in str(query)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"null", b"\xff", b"[" * 99_999, b'{"code":"\\ud800"}'])
def test_no_object_is_not_readable(body: bytes) -> None:
    """A body that is no JSON object is not readable, and has no message."""
    query = read(request("POST", "/records", body), "/partner")
    assert (query.readable, query.message, query.code) == (False, None, "")


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("register", ("H-1", "")),
        ("read", ("H-1", "")),
        ("replace", ("H-1", "1")),
        ("append", ("H-1", "1")),
        ("find_step", ("H-1", "1")),
        ("transfer", ("H-1", "CG-1")),
        ("find_transfer", ("H-1", "CG-1")),
        ("notify", ("H-1", "TB-1")),
    ],
)
def test_what_a_request_is_about(operation: str, key: tuple[str, str]) -> None:
    """Code and part say which write it is: the same for a write and its look-up."""
    query = read(of(operation), "/partner")
    assert (query.code, query.part) == key


@pytest.mark.parametrize(
    ("lane", "kept"), [("So-1/2026", "So-1/2026"), (None, "H-1"), ("999190000017", "H-1"), (5, "H-1"), ("a b", "H-1")]
)
def test_the_lane(lane: object, kept: str) -> None:
    """The lane is what the caller states, and the record's code where that is nothing or no lane."""
    assert read(of("register", lane=lane), "/partner").lane == kept


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("", None),
    ],
)
def test_the_token(header: str, token: str | None) -> None:
    """A token comes as Bearer; anything else is none."""
    assert bearer(request("GET", "/records/H-1", authorization=header)) == token


def test_long_headers_are_cut() -> None:
    """Request id and idempotency key are kept as far as a ledger wants them."""
    query = read(request("GET", "/records/H-1", x_request_id="i" * 999, idempotency_key="k" * 999), "/partner")
    assert (query.request_id, query.idempotency_key) == ("i" * 100, "k" * 200)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.sampled_from([route.path for route in ROUTES]) | st.text(),
    body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()),
    changes=st.dictionaries(st.sampled_from(["code", "lane", "step", "transfer", "account"]), JSON),
)
def test_anything_can_be_read(method: str, path: str, body: bytes, changes: dict[str, Any]) -> None:
    """Whatever comes is read without an accident; a key is a code or nothing."""
    for content in (body, json.dumps({**BODIES["register"], **changes}).encode()):
        query = read(request(method, path, content), "/partner")
        assert query.operation in {*OPERATIONS, UNKNOWN}
        assert not query.code.isdigit()
        assert query.lane is None or not query.lane.isdigit()
