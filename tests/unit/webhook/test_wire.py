from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from adapters.webhook import Secrets, declared, new_secret, wire
from contracts.model import Busy, SystemFailed

AT = datetime(2026, 1, 5, 1, 0, 0, 900_000, tzinfo=UTC)
BODY = '{"type":"delivery.settled","data":{"agency":"UBND xã Mẫu"}}'.encode()
OPERATION = declared("webhook:1")


def test_the_signature_is_that_of_the_specification() -> None:
    """`v1,` and base64 of HMAC-SHA256 over id, seconds and body, keyed with the bytes behind `whsec_`."""
    secret = new_secret()
    request = wire.request("https://motcua.example/hooks", "msg_1", BODY, Secrets((secret,)), AT)
    key = base64.b64decode(secret.get_secret_value().removeprefix("whsec_"))
    seconds = str(int(AT.timestamp()))
    signed = hmac.digest(key, b".".join((b"msg_1", seconds.encode(), BODY)), hashlib.sha256)
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"
    assert (request.headers["webhook-id"], request.headers["webhook-timestamp"]) == ("msg_1", seconds)
    assert request.content == BODY
    assert len(key) == 32


def test_the_published_example_comes_out() -> None:
    """The specification's own example: secret, id, time, body and signature."""
    secret = SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, tz=UTC)
    (found,) = wire.signatures("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', Secrets((secret,)), at)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_is_a_success(status: int) -> None:
    """2xx means taken, whatever is said besides."""
    assert wire.judged(httpx.Response(status, content=b"no JSON at all"), OPERATION) is None


@pytest.mark.parametrize(
    ("status", "headers", "kind", "reason"),
    [
        (301, {"Location": "https://elsewhere.example"}, SystemFailed, "message_refused"),
        (400, {}, SystemFailed, "message_refused"),
        (401, {}, SystemFailed, "message_refused"),
        (403, {}, SystemFailed, "message_refused"),
        (404, {}, SystemFailed, "message_refused"),
        (410, {}, SystemFailed, "endpoint_gone"),
        (429, {"Retry-After": "7"}, Busy, "busy"),
        (500, {}, SystemFailed, "server_error"),
        (502, {}, SystemFailed, "message_refused"),
        (503, {"Retry-After": "7"}, Busy, "busy"),
        (503, {}, SystemFailed, "server_error"),
    ],
)
def test_everything_else_is_tried_again(status: int, headers: dict[str, str], kind: type, reason: str) -> None:
    """No answer of a receiver ends a message or holds an agency; a wait that it names is passed on."""
    failure = wire.judged(httpx.Response(status, headers=headers), OPERATION)
    assert type(failure) is kind
    assert isinstance(failure, Busy | SystemFailed)
    assert failure.reason == reason
    assert failure.retry_after == (7 if kind is Busy else None)


def test_secrets_do_not_show() -> None:
    """Neither the secrets nor their fingerprint give them away."""
    secrets = Secrets((SecretStr("whsec_AAAA"), SecretStr("whsec_BBBB")))
    assert "whsec" not in repr(secrets)
    assert secrets.fingerprint != Secrets((SecretStr("whsec_AAAA"),)).fingerprint
