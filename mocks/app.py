"""The mocks as one ASGI application: every namespace, every door, the journal behind them, the admin API beside them.

Runs under `mocks.server` or mounted in process; the code is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocks.asgi import Gone, Request, TooLarge, read, respond, text_answer
from mocks.clock import Clock
from mocks.control import Control
from mocks.doors.population.door import PopulationDoor
from mocks.exchange import Runner
from mocks.journal import Journal
from mocks.spaces import DEFAULT, NoSpace, Space, Spaces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mocks.asgi import Receive, Scope, Send
    from mocks.doors import Door
    from mocks.doors.population.settings import PopulationDoorSettings
    from mocks.ledger import Exchange

NAMESPACE = "x-mock-namespace"


class MockApp:
    """All mocks of one seed. With a `journal` it begins where the last one ended, however that ended.

    Raises `ValueError` or `OSError` for a journal that cannot be used.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        citizens: int = 5000,
        population: PopulationDoorSettings | None = None,
        journal: Path | None = None,
        clock: Callable[[], Clock] = Clock,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.doors: tuple[Door[Any], ...] = (PopulationDoor(population),)
        self.spaces = Spaces(seed, citizens, self.doors, clock)
        self._journal = None if journal is None else Journal(journal, {"seed": seed, "citizens": citizens})
        if self._journal is not None:
            self.spaces.rebuild(self._journal.records)
            self._journal.records.clear()
        self._runner = Runner(self.write, self.note, observe)
        self._control = Control(self)

    @property
    def default(self) -> Space:
        """The namespace of those who name none."""
        return self.spaces.of(DEFAULT)

    async def write(self, space: Space, record: dict[str, Any]) -> None:
        """Return once a record is on disk; without a journal at once. Raises `OSError`."""
        if self._journal is not None:
            await self._journal.write({"space": space.name, **record})

    def note(self, space: Space, record: dict[str, Any]) -> None:
        """Have a record journalled with the next one."""
        if self._journal is not None:
            self._journal.note({"space": space.name, **record})

    async def happen(self, space: Space, record: dict[str, Any]) -> None:
        """Apply what the admin API asks for, and return once it is on disk. Raises `ValueError` or `OSError`."""
        space.apply(record)
        await self.write(space, record)

    async def remove(self, name: str) -> bool:
        """Forget a namespace; return whether it was there."""
        there = self.spaces.remove(name)
        if there and self._journal is not None:
            await self._journal.write({"space": name, "removed": True})
        return there

    def stop(self) -> None:
        """End everything that hangs, because the server is about to stop."""
        self._runner.stop()

    def close(self) -> None:
        """Let go of the journal."""
        if self._journal is not None:
            self._journal.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            request = await read(scope, receive)
        except Gone:
            return
        except TooLarge:
            await respond(text_answer("request too large", 413), send)
            return
        if self._control.owns(request):
            await respond(await self._control.handle(request), send)
            return
        await self._knock(request, scope, receive, send)

    async def _knock(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._door(request.path)
        if door is None:
            await respond(text_answer("no such door", 404), send)
            return
        shown = door.publish(request)
        if shown is not None:
            await respond(shown, send)
            return
        try:
            space = self.space(request, door.login(request))
        except NoSpace as error:
            await respond(text_answer(str(error), 400), send)
        else:
            await self._runner.run(space, door, request, scope=scope, receive=receive, send=send)

    def space(self, request: Request, login: str | None = None) -> Space:
        """Return the namespace that a request names: by a header, or as `account+namespace`. Raises `NoSpace`."""
        named = request.header(NAMESPACE) or (login or "").partition("+")[2]
        return self.spaces.of(named or DEFAULT)

    def _door(self, path: str) -> Door[Any] | None:
        return next((door for door in self.doors if path == door.path or path.startswith(f"{door.path}/")), None)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
