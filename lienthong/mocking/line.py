"""The line to one mock server's admin API: sends, reads JSON, and turns every way to fail into one of ours.

Knows nothing of what is asked. The only module here that knows the HTTP client.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

ROOT = "/__mock__/"
DEFAULT = "default"
"""The namespace of those who name none."""
NAMESPACE_HEADER = "X-Mock-Namespace"
SECONDS = 30.0
HEALTH = "health"
BROKEN = 503
"""How health answers when the journal cannot be written: an answer all the same."""


class MocksError(Exception):
    """The mocks did not do what was asked."""


class Unreachable(MocksError):
    """Nothing answers there."""

    def __init__(self, admin: str, why: str) -> None:
        super().__init__(f"no mock answers at {admin}: {why}")
        self.admin = admin
        self.why = why


class Refused(MocksError):
    """The mock understood and said no. `sentence` is its own."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"{sentence} ({status})")
        self.status = status
        self.sentence = sentence


class Unreadable(MocksError):
    """What answers is no mock, or one of another release: the answer lacks what this client needs."""

    def __init__(self, what: str) -> None:
        super().__init__(f"this is no answer of these mocks: {what}")


class Answer(dict[str, Any]):
    """A JSON object of the mock's, which must have what is asked of it."""

    def __missing__(self, name: str) -> Any:
        """Say that the answer lacks `name`. Raises `Unreadable`."""
        raise Unreadable(f"it has no {name}")


class Line:
    """One connection pool, and the namespace in which everything is asked."""

    def __init__(self, http: httpx.Client, admin: str, namespace: str) -> None:
        self._http = http
        self.admin = admin
        self.namespace = namespace

    @classmethod
    def to(cls, address: str, *, namespace: str = DEFAULT, key: SecretStr | None = None) -> Line:
        """Return the line to a server, named by its base address or by that of its admin API."""
        # Bytes: whatever somebody types is the mock's to refuse, not the encoding's.
        headers = {} if key is None else {b"Authorization": b"Bearer " + key.get_secret_value().encode()}
        # `trust_env` off: a proxy of this machine has nothing to do with mocks, and could not reach them.
        http = httpx.Client(timeout=SECONDS, trust_env=False, headers=headers)
        return cls(http, admin_of(address), namespace)

    def within(self, namespace: str) -> Line:
        """Return the line in another namespace, over the same connections."""
        return Line(self._http, self.admin, namespace)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(self, method: str, path: str, content: object = None, **parameters: str | int | None) -> Answer:
        """Send one request (what is no text, as JSON) and return its answer. Raises `MocksError`."""
        try:
            answer = self._send(method, path, content, parameters).json()
        except ValueError:
            raise Unreadable("it is no JSON") from None
        if not isinstance(answer, dict):
            raise Unreadable("it is no object")
        return Answer(answer)

    def text(self, path: str) -> str:
        """Return what lies under `path` as it comes. Raises `MocksError`."""
        return self._send("GET", path, None, {}).text

    def _send(
        self, method: str, path: str, content: object, parameters: Mapping[str, str | int | None]
    ) -> httpx.Response:
        body = content if content is None or isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        try:
            response = self._http.request(
                method,
                self.admin + path,
                params={name: value for name, value in parameters.items() if value is not None},
                headers={NAMESPACE_HEADER.encode(): self.namespace.encode()},
                content=body,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(self.admin, str(error) or type(error).__name__) from error
        if response.is_error and not (path == HEALTH and response.status_code == BROKEN):
            raise Refused(response.status_code, _sentence(response))
        return response


def admin_of(address: str) -> str:
    """Return the address of the admin API of the server at `address`."""
    return address.rstrip("/") + ("/" if urlsplit(address).path.rstrip("/") else ROOT)


def _sentence(response: httpx.Response) -> str:
    """Return why the mock refuses, with every wrong place it names."""
    try:
        said = response.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return response.reason_phrase or "refused"
    places = [f"{one.get('path') or '(whole)'}: {one.get('problem')}" for one in said.get("wrong", ())]
    return "; ".join([str(said.get("error") or response.reason_phrase), *places])
