"""What the verbs for a running mock share: which mock, which namespace, what is typed as NAME=VALUE, how it fails."""

import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from pydantic import SecretStr
from rich.table import Table

from contracts import VIETNAM
from lienthong import options
from lienthong.mocking import DEFAULT, Mocks, MocksError, Refused, Space, Unreachable
from lienthong.stop import ExitCode, Stop
from lienthong.voice import Voice

PORT = 9100
ADDRESS = f"http://127.0.0.1:{PORT}"
STDIN = Path("-")
UNAUTHORIZED = 401
WHOLE = frozenset({"fault", "kind", "key", "number", "verb"})
"""Columns that are never broken into lines: somebody will copy what stands there into another command."""

Admin = Annotated[str, typer.Option(metavar="URL", envvar="LIENTHONG_MOCKS", help="mocks.option.admin")]
Namespace = Annotated[str, typer.Option(metavar="NAME", help="mocks.option.namespace")]
Key = Annotated[
    SecretStr | None,
    typer.Option(metavar="KEY", envvar="LIENTHONG_MOCKS_KEY", parser=SecretStr, help="mocks.option.key"),
]
Door = Annotated[str | None, typer.Option(metavar="DOOR", help="mocks.option.door")]
Operation = Annotated[str | None, typer.Option(metavar="NAME", help="mocks.option.operation")]
ForKey = Annotated[str | None, typer.Option("--for-key", metavar="KEY", help="mocks.option.for_key")]
JsonFile = Annotated[Path | None, typer.Option("--json-file", metavar="FILE", help="mocks.option.json_file")]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which mock a command is for, and how it is to answer."""

    voice: Voice
    admin: str
    namespace: str
    as_json: bool
    key: SecretStr | None = field(default=None, repr=False)

    @contextmanager
    def server(self) -> Iterator[Mocks]:
        """Reach the server. Raises `Stop` for whatever goes wrong between it and us."""
        _look_at(self.admin)
        with explained(), Mocks(self.admin, key=self.key) as mocks:
            yield mocks

    @contextmanager
    def space(self) -> Iterator[Space]:
        """Reach the namespace. Raises `Stop`."""
        with self.server() as mocks:
            yield mocks.space(self.namespace)

    def show(self, plain: object, table: Callable[[], Table]) -> None:
        """Show a result, to a program or to a person."""
        if self.as_json:
            self.voice.json(plain)
        else:
            self.voice.out.print(table())

    def table(self, *columns: str) -> Table:
        """Return an empty table with titles in the language of the voice."""
        table = Table(box=options.BOX, padding=(0, 1, 0, 0), pad_edge=False)
        for name in columns:
            title = self.voice.say(f"mocks.column.{name}")
            least = max(map(len, title.split()))
            table.add_column(title, overflow="fold", no_wrap=name in WHOLE, min_width=least)
        return table


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which mock it is for; the command gets an `Asked` first, instead of them.

    Written once here, because two dozen commands have the same four; the library reads them from the signature.
    """

    def with_options(
        *, context: typer.Context, admin: str, namespace: str, key: Any, as_json: bool, **own: Any
    ) -> None:
        command(Asked(Voice.of(context), admin, namespace, as_json, key), **own)

    every = {
        "context": inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
        **dict(list(inspect.signature(command).parameters.items())[1:]),
        **{
            name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, default, annotation in (
                ("admin", ADDRESS, Admin),
                ("namespace", DEFAULT, Namespace),
                ("key", None, Key),
                ("as_json", False, options.AsJson),
            )
        },
    }
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in every.values()]
    with_options.__doc__ = command.__doc__
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # what `inspect` looks for
    return with_options


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a client of the mocks raises into `Stop`."""
    try:
        yield
    except Unreachable as error:
        raise Stop(ExitCode.NOT_POSSIBLE, "mocks_unreachable", address=error.admin, why=error.why) from None
    except Refused as error:
        if error.status == UNAUTHORIZED:
            raise Stop(ExitCode.NOT_POSSIBLE, "mocks_key") from None
        raise Stop(ExitCode.NOT_POSSIBLE, "mocks_refused", why=error.sentence, status=error.status) from None
    except MocksError as error:
        raise Stop(ExitCode.NOT_POSSIBLE, "mocks_strange", why=str(error)) from None


def _look_at(address: str) -> None:
    """Raise `Stop` for what is no address at all."""
    try:
        parts = urlsplit(address)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise Stop(ExitCode.USAGE, "mocks_address", given=address)


def fields(given: Sequence[str]) -> Mapping[str, Any]:
    """Return what is typed as `NAME=TEXT` or `NAME:=JSON`. Raises `Stop`."""
    return dict(map(_field, given))


def content(file: Path) -> Any:
    """Return the JSON in a file, or on standard input if the file is `-`. Raises `Stop`."""
    try:
        return json.loads(text(file))
    except ValueError:
        raise Stop(ExitCode.USAGE, "mocks_no_json", path=str(file)) from None


def text(file: Path) -> str:
    """Return what is in a file, or on standard input if the file is `-`. Raises `Stop`."""
    try:
        return sys.stdin.read() if file == STDIN else file.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "UTF-8"
        raise Stop(ExitCode.USAGE, "mocks_file", path=str(file), why=why) from None


def moment_of(given: str) -> datetime:
    """Return the moment that is written in ISO form, in Vietnam's time if it names no other. Raises `Stop`."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise Stop(ExitCode.USAGE, "mocks_moment", given=given) from None
    return moment.replace(tzinfo=VIETNAM) if moment.tzinfo is None else moment


def _field(given: str) -> tuple[str, Any]:
    name, equals, value = given.partition("=")
    if not equals or not name.strip(":"):
        raise Stop(ExitCode.USAGE, "mocks_field", given=given)
    if not name.endswith(":"):
        return name, value
    try:
        parsed = json.loads(value)
        json.dumps(parsed, allow_nan=False)  # NaN and 1e999 are no JSON, whatever this library says
    except ValueError:
        raise Stop(ExitCode.USAGE, "mocks_field", given=given) from None
    return name.removesuffix(":"), parsed
