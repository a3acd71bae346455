"""`lienthong clients add|list|rotate|revoke`: who may call, and with which keys.

A key is shown once, on standard output and nothing else with it, so that it can be piped into a secret store.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from contracts import VIETNAM
from gateway.security import Client, ClientKey, IssuedKey, Quota, Scope
from gateway.store import ClientEntry, Store
from lienthong import agencies, options
from lienthong.help import Command
from lienthong.stop import ExitCode, Stop
from lienthong.stores import operator, use
from lienthong.voice import Voice

app = typer.Typer(name="clients", help="clients.help")

Name = Annotated[str, typer.Argument(metavar="NAME", help="clients.name")]
Expires = Annotated[
    datetime | None, typer.Option("--expires", metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], help="clients.expires")
]


@app.command("add", cls=Command, help="clients.add.help")
def add(  # noqa: PLR0917 - every one is an option of the command line
    context: typer.Context,
    name: Name,
    agency: Annotated[list[str], typer.Option("--agency", metavar="CODE", help="clients.add.agency")],
    scope: Annotated[list[Scope], typer.Option("--scope", metavar="SCOPE", help="clients.add.scope")],
    per_minute: Annotated[int | None, typer.Option(metavar="N", min=1, help="clients.add.per_minute")] = None,
    per_day: Annotated[int | None, typer.Option(metavar="N", min=1, help="clients.add.per_day")] = None,
    officer_per_minute: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="clients.add.officer_per_minute")
    ] = None,
    officer_per_day: Annotated[int | None, typer.Option(metavar="N", min=1, help="clients.add.officer_per_day")] = None,
    expires: Expires = None,
    config: options.Config = None,
) -> None:
    """Add a client and show its first key."""
    try:
        client = Client(
            name=name,
            scopes=frozenset(scope),
            agencies=frozenset(map(agencies.parse, agency)),
            quota=Quota(per_minute=per_minute, per_day=per_day),
            officer_quota=Quota(per_minute=officer_per_minute, per_day=officer_per_day),
        )
    except ValueError:
        raise Stop(ExitCode.USAGE, "client_form", name=name) from None
    ends_at = _end(expires)
    settings = options.settings(config)
    issued = use(settings, lambda store: store.clients.add(client, by=operator(), expires_at=ends_at))
    _show_key(Voice.of(context), "clients.add.done", name, issued)


@app.command("rotate", cls=Command, help="clients.rotate.help")
def rotate(
    context: typer.Context,
    name: Name,
    old_ends_in: Annotated[
        int | None, typer.Option("--old-ends-in-hours", metavar="N", min=0, help="clients.rotate.old_ends_in")
    ] = None,
    expires: Expires = None,
    config: options.Config = None,
) -> None:
    """Make a second key and show it."""
    end_in = None if old_ends_in is None else timedelta(hours=old_ends_in)
    ends_at = _end(expires)
    issued = use(
        options.settings(config),
        lambda store: store.clients.rotate(name, by=operator(), old_end_in=end_in, expires_at=ends_at),
    )
    done = "clients.rotate.both" if end_in is None else "clients.rotate.ends"
    _show_key(Voice.of(context), done, name, issued, hours=old_ends_in or 0)


@app.command("revoke", cls=Command, help="clients.revoke.help")
def revoke(
    context: typer.Context,
    name: Name,
    why: options.Why,
    key: Annotated[str | None, typer.Option("--key", metavar="ID", help="clients.revoke.key")] = None,
    config: options.Config = None,
) -> None:
    """Revoke one key or every key of a client, for ever."""

    async def work(store: Store) -> tuple[ClientKey, ...]:
        if key is None:
            return await store.clients.revoke(name, by=operator(), why=why)
        entry = next((entry for entry in await store.clients.all() if entry.client.name == name), None)
        if entry is None:
            raise Stop(ExitCode.NOT_POSSIBLE, "unknown_client", name=name, keys="")
        if key not in {one.id for one in entry.keys}:
            raise Stop(ExitCode.NOT_POSSIBLE, "unknown_key", name=key, keys="")
        return (await store.clients.revoke_key(key, by=operator(), why=why),)

    revoked = use(options.settings(config), work)
    keys = ", ".join(one.id for one in revoked)
    Voice.of(context).remark("clients.revoke.done" if revoked else "clients.revoke.none", name=name, keys=keys)


@app.command("list", cls=Command, help="clients.list.help")
def list_all(context: typer.Context, config: options.Config = None, as_json: options.AsJson = False) -> None:  # noqa: FBT002
    """List every client with its keys; a key's secret is nowhere to be shown from."""
    entries = use(options.settings(config), lambda store: store.clients.all())
    voice = Voice.of(context)
    now = datetime.now(VIETNAM)
    if as_json:
        voice.json([_plain(entry, now) for entry in entries])
        return
    columns = ("client", "rights", "quota", "key", "state", "until")
    table = Table(box=options.BOX, pad_edge=False, show_edge=False)  # eighty columns are enough for it
    for column in columns:  # what stands in one line for each key may not wrap; the rest may, and loses nothing
        table.add_column(voice.say(f"column.{column}"), no_wrap=column in columns[3:], overflow="fold")
    for entry in entries:
        client = entry.client
        table.add_row(
            client.name,
            "\n".join([*sorted(client.scopes), *sorted(map(str, client.agencies))]),
            "\n".join(_limits(client, voice)) or "–",
            "\n".join(key.id for key in entry.keys),
            "\n".join(voice.say(f"state.{_state(key, now)}") for key in entry.keys),
            "\n".join(options.day(_last(key)) for key in entry.keys),
            end_section=True,
        )
    voice.out.print(table)


def _show_key(voice: Voice, done: str, name: str, issued: IssuedKey, **values: int) -> None:
    voice.remark(done, name=name, key=issued.id, **values)
    voice.remark("clients.once")
    voice.out.print(issued.text, soft_wrap=True)


def _end(day: datetime | None) -> datetime | None:
    """Return the end of that day in Vietnam. Raises `Stop` for a day that is over."""
    if day is None:
        return None
    end = day.replace(tzinfo=VIETNAM) + timedelta(days=1)
    if end <= datetime.now(VIETNAM):
        raise Stop(ExitCode.USAGE, "day_over", name=f"{day:%Y-%m-%d}")
    return end


def _state(key: ClientKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "valid" if key.valid(now) else "expired"


def _last(key: ClientKey) -> datetime | None:
    """Return the last moment of a key, which is before the midnight that ends its last day."""
    if key.revoked_at is not None or key.expires_at is None:
        return key.revoked_at
    return key.expires_at - timedelta(microseconds=1)


def _limits(client: Client, voice: Voice) -> Iterator[str]:
    officer = f"{voice.say('clients.list.officer')} "
    for whose, quota in (("", client.quota), (officer, client.officer_quota)):
        if quota.per_minute is not None:
            yield whose + voice.say("clients.list.per_minute", number=quota.per_minute)
        if quota.per_day is not None:
            yield whose + voice.say("clients.list.per_day", number=quota.per_day)


def _plain(entry: ClientEntry, now: datetime) -> dict[str, object]:
    client = entry.client
    return {
        "client": client.name,
        "scopes": sorted(client.scopes),
        "agencies": sorted(map(str, client.agencies)),
        "quota": {"per_minute": client.quota.per_minute, "per_day": client.quota.per_day},
        "officer_quota": {"per_minute": client.officer_quota.per_minute, "per_day": client.officer_quota.per_day},
        "keys": [
            {
                "id": key.id,
                "state": _state(key, now),
                "created_at": key.created_at,
                "expires_at": key.expires_at,
                "revoked_at": key.revoked_at,
            }
            for key in entry.keys
        ],
    }
