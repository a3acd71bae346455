"""`lienthong backup`, `restore` and `migrate`: the store copied, made again from a copy, brought up to date.

None of them needs the gateway to be stopped but `restore`, which wants a place where there is no store yet.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.settings import Settings
from gateway.store import upgrading
from gateway.store.backup import Backup, back_up
from gateway.store.backup import restore as make_again
from gateway.webhooks import Webhooks
from lienthong import options
from lienthong.stop import ExitCode
from lienthong.stores import explained, operator
from lienthong.voice import Voice

Keys = Annotated[Path | None, typer.Option("--keys", metavar="DIRECTORY", help="backup.keys")]


def backup(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="backup.directory")],
    keys: Keys = None,
    config: options.Config = None,
    as_json: options.AsJson = False,  # noqa: FBT002
) -> None:
    """Copy database and keys into a new directory."""
    settings = options.settings(config)
    with explained(settings.store):
        made = asyncio.run(back_up(settings.store, directory, keys=keys))
    voice = Voice.of(context)
    if as_json:
        voice.json(_plain(made))
        return
    voice.remark("backup.done", path=str(made.database), size=f"{_size(made) / 1e6:.1f}")
    voice.remark("backup.apart", path=str(made.keys))


def restore(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="restore.directory")],
    keys: Annotated[Path | None, typer.Option("--keys", metavar="DIRECTORY", help="restore.keys")] = None,
    config: options.Config = None,
    as_json: options.AsJson = False,  # noqa: FBT002
) -> None:
    """Make the store again from a backup, with every system paused."""
    settings = options.settings(config)
    systems = _known(settings)
    with explained(settings.store):
        made = asyncio.run(make_again(settings.store, directory, by=operator(), systems=systems, keys=keys))
    voice = Voice.of(context)
    if as_json:
        voice.json({**_plain(made), "store": settings.store.place, "paused": systems})
        return
    moment = options.moment(made.manifest.made_at)
    voice.remark("restore.done", path=settings.store.place, moment=moment, keys=str(settings.store.keys))
    voice.remark("restore.paused", systems=", ".join(systems))


def migrate(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="migrate.check")] = False,  # noqa: FBT002
    config: options.Config = None,
    as_json: options.AsJson = False,  # noqa: FBT002
) -> int:
    """Bring the tables up to date, or say which version they have."""
    settings = options.settings(config)
    with explained(settings.store):
        found = asyncio.run((upgrading.look if check else upgrading.migrate)(settings.store))
    voice = Voice.of(context)
    current = found.standing is upgrading.Standing.OK
    if as_json:
        voice.json({"found": found.found, "needed": found.needed, "standing": found.standing})
    elif current:
        voice.remark("migrate.current", needed=found.needed)
    else:
        before = found.found or voice.say("migrate.none")
        voice.remark("migrate.behind" if check else "migrate.done", found=before, needed=found.needed)
    return ExitCode.STORE_CLOSED if check and not current else ExitCode.DONE


def _known(settings: Settings) -> list[str]:
    """Return every system that this release knows: one that is configured later shall be paused too."""
    return sorted([*type(settings.systems).model_fields, Webhooks.name])


def _size(made: Backup) -> int:
    return sum(piece.size for piece in made.manifest.pieces)


def _plain(made: Backup) -> dict[str, object]:
    manifest = made.manifest
    return {
        "database": str(made.database),
        "keys": str(made.keys),
        "made_at": manifest.made_at,
        "engine": manifest.engine,
        "tables_version": manifest.tables_version,
        "bytes": _size(made),
    }
