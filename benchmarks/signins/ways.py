"""What one sign-in is, from its beginning to its end: through the gateway, or straight at the door.

Each way plays everybody: the citizen's browser with the one cookie that it needs, and the vendor, or the relying party.
It raises `BenchError` at whatever a sign-in must not be, and returns who came.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.errors import BenchError

if TYPE_CHECKING:
    from benchmarks.signins.wire import Answer, Server

_OK: Final = 200
_MADE: Final = 201
_ON: Final = 303
_MOVED: Final = (302, 303)
_JSON: Final = "Content-Type: application/json\r\n"
_TITLE: Final = re.compile(r"<title>(.*?)</title>")
_SHOWN: Final = 300
_FORM: Final = "Content-Type: application/x-www-form-urlencoded\r\n"


@dataclass(frozen=True, slots=True)
class Came:
    """Who came of a sign-in: how the door calls it, and the identity number that was handed over."""

    at_door: str
    number: str


class Through:
    """A vendor's sign-in through the gateway, claimed; with `leaving` logged out after that."""

    def __init__(self, gateway: Server, door: Server, told: dict[str, Any]) -> None:
        self._gateway, self._door = gateway, door
        self._leaving: bool = told["leaving"]
        self._asking = f"{_JSON}Authorization: Bearer {told['key']}\r\n"
        self._back: str = told["back"]
        purpose = {"agency": told["agency"], "procedure": "9.000001", "reason": "before_dossier"}
        self._made = {"purpose": purpose, "level": 2, "return_to": self._back}

    async def sign_in(self) -> Came:
        """Sign in once."""
        session = secrets.token_hex(16)
        asked = json.dumps({**self._made, "session": session}).encode()
        made = _right(await self._gateway.post("/v1/sign-ins", self._asking, asked), _MADE, "make")
        sign_in = json.loads(made.body)
        start = _right(await self._gateway.get(_target(sign_in["start_url"])), _ON, "start")
        returned = await self._door.get(_target(start.location))
        at = _query(_right(returned, _MOVED, "authorise").location)
        cookie = f"Cookie: {start.cookie}\r\n"
        came = _right(await self._gateway.get(_target(returned.location), cookie), _ON, "callback")
        brought = _query(came.location)
        if not came.location.startswith(self._back) or brought["sign_in"] != sign_in["id"]:
            raise BenchError(f"callback: sent to {came.location}")
        shown = json.dumps({"code": brought.get("code", ""), "session": session}).encode()
        target = f"/v1/sign-ins/{sign_in['id']}"
        claimed = _right(await self._gateway.post(f"{target}/claim", self._asking, shown), _OK, "claim")
        told = json.loads(claimed.body)
        if told["outcome"] != "signed_in":
            raise BenchError(f"claim: {told['outcome']}")
        if self._leaving:
            back = json.dumps({"return_to": self._back}).encode()
            left = json.loads(
                _right(await self._gateway.post(f"{target}/logout", self._asking, back), _OK, "logout").body
            )
            if left["tokens"] != "ended":
                raise BenchError(f"logout: {left}")
        return Came(at["code"].partition(".")[0], told["account"]["identity_number"])


class Straight:
    """The exchanges that the gateway and a browser have with the door in one sign-in, with nobody in between."""

    def __init__(self, door: Server, told: dict[str, Any]) -> None:
        self._door = door
        self._base = _target(told["door"])
        self._callback: str = told["callback"]
        self._client, self._secret = told["username"], told["secret"]

    async def sign_in(self) -> Came:
        """Sign in once."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self._client, "redirect_uri": self._callback, "scope": "openid",
            "state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
            "acr_values": "LoA2",
        }  # fmt: skip
        returned = await self._door.get(f"{self._base}/oauth2/authorize?{urlencode(asked)}")
        brought = _query(_right(returned, _MOVED, "authorise").location)
        if brought["state"] != state:
            raise BenchError("authorise: another's state")
        form = {
            "grant_type": "authorization_code", "code": brought["code"], "redirect_uri": self._callback,
            "code_verifier": verifier, "client_id": self._client, "client_secret": self._secret,
        }  # fmt: skip
        exchanged = await self._door.post(f"{self._base}/oauth2/token", _FORM, urlencode(form).encode())
        tokens = json.loads(_right(exchanged, _OK, "token").body)
        bearer = f"{_FORM}Authorization: Bearer {tokens['access_token']}\r\n"
        told = _right(await self._door.post(f"{self._base}/oauth2/userinfo", bearer, b""), _OK, "userinfo")
        return Came(brought["code"].partition(".")[0], json.loads(told.body)["SoDinhDanh"])


def _right(answer: Answer, statuses: int | tuple[int, ...], step: str) -> Answer:
    if answer.status not in (statuses if isinstance(statuses, tuple) else (statuses,)):
        told = _TITLE.search(answer.body.decode(errors="replace"))
        raise BenchError(f"{step}: {answer.status} {told[1] if told else repr(answer.body[:_SHOWN])}")
    return answer


def _target(address: str) -> str:
    """Return what a request line says of an address."""
    _, _, rest = address.partition("://")
    return f"/{rest.partition('/')[2]}"


def _query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
