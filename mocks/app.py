"""The mocks as one ASGI application: every namespace, every door, the journal behind them, the admin API beside them.

Runs under `mocks.server` or mounted in process; the code is the same.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mocks import sockets
from mocks.asgi import Answer, Gone, Request, TooLarge, TooSlow, opened, read, respond, text_answer
from mocks.callbacks import CallbackSettings
from mocks.clock import Clock
from mocks.control import Control
from mocks.control.routes import ROOT
from mocks.defects import defect
from mocks.doors.partner.door import PartnerDoor
from mocks.doors.population.door import PopulationDoor
from mocks.doors.portal.door import PortalDoor
from mocks.doors.vneid.door import VneidDoor
from mocks.exchange import Runner
from mocks.journal import Journal, JournalBroken, JournalRefused
from mocks.sender import Sender
from mocks.spaces import DEFAULT, RESTARTED, NoSpace, Space, Spaces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mocks.asgi import Receive, Scope, Send
    from mocks.doors import Door
    from mocks.doors.partner.settings import PartnerDoorSettings
    from mocks.doors.population.settings import PopulationDoorSettings
    from mocks.doors.portal.settings import PortalDoorSettings
    from mocks.doors.vneid.settings import VneidDoorSettings
    from mocks.ledger import Exchange

NAMESPACE = "x-mock-namespace"
CLOSE = ("connection", "close")


class MockApp:
    """All mocks of one seed. With a `journal` it begins where the last one ended, however that ended.

    `more` are doors beside those that are always there. With `record_requests` the journal holds every request as it
    came, headers and body, so that a run can be decided again. With an `admin_key` every call of the admin API has to
    present it. Raises `ValueError` or `OSError` for a journal that cannot be used.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        citizens: int = 5000,
        population: PopulationDoorSettings | None = None,
        partner: PartnerDoorSettings | None = None,
        portal: PortalDoorSettings | None = None,
        vneid: VneidDoorSettings | None = None,
        more: tuple[Door[Any], ...] = (),
        callbacks: CallbackSettings | None = None,
        journal: Path | None = None,
        clock: Callable[[], Clock] = Clock,
        observe: Callable[[Exchange], None] | None = None,
        record_requests: bool = False,
        admin_key: str | None = None,
    ) -> None:
        self.doors: tuple[Door[Any], ...] = (
            PopulationDoor(population),
            PartnerDoor(partner),
            PortalDoor(portal),
            VneidDoor(vneid),
            *more,
        )
        self.callbacks = callbacks or CallbackSettings()
        self._control = Control(self, admin_key)
        self.spaces = Spaces(seed, citizens, self.doors, clock)
        self._sender = Sender(self.spaces, self.happen, self.callbacks)
        self.journal = None if journal is None else Journal(journal, {"seed": seed, "citizens": citizens})
        if self.journal is not None:
            self._rebuild(self.journal)
        self.record_requests = record_requests
        self._runner = Runner(self.write, self.note, observe, record_requests=record_requests)

    @property
    def default(self) -> Space:
        """The namespace of those who name none."""
        return self.spaces.of(DEFAULT)

    def _rebuild(self, journal: Journal) -> None:
        try:
            self.spaces.rebuild(journal.records())
        except JournalRefused:
            journal.close()
            raise
        except (ValueError, LookupError, TypeError, AttributeError):
            journal.close()
            raise JournalRefused(f"{journal.path}: these mocks do not understand line {journal.line}") from None
        for space in self.spaces:
            if space.lived:
                self.note(space, RESTARTED)

    async def write(self, space: Space, record: dict[str, Any]) -> None:
        """Return once a record is on disk; at once without a journal or if its namespace is gone.

        Raises `JournalBroken`.
        """
        if not self.spaces.holds(space):
            return
        if self.journal is not None:
            await self.journal.write({"space": space.name, **record})
        self._sender.told(space, record)

    def note(self, space: Space, record: dict[str, Any]) -> None:
        """Have a record journalled with the next one."""
        if self.journal is not None and self.spaces.holds(space):
            self.journal.note({"space": space.name, **record})

    async def happen(self, space: Space, record: dict[str, Any]) -> None:
        """Apply what the admin API asks for, and return once it is on disk.

        Where nothing is left to remember the journal begins again. Raises `ValueError`, which changes nothing, or
        `JournalBroken`.
        """
        self.check()
        space.apply(record)
        if await self._forget():
            self._sender.told(space, record)
        else:
            await self.write(space, record)

    async def remove(self, name: str) -> bool:
        """Forget a namespace; return whether it was there. Raises `JournalBroken`."""
        self.check()
        there = self.spaces.remove(name)
        self._sender.forget(name)
        if there and self.journal is not None and not await self._forget():
            await self.journal.write({"space": name, "removed": True})
        return there

    @property
    def admin_access(self) -> str:
        """Who may call the admin API: `loopback`, or `key`, whoever presents it."""
        return self._control.access.mode

    def check(self) -> None:
        """Raise `JournalBroken` if what happens cannot be kept any more."""
        if self.journal is not None:
            self.journal.check()

    async def _forget(self) -> bool:
        """Let the journal begin again if it has nothing to tell; return whether it does."""
        if self.journal is None or not self.spaces.as_at_first():
            return False
        await self.journal.empty()
        return True

    def start(self) -> None:
        """Send what was owed when the journal ended; without this the first request does it. Needs a running loop."""
        self._sender.start()

    def stop(self) -> None:
        """End everything that hangs or is on its way, because the server is about to stop."""
        self._runner.stop()
        self._sender.stop()

    def close(self) -> None:
        """Send nothing more, and let go of the journal."""
        self._sender.stop()
        if self.journal is not None:
            self.journal.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            self.start()
            send = sockets.while_there(scope, send)
            with suppress(Gone):
                answer = await self._serve(scope, receive, send)
                if answer is not None:
                    await respond(answer, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> Answer | None:
        """Return what is still to be sent. Raises `Gone`, and in process what a fault did to the connection."""
        try:
            return await self._answer(scope, receive, send)
        except ConnectionError:
            raise
        except TooLarge:
            return text_answer("request too large", 413, CLOSE)
        except TooSlow:
            return text_answer("the request did not end", 408, CLOSE)
        except NoSpace as error:
            return text_answer(str(error), 400)
        except JournalBroken as error:
            return text_answer(f"the mock's journal cannot be written: {error}", 500)
        except Exception as error:  # noqa: BLE001 - a worker's edge: a defect is logged, and the caller not left alone
            return defect(error)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Answer | None:
        """Return what is to be sent, or `None` if a door's answer went its own way."""
        request = opened(scope)
        if self._control.owns(request):
            answer = await self._control.handle(request, receive)
            await self._settle()
            return answer
        request = await read(request, receive)
        door = self.door(request.path)
        if door is None:
            return text_answer(self._signpost, 404)
        shown = door.publish(request)
        if shown is not None:
            return shown
        space = self.space(request, door.login(request))
        self.check()
        await self._runner.run(space, door, request, scope=scope, receive=receive, send=send)
        return None

    async def _settle(self) -> None:
        """Return once all that the admin API may have shown is on disk, so that a kill takes nothing of it back."""
        if self.journal is not None:
            with suppress(JournalBroken):  # what is not kept may still be looked at
                await self.journal.settle()

    @property
    def _signpost(self) -> str:
        """What is told to whoever knocks where no door is."""
        doors = ", ".join(door.path for door in self.doors)
        return f"no such door; there is {doors}, and the admin API at {ROOT}"

    def space(self, request: Request, login: str | None = None) -> Space:
        """Return the namespace that a request names: by a header, or as `account+namespace`. Raises `NoSpace`."""
        named = request.header(NAMESPACE) or (login or "").partition("+")[2]
        return self.spaces.of(named or DEFAULT)

    def door(self, path: str) -> Door[Any] | None:
        """Return the door at a path, if there is one."""
        return next((door for door in self.doors if _within(path, (door.path, *door.aliases))), None)


def _within(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
