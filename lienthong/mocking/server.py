"""A mock server of one's own, as a process that ends with whoever started it; and one that runs already.

What the doors ask of a caller comes from the server itself, so that nothing about any door is known here but one
custom: a login may name a namespace, as `account+namespace`, and then the software under test needs no header.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from lienthong import home
from lienthong.mocking.line import DEFAULT
from lienthong.mocking.space import Mocks, Space
from lienthong.processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pydantic import SecretStr

LOGIN = "username"


@dataclass(frozen=True, slots=True)
class DoorAccess:
    """Where one door is and with which made-up credentials it opens, under the names that the door uses for them."""

    name: str
    url: str
    credentials: Mapping[str, Any] = field(repr=False)

    @property
    def accounts(self) -> tuple[Mapping[str, Any], ...]:
        """The accounts, one for each agency."""
        return tuple(self.credentials.get("accounts", ()))

    def within(self, namespace: str) -> DoorAccess:
        """Return the same door with logins that lead into a namespace."""
        return DoorAccess(self.name, self.url, _suffixed(self.credentials, namespace))


@dataclass(frozen=True, slots=True)
class Server:
    """A mock server with its doors. `mocks` is the client of its admin API."""

    mocks: Mocks
    doors: Mapping[str, DoorAccess]
    pid: int | None = None
    """The process, where it is ours: for tests that kill it."""

    @property
    def admin(self) -> str:
        """The address of the admin API."""
        return self.mocks.admin

    def space(self, name: str = DEFAULT) -> Space:
        """Return a namespace."""
        return self.mocks.space(name)

    def doors_in(self, namespace: str) -> Mapping[str, DoorAccess]:
        """Return the doors with logins that lead into a namespace."""
        return {name: door.within(namespace) for name, door in self.doors.items()}


@contextmanager
def serving(log: Path, arguments: Sequence[str] = (), *, key: SecretStr | None = None) -> Iterator[Server]:
    """Run a mock server on a free port for as long as the block lasts. `arguments` are those of `python -m mocks`.

    Its standard error goes to the file `log`. Raises `lienthong.processes.NotReady`.
    """
    command = home.module("mocks", "--port", "0", *arguments, "--until-stdin-closes")
    with (
        running("mocks", command, environment=home.environment(), log=log) as child,
        Mocks(child.ready["admin"], key=key) as mocks,
    ):
        credentials = child.ready["credentials"]
        doors = {name: DoorAccess(name, child.ready[name], credentials[name]) for name in credentials}
        yield Server(mocks, doors, child.pid)


@contextmanager
def attached(address: str, *, key: SecretStr | None = None) -> Iterator[Server]:
    """Use a mock server that runs already."""
    with Mocks(address, key=key) as mocks:
        health = mocks.space().health()
        doors = {
            name: DoorAccess(name, urljoin(mocks.admin, path), health.credentials[name])
            for name, path in health.doors.items()
        }
        yield Server(mocks, doors)


def _suffixed(value: Any, namespace: str) -> Any:
    """Return credentials with the namespace behind every login in them."""
    if isinstance(value, dict):
        return {
            name: f"{one}+{namespace}" if name == LOGIN else _suffixed(one, namespace) for name, one in value.items()
        }
    if isinstance(value, list):
        return [_suffixed(one, namespace) for one in value]
    return value
