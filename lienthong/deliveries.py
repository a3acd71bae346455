"""`lienthong deliveries list|show|replay|resolve|cancel|release`: accepted writes, and what persons decide about them.

For the province's IT, of every agency. A running gateway or worker takes up within a second what was set going here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from contracts import texts
from contracts.model import DeliveryState
from gateway.api.delivery_views import delivery_view, detail_view
from gateway.api.schemas.deliveries import DeliveryDetailV1, DeliveryV1
from gateway.delivery import Changed, Delivery, Refusal, Refused, Resolution, Word
from gateway.runtime import Gateway
from gateway.settings import Settings
from lienthong import options
from lienthong.agencies import parse
from lienthong.help import Command
from lienthong.stop import ExitCode, Stop
from lienthong.stores import opened, operator
from lienthong.systems import check
from lienthong.voice import Voice

app = typer.Typer(name="deliveries", help="deliveries.help")

Result = TypeVar("Result")
Id = Annotated[str, typer.Argument(metavar="ID", help="deliveries.id")]


@app.command("list", cls=Command, help="deliveries.list.help")
def list_some(  # noqa: PLR0917 - options of the command line
    context: typer.Context,
    state: Annotated[
        list[DeliveryState] | None, typer.Option("--state", metavar="STATE", help="deliveries.list.state")
    ] = None,
    system: Annotated[str | None, typer.Option("--system", metavar="SYSTEM", help="deliveries.list.system")] = None,
    agency: Annotated[str | None, typer.Option("--agency", metavar="CODE", help="deliveries.list.agency")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="deliveries.list.limit")] = 50,
    config: options.Config = None,
    as_json: options.AsJson = False,  # noqa: FBT002
) -> None:
    """List the newest."""
    voice = Voice.of(context)
    agencies = None if agency is None else [parse(agency)]

    async def work(gateway: Gateway) -> tuple[Delivery, ...]:
        return await gateway.deliveries.list(limit=limit, agencies=agencies, states=state or (), system=system)

    found = [delivery_view(one, voice.language) for one in _use(options.settings(config), work)]
    if as_json:
        voice.json([one.model_dump(mode="json") for one in found])
        return
    columns = ("id", "system", "operation", "agency", "accepted", "state", "about")
    table = Table(*(voice.say(f"column.{name}") for name in columns), box=options.BOX)
    for one in found:
        accepted = options.moment(one.accepted_at)
        table.add_row(one.id, one.system, one.operation, one.agency, accepted, one.state, one.summary)
    voice.out.print(table)


@app.command("show", cls=Command, help="deliveries.show.help")
def show(context: typer.Context, delivery: Id, config: options.Config = None, as_json: options.AsJson = False) -> None:  # noqa: FBT002
    """Show one with what was tried and decided."""
    voice = Voice.of(context)

    async def work(gateway: Gateway) -> DeliveryDetailV1:
        found = await gateway.deliveries.get(delivery)
        if found is None:
            raise _refused(Refusal.NO_SUCH_DELIVERY, voice)
        attempts = await gateway.store.audit.attempts(delivery)
        return detail_view(found, attempts, await gateway.deliveries.rulings(delivery), voice.language)

    one = _use(options.settings(config), work)
    if as_json:
        voice.json(one.model_dump(mode="json"))
        return
    _tell(one, voice)
    tried = Table(*(voice.say(f"column.{name}") for name in ("since", "purpose", "about", "acted")), box=options.BOX)
    for attempt in one.tried:
        came_of_it = attempt.state if attempt.kind is None else f"{attempt.kind} ({attempt.reason})"
        tried.add_row(options.moment(attempt.at), attempt.purpose, came_of_it, attempt.may_have_acted)
    decided = Table(
        *(voice.say(f"column.{name}") for name in ("since", "by", "about", "why", "evidence")), box=options.BOX
    )
    for ruling in one.decided:
        said = (options.line(text or "") for text in (ruling.by, ruling.what, ruling.why, ruling.evidence))
        decided.add_row(options.moment(ruling.at), *said)
    for table in (tried, decided):
        if table.row_count:
            voice.out.print(table)


@app.command("replay", cls=Command, help="deliveries.replay.help")
def replay(context: typer.Context, delivery: Id, why: options.Why, config: options.Config = None) -> None:
    """Set it going again."""
    _decide(context, config, lambda gateway, word: gateway.deliveries.replay(delivery, word), why)


@app.command("resolve", cls=Command, help="deliveries.resolve.help")
def resolve(  # noqa: PLR0917 - options of the command line
    context: typer.Context,
    delivery: Id,
    outcome: Annotated[Resolution, typer.Option("--outcome", metavar="OUTCOME", help="deliveries.resolve.outcome")],
    evidence: Annotated[str, typer.Option("--evidence", metavar="TEXT", help="deliveries.resolve.evidence")],
    why: options.Why,
    config: options.Config = None,
) -> None:
    """Say what became of it."""
    if not evidence.strip():
        raise Stop(ExitCode.USAGE, "no_evidence")
    _decide(context, config, lambda gateway, word: gateway.deliveries.resolve(delivery, outcome, word), why, evidence)


@app.command("cancel", cls=Command, help="deliveries.cancel.help")
def cancel(context: typer.Context, delivery: Id, why: options.Why, config: options.Config = None) -> None:
    """Take it back."""
    _decide(context, config, lambda gateway, word: gateway.deliveries.cancel(delivery, word), why)


@app.command("release", cls=Command, help="deliveries.release.help")
def release(
    context: typer.Context,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="systems.system")],
    agency: Annotated[str, typer.Argument(metavar="AGENCY", help="agencies.code")],
    why: options.Why,
    config: options.Config = None,
) -> None:
    """End the hold of an agency."""
    settings, code = options.settings(config), parse(agency)
    check(settings, system)
    word = Word(by=operator(), why=why)
    was_held = _use(settings, lambda gateway: gateway.deliveries.release(system, code, word))
    key = "deliveries.release.done" if was_held else "deliveries.release.was_not"
    Voice.of(context).remark(key, system=system, agency=str(code))


def _decide(
    context: typer.Context,
    config: options.Config,
    decision: Callable[[Gateway, Word], Awaitable[Changed | Refused]],
    why: str,
    evidence: str | None = None,
) -> None:
    """Have a decision followed, and tell how the delivery stands then. Raises `Stop`."""
    voice = Voice.of(context)
    word = Word(by=operator(), why=why, evidence=evidence)
    try:
        done = _use(options.settings(config), lambda gateway: decision(gateway, word))
    except KeyError as missing:
        raise Stop(ExitCode.NOT_POSSIBLE, "delivery_system", name=str(missing.args[0])) from None
    if isinstance(done, Refused):
        raise _refused(done.refusal, voice)
    _tell(delivery_view(done.delivery, voice.language), voice)


def _tell(one: DeliveryV1, voice: Voice) -> None:
    told = {
        "id": one.id,
        "state": one.state,
        "about": one.summary,
        "todo": one.next,
        "system": f"{one.system} · {one.operation}",
        "agency": f"{one.agency} · {one.officer}",
        "dossier": one.dossier,
        "accepted": options.moment(one.accepted_at),
        "due": options.moment(one.legal_due_at),
        "acted": one.may_have_acted,
    }
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, words in told.items():
        if words:
            table.add_row(voice.say(f"column.{name}"), options.line(words))
    voice.out.print(table)


def _refused(refusal: Refusal, voice: Voice) -> Stop:
    what, then = (texts.text(voice.language, f"refusal.delivery_{refusal}.{part}") for part in ("what", "next"))
    return Stop(ExitCode.NOT_POSSIBLE, "delivery_refused", what=what, next=then)


def _use(settings: Settings, work: Callable[[Gateway], Awaitable[Result]]) -> Result:
    """Do something with the deliveries of the store, beside whoever serves from it. Raises `Stop`."""

    async def run() -> Result:
        async with opened(settings.store) as store, Gateway.beside(settings, store) as gateway:
            return await work(gateway)

    return asyncio.run(run())
