"""The mocks' admin API: faults, people, and the ledger of what really arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.demo.people import Person

if TYPE_CHECKING:
    import httpx

PAGE = 5000


class Mocks:
    """One running mock server, by its admin address."""

    def __init__(self, http: httpx.AsyncClient, admin: str) -> None:
        self._http = http
        self._admin = admin

    async def people(self) -> list[Person]:
        """Return everybody in the world."""
        people: list[Person] = []
        while True:
            page = await self._get("world/citizens", offset=len(people), limit=PAGE)
            people += [Person.read(citizen) for citizen in page["citizens"]]
            if len(people) >= page["total"]:
                return people

    async def kinds(self) -> frozenset[str]:
        """Return every fault that the mocks know."""
        return frozenset(await self._get("faults/kinds"))

    async def strike(self, fault: dict[str, Any], key: str | None = None) -> None:
        """Put a fault in force, for the citizen of that key or for everybody."""
        whom = {} if key is None else {"for": {"key": key}}
        (await self._http.post(f"{self._admin}faults", json={**fault, **whom})).raise_for_status()

    async def heal(self) -> None:
        """End every fault."""
        (await self._http.delete(f"{self._admin}faults")).raise_for_status()

    async def request_ids(self) -> list[str]:
        """Return the request id of every exchange that arrived."""
        found: list[str] = []
        since = 0
        while True:
            page = (await self._get("exchanges", since=since, limit=PAGE))["exchanges"]
            if not page:
                return found
            found += [str(exchange["request_id"]) for exchange in page]
            since = page[-1]["seq"]

    async def _get(self, path: str, **parameters: int) -> Any:
        response = await self._http.get(f"{self._admin}{path}", params=parameters)
        response.raise_for_status()
        return response.json()
