"""What `lienthong serve` and `lienthong worker` are: one process, from the configuration to the last answer.

Prints one JSON line on standard output when it answers; logs go to standard error. On SIGTERM and SIGINT nothing more
is taken, calls and deliveries that are under way get `server.stop_seconds` to end, then the store is closed.
"""

import asyncio
import gc
import json
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from gateway.monitor import logs
from gateway.runtime import Gateway
from gateway.server import configure
from gateway.settings import ServerSettings, Settings
from lienthong.stop import ExitCode, Stop
from lienthong.stores import explained

log = structlog.get_logger()

_LOOPBACK = ("127.", "::1")
_OTHER_FILES = 256
_COLLECT_AFTER = (20_000, 20, 20)
_SWITCH_SECONDS = 0.0005
"""How long a thread may be kept waiting by another. The store's writer waits at each statement, and a call for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a process is for. `name` is that of its ready line; `keys`: clients come with theirs.

    `place` may say another address than the configuration; everything else of the server is the configuration's.
    """

    name: str
    app: Callable[[Gateway], ASGIApp]
    place: ServerSettings
    carrying: bool
    keys: bool


def run(settings: Settings, role: Role, *, until_stdin_closes: bool) -> None:
    """Be that until told to stop. Raises `Stop`."""
    logs.configure()
    sys.setswitchinterval(_SWITCH_SECONDS)
    _allow_connections(settings.server.max_connections)
    with explained(settings.store), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, role, until_stdin_closes=until_stdin_closes))


class _Server(uvicorn.Server):
    """uvicorn, which says when it listens, and lets others stop while calls in flight finish."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stopping: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(config)
        self._tell = ready
        self._stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets)
        _rest_the_collector()
        self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop both at once: a call that waits for a delivery is answered when nothing more happens to it here."""
        await asyncio.gather(self._stopping(), super().shutdown(sockets))


def _rest_the_collector() -> None:
    """Let the garbage collector skip what start-up has loaded, and come by less often: a tenth of the CPU of a call."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _allow_connections(wanted: int) -> None:
    """Raise the limit of open files as far as we may: many machines start with one that the connections would reach."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = 2 * wanted + _OTHER_FILES  # a call may hold a connection to the partner too
    if hard != resource.RLIM_INFINITY:
        room = min(room, hard)
    if soft != resource.RLIM_INFINITY and soft < room:
        resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))


async def _run(settings: Settings, role: Role, *, until_stdin_closes: bool) -> None:
    with _listen(role.place) as listening:
        await _answer(settings, role, listening, until_stdin_closes=until_stdin_closes)


async def _answer(settings: Settings, role: Role, listening: socket.socket, *, until_stdin_closes: bool) -> None:
    async with Gateway.open(settings, carrying=role.carrying) as gateway:
        scheme = "http" if role.place.tls_certificate_file is None else "https"
        address = _address(scheme, listening)

        def ready() -> None:
            log.info("ready", address=address)
            if role.keys and scheme == "http" and not listening.getsockname()[0].startswith(_LOOPBACK):
                log.warning("keys_travel_in_clear", address=address)
            sys.stdout.write(json.dumps({role.name: address}) + "\n")
            sys.stdout.flush()
            if until_stdin_closes:
                _watch_stdin(server)

        configuration = configure(role.app(gateway), role.place)
        configuration.load()
        server = _Server(configuration, ready, gateway.retire)
        _outlive_signals()
        await server.serve(sockets=[listening])
    log.info("stopped", address=address)


def _listen(settings: ServerSettings) -> socket.socket:
    """Return a socket bound to the address. Raises `Stop` when it is taken or not ours."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise Stop(ExitCode.NOT_STARTED, "cannot_listen", address=where, why=error.strerror or str(error)) from None
    listening.set_inheritable(False)
    return listening


def _address(scheme: str, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if listening.family is socket.AF_INET6 else f"{scheme}://{host}:{port}"


def _outlive_signals() -> None:
    """Let the end be orderly: the server raises the signal that stopped it once more when it has stopped."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


def _watch_stdin(server: uvicorn.Server) -> None:
    """Stop the server once standard input ends: whoever started us is gone.

    The thread reads the descriptor itself: a buffered reader's lock, held when the interpreter ends, would abort it.
    """
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def stop() -> None:
        server.should_exit = True

    def watch() -> None:
        while os.read(descriptor, 4096):
            pass
        loop.call_soon_threadsafe(stop)

    threading.Thread(target=watch, name="stdin", daemon=True).start()
