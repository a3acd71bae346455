"""Values → requests. What does not fit the contract is refused before it leaves, every wrong field at once.

Source: `contracts/partner`. Nothing is cut off and nothing is made up.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from adapters.transport import Request
from contracts.model import InvalidRequest, Layer, WrongField

if TYPE_CHECKING:
    from adapters.partner.credential import Account, Credential
    from adapters.transport import URL
    from contracts.model import Exchange, IdentityNumber, Purpose
    from contracts.model.partner import (
        Handover,
        Notice,
        PartnerWrite,
        Progress,
        RecordCode,
        Registration,
        Replacement,
    )

MAX_OFFICER: Final = 60
MAX_TITLE: Final = 200
MAX_WORDS: Final = 500
MAX_AMOUNT: Final = 10**15
MAX_REVISION: Final = 10**9
MAX_STEP: Final = 9999
MAX_KEY: Final = 200
_NATIONAL_PART: Final = 8  # n.nnnnnn; what follows names the agency that took the procedure over
_KEY: Final = re.compile(r"[!-~]+")
_AGENCY: Final = re.compile(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.H[0-9]{2}")
_HALF: Final = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class _Body:
    """A body in the making, with what is wrong about it."""

    content: dict[str, Any] = field(default_factory=dict)
    wrong: list[WrongField] = field(default_factory=list)

    def words(self, name: str, value: str, longest: int, path: str | None = None) -> None:
        path = f"/{name}" if path is None else path
        if not value:
            self.wrong.append(WrongField(path, "required"))
        elif len(value) > longest:
            self.wrong.append(WrongField(path, "too_long", {"max_length": longest}))
        elif _HALF.search(value):
            self.wrong.append(WrongField(path, "invalid"))
        self.content[name] = value

    def whole(self, name: str, value: int, least: int, most: int) -> None:
        if not least <= value <= most:
            self.wrong.append(WrongField(f"/{name}", "invalid"))
        self.content[name] = value

    def subject(self, title: str, amount: int, applicant: IdentityNumber | None) -> None:
        self.words("title", title, MAX_TITLE)
        self.whole("amount", amount, 0, MAX_AMOUNT)
        if applicant is not None:
            self.content["applicant"] = applicant.value


class Door:
    """The partner's address, and the requests that go to it."""

    def __init__(self, endpoint: str) -> None:
        self._base = Request("POST", endpoint.rstrip("/")).url

    def login(self, account: Account, exchange: Exchange) -> Request:
        """Return the request that opens a session."""
        content = {"account": account.username, "secret": account.secret.get_secret_value()}
        return self._request("POST", "/sessions", exchange, None, content=content)

    def register(
        self, registration: Registration, purpose: Purpose, key: str, credential: Credential, exchange: Exchange
    ) -> Request:
        """Return the registration under `key`. Raises `InvalidRequest`."""
        body = _begun(registration, purpose)
        body.content["code"] = str(registration.code)
        body.subject(registration.title, registration.amount, registration.applicant)
        if len(key) > MAX_KEY or not _KEY.fullmatch(key):
            body.wrong.append(WrongField("/key", "invalid"))
        return self._write("POST", "/records", body, credential, exchange, key=key)

    def replace(
        self, replacement: Replacement, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Request:
        """Return the request that puts a whole content in place. Raises `InvalidRequest`."""
        body = _begun(replacement, purpose)
        body.whole("revision", replacement.revision, 1, MAX_REVISION)
        body.subject(replacement.title, replacement.amount, replacement.applicant)
        return self._write("PUT", f"/records/{replacement.code}", body, credential, exchange)

    def append(self, progress: Progress, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that appends a step. Raises `InvalidRequest`."""
        body = _begun(progress, purpose)
        body.whole("step", progress.step, 1, MAX_STEP)
        body.content["state"] = progress.state.value
        if progress.note is not None:
            body.words("note", progress.note, MAX_WORDS)
        return self._write("POST", f"/records/{progress.code}/steps", body, credential, exchange)

    def transfer(self, handover: Handover, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that hands a record over. Raises `InvalidRequest`."""
        body = _begun(handover, purpose)
        body.content |= {"transfer": str(handover.transfer), "to": str(handover.to)}
        if not _AGENCY.fullmatch(str(handover.to)):
            body.wrong.append(WrongField("/to", "pattern"))
        return self._write("POST", f"/records/{handover.code}/transfers", body, credential, exchange)

    def notify(self, notice: Notice, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that has an applicant told something. Raises `InvalidRequest`."""
        body = _begun(notice, purpose)
        body.content["notice"] = str(notice.notice)
        body.words("text", notice.text, MAX_WORDS)
        return self._write("POST", f"/records/{notice.code}/notices", body, credential, exchange)

    def read(self, code: RecordCode, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that looks a record up."""
        return self._request("GET", f"/records/{code}", exchange, credential)

    def find_step(self, progress: Progress, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that asks whether a step was applied."""
        return self._request("GET", f"/records/{progress.code}/steps/{progress.step}", exchange, credential)

    def find_transfer(self, handover: Handover, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that asks whether a record was handed over."""
        return self._request("GET", f"/records/{handover.code}/transfers/{handover.transfer}", exchange, credential)

    def _write(
        self, method: str, path: str, body: _Body, credential: Credential, exchange: Exchange, *, key: str | None = None
    ) -> Request:
        if body.wrong:
            raise InvalidRequest(
                "request_outside_contract", operation=exchange.operation, layer=Layer.OURS, fields=tuple(body.wrong)
            )
        return self._request(method, path, exchange, credential, content=body.content, key=key)

    def _request(
        self,
        method: str,
        path: str,
        exchange: Exchange,
        credential: Credential | None,
        *,
        content: dict[str, Any] | None = None,
        key: str | None = None,
    ) -> Request:
        headers = {"Accept": "application/json", "X-Request-Id": exchange.request_id}
        if credential is not None:
            headers["Authorization"] = f"Bearer {credential.token.get_secret_value()}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if content is None:
            return Request(method, self._url(path), headers=headers)
        headers["Content-Type"] = "application/json"
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return Request(method, self._url(path), headers=headers, content=body)

    def _url(self, path: str) -> URL:
        return self._base.copy_with(path=self._base.path.rstrip("/") + path)


def _begun(write: PartnerWrite, purpose: Purpose) -> _Body:
    """Begin the body of a write with what they all state."""
    body = _Body()
    body.words("officer", purpose.officer, MAX_OFFICER, "/purpose/officer")
    body.content["procedure"] = purpose.procedure.value[:_NATIONAL_PART]
    body.content["lane"] = write.lane_key
    return body
