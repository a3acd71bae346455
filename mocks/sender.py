"""Sends what the systems owe (`mocks.callbacks`), when the clock of the namespace says so.

Every try is a change of the callback that is on disk before the request leaves, and its arrival is another one: a
killed mock goes on where it was, and sends again what may have arrived unseen. One callback about a key is under way
at a time; one that nobody took is tried again later, and the next about its key does not wait for it.
"""

from __future__ import annotations

import asyncio
import heapq
import ssl
from collections import defaultdict
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx

from mocks.callbacks import DUE, HELD, KIND, on_this_machine
from mocks.journal import JournalBroken
from mocks.spaces import changes_record
from mocks.world import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from mocks.callbacks import CallbackSettings
    from mocks.spaces import Space, Spaces
    from mocks.world import Resource

    Happen = Callable[[Space, dict[str, Any]], Awaitable[None]]

ANEW = frozenset({"calls", "reset", "run"})
"""Records after which everything that is owed has to be looked at again."""
OWED = (DUE, HELD)


class Sender:
    """Sends for every namespace. Does nothing until something is owed and there is somebody to send it to."""

    def __init__(self, spaces: Spaces, happen: Happen, settings: CallbackSettings) -> None:
        self._spaces = spaces
        self._happen = happen
        self._settings = settings
        self._boxes: dict[str, _Outbox] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    def start(self) -> None:
        """Go on with what is owed, on the running event loop: after a rebuild, or where another loop has ended."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop and not self._stopped:
            self._loop = loop
            self._boxes.clear()
            for space in self._spaces:
                self._box(space)

    def told(self, space: Space, record: Mapping[str, Any]) -> None:
        """Look at a record that is on disk: it may leave something to send."""
        touched = [change["id"] for change in record.get("changes", ()) if change["kind"] == KIND]
        if self._stopped or not (touched or ANEW.intersection(record)):
            return
        if touched:
            self._box(space).add(touched)
        else:
            self._box(space).look()

    def forget(self, name: str) -> None:
        """Send nothing more for a namespace."""
        box = self._boxes.pop(name, None)
        if box is not None:
            box.stop()

    def stop(self) -> None:
        """Send nothing more, for good."""
        self._stopped = True
        for name in tuple(self._boxes):
            self.forget(name)

    def _box(self, space: Space) -> _Outbox:
        box = self._boxes.get(space.name)
        if box is None or box.space is not space:
            self.forget(space.name)
            box = self._boxes[space.name] = _Outbox(space, self._happen, self._settings)
            box.look()
        return box


class _Outbox:
    """What one namespace owes, by the time at which it is due."""

    def __init__(self, space: Space, happen: Happen, settings: CallbackSettings) -> None:
        self.space = space
        self._happen = happen
        self._settings = settings
        self._queue: list[tuple[float, int, str]] = []
        self._places: dict[str, int] = {}
        """In which order they were planned."""
        self._held: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._flying: set[tuple[str, str]] = set()
        self._waiting: dict[tuple[str, str], list[str]] = defaultdict(list)
        """Those whose time has come while another about their key is under way."""
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Look at everything."""
        self._queue.clear()
        self._places.clear()
        self._held.clear()
        self._waiting.clear()
        self.add(one.id for one in self.space.state.written(KIND) if one.state in OWED)

    def add(self, touched: Iterable[str]) -> None:
        """Look at those that were planned or have changed."""
        for callback_id in touched:
            self._push(callback_id)
        if self._queue and any(self.space.targets.values()):
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._run())
            self._woken.set()

    def stop(self) -> None:
        """Send nothing more."""
        if self._task is not None:
            self._task.cancel()

    def _push(self, callback_id: str) -> None:
        one = self.space.state.get(KIND, callback_id)
        if one is None or one.state not in OWED:
            return
        new = callback_id not in self._places
        place = self._places.setdefault(callback_id, len(self._places))
        heapq.heappush(self._queue, (one.fields["due"], place, callback_id))
        if new and one.state == HELD:
            self._held[_about(one)].append(callback_id)

    async def _run(self) -> None:
        client = httpx.AsyncClient(
            verify=_tls(),
            trust_env=False,
            follow_redirects=False,
            timeout=self._settings.timeout_seconds,
            # An idle connection would stay open if the loop ends while the client is being closed.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        async with client, asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                while (one := self._next()) is not None:
                    self._flying.add(_about(one))
                    group.create_task(self._send(client, one))
                await self._rest()

    def _next(self) -> Resource | None:
        """Return the next one whose time has come and that nothing holds up, or `None`."""
        now = self.space.clock.seconds()
        while self._queue and self._queue[0][0] <= now and len(self._flying) < self._settings.at_once:
            due, _, callback_id = heapq.heappop(self._queue)
            one = self.space.state.get(KIND, callback_id)
            if one is None or one.state not in OWED or one.fields["due"] != due:
                continue  # it has changed since; where it is still owed it stands in the queue once more
            if _about(one) in self._flying:
                self._waiting[_about(one)].append(callback_id)
            elif self._target(one):
                return one  # without a target it stays due; to set one is to look anew
        return None

    def _target(self, one: Resource) -> str | None:
        """Return where to send one; a journal may come from mocks that were allowed more than these are."""
        target = self.space.targets.get(one.fields["door"])
        if target is None or not (self._settings.anywhere or on_this_machine(httpx.URL(target))):
            return None
        return target

    async def _rest(self) -> None:
        """Wait until something has changed or the next one is due."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._woken.wait())]
        if self._queue and len(self._flying) < self._settings.at_once:
            waits.append(asyncio.ensure_future(self.space.clock.wait_until(self._queue[0][0])))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _send(self, client: httpx.AsyncClient, one: Resource) -> None:
        try:
            # Refused: a simulator verb was quicker. JournalBroken: the next caller is told.
            with suppress(Refused, JournalBroken):
                if one.state == HELD:
                    await self._move(one.id, "release", due=self.space.clock.seconds())
                else:
                    await self._try(client, one)
        finally:
            self._flying.discard(_about(one))
            for callback_id in self._waiting.pop(_about(one), ()):
                self._push(callback_id)
            self._woken.set()

    async def _try(self, client: httpx.AsyncClient, one: Resource) -> None:
        state, fields = self.space.state, one.fields
        tries = fields["tries"] + 1
        again = self.space.clock.seconds() + self._settings.pause_seconds
        await self._move(one.id, "try", tries=tries, due=again)
        status = await self._post(client, one)
        if self.space.state is not state:
            return  # reset in the meantime: nobody is owed anything any more
        if status is None or not httpx.codes.is_success(status):
            if tries >= self._settings.tries:
                await self._move(one.id, "give_up", status=status)
            return
        if fields["left"] > 1:
            left = fields["left"] - 1
            await self._move(one.id, "repeat", left=left, due=self.space.clock.seconds(), status=status)
            return
        await self._move(one.id, "arrive", left=0, status=status)
        await self._release_before(one)

    async def _release_before(self, one: Resource) -> None:
        """Let go of those that were held back until this one had been sent."""
        place = self._places.get(one.id, 0)
        held = self._held[_about(one)]
        for callback_id in [other for other in held if self._places.get(other, place) < place]:
            held.remove(callback_id)
            with suppress(Refused):
                await self._move(callback_id, "release", due=self.space.clock.seconds())

    async def _post(self, client: httpx.AsyncClient, one: Resource) -> int | None:
        """Send one and return the status of the answer, or `None` where there was none."""
        fields = one.fields
        headers = {"content-type": fields["content_type"], **dict(fields["headers"])}
        target = self._target(one)
        if target is None:
            return None
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                answer = await client.post(target, content=fields["body"].encode(), headers=headers)
        except (httpx.HTTPError, TimeoutError):
            return None
        return answer.status_code

    async def _move(self, callback_id: str, verb: str, **fields: Any) -> None:
        turn = self.space.turn()
        turn.do(KIND, callback_id, verb, **fields)
        await self._happen(self.space, changes_record(turn.changes))


def _about(one: Resource) -> tuple[str, str]:
    return one.fields["door"], one.fields["key"]


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Return the usual way to check a server; reading the authorities once is enough."""
    return ssl.create_default_context()
