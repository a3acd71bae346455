from __future__ import annotations

import subprocess
import typing
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_command

from lienthong import home
from lienthong.app import application, run
from lienthong.stop import ExitCode
from tests.support import frontdoor

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Command = Callable[..., tuple[int, str, str]]


def paths(command: typing.Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from paths(inner, (*path, name))


ALL = sorted(paths(get_command(application())))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
@pytest.mark.parametrize(("language", "usage"), [("vi", "Cách dùng: lienthong"), ("en", "Usage: lienthong")])
def test_every_command_explains_itself_in_both_languages(
    path: tuple[str, ...], language: str, usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Help is a page in the language asked for, on standard output, with every option explained."""
    assert run([*path, "--help", "--lang", language]) == ExitCode.DONE
    out, err = capsys.readouterr()
    assert out.startswith(" ".join((usage, *path)))
    assert err == ""
    assert "cli." not in out
    assert "--help, -h " in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "There is no command lienthong nothing."),
        (("client",), "Perhaps you mean: lienthong clients"),
        (("clients", "ad"), "Perhaps you mean: lienthong clients add"),
        (("clients", "list", "--wrong"), "There is no option --wrong."),
        (("clients", "add"), "is missing."),
        (("mocks", "serve", "--port", "x"), "The value of --port N cannot be used"),
        (("mocks", "serve", "--port", "70000"), "The value of --port N cannot be used"),
        (("demo", "--only", "nothing"), "There is no story nothing."),
        (("mocks", "--port", "9100"), "There is no option --port."),
        (("mocks", "fault"), "Perhaps you mean: lienthong mocks faults"),
        (("mocks", "faults", "add"), "Exactly one of WHAT and --json-file is needed."),
        (("mocks", "faults", "add", "hang", "--json-file", "x"), "Exactly one of WHAT and --json-file is needed."),
        (("mocks", "faults", "add", "hang", "--with", "seconds"), "seconds is no field."),
        (("mocks", "faults", "add", "hang", "--with", "seconds:=x"), "seconds:=x is no field."),
        (("mocks", "faults", "add", "hang", "--with", "=x"), "=x is no field."),
        (("mocks", "faults", "add", "hang", "--with", "seconds:=NaN"), "seconds:=NaN is no field."),
        (("mocks", "faults", "add", "hang", "--with", "seconds:=1e999"), "seconds:=1e999 is no field."),
        (("mocks", "faults", "add", "hang"), "The fault does not say until when it strikes."),
        (("mocks", "faults", "add", "hang", "--daily", "23"), "23 are no hours of the day."),
        (("mocks", "faults", "add", "hang", "--until", "soon"), "soon is no moment."),
        (("mocks", "faults", "add", "--json-file", "/nowhere/it.json"), "/nowhere/it.json cannot be used"),
        (("mocks", "ledger", "check"), "Exactly one of CLAIM and --json-file is needed."),
        (("mocks", "clock", "advance", "an hour"), "an hour is no span of time."),
        (("mocks", "clock", "advance", ""), "is no span of time."),
        (("mocks", "clock", "jump", "noon"), "noon is no time of the day."),
        (("mocks", "clock", "jump", "07:30", "--weekday", "someday"), "someday is no day of the week."),
        (("mocks", "clock", "set", "tomorrow"), "tomorrow is no moment."),
        (("mocks", "status", "--admin", "127.0.0.1:9100"), "127.0.0.1:9100 is no address of mocks."),
        (("mocks", "status", "--admin", "http://[::1"), "http://[::1 is no address of mocks."),
        (("mocks", "status", "--admin", "http://127.0.0.1:99999"), "http://127.0.0.1:99999 is no address of mocks."),
        (("mocks", "status", "--admin", ""), " is no address of mocks."),
        (("mocks", "serve", "--citizens", "9999999"), "The value of --citizens N cannot be used"),
    ],
)
def test_a_wrong_command_line_says_what_to_do(command: Command, arguments: tuple[str, ...], said: str) -> None:
    """Usage errors end with 2, in a sentence of the language, without a traceback and with nothing on standard out."""
    code, out, err = command(*arguments)
    assert code == ExitCode.USAGE
    assert said in err
    assert "What to do:" in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize("arguments", [(), ("clients",), ("mocks",), ("mocks", "faults")])
def test_a_command_without_arguments_shows_its_page(command: Command, arguments: tuple[str, ...]) -> None:
    """Whoever types only half of a command sees what could follow."""
    code, out, err = command(*arguments)
    assert code == ExitCode.USAGE
    assert out.startswith("Usage: lienthong")
    assert err == ""


def test_the_version_is_that_of_the_distribution(command: Command) -> None:
    """`--version` needs no command."""
    assert command("--version") == (0, f"lienthong {version('lienthong')}\n", "")


def test_a_language_that_is_not_there_is_told_in_the_one_that_is(capsys: pytest.CaptureFixture[str]) -> None:
    """`--lang fr` ends like any other usage error, in the language of the machine."""
    assert run(["demo", "--lang", "fr"]) == ExitCode.USAGE
    assert "Không có ngôn ngữ fr." in capsys.readouterr().err


def test_a_full_disk_is_told_in_a_sentence() -> None:
    """What cannot be written to standard output ends with 6, without a traceback, and says that it may be done."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(  # noqa: S603 - our own command
            home.module("lienthong", "--version"),
            env=frontdoor.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=frontdoor.SECONDS,
            check=False,
        )
    assert done.returncode == ExitCode.NOT_POSSIBLE
    assert done.stderr.startswith("Error: The result cannot be written: No space left on device.")
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
