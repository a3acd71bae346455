"""`docs/testing-with-the-mocks.md` is copied from: what it shows is what works."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from lienthong import mocking
from lienthong.app import application, run
from lienthong.mocking import serving
from lienthong.stop import ExitCode
from tests.support import artifacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.mocking import Server

PAGE = (Path(__file__).parents[3] / "docs" / "testing-with-the-mocks.md").read_text("utf-8")
RECIPES = re.findall(r"^\| [^|]+ \| `([^`]+)` \| `(\{[^`]+\})` \|$", PAGE, re.MULTILINE)
COMMANDS = re.findall(r"^\$ lienthong (mocks [^#\n]+?)\s*(?:#.*)?$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(artifacts.path("mocks.log"), ["--citizens", "300"]) as running:
        artifacts.note_world(1, 300)
        yield running


def armed(server: Server, namespace: str) -> dict[str, Any]:
    (one,) = server.space(namespace).faults.in_force()
    return dict(one.said)


@pytest.mark.parametrize(("typed", "said"), RECIPES, ids=[typed.partition(" ")[0] for typed, _ in RECIPES])
def test_a_recipe_means_the_same_either_way(server: Server, typed: str, said: str) -> None:
    """A fault of the table is taken by the mocks, and is the same fault as options and as JSON."""
    what = shlex.split(typed)
    admin = ["--admin", server.admin, "--namespace"]
    for namespace in (f"typed-{what[0]}", f"said-{what[0]}"):
        server.space(namespace).reset()
    assert run(["mocks", "faults", "add", *what, *admin, f"typed-{what[0]}"]) == ExitCode.DONE
    server.space(f"said-{what[0]}").faults.add_as_said(json.loads(said))
    assert armed(server, f"typed-{what[0]}") == armed(server, f"said-{what[0]}")


def test_there_are_recipes() -> None:
    """The table is found, every row of it."""
    assert len(RECIPES) == len(re.findall(r"`\{\"what\"", PAGE)) > 15


@pytest.mark.parametrize("typed", COMMANDS)
def test_every_command_of_the_page_is_there(typed: str) -> None:
    """Each line parses as it stands: the verb and every option of it exist."""
    command = get_command(application())
    rest = shlex.split(typed)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts}
    handed_on = {"--record-requests"} if command.name == "serve" else set()
    assert {part for part in rest if part.startswith("--")} <= options | handed_on


def test_the_example_in_process_runs() -> None:
    """The block that imports the mocks is a whole program."""
    (program,) = [code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "MockApp" in code]
    done = subprocess.run(  # noqa: S603 - our own page
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_the_table_of_fixtures_names_is_there() -> None:
    """Every method that the page offers exists."""
    rows = dict(re.findall(r"^\| `(lienthong_\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    classes = {
        "lienthong_doors": mocking.DoorAccess,
        "lienthong_world": mocking.World,
        "lienthong_clock": mocking.Clock,
        "lienthong_faults": mocking.Faults,
        "lienthong_ledger": mocking.Ledger,
        "lienthong_space": mocking.Space,
        "lienthong_mocks": mocking.Server,
    }
    assert rows.keys() == classes.keys()
    for name, told in rows.items():
        methods = re.findall(r"`(\w+)\(", told)
        assert [method for method in methods if not hasattr(classes[name], method)] == []
