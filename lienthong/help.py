"""Help pages and usage errors in the language of the voice.

In the commands' declarations a help text is a key of the catalogue; it becomes a sentence here, when it is shown. The
library's own pages are English only, which is why these are drawn here.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from lienthong.stop import ExitCode, Stop
from lienthong.voice import Voice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from typer import TyperException

_INDENT = (0, 0, 0, 2)


class Command(TyperCommand):
    """A command whose help is in the language of the voice."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is the library's
        """Show the help page."""
        _page(ctx, Voice.of(ctx))


class Group(TyperGroup):
    """A group of commands whose help is in the language of the voice."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is the library's
        """Show the help page."""
        _page(ctx, Voice.of(ctx))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that `args` begin with. Raises `Stop` for one that does not exist."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            close = get_close_matches(name, self.list_commands(ctx), n=1)
            reason = "close_command" if close else "unknown_command"
            raise Stop(ExitCode.USAGE, reason, name=name, path=ctx.command_path, close=close[0] if close else "")
        return super().resolve_command(ctx, args)


def explain(error: TyperException, voice: Voice) -> int:
    """Tell what is wrong with the command line, and return the exit code."""
    context = getattr(error, "ctx", None)
    path = "lienthong" if context is None else context.command_path
    if type(error).__name__ == "NoArgsIsHelpError":  # the page has been shown when this was raised
        return ExitCode.USAGE
    parameter, option = getattr(error, "param", None), getattr(error, "option_name", None)
    if hasattr(error, "param_type") and parameter is not None:
        what = voice.say("usage.missing", name=_name(parameter))
    elif parameter is not None:
        what = voice.say("usage.bad_value", name=_name(parameter), why=error.message)
    elif option is not None and hasattr(error, "possibilities"):
        what = voice.say("usage.unknown_option", name=option)
    else:
        what = voice.say("usage.other", why=error.message)
    voice.trouble(what, voice.say("usage.see", path=path))
    return ExitCode.USAGE


def _page(context: Any, voice: Voice) -> None:
    command = context.command
    out = voice.out
    parameters = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option"]
    commands = [(name, command.get_command(context, name)) for name in getattr(command, "commands", ())]
    pieces = [context.command_path, f"[{voice.say('help.option')}…]", *map(_name, arguments)]
    pieces += [voice.say("help.command"), "…"] if commands else []
    out.print(Text.assemble((f"{voice.say('help.usage')} ", "bold"), " ".join(pieces)))
    out.print()
    out.print(Padding(voice.say(command.help), _INDENT, expand=False))
    _list(voice, "help.arguments", ((_name(one), _about(one, context, voice)) for one in arguments))
    _list(voice, "help.options", ((_name(one), _about(one, context, voice)) for one in options))
    _list(voice, "help.commands", ((name, voice.say(one.help)) for name, one in commands if not one.hidden))
    if command.epilog:
        out.print()
        out.print(Padding(voice.say(command.epilog), _INDENT, expand=False))


def _list(voice: Voice, title: str, rows: Iterable[tuple[str, str]]) -> None:
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        voice.out.print()
        voice.out.print(Text(voice.say(title), style="bold"))
        voice.out.print(Padding(table, _INDENT, expand=False))


def _name(parameter: Any) -> str:
    metavar = parameter.metavar or parameter.name.upper()
    if parameter.param_type_name == "argument":
        return str(metavar)
    opts = sorted(parameter.opts, key=len, reverse=True)  # the library keeps some of them in a set, in no order
    names = ", ".join([*opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {metavar}"


def _about(parameter: Any, context: Any, voice: Voice) -> str:
    key = "help.help" if parameter.name == "help" else parameter.help
    return " ".join([voice.say(key), *_remarks(parameter, context, voice)])


def _remarks(parameter: Any, context: Any, voice: Voice) -> Iterator[str]:
    if parameter.envvar:
        yield f"[{voice.say('help.variable')} {parameter.envvar}]"
    default = parameter.get_default(context, call=False)
    if parameter.required:
        yield f"[{voice.say('help.required')}]"
    elif default not in (None, False, "", [], ()):
        yield f"[{voice.say('help.default')} {default}]"
