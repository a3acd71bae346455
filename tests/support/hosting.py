"""Where mocks live during a conformance run: in this process, as a process, and as a process that gets killed."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from adapters.transport import Carrier, TransportSettings
from contracts.model import Layer, UnknownOutcome
from mocks.app import MockApp
from mocks.clock import Clock
from mocks.server import ready_line
from tests.support import artifacts
from tests.support.conformance import PATIENCE, Caller, Peer
from tests.support.mocks import start
from tests.support.virtualtime import VirtualTimeLoop
from tools.mounted import End, Reply, call

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from adapters.transport import Transport
    from contracts.model import Exchange

CITIZENS = 300
URL = "http://mocks.test"
PORT_TAKEN = 2
REBIND_SECONDS = 20.0
PHASES = TransportSettings(first_byte=PATIENCE, read=PATIENCE, total=PATIENCE)
BEGINNING = 1_785_000_000.0
"""When the clock of mocks in process starts: some day in July 2026."""


@dataclass
class Mounted:
    """A `Transport` without sockets: calls the application."""

    app: MockApp

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        """See `adapters.transport.Transport`."""
        reply = await _called(self.app, request, exchange.timeout)
        exchange.status, exchange.content_type = reply.status, reply.header("content-type")
        if reply.end is not End.WHOLE:
            begun = "answer_cut_off" if reply.status is not None else "connection_lost"
            silent = "answer_timeout" if reply.status is None else "read_timeout"
            reason = silent if reply.end is End.LEFT else begun
            raise UnknownOutcome(reason, operation=exchange.operation, layer=Layer.NETWORK)
        return httpx.Response(reply.status or 0, headers=list(reply.headers), content=reply.body, request=request)


class MountedHttp(httpx.BaseTransport):
    """The same for the bare caller, who does not run on a loop."""

    def __init__(self, app: MockApp, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application and raise what a socket would have raised."""
        return self._loop.run_until_complete(_answered(self._app, request))


class MountedAsync(httpx.AsyncBaseTransport):
    """The same for a bare caller who does."""

    def __init__(self, app: MockApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application and raise what a socket would have raised."""
        return await _answered(self._app, request)


async def _answered(app: MockApp, request: httpx.Request) -> httpx.Response:
    await request.aread()
    reply = await _called(app, request, request.extensions["timeout"].get("read") or PATIENCE)
    if reply.end is End.LEFT:
        raise httpx.ReadTimeout("nothing more came", request=request)
    if reply.end is not End.WHOLE:
        raise httpx.RemoteProtocolError("the line was cut", request=request)
    return httpx.Response(reply.status or 0, headers=list(reply.headers), content=reply.body, request=request)


async def _called(app: MockApp, request: httpx.Request, patience: float) -> Reply:
    headers = request.headers.multi_items()
    return await call(
        app, request.method, str(request.url), headers, request.content, patience=patience, connection=False
    )


@dataclass
class _Noting:
    """Tells the peer of what the adapter sends."""

    inner: Transport
    note: Callable[[httpx.Request], None]

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        self.note(request)
        return await self.inner.send(request, exchange)


@contextmanager
def _peer(
    client: httpx.Client,
    desk: httpx.AsyncClient,
    transport: Transport,
    loop: asyncio.AbstractEventLoop,
    **more: Any,
) -> Iterator[Peer]:
    """Put a peer together; `more` is what the bare caller needs to know beside its client."""
    watch = more.pop("watch")
    ready = more["ready"]
    peer = Peer(Caller(client=client, **more), desk, transport, loop, watch)
    peer.mocks.watch = peer.now
    peer.transport = _Noting(transport, peer.note)

    async def note(request: httpx.Request) -> None:
        peer.note(request)

    client.event_hooks = {"request": [peer.note]}
    desk.event_hooks = {"request": [note]}
    artifacts.note_world(ready["seed"], ready["citizens"])
    try:
        yield peer
    finally:
        loop.run_until_complete(desk.aclose())


@contextmanager
def in_process(seed: int = 1) -> Iterator[Peer]:
    """Mount the mocks on a loop of virtual time, their clock included: whoever waits, waits for nothing."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()

        def watch() -> float:
            return BEGINNING + loop.time()

        app = MockApp(seed=seed, citizens=CITIZENS, clock=lambda: Clock(watch))
        ready = ready_line(app, URL)

        def admin(method: str, url: str, body: bytes) -> httpx.Response:
            reply = loop.run_until_complete(call(app, method, url, [("host", "mocks.test")], body, connection=False))
            return httpx.Response(reply.status or 0, content=reply.body)

        desk = httpx.AsyncClient(transport=MountedAsync(app))
        with (
            httpx.Client(transport=MountedHttp(app, loop)) as client,
            _peer(client, desk, Mounted(app), loop, ready=ready, watch=watch, direct=admin) as peer,
        ):
            yield peer
        app.stop()
        app.close()


class Process:
    """The mocks as a process, which can be killed and started again with the same journal on the same port."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._process, self.ready = self._start(*arguments)
        self.kills = 0

    def _start(self, *arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        process = start("--citizens", str(CITIZENS), *arguments)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            _, errors = process.communicate()
            raise ChildProcessError(errors)
        return process, json.loads(line)

    def kill(self) -> None:
        """Kill −9 and start again."""
        self._process.kill()
        self._process.communicate()
        self.kills += 1
        port = httpx.URL(self.ready["admin"]).port
        deadline = time.monotonic() + REBIND_SECONDS
        while True:
            try:
                self._process, ready = self._start("--port", str(port), *self._arguments)
            except ChildProcessError as error:  # somebody may hold the port for a moment
                if "cannot listen" not in str(error) or time.monotonic() > deadline:
                    raise
            else:
                assert ready == self.ready
                return

    def end(self) -> None:
        """Stop it in order; it may have said nothing on standard error."""
        _, errors = self._process.communicate(timeout=PATIENCE)
        artifacts.keep("mocks.log", errors)
        assert (self._process.returncode, errors) == (0, "")


@contextmanager
def as_process(process: Process) -> Iterator[Peer]:
    """Talk to mocks that run as a process, over the carrier's sockets."""
    with asyncio.Runner() as runner, httpx.Client(timeout=PATIENCE, trust_env=False) as client:
        loop, desk = runner.get_loop(), httpx.AsyncClient(timeout=PATIENCE, trust_env=False)
        carrier = Carrier(PHASES, recorder=artifacts.record)
        try:
            with _peer(client, desk, carrier, loop, ready=process.ready, watch=time.time) as peer:
                yield peer
        finally:
            loop.run_until_complete(carrier.aclose())


@contextmanager
def over_sockets(*arguments: str) -> Iterator[Peer]:
    """Start `python -m mocks` for as long as the block takes."""
    process = Process(*arguments)
    try:
        with as_process(process) as peer:
            yield peer
    finally:
        process.end()


@contextmanager
def mortal(journal: Path) -> Iterator[tuple[Peer, Process]]:
    """Start mocks that live on a journal, and hand out the process too."""
    process = Process("--journal", str(journal))
    try:
        with as_process(process) as peer:
            yield peer, process
    finally:
        process.end()
