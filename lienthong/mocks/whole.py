"""`lienthong mocks status|reset|export|restore`: a server and a namespace as a whole."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lienthong.mocking import Health, Reading
from lienthong.mocks import reach
from lienthong.mocks.clock import told
from lienthong.mocks.reach import Asked, asking
from lienthong.stop import ExitCode, Stop


@asking
def status(asked: Asked) -> None:
    """Show how the server is, and what is in the namespace."""
    with asked.space() as space:
        health, reading = space.health(), space.clock.read()
    plain = {**health.model_dump(mode="json"), "clock": reading.model_dump(mode="json")}
    asked.show(plain, lambda: _drawn(asked, health, reading))


@asking
def reset(
    asked: Asked,
    *,
    seed: Annotated[int | None, typer.Option(metavar="N", help="mocks.seed")] = None,
    citizens: Annotated[int | None, typer.Option(metavar="N", min=300, max=1_000_000, help="mocks.citizens")] = None,
) -> None:
    """Put the namespace back to its start."""
    with asked.space() as space:
        space.reset(seed=seed, citizens=citizens)
        health = space.health()
    if asked.as_json:
        asked.voice.json(health.model_dump(mode="json"))
    else:
        asked.voice.remark("mocks.reset.done", name=health.namespace, seed=health.seed, citizens=health.citizens)


@asking
def export(
    asked: Asked, out: Annotated[Path | None, typer.Option(metavar="FILE", help="mocks.export.out")] = None
) -> None:
    """Write down everything that has happened."""
    with asked.space() as space:
        run = space.export()
    if out is None:
        asked.voice.out.file.write(run)
        return
    try:
        out.write_text(run, "utf-8")
    except OSError as error:
        raise Stop(ExitCode.USAGE, "mocks_file", path=str(out), why=error.strerror or "?") from None
    asked.voice.remark("mocks.export.done", path=str(out), lines=run.count("\n"))


@asking
def restore(asked: Asked, *, file: Annotated[Path, typer.Argument(metavar="FILE", help="mocks.restore.file")]) -> None:
    """Begin again with everything that a run tells of."""
    run = reach.text(file)
    with asked.space() as space:
        space.restore(run)
        health = space.health()
    if asked.as_json:
        asked.voice.json(health.model_dump(mode="json"))
    else:
        asked.voice.remark("mocks.restore.done", exchanges=health.counts.exchanges, effects=health.counts.effects)


def _drawn(asked: Asked, health: Health, reading: Reading) -> Table:
    say, counts = asked.voice.say, health.counts
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row(say("mocks.status.admin"), asked.admin)
    table.add_row(say("mocks.status.state"), health.status)
    table.add_row(say("mocks.status.namespace"), health.namespace)
    table.add_row(say("mocks.status.world"), say("mocks.status.people", citizens=health.citizens, seed=health.seed))
    table.add_row(say("mocks.status.clock"), ", ".join(told(reading, asked.voice)))
    table.add_row(say("mocks.status.doors"), "\n".join(f"{name} {path}" for name, path in health.doors.items()))
    table.add_row(
        say("mocks.status.ledger"),
        say("mocks.status.counts", exchanges=counts.exchanges, effects=counts.effects, faults=counts.faults),
    )
    table.add_row(say("mocks.status.journal"), health.journal)
    return table
