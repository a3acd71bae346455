from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway import store as stores
from gateway.security import keys
from lienthong.stop import ExitCode, Stop
from lienthong.stores import explained

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., tuple[int, str, str]]

AGENCY = "000.00.01.H99"

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def client(command: Command, configured: Path) -> str:
    """Add a client with one agency, and return its key."""
    assert configured.exists()
    assert command("agencies", "add", AGENCY, "Xã Một")[0] == ExitCode.DONE
    code, out, _ = command("clients", "add", "motcua", "--agency", AGENCY, "--scope", "citizens:verify")
    assert code == ExitCode.DONE
    return out.strip()


def listed(command: Command, what: str) -> list[dict[str, object]]:
    code, out, _ = command(what, "list", "--json")
    assert code == ExitCode.DONE
    found: list[dict[str, object]] = json.loads(out)
    return found


def states(command: Command) -> list[str]:
    (entry,) = listed(command, "clients")
    shown = entry["keys"]
    assert isinstance(shown, list)
    return [key["state"] for key in shown]


def test_only_the_key_goes_to_standard_output(client: str) -> None:
    """What is piped into a secret store is the key and nothing else."""
    assert keys.parse(client) is not None


def test_a_key_is_never_shown_again(command: Command, client: str) -> None:
    """Neither the table nor the JSON holds the secret."""
    secret = client.split("_", 2)[2]
    for arguments in (("clients", "list"), ("clients", "list", "--json")):
        _, out, err = command(*arguments)
        assert secret not in out + err
        assert "motcua" in out


def test_quotas_and_the_last_day_are_kept(command: Command) -> None:
    """What is asked for on the command line is what the list shows; the last day counts whole, in Vietnam."""
    command("agencies", "add", AGENCY, "Xã Một")
    options = ["--per-minute", "60", "--officer-per-day", "500", "--expires", "2099-12-31"]
    scopes = ["--scope", "citizens:verify", "--scope", "citizens:lookup"]
    assert command("clients", "add", "motcua", "--agency", AGENCY, *scopes, *options)[0] == ExitCode.DONE
    (entry,) = listed(command, "clients")
    assert entry["quota"] == {"per_minute": 60, "per_day": None}
    assert entry["officer_quota"] == {"per_minute": None, "per_day": 500}
    assert entry["scopes"] == ["citizens:lookup", "citizens:verify"]
    assert "2100-01-01T00:00:00+07:00" in json.dumps(entry["keys"])
    _, table, _ = command("clients", "list")
    for part in ("citizens:lookup", "60/minute", "each officer 500/day", "2099-12-31"):
        assert part in table


def test_a_key_that_would_be_born_expired_is_refused(command: Command) -> None:
    """A last day that is over is a slip of the hand, and neither client nor key comes of it."""
    command("agencies", "add", AGENCY, "Xã Một")
    arguments = ("--agency", AGENCY, "--scope", "citizens:verify", "--expires", "2020-01-01")
    code, out, err = command("clients", "add", "motcua", *arguments)
    assert (code, out, "The day 2020-01-01 is over." in err) == (ExitCode.USAGE, "", True)
    assert listed(command, "clients") == []


def test_rotation_keeps_the_old_key_until_it_is_revoked(command: Command, client: str) -> None:
    """Two keys open the door while software changes over; a third has to wait for a revocation."""
    first = keys.parse(client)
    assert first is not None
    code, out, _ = command("clients", "rotate", "motcua")
    assert code == ExitCode.DONE
    assert keys.parse(out.strip()) is not None
    assert states(command) == ["valid", "valid"]
    code, _, err = command("clients", "rotate", "motcua")
    assert code == ExitCode.NOT_POSSIBLE
    assert first.id in err
    assert command("clients", "revoke", "motcua", "--key", first.id, "--why", "changed")[0] == ExitCode.DONE
    assert sorted(states(command)) == ["revoked", "valid"]


def test_rotation_can_end_the_old_key(command: Command, client: str) -> None:
    """A leaked key is replaced in one step."""
    assert client
    assert command("clients", "rotate", "motcua", "--old-ends-in-hours", "0")[0] == ExitCode.DONE
    assert sorted(states(command)) == ["expired", "valid"]


def test_revoking_a_client_revokes_every_key(command: Command, client: str) -> None:
    """Without `--key` nothing of the client opens anything, and a second time says so."""
    assert client
    command("clients", "rotate", "motcua")
    assert command("clients", "revoke", "motcua", "--why", "contract ended")[0] == ExitCode.DONE
    assert states(command) == ["revoked", "revoked"]
    code, _, err = command("clients", "revoke", "motcua", "--why", "again")
    assert code == ExitCode.DONE
    assert "no valid key" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("clients", "rotate", "nobody"), ExitCode.NOT_POSSIBLE, "There is no client nobody."),
        (("clients", "revoke", "nobody", "--why", "x"), ExitCode.NOT_POSSIBLE, "There is no client nobody."),
        (
            ("clients", "revoke", "nobody", "--key", "x", "--why", "x"),
            ExitCode.NOT_POSSIBLE,
            "There is no client nobody.",
        ),
        (("clients", "revoke", "motcua", "--key", "x", "--why", "x"), ExitCode.NOT_POSSIBLE, "There is no key x."),
        (
            ("clients", "add", "motcua", "--agency", AGENCY, "--scope", "citizens:verify"),
            ExitCode.NOT_POSSIBLE,
            "There is a client motcua already.",
        ),
        (
            ("clients", "add", "other", "--agency", "000.00.02.H99", "--scope", "citizens:verify"),
            ExitCode.NOT_POSSIBLE,
            "lienthong agencies add 000.00.02.H99",
        ),
        (
            ("clients", "add", "other", "--agency", "h99", "--scope", "citizens:verify"),
            ExitCode.USAGE,
            "h99 is not an agency code.",
        ),
        (
            ("clients", "add", "Một Cửa", "--agency", AGENCY, "--scope", "citizens:verify"),
            ExitCode.USAGE,
            "cannot be a client's name",
        ),
        (("clients", "add", "other", "--agency", AGENCY, "--scope", "all"), ExitCode.USAGE, "--scope SCOPE"),
        (("agencies", "add", AGENCY, "Xã Một"), ExitCode.NOT_POSSIBLE, "already"),
        (("agencies", "close", "000.00.09.H99", "--why", "x"), ExitCode.NOT_POSSIBLE, "There is no agency"),
        (("systems", "pause", "populaton", "--why", "x"), ExitCode.USAGE, "Configured systems: population."),
    ],
)
@pytest.mark.usefixtures("client")
def test_what_cannot_be_done_says_what_can(
    command: Command, arguments: tuple[str, ...], code: ExitCode, said: str
) -> None:
    """Each refusal names the thing, ends with its code, and says what to do."""
    found, out, err = command(*arguments)
    assert (found, out) == (code, "")
    assert said in re.sub(r"\s+", " ", err)
    assert "What to do:" in err


def test_a_closed_agency_can_be_opened_again(command: Command) -> None:
    """Closing and opening are told in the list."""
    command("agencies", "add", AGENCY, "Xã Một")
    assert command("agencies", "close", AGENCY, "--why", "merged")[0] == ExitCode.DONE
    (closed,) = listed(command, "agencies")
    assert closed["closed_at"] is not None
    assert "closed" in command("agencies", "list")[1]
    assert command("agencies", "add", AGENCY, "Xã Một mới")[0] == ExitCode.DONE
    (opened,) = listed(command, "agencies")
    assert (opened["name"], opened["closed_at"]) == ("Xã Một mới", None)


def test_a_switch_is_pressed_and_released(command: Command) -> None:
    """Pause keeps its first reason, resume tells whether there was anything to resume."""
    assert command("systems", "pause", "population", "--why", "maintenance")[0] == ExitCode.DONE
    _, _, err = command("systems", "pause", "population", "--why", "second thought")
    assert "maintenance" in err
    (pressed,) = listed(command, "systems")
    assert (pressed["paused"], pressed["why"]) == (True, "maintenance")
    assert str(pressed["by"]).startswith("cli:")
    assert "paused" in command("systems", "list")[1]
    assert "runs again" in command("systems", "resume", "population")[2]
    assert "was not paused" in command("systems", "resume", "population")[2]
    assert listed(command, "systems") == [{"system": "population", "paused": False}]


def test_a_store_that_cannot_be_opened_is_explained(command: Command, client: str) -> None:
    """A lost key, an exposed key, a file that is no store: each ends with 4 and says how to mend it."""
    assert client
    key = Path("keys/audit.key")
    key.chmod(0o644)
    code, _, err = command("clients", "list")
    assert (code, "chmod 0600 keys/audit.key" in err) == (ExitCode.STORE_CLOSED, True)
    key.unlink()
    code, _, err = command("clients", "list")
    assert (code, "backup of the keys" in err) == (ExitCode.STORE_CLOSED, True)
    Path("lt.db").write_text("no database at all, but long enough to be looked at " * 20, encoding="utf-8")
    for rest in Path().glob("lt.db-*"):
        rest.unlink()
    code, _, err = command("clients", "list")
    assert (code, "store.path" in err) == (ExitCode.STORE_CLOSED, True)


def test_a_store_where_no_file_can_be_is_explained(command: Command, configured: Path) -> None:
    """A path through a file, or a folder as the database, ends with 4 and names the path."""
    configured.with_name("file").write_bytes(b"")
    configured.with_name("folder").mkdir()
    content = configured.read_text("utf-8")
    for path in ("file/lt.db", "folder"):
        configured.write_text(content.replace("lt.db", path), encoding="utf-8")
        code, _, err = command("clients", "list")
        assert (code, path.partition("/")[0] in err, "Traceback" in err) == (ExitCode.STORE_CLOSED, True, False)


def test_every_way_not_to_open_the_store_has_its_sentences() -> None:
    """No error of the store reaches an operator as a traceback, whichever it is."""
    kinds = {kind for kind in vars(stores).values() if isinstance(kind, type)}
    for kind in (kind for kind in kinds if issubclass(kind, stores.CannotOpen) and kind is not stores.CannotOpen):
        error = kind.__new__(kind)
        Exception.__init__(error)
        error.path = Path("lt.db")
        with pytest.raises(Stop), explained(Path("lt.db")):
            raise error


def test_what_a_caller_wrote_does_not_steer_the_terminal(command: Command) -> None:
    """A reason may come over the network: control characters in it are shown as gaps, in tables and remarks."""
    why = "bảo trì\x1b]0;x\x07\x1b[31m\u202e\nđến 17 giờ"
    _, _, remark = command("systems", "pause", "population", "--why", why)
    _, table, _ = command("systems", "list")
    for shown in (remark, table):
        assert "bảo trì" in shown
        assert "đến 17 giờ" in shown
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)
