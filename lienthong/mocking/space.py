"""One mock server, and the namespaces in it: each a world, a clock, faults and a ledger of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from lienthong.mocking.callbacks import Callbacks
from lienthong.mocking.clock import Clock
from lienthong.mocking.faults import Faults
from lienthong.mocking.ledger import Ledger
from lienthong.mocking.line import DEFAULT, HEALTH, Line
from lienthong.mocking.values import Health, Namespace
from lienthong.mocking.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr


class Dialects:
    """How each door speaks where the real system's way is unknown."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def show(self) -> Mapping[str, Mapping[str, Any]]:
        """Return every door's dialects."""
        shown: Mapping[str, Mapping[str, Any]] = self._line.ask("GET", "dialects")
        return shown

    def speak(self, door: str, **changes: Any) -> Mapping[str, Any]:
        """Change how a door speaks; return its dialects. Raises `Refused`."""
        spoken: Mapping[str, Any] = self._line.ask("PATCH", "dialects", {door: changes})[door]
        return spoken


class Space:
    """One namespace, made when it is first used."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.name = line.namespace
        self.world = World(line)
        self.clock = Clock(line)
        self.ledger = Ledger(line)
        self.faults = Faults(line, self.ledger)
        self.dialects = Dialects(line)
        self.callbacks = Callbacks(line)

    def __repr__(self) -> str:
        return f"Space({self.name!r})"

    def health(self) -> Health:
        """Return how the server is, and what is in this namespace."""
        return Health.read(self._line.ask("GET", HEALTH))

    def reset(self, *, seed: int | None = None, citizens: int | None = None) -> None:
        """Put everything back to its start, in the same world or in another."""
        given = {name: value for name, value in (("seed", seed), ("citizens", citizens)) if value is not None}
        self._line.ask("POST", "reset", given)

    def export(self) -> str:
        """Return everything that has happened, as JSON lines. Raises `Refused` without a journal."""
        return self._line.text("run")

    def restore(self, run: str) -> None:
        """Begin again with everything that an exported run tells of."""
        self._line.ask("POST", "run", run)


class Mocks:
    """One mock server, by its base address or that of its admin API. Close it, or use it as a context manager."""

    def __init__(self, address: str, *, key: SecretStr | None = None) -> None:
        self._line = Line.to(address, key=key)

    @property
    def admin(self) -> str:
        """The address of the admin API."""
        return self._line.admin

    def space(self, name: str = DEFAULT) -> Space:
        """Return a namespace; nothing is asked yet."""
        return Space(self._line.within(name))

    def namespaces(self) -> tuple[Namespace, ...]:
        """Return every namespace that there is."""
        return tuple(map(Namespace.of, self._line.ask("GET", "namespaces")["namespaces"]))

    def remove(self, name: str) -> None:
        """Forget a namespace with all that is in it. Raises `Refused` when there is none."""
        self._line.ask("DELETE", "namespaces", name=name)

    def close(self) -> None:
        """Close the connections."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
