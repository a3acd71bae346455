"""The mocks as one ASGI application: one world, one clock, one fault book, one ledger, and every door.

For each exchange it asks the door what the request is about, asks the book what strikes, lets the door act or not,
writes the ledger, and sends the answer as the fault wants it sent. Runs under `mocks.server` or mounted in process.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mocks import sockets
from mocks.asgi import Answer, Gone, Request, TooLarge, head, read, respond, text_answer
from mocks.clock import Clock
from mocks.control import Control
from mocks.doors.pages import page
from mocks.doors.population.door import PopulationDoor
from mocks.faults import Fault, FaultBook, Visit, What
from mocks.ledger import Exchange, Ledger
from mocks.world import generate

if TYPE_CHECKING:
    from collections.abc import Callable

    from mocks.asgi import Receive, Scope, Send
    from mocks.doors import Door, Result, Subject
    from mocks.doors.population.settings import PopulationDoorSettings

LATE_SECONDS = 0.2
HANG_SECONDS = 60.0
CUTS = (What.TRUNCATED, What.STALL)
RESETS = (What.RESET_BEFORE, What.RESET_AFTER)


class MockApp:
    """All mocks of one seed."""

    def __init__(
        self,
        *,
        seed: int = 1,
        citizens: int = 5000,
        population: PopulationDoorSettings | None = None,
        clock: Clock | None = None,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.world = generate(seed, citizens)
        self.faults = FaultBook(seed, self.clock)
        self.ledger = Ledger()
        self.doors: tuple[Door, ...] = (PopulationDoor(self.world, self.clock, population),)
        self._control = Control(self)
        self._observe = observe
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End everything that hangs, because the server is about to stop."""
        self._stopping.set()

    def reset(self) -> None:
        """Return to the state of the start: no faults, empty ledger, default dialects, real time."""
        self.clock.reset()
        self.faults.clear()
        self.ledger.clear()
        for door in self.doors:
            door.speak(None)

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
            await respond(self._control.handle(request), send)
            return
        for door in self.doors:
            if request.path == door.path or request.path.startswith(f"{door.path}/"):
                shown = door.publish(request)
                if shown is None:
                    await self._exchange(door, request, scope, receive, send)
                else:
                    await respond(shown, send)
                return
        await respond(text_answer("no such door", 404), send)

    async def _exchange(self, door: Door, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        subject = door.recognise(request)
        attempt = self.ledger.visit(door.name, subject.operation, subject.key)
        visit = Visit(door.name, subject.operation, subject.agency, subject.key, attempt)
        struck = self.faults.strike(visit)
        late = [fault for fault in struck if fault.what is What.LATENCY]
        fault = next((fault for fault in struck if fault.what is not What.LATENCY), None)

        seconds = sum(LATE_SECONDS if one.details.seconds is None else one.details.seconds for one in late)
        if late and not all(one.acts for one in late):
            await self._wait(seconds, receive)
            seconds = 0
        result = door.act(request, subject) if fault is None or fault.acts else None
        answer = _answer(door, subject, fault, result)
        self._note(visit, subject.request_id, struck, result, answer)
        if seconds and await self._wait(seconds, receive):
            return
        if fault is not None and fault.what in (What.HANG, *CUTS, *RESETS):
            await self._break(fault, answer, scope, receive, send)
        elif answer is not None:
            await respond(answer, send)

    def _note(
        self,
        visit: Visit,
        request_id: str | None,
        struck: tuple[Fault, ...],
        result: Result | None,
        answer: Answer | None,
    ) -> None:
        if result is not None and result.acted:
            self.ledger.effect(visit.door, visit.operation, visit.key)
        cut = any(fault.what in CUTS and fault.details.cut != "short" for fault in struck)
        exchange = Exchange(
            seq=self.ledger.next_seq(),
            at=self.clock.now().isoformat(timespec="milliseconds"),
            door=visit.door,
            operation=visit.operation,
            request_id=request_id,
            repeated_id=self.ledger.seen(request_id),
            agency=visit.agency,
            key=visit.key,
            attempt=visit.ordinal,
            faults=tuple(fault.what for fault in struck),
            outcome=None if result is None else result.outcome,
            acted=result is not None and result.acted,
            status=None if answer is None or cut else answer.status,
        )
        self.ledger.record(exchange)
        if self._observe is not None:
            self._observe(exchange)

    async def _break(self, fault: Fault, answer: Answer | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Do to the connection what the fault says."""
        seconds = HANG_SECONDS if fault.details.seconds is None else fault.details.seconds
        if fault.what is What.HANG:
            await self._wait(seconds, receive)
        elif answer is not None:
            half = answer.body[: len(answer.body) // 2]
            if fault.what is What.TRUNCATED and fault.details.cut == "short":
                await respond(Answer(answer.status, half, answer.content_type, answer.headers), send)
                return
            await send(head(answer))
            await send({"type": "http.response.body", "body": half, "more_body": True})
            if fault.what is What.STALL:
                await self._wait(seconds, receive)
        if fault.what in RESETS or (fault.what is What.TRUNCATED and fault.details.cut == "reset"):
            await sockets.reset(scope, receive)
        else:
            await sockets.close(scope, receive)

    async def _wait(self, seconds: float, receive: Receive) -> bool:
        """Wait, but not longer than the caller or the server stays; return whether the caller left."""
        gone = asyncio.ensure_future(sockets.until_gone(receive))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((gone, stopping), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return gone.done()
        finally:
            gone.cancel()
            stopping.cancel()


def _answer(door: Door, subject: Subject, fault: Fault | None, result: Result | None) -> Answer | None:
    """Return what is to be sent, or `None` where nothing is."""
    if fault is None or fault.what in CUTS:
        return result.answer if result else None
    if fault.what is What.HANG or fault.what in RESETS:
        return None
    return page(fault) or door.disturb(fault, subject, result)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
