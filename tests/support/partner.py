"""A bare caller of the synthetic partner, which builds its own messages and reads the answers as they are."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    import httpx

    Send = Callable[["Partner"], Awaitable[httpx.Response]]

ACCOUNTS = {
    "thu_xa_mot": ("000.00.01.H99", "bi-mat-mau-1"),
    "thu_xa_hai": ("000.00.02.H99", "bi-mat-mau-2"),
    "thu_tinh_khac": ("000.00.01.H98", "bi-mat-mau-3"),
}
WRITE = {"officer": "canbo.mau", "procedure": "9.000001"}


def registration(code: str, **fields: object) -> dict[str, object]:
    """Return the body of a registration; `None` leaves a field out."""
    body = {**WRITE, "code": code, "title": f"Hồ sơ {code}", "amount": 20_000, **fields}
    return {name: value for name, value in body.items() if value is not None}


def signature(account: str, body: bytes) -> str:
    """Return the signature that a callback to this account has to carry."""
    return "sha256=" + hmac.new(ACCOUNTS[account][1].encode(), body, hashlib.sha256).hexdigest()


@dataclass
class Partner:
    """One account at the door. Every request has an id of its own."""

    client: httpx.AsyncClient
    url: str = "http://mocks.example/partner"
    account: str = "thu_xa_mot"
    namespace: str | None = None
    token: str | None = None
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    async def send(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """Send one request as it is said; bytes go as they are."""
        sent = {"X-Request-Id": f"YC-{self.account}-{next(self._ids)}", **headers}
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if key is not None:
            sent["Idempotency-Key"] = key
        if self.namespace is not None:
            sent["X-Mock-Namespace"] = self.namespace
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return await self.client.request(method, self.url + path, content=content, headers=sent)

    async def log_in(self, account: str | None = None, secret: str | None = None) -> httpx.Response:
        """Open a session and keep its token."""
        account = account or self.account
        secret = ACCOUNTS[self.account][1] if secret is None else secret
        answer = await self.send("POST", "/sessions", {"account": account, "secret": secret})
        content = answer.json() if answer.headers["content-type"] == "application/json" else {}
        data = content.get("data")
        data = data[0] if isinstance(data, list) else data
        if isinstance(data, dict) and isinstance(data.get("token"), str):
            self.token = data["token"]
        return answer

    async def register(self, code: str, *, key: str | None = None, **fields: object) -> httpx.Response:
        """Register a record, under a key of its own if none is given."""
        return await self.send("POST", "/records", registration(code, **fields), key=key or f"khoa-{code}")

    async def replace(self, code: str, revision: int, **fields: object) -> httpx.Response:
        """Put a whole content in place of what is there."""
        body = {**WRITE, "title": f"Hồ sơ {code}", "amount": 20_000, "revision": revision, **fields}
        return await self.send("PUT", f"/records/{code}", body)

    async def append(self, code: str, step: int, state: str = "processing", **fields: object) -> httpx.Response:
        """Append a step."""
        return await self.send("POST", f"/records/{code}/steps", {**WRITE, "step": step, "state": state, **fields})

    async def transfer(self, code: str, transfer: str, **fields: object) -> httpx.Response:
        """Hand a record over."""
        body = {**WRITE, "transfer": transfer, "to": "000.00.02.H99", **fields}
        return await self.send("POST", f"/records/{code}/transfers", body)

    async def notify(self, code: str, notice: str, **fields: object) -> httpx.Response:
        """Have the applicant told something."""
        body = {**WRITE, "notice": notice, "text": "Mời đến nhận kết quả", **fields}
        return await self.send("POST", f"/records/{code}/notices", body)

    async def read(self, code: str) -> httpx.Response:
        """Look a record up."""
        return await self.send("GET", f"/records/{code}")

    async def find_step(self, code: str, step: int) -> httpx.Response:
        """Ask whether a step was applied."""
        return await self.send("GET", f"/records/{code}/steps/{step}")

    async def find_transfer(self, code: str, transfer: str) -> httpx.Response:
        """Ask whether a record was handed over."""
        return await self.send("GET", f"/records/{code}/transfers/{transfer}")


def data(answer: httpx.Response) -> dict[str, Any]:
    """Return the data of a success."""
    content = answer.json()
    assert (answer.status_code, content["status"]) == (200, "ok"), content
    found: dict[str, Any] = content["data"]
    return found


def code(answer: httpx.Response) -> Any:
    """Return the code of an error."""
    content: Mapping[str, Any] = answer.json()
    assert content["status"] == "error", content
    return content["code"]


OPERATIONS: dict[str, Send] = {
    "register": lambda partner: partner.register("H-1"),
    "replace": lambda partner: partner.replace("H-1", 1),
    "append": lambda partner: partner.append("H-1", 1),
    "transfer": lambda partner: partner.transfer("H-1", "CG-1"),
    "notify": lambda partner: partner.notify("H-1", "TB-1"),
    "read": lambda partner: partner.read("H-1"),
    "find_step": lambda partner: partner.find_step("H-1", 1),
    "find_transfer": lambda partner: partner.find_transfer("H-1", "CG-1"),
}
"""Each operation inside a session, as it is said about record H-1."""
WRITES = ("register", "replace", "append", "transfer", "notify")
LOOKUPS = ("read", "find_step", "find_transfer")
