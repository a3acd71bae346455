from __future__ import annotations

import pytest

from mocks.asgi import Request
from mocks.control.access import Access

KEY = "khoa-quan-tri-mau-1"


def request(client: str | None = "127.0.0.1", **headers: str) -> Request:
    """Return a call of the admin API."""
    given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request("GET", "/__mock__/health", "", given, b"", client)


def status(access: Access, call: Request) -> int:
    """Return with which status a call is refused, 200 if it is not."""
    refusal = access.refusal(call)
    return 200 if refusal is None else refusal.status


@pytest.mark.parametrize(
    ("client", "expected"), [("127.0.0.1", 200), ("127.9.9.9", 200), ("::1", 200), ("192.0.2.7", 403), (None, 403)]
)
def test_without_a_key_only_loopback_may_call(client: str | None, expected: int) -> None:
    """Without a key the address that the connection comes from decides, and no header changes that."""
    call = request(client, host="localhost", x_forwarded_for="127.0.0.1", authorization=f"Bearer {KEY}")
    assert status(Access(None), call) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("[::1]:8080", 200),
        ("192.0.2.7", 200),
        ("mocks.example", 200),
        ("a.b.test:8080", 200),
        ("evil.com", 403),
        ("localhost.evil.com", 403),
        ("127.0.0.1.evil.com", 403),
        ("test", 403),
        ("evil.com:.test", 403),
        ("", 403),
    ],
)
def test_a_name_that_a_stranger_can_point_here_is_refused(host: str, expected: int) -> None:
    """A page whose own name was pointed at this machine calls with that name as Host: it is refused."""
    assert status(Access(None), request(host=host)) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:8080", 200),
        ("http://localhost:9090", 403),
        ("https://evil.com", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_a_page_of_another_host_is_refused(origin: str, expected: int) -> None:
    """What a page of another host makes the browser send is refused, also where it needs no permission to send it."""
    assert status(Access(None), request(host="localhost:8080", origin=origin)) == expected


@pytest.mark.parametrize("client", ["127.0.0.1", "192.0.2.7", None])
@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (f"Bearer {KEY}", 200),
        (f"bearer  {KEY}", 200),
        (f"Bearer {KEY}x", 401),
        (f"Bearer {KEY[:-1]}", 401),
        (f"Basic {KEY}", 401),
        (KEY, 401),
        ("Bearer kho\xe1", 401),
        ("Bearer ", 401),
    ],
)
def test_with_a_key_every_call_presents_it(client: str | None, authorization: str, expected: int) -> None:
    """With a key nobody calls without it, loopback neither; with it everybody does."""
    assert status(Access(KEY), request(client, host="mocks.internal", authorization=authorization)) == expected


def test_a_refusal_shows_no_key() -> None:
    """Whoever presents no key or a wrong one is told how to present it, and sees neither."""
    for call in (request(), request(authorization="Bearer wrong-key")):
        refusal = Access(KEY).refusal(call)
        assert refusal is not None
        assert (refusal.status, refusal.headers) == (401, (("www-authenticate", "Bearer"),))
        assert KEY.encode() not in refusal.body
        assert b"wrong-key" not in refusal.body
    assert KEY not in repr(Access(KEY))


@pytest.mark.parametrize("key", ["", " ", "two words", "dòng", "line\n"])
def test_a_key_that_no_header_carries_is_refused(key: str) -> None:
    """A key that is empty or could not be presented is refused when the mocks start, and not repeated."""
    with pytest.raises(ValueError, match="one word of visible ASCII") as caught:
        Access(key)
    assert not key.strip() or key not in str(caught.value)
