"""`lienthong mocks ledger exchanges|effects|check`: what really arrived, what was done, and whether a claim holds."""

from typing import Annotated, Any

import typer
from rich.table import Table

from contracts import VIETNAM
from lienthong.help import Command
from lienthong.mocking import Claim, Effect, Exchange, Verdict
from lienthong.mocks import reach
from lienthong.mocks.reach import Asked, asking
from lienthong.stop import ExitCode, Stop

app = typer.Typer(name="ledger", help="mocks.ledger.help")

SHOWN = 20

Lane = Annotated[str | None, typer.Option(metavar="LANE", help="mocks.ledger.lane")]
Last = Annotated[int, typer.Option(metavar="N", min=1, help="mocks.ledger.last")]


@app.command("exchanges", cls=Command, help="mocks.ledger.exchanges.help")
@asking
def exchanges(
    asked: Asked,
    *,
    last: Last = SHOWN,
    door: reach.Door = None,
    operation: reach.Operation = None,
    for_key: reach.ForKey = None,
    lane: Lane = None,
) -> None:
    """List the last exchanges."""
    about = _about(door=door, operation=operation, key=for_key, lane=lane)
    with asked.space() as space:
        found = space.ledger.exchanges(**about)[-last:] if about else space.ledger.last(last)
    asked.show([one.model_dump(mode="json") for one in found], lambda: _exchanges(asked, found))


@app.command("effects", cls=Command, help="mocks.ledger.effects.help")
@asking
def effects(
    asked: Asked,
    *,
    last: Last = SHOWN,
    door: reach.Door = None,
    operation: reach.Operation = None,
    for_key: reach.ForKey = None,
    lane: Lane = None,
) -> None:
    """List the last effects."""
    with asked.space() as space:
        found = space.ledger.effects(**_about(door=door, operation=operation, key=for_key, lane=lane))[-last:]
    asked.show([one.model_dump(mode="json") for one in found], lambda: _effects(asked, found))


@app.command("check", cls=Command, help="mocks.ledger.check.help")
@asking
def check(
    asked: Asked,
    *,
    claim: Annotated[str | None, typer.Argument(metavar="CLAIM", help="mocks.ledger.check.claim")] = None,
    exactly: Annotated[int | None, typer.Option(metavar="N", min=0, help="mocks.ledger.check.exactly")] = None,
    at_least: Annotated[int | None, typer.Option(metavar="N", min=0, help="mocks.ledger.check.at_least")] = None,
    at_most: Annotated[int | None, typer.Option(metavar="N", min=0, help="mocks.ledger.check.at_most")] = None,
    every_key: Annotated[bool, typer.Option("--every-key", help="mocks.ledger.check.every_key")] = False,
    scope: Annotated[str | None, typer.Option(metavar="lane|key|agency|door", help="mocks.ledger.check.scope")] = None,
    instant: Annotated[str | None, typer.Option(metavar="MOMENT", help="mocks.ledger.check.instant")] = None,
    door: reach.Door = None,
    operation: reach.Operation = None,
    for_key: reach.ForKey = None,
    lane: Lane = None,
    json_file: reach.JsonFile = None,
) -> None:
    """Say whether claims hold, and end with what a script can ask for."""
    if (claim is None) is (json_file is None):
        raise Stop(ExitCode.USAGE, "mocks_one_of", one="CLAIM", other="--json-file")
    if json_file is not None:
        claims = _claims(reach.content(json_file), str(json_file))
    else:
        own = {
            "exactly": exactly,
            "at_least": at_least,
            "at_most": at_most,
            "keys": "every" if every_key else None,
            "scope": scope,
            "instant": None if instant is None else reach.moment_of(instant).isoformat(),
        }
        about = _about(door=door, operation=operation, key=for_key, lane=lane)
        claims = [
            Claim(claim=claim or "", **{name: value for name, value in own.items() if value is not None}, **about)
        ]
    with asked.space() as space:
        verdicts = space.ledger.check(*claims)
    asked.show([one.model_dump(mode="json") for one in verdicts], lambda: _verdicts(asked, verdicts))
    if not all(verdict.holds for verdict in verdicts):
        raise typer.Exit(ExitCode.WRONG_ANSWER)


def _about(**given: str | None) -> Any:
    return {name: value for name, value in given.items() if value is not None}


def _claims(content: Any, path: str) -> list[Claim]:
    claims = content if isinstance(content, list) else [content]
    if not all(isinstance(one, dict) and isinstance(one.get("claim"), str) for one in claims):
        raise Stop(ExitCode.USAGE, "mocks_no_json", path=path)
    return [Claim(**one) for one in claims]


def _exchanges(asked: Asked, found: tuple[Exchange, ...]) -> Table:
    table = asked.table("seq", "time", "operation", "key", "attempt", "faults", "outcome", "acts", "status")
    for one in found:
        acted = asked.voice.say("mocks.ledger.yes" if one.acted else "mocks.ledger.no")
        table.add_row(
            str(one.seq),
            f"{one.at.astimezone(VIETNAM):%d %H:%M:%S}",
            f"{one.door} {one.operation}",
            one.key,
            str(one.attempt),
            "\n".join(one.faults),
            one.outcome or "–",
            acted,
            str(one.status or "–"),
        )
    return table


def _effects(asked: Asked, found: tuple[Effect, ...]) -> Table:
    table = asked.table("seq", "time", "operation", "key", "exchange")
    for one in found:
        at = f"{one.at.astimezone(VIETNAM):%d %H:%M:%S}"
        table.add_row(str(one.seq), at, f"{one.door} {one.operation}", one.key, str(one.exchange))
    return table


def _verdicts(asked: Asked, verdicts: tuple[Verdict, ...]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    for verdict in verdicts:
        says = asked.voice.say("mocks.ledger.check.holds" if verdict.holds else "mocks.ledger.check.fails")
        table.add_row(says, str(verdict))
    return table
