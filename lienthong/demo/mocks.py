"""The mocks' admin API: faults, people, and the ledger of what really arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.demo.people import Person

if TYPE_CHECKING:
    from datetime import date

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
        """Put a fault in force, for the citizen or the dossier of that key or for everybody."""
        whom = {} if key is None else {"for": {**fault.get("for", {}), "key": key}}
        (await self._http.post(f"{self._admin}faults", json={**fault, **whom})).raise_for_status()

    async def heal(self) -> None:
        """End every fault."""
        (await self._http.delete(f"{self._admin}faults")).raise_for_status()

    async def request_ids(self) -> list[str]:
        """Return the request id of every exchange that arrived."""
        return [str(exchange["request_id"]) for exchange in await self.exchanges()]

    async def exchanges(self, **narrowing: str) -> list[dict[str, Any]]:
        """Return every exchange that arrived, narrowed by door or operation."""
        found: list[dict[str, Any]] = []
        while True:
            since = found[-1]["seq"] if found else 0
            page = (await self._get("exchanges", since=since, limit=PAGE, **narrowing))["exchanges"]
            if not page:
                return found
            found += page

    async def counts(self, door: str) -> list[dict[str, Any]]:
        """Return how often a door had each effect, by operation and key."""
        return [one for one in (await self._get("effects", limit=0))["counts"] if one["door"] == door]

    async def resources(self, kind: str, state: str) -> list[dict[str, Any]]:
        """Return everything of a kind that was written and is in a state."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self._get("world/resources", kind=kind, state=state, offset=len(found), limit=PAGE)
            found += page["resources"]
            if len(found) >= page["total"]:
                return found

    async def do(self, kind: str, name: str, verb: str, **fields: Any) -> None:
        """Move something of the world, as people at the system would."""
        content = {"verb": verb, "fields": fields}
        (await self._http.post(f"{self._admin}world/{kind}/{name}", json=content)).raise_for_status()

    async def speak(self, door: str, **dialects: str) -> None:
        """Have a door speak otherwise from now on."""
        (await self._http.patch(f"{self._admin}dialects", json={door: dialects})).raise_for_status()

    async def score(self, first: date, last: date, expected: int) -> dict[str, Any]:
        """Return the index that the portal makes of what it has received."""
        period = {"from": first.isoformat(), "to": last.isoformat()}
        found: dict[str, Any] = await self._get("portal/score", **period, expected=expected)
        return found

    async def _get(self, path: str, **parameters: int | str) -> Any:
        response = await self._http.get(f"{self._admin}{path}", params=parameters)
        response.raise_for_status()
        return response.json()
