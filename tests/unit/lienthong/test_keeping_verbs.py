from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway import store as stores
from gateway.store import migrations
from gateway.store.sqlite import connection as sqlite
from lienthong.stop import ExitCode, Stop
from lienthong.stores import explained

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., tuple[int, str, str]]

AGENCY = "000.00.01.H99"

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture(params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest, command: Command, configured: Path) -> None:
    """Configure a store on each engine, with an agency in it."""
    if request.param == "postgres":
        text = configured.read_text("utf-8")
        dsn = request.getfixturevalue("database")
        configured.write_text(text.replace('path = "lt.db"', f'dsn = "{dsn}"'), encoding="utf-8")
    assert command("agencies", "add", AGENCY, "Xã Một")[0] == ExitCode.DONE


def lose_it(command: Command, configured: Path, request: pytest.FixtureRequest) -> None:
    """Move to a machine on which there is nothing."""
    shutil.rmtree("keys")
    if Path("lt.db").exists():
        for file in Path().glob("lt.db*"):
            file.unlink()
        return
    empty = request.getfixturevalue("nothing")
    old = request.getfixturevalue("database")
    configured.write_text(configured.read_text("utf-8").replace(old, empty), encoding="utf-8")
    assert command("migrate", "--check")[0] == ExitCode.STORE_CLOSED


@pytest.fixture
def nothing(databases: object) -> object:
    """Return the DSN of an empty database."""
    with databases.one(empty=True) as dsn:  # type: ignore[attr-defined]
        yield dsn


@pytest.mark.usefixtures("filled")
def test_the_whole_drill_by_command(command: Command, configured: Path, request: pytest.FixtureRequest) -> None:
    """Back up, lose everything, restore: what was there is there, every system is paused, and a person resumes it."""
    code, out, err = command("backup", "safe/today")
    assert (code, out) == (ExitCode.DONE, "")
    assert "safe/today/database" in err
    assert "safe/today/keys" in err
    assert "somewhere else" in err
    command("agencies", "add", "000.00.02.H99", "Xã Hai")
    lose_it(command, configured, request)

    code, out, err = command("restore", "safe/today")
    assert (code, out) == (ExitCode.DONE, "")
    assert "lienthong systems resume" in err
    assert [entry["code"] for entry in json.loads(command("agencies", "list", "--json")[1])] == [AGENCY]
    (population, *_) = [one for one in json.loads(command("systems", "list", "--json")[1]) if one["paused"]]
    assert population["system"] in err
    assert str(population["why"]).startswith("restored")
    assert command("systems", "resume", "population")[0] == ExitCode.DONE


@pytest.mark.usefixtures("filled")
def test_keys_go_where_they_are_told(command: Command, configured: Path, request: pytest.FixtureRequest) -> None:
    """Database and keys in two places from the beginning, and both are told to programs."""
    code, out, _ = command("backup", "safe/today", "--keys", "other/keys", "--json")
    assert code == ExitCode.DONE
    made = json.loads(out)
    assert (made["database"], made["keys"]) == ("safe/today/database", "other/keys")
    assert (made["tables_version"], made["bytes"] > 0) == (migrations.HEAD, True)
    assert not Path("safe/today/keys").exists()
    lose_it(command, configured, request)
    code, _, err = command("restore", "safe/today")
    assert (code, "safe/today/keys/audit.key" in err) == (ExitCode.NOT_POSSIBLE, True)
    code, out, _ = command("restore", "safe/today", "--keys", "other/keys", "--json")
    assert code == ExitCode.DONE
    assert "population" in json.loads(out)["paused"]


def test_what_cannot_be_backed_up_or_restored_says_why(command: Command) -> None:
    """Nothing there, something in the way, damage: each ends with 6, names the file, and says what to do."""
    code, _, err = command("backup", "safe")
    assert (code, "no store at lt.db" in err, Path("lt.db").exists()) == (ExitCode.NOT_POSSIBLE, True, False)
    command("agencies", "add", AGENCY, "Xã Một")
    assert command("backup", "safe")[0] == ExitCode.DONE
    for verb, said in (("backup", "nothing is written over"), ("restore", "move the old one away")):
        code, out, err = command(verb, "safe")
        assert (code, out, said in err) == (ExitCode.NOT_POSSIBLE, "", True)
        assert "What to do:" in err
    Path("lt.db").unlink()
    piece = Path("safe/database/store.db")
    piece.write_bytes(piece.read_bytes()[:-1])
    code, _, err = command("restore", "safe")
    assert (code, "safe/database/store.db is not what it was" in err) == (ExitCode.NOT_POSSIBLE, True)
    code, _, err = command("restore", "nowhere")
    assert (code, "nowhere/database/manifest.json" in err) == (ExitCode.NOT_POSSIBLE, True)


def test_the_tables_version_is_told_and_changed(command: Command) -> None:
    """`--check` ends with 4 until the tables are as needed, and changes nothing; without it they are brought there."""
    code, out, err = command("migrate", "--check")
    assert (code, out, Path("lt.db").exists()) == (ExitCode.STORE_CLOSED, "", False)
    assert f"(none); {migrations.HEAD} is needed" in err
    sqlite.make_file(Path("lt.db"))
    connection = sqlite.connect(Path("lt.db"), busy_seconds=1)
    migrations.upgrade(connection, "0001")
    connection.close()
    for _ in range(2):
        code, out, _ = command("migrate", "--check", "--json")
        assert code == ExitCode.STORE_CLOSED
        assert json.loads(out) == {"found": "0001", "needed": migrations.HEAD, "standing": "behind"}
    code, _, err = command("migrate")
    assert (code, "0001" in err, migrations.HEAD in err) == (ExitCode.DONE, True, True)
    assert command("migrate", "--check")[0] == ExitCode.DONE
    code, _, err = command("migrate")
    assert (code, "as needed" in err) == (ExitCode.DONE, True)


@pytest.mark.usefixtures("filled")
def test_a_new_sealing_key_is_made_and_listed(command: Command) -> None:
    """The list names files and never a key; a prepared file is the next one in use."""
    code, _, err = command("keys", "rotate", "--prepare")
    assert (code, "keys/sealing-2.key" in err) == (ExitCode.DONE, True)
    prepared = Path("keys/sealing-2.key").read_text("utf-8").strip()
    assert [entry["key"] for entry in json.loads(command("keys", "list", "--json")[1])] == ["audit", "sealing-1"]
    code, out, err = command("keys", "rotate")
    assert (code, out, "sealing-2" in err, "Back up" in err) == (ExitCode.DONE, "", True, True)
    found = json.loads(command("keys", "list", "--json")[1])
    assert [(entry["key"], entry["current"]) for entry in found] == [
        ("audit", True),
        ("sealing-1", False),
        ("sealing-2", True),
    ]
    assert [entry["values"] for entry in found] == [None, 0, 0]
    _, table, err = command("keys", "list")
    assert "for reading only" in table
    code, out, err = command("keys", "reseal")
    assert (code, out, "0 values" in err) == (ExitCode.DONE, "", True)
    code, _, err = command("keys", "retire", "sealing-1")
    assert (code, "sealing-1 is still needed" in err) == (ExitCode.NOT_POSSIBLE, True)
    assert prepared not in table + err + json.dumps(found)


@pytest.mark.usefixtures("filled")
def test_what_is_over_is_counted_and_deleted(command: Command) -> None:
    """A dry run counts; a run deletes and stands in the journal; the days come from the settings."""
    code, out, _ = command("retention", "run", "--dry-run", "--json")
    assert code == ExitCode.DONE
    kinds = ("attempts", "bodies", "keys", "events", "replays", "messages", "deliveries", "calls")
    assert json.loads(out) == {"dry_run": True, **dict.fromkeys(kinds, 0)}
    code, table, _ = command("retention", "run", "--dry-run")
    assert (code, "Would go" in table, "1826" in table, "90" in table) == (ExitCode.DONE, True, True, True)
    code, table, _ = command("retention", "run")
    assert (code, "Deleted" in table) == (ExitCode.DONE, True)


def test_records_may_not_go_before_what_belongs_to_them(command: Command, configured: Path) -> None:
    """Settings that would delete the audit before its evidence are refused by name."""
    text = configured.read_text("utf-8")
    configured.write_text(f"[retention]\nattempts_days = 90\naudit_days = 30\n{text}", encoding="utf-8")
    code, _, err = command("config", "check")
    assert (code, "retention" in err, "audit_days" in err) == (ExitCode.USAGE, True, True)


def test_every_thing_that_is_not_possible_has_its_sentences() -> None:
    """No refusal of the store reaches an operator as a traceback, whichever it is."""
    kinds = {kind for kind in vars(stores).values() if isinstance(kind, type)}
    for kind in (kind for kind in kinds if issubclass(kind, stores.NotPossible) and kind is not stores.NotPossible):
        error = kind.__new__(kind)
        Exception.__init__(error)
        error.name = "it"
        with pytest.raises(Stop), explained(Path("lt.db")):  # type: ignore[arg-type]
            raise error
