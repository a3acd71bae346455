"""One-stop software that lets citizens in, as `docs/sign-ins.md` asks it to.

It forgets one thing on purpose: to look whether a sign-in is the one in the browser's session. It gives that session to
the gateway, which looks too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from lienthong.demo.signins.browser import RETURN_TO

if TYPE_CHECKING:
    from contracts.texts import Language

CREATED, OK = 201, 200
WANTED = 2
SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the gateway answered to a claim."""

    status: int
    body: dict[str, Any] = field(repr=False)

    @property
    def let_in(self) -> bool:
        """Whether the vendor lets them in: somebody is named, and the level is enough."""
        return self.status == OK and self.body.get("sufficient") is True

    @property
    def number(self) -> str | None:
        """The identity number of whoever it is."""
        account: dict[str, str | None] = self.body.get("account") or {}
        return account.get("identity_number")

    @property
    def outcome(self) -> str:
        """What came of it: the gateway's own word."""
        return str(self.body.get("outcome") or self.body.get("reason") or "")

    @property
    def sentence(self) -> str:
        """What can be read out to whoever was not let in."""
        return str(self.body.get("next_step") or self.body.get("title") or "")


class Vendor:
    """The software, with its key."""

    def __init__(self, http: httpx.AsyncClient, gateway: str, key: str, agency: str, language: Language) -> None:
        self._http = http
        self._address = f"{gateway}/v1/sign-ins"
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": str(language)}
        self._purpose = {"agency": agency, "procedure": "9.999001", "reason": "before_dossier"}

    async def begin(self, session: str) -> str:
        """Make a sign-in for a browser's session, and return the address to send that browser to."""
        content = {"purpose": self._purpose, "level": WANTED, "return_to": RETURN_TO, "session": session}
        answer = await self._ask("", content)
        return str(answer.body.get("start_url", "")) if answer.status == CREATED else ""

    async def claim(self, session: str, brought: dict[str, str]) -> Claimed:
        """Ask who it is that a browser came back with."""
        content = {"code": brought.get("code", ""), "session": session}
        return await self._ask(f"/{brought.get('sign_in', '')}/claim", content)

    async def log_out(self, sign_in: str) -> bool:
        """End a sign-in; return whether everything has ended that the gateway and the door hold."""
        answer = await self._ask(f"/{sign_in}/logout", {})
        return (answer.body.get("tokens"), answer.body.get("linked")) == ("ended", "ended")

    async def _ask(self, path: str, content: dict[str, Any]) -> Claimed:
        try:
            answer = await self._http.post(
                f"{self._address}{path}", json=content, headers=self._headers, timeout=SECONDS
            )
            return Claimed(answer.status_code, answer.json())
        except (httpx.HTTPError, ValueError):
            return Claimed(0, {})
