"""The commands put together, and the one place where a command's end becomes an exit code."""

import asyncio
import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from typing import Annotated

import typer

from lienthong import (
    agencies,
    clients,
    config,
    deliveries,
    keeping,
    keys,
    language,
    mocks,
    retention,
    serve,
    systems,
    worker,
)
from lienthong.demo import command as demo
from lienthong.help import Command, Group, explain
from lienthong.stop import ExitCode, Stop
from lienthong.voice import Voice

NAME = "lienthong"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""How a full disk refuses what a command writes to standard output."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code. What is expected ends in a sentence, never in a traceback."""
    wanted, given = language.take(sys.argv[1:] if arguments is None else arguments)
    voice = Voice.of_process(language.of_environment(os.environ))
    try:
        if wanted is not None:
            voice = replace(voice, language=language.of_option(wanted))
        code = application()(given, prog_name=NAME, standalone_mode=False, obj=voice)
    except Stop as stop:
        stop.tell(voice)
        return stop.code
    except typer.TyperException as error:
        return explain(error, voice)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        with suppress(OSError):
            sys.stdout.close()  # or the interpreter would try again at its end
        Stop(ExitCode.NOT_POSSIBLE, "no_room", why=os.strerror(error.errno)).tell(voice)
        return ExitCode.NOT_POSSIBLE
    except (typer.Abort, KeyboardInterrupt, asyncio.CancelledError):
        voice.remark("interrupted")
        return ExitCode.INTERRUPTED
    return int(code or ExitCode.DONE)


def _show_version(context: typer.Context, wanted: bool) -> None:  # noqa: FBT001 - the signature is the library's
    if wanted:
        Voice.of(context).out.print(f"{NAME} {version(NAME)}")
        raise typer.Exit


def application() -> typer.Typer:
    """Return every command."""
    app = typer.Typer(
        name=NAME,
        cls=Group,
        help="help.root",
        epilog="help.exit_codes",
        no_args_is_help=True,
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
        callback=_root,
    )
    app.command("demo", cls=Command, help="demo.help")(demo.demo)
    app.command("serve", cls=Command, help="serve.help")(serve.serve)
    app.command("worker", cls=Command, help="worker.help")(worker.worker)
    for group in (mocks, clients, agencies, systems, deliveries, keys, retention, config):
        app.add_typer(group.app, cls=Group, no_args_is_help=True)
    for verb in (keeping.backup, keeping.restore, keeping.migrate):
        app.command(verb.__name__, cls=Command, help=f"{verb.__name__}.help")(verb)
    return app


def _root(
    _lang: Annotated[str, typer.Option(language.OPTION, metavar="vi|en", help="help.lang")] = "",  # taken out before
    _version: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="help.version")
    ] = False,
) -> None:
    """Take what may stand before every command."""
