from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lienthong
from contracts.texts import Language, catalogue
from gateway.security import Scope
from gateway.store import Trouble
from lienthong.demo.command import STORIES
from lienthong.stop import ExitCode

FOLDER = Path(lienthong.__file__).parent
SAYING = frozenset({"say", "remark", "Option", "Argument", "Typer", "command"})


def calls() -> list[ast.Call]:
    found = []
    for path in FOLDER.rglob("*.py"):
        found += [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    return found


def name_of(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def texts_in(node: ast.expr) -> list[str]:
    return [leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)]


def keys_in_code() -> set[str]:
    """Every literal key that is said, every help text, and both sentences of every reason to stop."""
    keys: set[str] = set()
    for call in calls():
        if name_of(call) in {"say", "remark"}:
            spoken = [call.args[0]]
        else:
            spoken = [keyword.value for keyword in call.keywords if keyword.arg in {"help", "epilog"}]
        for node in spoken:
            if not isinstance(node, ast.JoinedStr):
                keys |= set(texts_in(node))
        if name_of(call) == "Stop" and not isinstance(call.args[1], ast.JoinedStr):
            keys |= {f"stop.{reason}.{part}" for reason in texts_in(call.args[1]) for part in ("said", "todo")}
    keys |= {f"stop.store_{trouble}.{part}" for trouble in Trouble for part in ("said", "todo")}
    keys |= {f"demo.story.{chapter}" for chapter in STORIES}
    return {f"cli.{key}" for key in keys}


def test_every_text_that_is_asked_for_is_there() -> None:
    """No command meets a key that nobody wrote."""
    keys = keys_in_code()
    assert len(keys) > 100
    assert keys - catalogue(Language.VI).keys() == set()


def test_no_text_of_the_command_line_is_dead() -> None:
    """Each text of the front door occurs in its code, by its whole key or by its last part."""
    source = "".join(path.read_text("utf-8") for path in FOLDER.rglob("*.py")).replace("'", '"')
    source += " ".join(f'"store_{trouble}"' for trouble in Trouble)
    keys = [key.removeprefix("cli.") for key in catalogue(Language.VI) if key.startswith("cli.")]

    def used(key: str) -> bool:
        parts = key.split(".")
        reason = parts[1] if parts[0] == "stop" else parts[-1]
        return f'"{key}"' in source or f'"{reason}"' in source

    assert [key for key in keys if not used(key)] == []


@pytest.mark.parametrize("language", Language)
def test_every_exit_code_is_documented(language: Language) -> None:
    """The help page names each exit code, Python's own for a traceback included."""
    documented = {
        line.split()[0] for line in catalogue(language)["cli.help.exit_codes"].splitlines() if line[:1] == " "
    }
    assert documented == {str(int(code)) for code in ExitCode} | {"1"}


@pytest.mark.parametrize("language", Language)
def test_the_help_names_every_scope_that_a_key_can_have(language: Language) -> None:
    """Who gives a key needs no other page to find out what there is to give."""
    named = catalogue(language)["cli.clients.add.scope"]
    assert set(re.findall(r"[a-z]+:[a-z]+", named)) == set(Scope)
