"""The world of a namespace: whom there is, what there is, and the verbs that move it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lienthong.mocking.values import Citizen, Kind, Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lienthong.mocking.line import Line

PAGE = 500


class Nobody(LookupError):
    """The world has no such citizen."""


class World:
    """People and resources, as they are now."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def citizens(self, *, oddity: str | None = None, offset: int = 0, limit: int | None = None) -> tuple[Citizen, ...]:
        """Return citizens, those with an oddity if one is named; all of them unless limited."""
        found: list[Citizen] = []
        while limit is None or len(found) < limit:
            most = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self._line.ask("GET", "world/citizens", offset=offset + len(found), limit=most, oddity=oddity)[
                "citizens"
            ]
            found += map(Citizen.read, page)
            if len(page) < most:
                break
        return tuple(found)

    def citizen(self, *, oddity: str | None = None, fits: Callable[[Citizen], bool] | None = None) -> Citizen:
        """Return the first citizen who fits; by default somebody ordinary with an identity number. Raises `Nobody`."""

        def ordinary(citizen: Citizen) -> bool:
            return citizen.identity_number is not None and (oddity is not None or not citizen.oddities)

        chosen = fits or ordinary
        for citizen in self._each(oddity):
            if chosen(citizen):
                return citizen
        raise Nobody("nobody in this world fits")

    def kinds(self) -> tuple[Kind, ...]:
        """Return every kind of resource with its states and verbs."""
        kinds = self._line.ask("GET", "world/kinds")
        return tuple(Kind.of({"name": name, **lifecycle}) for name, lifecycle in kinds.items())

    def resources(self, kind: str, *, offset: int = 0, limit: int = PAGE) -> tuple[Resource, ...]:
        """Return the resources of a kind that somebody has written. Raises `Refused` for an unknown kind."""
        page = self._line.ask("GET", "world/resources", kind=kind, offset=offset, limit=limit)
        return tuple(map(Resource.of, page["resources"]))

    def resource(self, kind: str, id: str | int) -> Resource:  # noqa: A002 - the mocks' own word
        """Return one resource. Raises `Refused` when there is none."""
        return Resource.of(self._line.ask("GET", _path(kind, id)))

    def do(self, kind: str, id: str | int, verb: str, **fields: Any) -> Resource:  # noqa: A002 - likewise
        """Move a resource by a verb, as its system's own people would. Raises `Refused` for what cannot be."""
        return Resource.of(self._line.ask("POST", _path(kind, id), {"verb": verb, "fields": fields}))

    def _each(self, oddity: str | None) -> Iterator[Citizen]:
        offset = 0
        while page := self.citizens(oddity=oddity, offset=offset, limit=PAGE):
            yield from page
            offset += len(page)


def _path(kind: str, resource_id: str | int) -> str:
    return f"world/{quote(kind, safe='')}/{quote(str(resource_id), safe='')}"
