"""The mocks as a server of their own: `python -m mocks`.

Prints one line of JSON on standard output once it answers, with its addresses and the made-up credentials it accepts.
What happens is journalled to a file in any case: to the one that is named, or to one that goes when the server stops in
order and stays, where that line says, when it is killed. Stops on SIGTERM and SIGINT, and with `--until-stdin-closes`
also when whoever started it is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import ipaddress
import json
import os
import shutil
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn

from mocks.app import NAMESPACE, MockApp
from mocks.settings import credentials, load, sentence
from mocks.sockets import Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from socket import socket
    from types import FrameType

    from mocks.ledger import Exchange

ADMIN_KEY = "LIENTHONG_MOCKS_KEY"
COLLECT_AFTER = (20_000, 20, 20)


class Server(uvicorn.Server):
    """uvicorn, which says when it is ready and lets nothing that hangs keep it from stopping."""

    def __init__(self, config: uvicorn.Config, app: MockApp, ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._mocks = app
        self._ready = ready

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop in order on the first signal and at once on the second; having been told to is no error."""
        del sig, frame
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets)
        self._mocks.start()
        _rest_the_collector()
        self._ready(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End what hangs, then stop."""
        self._mocks.stop()
        await super().shutdown(sockets)


def _rest_the_collector() -> None:
    """Let the garbage collector skip what start-up has made, a whole country, and come by less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the mocks until they are told to stop. Returns the exit code."""
    arguments = _arguments(argv)
    with ExitStack() as at_end:
        try:
            app = _app(arguments, at_end)
        except (OSError, ValueError) as error:
            sys.stderr.write(f"mocks: {sentence(error)}\n")
            return 2
        at_end.callback(app.close)
        return _serve(app, arguments)


def _app(arguments: argparse.Namespace, at_end: ExitStack) -> MockApp:
    """Return the mocks as the command line asks for them. Raises `OSError` or `ValueError`."""
    settings = load(arguments.settings)
    key = os.environ.get(ADMIN_KEY) or None
    if arguments.admin_key_file is not None:
        key = arguments.admin_key_file.read_text("utf-8").strip()
    journal = arguments.journal
    if journal is None:
        folder = Path(tempfile.mkdtemp(prefix="mocks-"))
        at_end.callback(shutil.rmtree, folder, ignore_errors=True)
        journal = folder / "journal.jsonl"
    return MockApp(
        seed=arguments.seed,
        citizens=arguments.citizens,
        journal=journal,
        admin_key=key,
        record_requests=arguments.record_requests,
        observe=_observer() if arguments.log_exchanges else None,
        **settings,
    )


def _serve(app: MockApp, arguments: argparse.Namespace) -> int:
    def ready(port: int) -> None:
        sys.stdout.write(json.dumps(ready_line(app, _url(arguments.host, port))) + "\n")
        sys.stdout.flush()
        if arguments.until_stdin_closes:
            _watch_stdin(server)

    config = uvicorn.Config(
        app,
        host=arguments.host,
        port=arguments.port,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
    )
    server = Server(config, app, ready)
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    except SystemExit:
        sys.stderr.write(
            f"mocks: cannot listen on {arguments.host} port {arguments.port}; choose another, or 0 for any\n"
        )
        return 2
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mocks", description="Mocks of the national systems: one made-up world, every door."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0, the default, takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="which world; the same seed gives the same people (1)")
    parser.add_argument("--citizens", type=int, default=5000, help="how many people the world has (5000)")
    parser.add_argument("--settings", type=Path, help="TOML file with a table for each door, such as [population]")
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="keep everything in this file; started with it again, go on where it ended (a file of its own)",
    )
    parser.add_argument(
        "--record-requests",
        action="store_true",
        help="keep every request as it came, headers and body, so that the run can be decided again",
    )
    parser.add_argument(
        "--admin-key-file",
        type=Path,
        metavar="FILE",
        help=f"file with the key that every call of the admin API has to present; or set {ADMIN_KEY}",
    )
    parser.add_argument(
        "--log-exchanges", action="store_true", help="log each exchange to standard error, without personal data"
    )
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    return parser.parse_args(argv)


def _url(host: str, port: int) -> str:
    try:
        ipv6 = ipaddress.ip_address(host).version == 6  # noqa: PLR2004 - the version's name
    except ValueError:
        ipv6 = False
    return f"http://[{host}]:{port}" if ipv6 else f"http://{host}:{port}"


def ready_line(app: MockApp, url: str) -> dict[str, Any]:
    """Return the ready line: where the doors are and with which made-up credentials they open."""
    return {
        **{door.name: f"{url}{door.path}" for door in app.doors},
        "admin": f"{url}/__mock__/",
        "admin_access": app.admin_access,
        "namespace_header": NAMESPACE.title(),
        "journal": str(app.journal.path.absolute()) if app.journal else None,
        "seed": app.default.people.seed,
        "citizens": len(app.default.people.citizens),
        "credentials": {door.name: credentials(door) for door in app.doors},
    }


def _watch_stdin(server: Server) -> None:
    """Stop the server once standard input ends: whoever held the other end is gone."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    def watch() -> None:
        # The descriptor itself: a thread that waits inside `sys.stdin` makes the interpreter abort at its end.
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def _observer() -> Callable[[Exchange], None]:
    log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[structlog.processors.JSONRenderer(sort_keys=True)],
    )

    def observe(exchange: Exchange) -> None:
        log.info(
            "exchange",
            **{name: getattr(exchange, name) for name in ("at", "door", "operation", "request_id", "key", "attempt")},
            faults=list(exchange.faults),
            outcome=exchange.outcome,
            status=exchange.status,
        )

    return observe
