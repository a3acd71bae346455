"""`lienthong config check`: whether the gateway would start with this configuration."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic import BaseModel
from rich.table import Table

from gateway.settings import ServerSettings, Settings
from lienthong import options
from lienthong.help import Command
from lienthong.stop import ExitCode, Stop
from lienthong.voice import Voice

app = typer.Typer(name="config", help="config.help")


@app.command("check", cls=Command, help="config.check.help")
def check(context: typer.Context, config: options.Config = None) -> None:
    """Name everything that is wrong, or say what is configured."""
    _show(checked(config), Voice.of(context))


def checked(path: Path | None) -> Settings:
    """Return the settings of the file at `path`, every file that they name being of use. Raises `Stop`."""
    settings = options.settings(path)
    problems = "\n".join(f"  {key}: {file}" for key, file in _unreadable_files(settings))
    if problems:
        raise Stop(ExitCode.USAGE, "files_unreadable", problems=problems)
    _try_certificate(settings.server)
    return settings


def _show(settings: Settings, voice: Voice) -> None:
    server, store = settings.server, settings.store
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    scheme = "http" if server.tls_certificate_file is None else "https"
    table.add_row(voice.say("config.check.server"), f"{scheme}://{server.host}:{server.port}")
    table.add_row(voice.say("config.check.store"), store.place)
    table.add_row(voice.say("config.check.keys"), str(store.keys))
    systems = [name for name in type(settings.systems).model_fields if getattr(settings.systems, name) is not None]
    table.add_row(voice.say("config.check.systems"), ", ".join(systems) or voice.say("config.check.none"))
    voice.out.print(voice.say("config.check.good"), style="green")
    voice.out.print(table)


def _try_certificate(server: ServerSettings) -> None:
    """Raise `Stop` unless our certificate and its key can be loaded together."""
    if server.tls_certificate_file is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # A password is given so that nobody is asked for one at the terminal: a service could not answer.
        context.load_cert_chain(server.tls_certificate_file, server.tls_key_file, password="")
    except ssl.SSLError as error:
        path = str(server.tls_certificate_file)
        raise Stop(ExitCode.USAGE, "tls_wrong", path=path, why=error.reason or "?") from None


def _unreadable_files(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Give the dotted key and the path of every `…_file` that cannot be read."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        parts = value.items() if isinstance(value, dict) else ((None, value),)
        for part, one in parts:
            key = f"{prefix}{name}" if part is None else f"{prefix}{name}.{part}"
            if isinstance(one, BaseModel):
                yield from _unreadable_files(one, f"{key}.")
            elif isinstance(one, Path) and name.endswith("_file") and not _readable(one):
                yield key, one


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False
