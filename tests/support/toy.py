"""A toy system behind the mocks' core: notes that are written and read, so that the core can be tested by itself."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import uvicorn
from pydantic import BaseModel, ConfigDict

from mocks.app import MockApp
from mocks.asgi import Answer, json_answer
from mocks.doors import UNKNOWN, Callback, Result, Subject
from mocks.faults import What
from mocks.server import Server
from mocks.sockets import Protocol
from mocks.world import Kind, Lifecycle, Plain, Verb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mocks.asgi import Request
    from mocks.doors import Site
    from mocks.faults import Fault

CITIZENS = 300
NOTE = "note"
WRITTEN = ("open", "closed")
LIFECYCLE = Lifecycle(
    kind=NOTE,
    starts=("open",),
    verbs={
        "revise": Verb(WRITTEN, None, "It is written once more.", ("text", "times")),
        "close": Verb(("open",), "closed", "An officer closes it."),
    },
)
OPERATIONS = ("write", "read", "refuse", "break")


class Tone(BaseModel):
    """How the toy speaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tone: Literal["plain", "old"] = "plain"


class ToyDoor:
    """Writes and reads notes. `break` is a defect in acting, a path without a key one in recognising."""

    name = "toy"
    path = "/toy"
    aliases: tuple[str, ...] = ()
    platform: str | None = "toy_platform"
    operations: Mapping[str, tuple[str, ...]] = {
        "write": ("written",),
        "read": ("found", "missing"),
        "refuse": ("refused",),
        "break": (),
    }
    callbacks: tuple[str, ...] = ("told",)
    plays: Mapping[What, tuple[str, ...]] = {
        What.SYSTEM_FAULT: OPERATIONS,
        What.OLD_DISTRICTS: OPERATIONS,
        What.PLATFORM_DOWN: OPERATIONS,
        What.CALLBACK_TWICE: ("told",),
        What.CALLBACK_LOST: ("told",),
    }
    views: Mapping[What, Mapping[str, Any]] = {What.OLD_DISTRICTS: {"tone": "old"}}
    kinds: tuple[Kind, ...] = (Plain(LIFECYCLE),)
    standard = Tone()
    settings: BaseModel = Tone()

    def publish(self, request: Request) -> Answer | None:
        """Show nothing."""
        del request
        return None

    def login(self, request: Request) -> str | None:
        """Return the account, a header of its own."""
        return request.header("x-account")

    def recognise(self, request: Request, site: Site[Tone]) -> Subject:
        """Read the path `/toy/operation/key` and a JSON body, if there is one."""
        del site
        _, _, operation, key = request.path.split("/")
        if operation not in OPERATIONS:
            return Subject(UNKNOWN, UNKNOWN, None, None)
        said = json.loads(request.body or b"{}")
        return Subject(
            operation,
            key,
            said.get("agency", "000.00.01.H99"),
            said.get("id"),
            said.get("idempotency_key"),
            f"note/{key}",
            said,
        )

    def act(self, request: Request, subject: Subject, site: Site[Tone]) -> Result:
        """Write or read a note."""
        del request
        note = site.world.get(NOTE, subject.key)
        match subject.operation:
            case "write":
                text = subject.content.get("text", "") if isinstance(subject.content, dict) else ""
                if note is None:
                    note = site.world.create(NOTE, subject.key, "open", text=text, times=1)
                else:
                    times = note.fields["times"] + 1
                    note = site.world.do(NOTE, subject.key, "revise", text=text, times=times)
                told = Callback("told", subject.key, json.dumps({"key": subject.key}), after=5.0)
                return Result(self._shown(note.fields, subject, site), "written", acted=True, callbacks=(told,))
            case "read":
                shown = self._shown(note.fields if note else {}, subject, site)
                return Result(shown, "found" if note else "missing", acted=False)
            case "break":
                site.world.create(NOTE, f"half-{subject.key}", "open")
                raise LookupError(f"what nobody may read: {subject.key}")
            case _:
                return Result(json_answer({"refused": True}, 422), "refused", acted=False)

    def disturb(self, fault: Fault, subject: Subject, site: Site[Tone], result: Result | None) -> Answer:
        """Name the fault."""
        del subject, site
        return json_answer({"fault": fault.what, "acted": result is not None and result.acted}, 500)

    def happened(self, kind: str, resource_id: str, verb: str, site: Site[Tone]) -> tuple[Callback, ...]:
        """Tell of a note that was closed."""
        del site
        return (Callback("told", resource_id, "closed"),) if (kind, verb) == (NOTE, "close") else ()

    def _shown(self, fields: Mapping[str, Any], subject: Subject, site: Site[Tone]) -> Answer:
        now, tone = site.now.isoformat(timespec="seconds"), site.dialects.tone
        return json_answer({"key": subject.key, **fields, "now": now, "tone": tone, "filler": "ả" * 100})


def toy_app(**options: Any) -> MockApp:
    """Return mocks with the toy among their doors."""
    return MockApp(**{"citizens": CITIZENS, "more": (ToyDoor(),), **options})


@dataclass
class Reply:
    """What came back, `None` where no answer began."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    end: str = "whole"
    """`whole`, or what the connection did: `reset` (in process also: closed), `left`, because nothing more came."""

    @property
    def content(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


async def ask(
    app: MockApp,
    method: str,
    path: str,
    content: object = None,
    *,
    namespace: str | None = None,
    patience: float = 10.0,
    **headers: str,
) -> Reply:
    """Call mocks in process; give up after `patience` seconds, as a caller does who hangs up."""
    reply, gone = Reply(end="left"), asyncio.Event()
    named = {"host": "mocks.example", **({"x-mock-namespace": namespace} if namespace else {}), **headers}
    body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
    requests = [{"type": "http.request", "body": body, "more_body": False}]
    bare, _, query = path.partition("?")

    async def receive() -> dict[str, Any]:
        if requests:
            return requests.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        reply.body += message.get("body", b"")
        if not message.get("more_body", False):
            reply.end = "whole"

    scope = {
        "type": "http",
        "method": method,
        "path": bare,
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 1),
        "scheme": "http",
    }
    call = asyncio.ensure_future(app(scope, receive, send))
    done, _ = await asyncio.wait((call,), timeout=patience)
    if not done:
        gone.set()
        await asyncio.wait((call,))
    try:
        call.result()
    except ConnectionResetError:
        reply.end = "left" if not done else "reset"
    return reply


async def admin(app: MockApp, method: str, path: str, content: object = None, **options: Any) -> Any:
    """Call the admin API in process and return what it says. Raises `AssertionError` if it refuses."""
    reply = await ask(app, method, f"/__mock__/{path}", content, **options)
    assert reply.status in (200, 201), reply.body
    return reply.content


async def fault(app: MockApp, what: str, *, namespace: str | None = None, **parts: Any) -> Any:
    """Put a fault in force; `for` and `with` are given as `whom` and `details`."""
    names = {"whom": "for", "details": "with"}
    said = {"what": what, "until": {"count": 1}, **{names.get(name, name): part for name, part in parts.items()}}
    return await admin(app, "POST", "faults", said, namespace=namespace)


@contextmanager
def serving(app: MockApp, loop: Literal["asyncio", "uvloop"] = "uvloop") -> Iterator[int]:
    """Serve mocks on a free port, in a thread of their own, for as long as the block takes."""
    ports: list[int] = []
    listening = threading.Event()

    def ready(port: int) -> None:
        ports.append(port)
        listening.set()

    config = uvicorn.Config(
        app,
        port=0,
        http=Protocol,
        loop=loop,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = Server(config, app, ready)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert listening.wait(10)
        yield ports[0]
    finally:
        server.should_exit = True
        thread.join(10)
        app.close()
    assert not thread.is_alive()
