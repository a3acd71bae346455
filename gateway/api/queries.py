"""What a caller asks to see of a list: which agencies and states, how many, from where on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.model import FINAL, OPEN, AgencyCode, DeliveryState, WrongField
from gateway.api.problems import Refused
from gateway.delivery import Mark

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.requests import Request

    from gateway.security import Identity

_PAGE, _LONGEST_PAGE = 50, 200
_DIGITS = 18
_MANY = {"open": OPEN, "final": FINAL}


class Query:
    """What the caller asked to see. Every wrong parameter is noted, and told together by `check`."""

    def __init__(self, request: Request) -> None:
        self._given = request.query_params
        self._wrong: list[WrongField] = []

    def agencies(self, identity: Identity) -> Collection[AgencyCode]:
        """Return the agencies to be shown: the key's, or the one that was named if it is among them."""
        named = self._given.get("agency")
        if named is None:
            return identity.client.agencies
        return [one for one in identity.client.agencies if one.value == named]

    def states(self) -> Collection[DeliveryState]:
        """Return the states to be shown, none meaning all."""
        found: set[DeliveryState] = set()
        for name in filter(None, self._given.get("state", "").split(",")):
            if name in _MANY:
                found |= _MANY[name]
            elif name in set(DeliveryState):
                found.add(DeliveryState(name))
            else:
                known = ", ".join((*_MANY, *DeliveryState))
                self._wrong.append(WrongField("state", "choice", {"expected": known}))
        return found

    def limit(self) -> int:
        """Return how many are to be shown at most."""
        limit = self._number("limit")
        if limit is None:
            return _PAGE
        return max(1, min(_LONGEST_PAGE, limit))

    def cursor(self) -> int | None:
        """Return the number of the last delivery that has been seen."""
        return self._number("cursor")

    def place(self) -> Mark:
        """Return the place in a dossier's timeline that has been seen last."""
        given = self._given.get("cursor")
        if given is not None:
            try:
                return Mark.parse(given)
            except ValueError:
                self._wrong.append(WrongField("cursor", "cursor"))
        return Mark()

    def check(self) -> None:
        """Raise `Refused` if anything was wrong."""
        if self._wrong:
            raise Refused("query_invalid", fields=tuple(self._wrong))

    def _number(self, name: str) -> int | None:
        given = self._given.get(name)
        if given is None:
            return None
        if given.isascii() and given.isdigit() and len(given) <= _DIGITS:
            return int(given)
        self._wrong.append(WrongField(name, "number"))
        return None
