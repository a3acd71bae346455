"""One-stop software that hands dossiers in at the gateway, follows them, and has a person decide where one is asked."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from lienthong.demo.portal.dossiers import OFFICER

if TYPE_CHECKING:
    from contracts.texts import Language
    from lienthong.demo.portal.dossiers import Case

OK, ACCEPTED, REFUSED = 200, 202, 422
RECEPTION, PROGRESS, RESULT = "reception", "progress", "result"
NOTHING_TAKEN = frozenset({0, 503})
"""No answer, or one that the store is not there now: the same is handed in again under the same key."""
AGAIN, PAUSE = 3, 1.0
AT_ONCE = 16
SLACK_SECONDS = 10.0
PULSE = 0.1
UNDER_WAY = "accepted,sending,waiting,unknown,held"
ASKED = "needs_person"


@dataclass(frozen=True, slots=True)
class Told:
    """What the gateway said to one call."""

    status: int
    body: dict[str, Any] = field(repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the gateway has taken it."""
        return self.status in {OK, ACCEPTED}

    @property
    def state(self) -> str:
        """How the delivery stands."""
        return str(self.body.get("state", ""))

    @property
    def pointers(self) -> list[str]:
        """Which fields are wrong."""
        return sorted(str(one["pointer"]) for one in self.body.get("errors", ()))


@dataclass(frozen=True, slots=True)
class Handed:
    """One write that was handed in: whose, and which. `delivery` is none where it was turned away at the door."""

    case: Case
    write: str
    delivery: str | None
    while_down: bool
    """Whether the portal was down at that moment."""


class Desk:
    """The software, with its key."""

    def __init__(self, http: httpx.AsyncClient, gateway: str, key: str, language: Language) -> None:
        self._http = http
        self._gateway = gateway
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.handed: list[Handed] = []
        self.portal_down = False
        self._keys = count(1)

    async def receive(self, case: Case, wait: int, **changes: Any) -> Told:
        """Hand a dossier in as it was received; `changes` are those of its content."""
        body = {"dossier": {**case.reception(), **changes}, "revision": 1}
        return await self._hand_in(case, RECEPTION, body, wait)

    async def correct(self, case: Case, delivery: str, why: str, wait: int) -> Told:
        """Hand it in again in place of what was refused."""
        body = {"dossier": case.reception(), "revision": 2, "corrects": {"delivery": delivery, "why": why}}
        return await self._hand_in(case, RECEPTION, body, wait)

    async def work(self, case: Case, wait: int) -> Told:
        """Hand in the steps of the work on it."""
        return await self._hand_in(case, PROGRESS, {"steps": case.progress()}, wait)

    async def finish(self, case: Case, wait: int) -> Told:
        """Hand it in as it is with its result."""
        return await self._hand_in(case, RESULT, {"dossier": case.result(), "revision": 3}, wait)

    async def follow(self, case: Case) -> dict[str, Any]:
        """Ask where the dossier is."""
        return (await self._call("GET", f"/v1/dossiers/{case.code}")).body

    async def look_up(self, case: Case) -> dict[str, Any]:
        """Ask the portal itself, through the gateway."""
        given = {name: value for name, value in case.purpose.items() if name != "dossier"}
        return (await self._call("GET", f"/v1/portal/dossiers/{case.code}", params=given)).body

    async def delivery(self, delivery: str) -> dict[str, Any]:
        """Return one delivery with everything that was tried."""
        return (await self._call("GET", f"/v1/deliveries/{delivery}")).body

    async def standing(self, states: str) -> list[dict[str, Any]]:
        """Return the deliveries to the portal in these states."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            given = {"system": "portal", "state": states, "limit": "200", **({"cursor": cursor} if cursor else {})}
            page = (await self._call("GET", "/v1/deliveries", params=given)).body
            found += page["deliveries"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def resolve(self, delivery: str, outcome: str, why: str, evidence: str) -> Told:
        """Say what a person has found out."""
        body = {"officer": OFFICER, "outcome": outcome, "why": why, "evidence": evidence}
        return await self._call("POST", f"/v1/deliveries/{delivery}/resolve", json=body)

    async def settled(self, seconds: float) -> bool:
        """Wait until nothing is under way; return whether that was in time."""
        ends_at = time.monotonic() + seconds
        while await self.standing(UNDER_WAY):
            if time.monotonic() > ends_at:
                return False
            await asyncio.sleep(PULSE)
        return True

    async def _hand_in(self, case: Case, write: str, body: dict[str, Any], wait: int) -> Told:
        """Hand a write in under a key of its own, and note what became of it."""
        path = f"/v1/dossiers/{case.code}"
        method, path = ("POST", f"{path}/progress") if write == PROGRESS else ("PUT", path)
        headers = {"Idempotency-Key": f"demo-{case.code}-{next(self._keys)}", "Prefer": f"wait={wait}"}
        down, content = self.portal_down, {**body, "purpose": case.purpose}
        given = {"json": content, "headers": {**self._headers, **headers}, "timeout": wait + SLACK_SECONDS}
        async with self._slots:
            told = await self._call(method, path, **given)
            for _ in range(AGAIN):
                if told.status not in NOTHING_TAKEN:
                    break
                await asyncio.sleep(PAUSE)
                told = await self._call(method, path, **given)
        delivery = str(told.body["id"]) if told.accepted else None
        self.handed.append(Handed(case, write, delivery, while_down=down))
        return told

    async def _call(self, method: str, path: str, **given: Any) -> Told:
        given = {"headers": self._headers, **given}
        try:
            answer = await self._http.request(method, f"{self._gateway}{path}", **given)
            return Told(answer.status_code, answer.json())
        except (httpx.HTTPError, ValueError):
            return Told(0, {})
