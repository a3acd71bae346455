from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.app import run
from lienthong.mocking import Refused, serving
from lienthong.stop import ExitCode
from tests.support import artifacts, frontdoor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lienthong.mocking import Server, Space

    Verb = Callable[..., tuple[int, str, str]]

KEY = "mot-khoa-de-thu"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(artifacts.path("mocks.log"), ["--citizens", "300"]) as running:
        artifacts.note_world(1, 300)
        yield running


@pytest.fixture
def space(server: Server, request: pytest.FixtureRequest) -> Space:
    return server.space(re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-"))


@pytest.fixture
def verb(space: Space, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Verb:
    """Run one verb in the test's namespace, in English; return exit code, standard output and standard error."""
    for name in ("LIENTHONG_MOCKS_KEY", "LIENTHONG_LANG", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIENTHONG_MOCKS", server.admin)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        end = arguments.index("--") if "--" in arguments else len(arguments)
        code = run(["--lang", "en", "mocks", *arguments[:end], "--namespace", space.name, *arguments[end:]])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def knock(server: Server, space: Space) -> httpx.Response:
    """Come to the population door without a word: an exchange that is refused."""
    with httpx.Client(trust_env=False) as http:
        return http.post(
            server.doors["population"].url, content=b"<x/>", headers={"X-Mock-Namespace": space.name}, timeout=30
        )


def read(answer: tuple[int, str, str]) -> Any:
    code, out, err = answer
    assert code == ExitCode.DONE, err
    return json.loads(out)


def test_status_tells_how_the_mocks_are(verb: Verb, space: Space) -> None:
    """World, clock, doors and counts, for a person and for a program."""
    code, out, err = verb("status")
    assert (code, err) == (ExitCode.DONE, "")
    for part in ("300 made-up citizens, seed 1", space.name, "/population", "0 exchanges, 0 effects, 0 faults", "rate"):
        assert part in out
    said = read(verb("status", "--json"))
    assert (said["status"], said["namespace"], said["citizens"], said["clock"]["rate"]) == ("ok", space.name, 300, 1.0)


def test_the_clock_obeys(verb: Verb, space: Space) -> None:
    """Set, stopped, moved ahead and back, sent to a weekday, run fast, and given back the machine's time."""
    assert "Mon 2026-02-16 07:30:0" in verb("clock", "set", "2026-02-16T07:30")[1]
    assert "stands still" in verb("clock", "freeze")[1]
    read(verb("clock", "set", "2026-02-16T00:30:00Z", "--json"))
    assert "Mon 2026-02-16 10:00:00" in verb("clock", "advance", "2h30m")[1]
    assert "Sun 2026-02-15 10:00:00" in verb("clock", "advance", "--", "-1d")[1]
    assert "Sat 2026-02-21 23:05:00" in verb("clock", "jump", "23:05", "--weekday", "sat")[1]
    assert read(verb("clock", "run", "--rate", "60", "--json"))["rate"] == 60
    assert read(verb("clock", "run", "--json"))["rate"] == 1
    assert abs(read(verb("clock", "real", "--json"))["offset_seconds"]) < 60
    assert space.clock.read().rate == 1


def test_a_fault_is_put_in_force_listed_and_ended(verb: Verb, server: Server, space: Space) -> None:
    """Said by options, it strikes; the ledger shows by what; it is over, and another is ended by hand."""
    code, out, err = verb(
        "faults", "add", "bad_gateway", "--times", "1", "--door", "population", "--with", "status=503"
    )
    assert (code, err) == (ExitCode.DONE, "")
    assert "bad_gateway" in out
    assert knock(server, space).status_code == 503
    assert read(verb("faults", "list", "--json")) == []
    assert "bad_gateway" in verb("ledger", "exchanges")[1]
    (one,) = read(verb("ledger", "exchanges", "--json", "--door", "population", "--last", "5"))
    assert (one["faults"], one["status"], one["outcome"]) == (["bad_gateway"], 503, None)

    more = ("--agency", "000.00.01.H99", "--first", "2", "--share", "0.5", "--after", "1", "--ramp", "9")
    night = ("--daily", "23:00-05:00", "--seconds", "60", "--until", "2999-01-01T00:00")
    said = read(verb("faults", "add", "hang", *more, *night, "--with", "seconds:=3", "--json"))
    assert said["with"] == {"seconds": 3}
    assert said["when"]["calendar"] == {"from": "23:00:00", "to": "05:00:00"}
    assert said["until"]["seconds"] == 60
    assert said["until"]["at"] == "2999-01-01T00:00:00+07:00"
    assert said["for"] == {"agency": "000.00.01.H99"}
    assert "23:00:00" in verb("faults", "list")[1]
    assert "0 still in force" in verb("faults", "clear", str(said["id"]))[2]
    verb("faults", "add", "hang", "--times", "1")
    assert read(verb("faults", "clear", "--json")) == []


def test_a_fault_is_taken_from_a_file(verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole grammar fits into a file or standard input; what is no fault there is told."""
    file = tmp_path / "fault.json"
    file.write_text('{"what": "latency", "until": {"count": 2}, "with": {"seconds": 0.1}}', encoding="utf-8")
    assert read(verb("faults", "add", "--json-file", str(file), "--json"))["with"] == {"seconds": 0.1}
    with file.open(encoding="utf-8") as opened:
        monkeypatch.setattr("sys.stdin", opened)
        assert read(verb("faults", "add", "--json-file", "-", "--json"))["what"] == "latency"
    for wrong in ("[]", "no json"):
        file.write_text(wrong, encoding="utf-8")
        code, _, err = verb("faults", "add", "--json-file", str(file))
        assert code == ExitCode.USAGE
        assert "does not hold what is needed in JSON" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("faults", "add", "no_such", "--times", "1"), "The mocks refuse: not understood; what:"),
        (("faults", "add", "hang", "--times", "1", "--door", "nowhere"), "there is no door of this name"),
        (("world", "list", "nothing"), "there is no kind of this name"),
        (("world", "show", "citizen", "99999"), "(404)"),
        (("world", "do", "citizen", "1", "fly"), "The mocks refuse:"),
        (("dialects", "set", "population", "name=loud"), "The mocks refuse:"),
        (("namespaces", "remove", "nobody"), "(404)"),
        (("ledger", "check", "no_such"), "The mocks refuse:"),
        (
            ("ledger", "check", "effects", "--exactly", "0", "--operation", "lokup"),
            "there is no operation of this name",
        ),
        (("ledger", "exchanges", "--door", "nowhere"), "there is no door of this name"),
    ],
)
def test_what_the_mocks_refuse_ends_in_a_sentence(verb: Verb, arguments: tuple[str, ...], said: str) -> None:
    """The mocks' own reason, an exit code of its own, and nothing on standard output."""
    code, out, err = verb(*arguments)
    assert code == ExitCode.NOT_POSSIBLE
    assert said in err
    assert "What to do:" in err
    assert out == ""


def test_what_has_to_be_typed_again_is_shown_whole(
    verb: Verb, server: Server, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal of 80 columns keys, numbers and names of faults stand in one piece, and nothing is cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    citizen = space.world.citizen()
    assert citizen.key in verb("world", "citizens", "--limit", "5")[1]
    with space.faults.strike("platform_near_fault", province="H99", key=citizen.key):
        assert " platform_near_fault " in verb("faults", "list")[1]
    knock(server, space)
    for shown in (verb("ledger", "exchanges"), verb("faults", "kinds"), verb("world", "kinds")):
        assert "…" not in shown[1]


def test_the_world_is_shown_and_moved(verb: Verb, space: Space) -> None:
    """Citizens by oddity, kinds with their verbs, one resource moved by a verb with fields."""
    people = read(verb("world", "citizens", "--limit", "2", "--offset", "1", "--json"))
    assert [one["id"] for one in people] == [1, 2]
    assert all(one["identity_number"].startswith("999") for one in people if one["identity_number"])
    odd = read(verb("world", "citizens", "--oddity", "year_only_birth", "--limit", "1", "--json"))
    assert "year_only_birth" in odd[0]["oddities"]
    assert "Oddities" in verb("world", "citizens")[1]
    assert {"citizen"} <= {one["name"] for one in read(verb("world", "kinds", "--json"))}
    assert "record_death" in verb("world", "kinds")[1]
    someone = str(space.world.citizen().id)
    moved = read(verb("world", "do", "citizen", someone, "record_death", "deceased_on=2026-01-05", "--json"))
    assert moved["state"] == "deceased"
    assert "deceased" in verb("world", "show", "citizen", someone)[1]
    assert [one["id"] for one in read(verb("world", "list", "citizen", "--json"))] == [someone]
    assert "deceased_on: 2026-01-05" in verb("world", "list", "citizen")[1]


def test_a_claim_is_checked(verb: Verb, server: Server, space: Space, tmp_path: Path) -> None:
    """Ends with 0 where it holds and with 8 where not, in both cases with the sentence."""
    knock(server, space)
    code, out, _ = verb("ledger", "check", "exchanges", "--exactly", "1", "--door", "population")
    assert (code, out.split()[0]) == (ExitCode.DONE, "holds:")
    code, out, err = verb("ledger", "check", "effects", "--at-least", "1")
    assert (code, err) == (ExitCode.WRONG_ANSWER, "")
    assert "DOES NOT HOLD:" in out
    assert verb("ledger", "check", "one_at_a_time", "--scope", "key")[0] == ExitCode.DONE
    code, out, _ = verb("ledger", "check", "none_after", "--instant", "2020-01-01T00:00")
    assert code == ExitCode.WRONG_ANSWER
    assert "#1 " in out
    claims = [{"claim": "only_known", "keys": ["nobody"]}, {"claim": "effects", "at_most": 0}]
    file = tmp_path / "claims.json"
    file.write_text(json.dumps(claims), encoding="utf-8")
    code, out, _ = verb("ledger", "check", "--json-file", str(file), "--json")
    assert code == ExitCode.WRONG_ANSWER
    assert [one["holds"] for one in json.loads(out)] == [False, True]
    file.write_text('["effects"]', encoding="utf-8")
    assert verb("ledger", "check", "--json-file", str(file))[0] == ExitCode.USAGE
    assert read(verb("ledger", "effects", "--json")) == []


def test_dialects_are_shown_and_changed(verb: Verb, space: Space) -> None:
    """A change is in force at once and shown."""
    assert "population" in verb("dialects", "show")[1]
    said = read(verb("dialects", "set", "population", "name=split", "unknown_elements:=true", "--json"))
    assert (said["population"]["name"], said["population"]["unknown_elements"]) == ("split", True)
    assert space.dialects.show()["population"]["name"] == "split"


def test_callbacks_are_directed_and_listed(verb: Verb, space: Space) -> None:
    """A door that sends something is told where to; one that sends nothing, or a strange address, is refused."""
    assert (
        "partner sends to http://127.0.0.1:9/in" in verb("callbacks", "direct", "partner", "http://127.0.0.1:9/in")[2]
    )
    assert space.callbacks.targets() == {"partner": "http://127.0.0.1:9/in"}
    assert read(verb("callbacks", "list", "--state", "due", "--json")) == []
    assert "Callback" in verb("callbacks", "list")[1]
    assert read(verb("callbacks", "direct", "partner", "--json")) == {"partner": None}
    assert "sends nowhere" in verb("callbacks", "direct", "partner")[2]
    assert verb("callbacks", "direct", "population", "http://127.0.0.1:9/")[0] == ExitCode.NOT_POSSIBLE
    assert verb("callbacks", "direct", "partner", "http://elsewhere.example/")[0] == ExitCode.NOT_POSSIBLE


def test_a_namespace_is_listed_reset_and_forgotten(verb: Verb, server: Server, space: Space) -> None:
    """Its counts are in the list; a reset empties it, with another world if asked; removed, it is gone."""
    knock(server, space)
    (mine,) = [one for one in read(verb("namespaces", "list", "--json")) if one["name"] == space.name]
    assert mine["exchanges"] == 1
    assert space.name in verb("namespaces", "list")[1]
    assert "seed 7" in verb("reset", "--seed", "7", "--citizens", "310")[2]
    said = read(verb("reset", "--json"))
    assert (said["seed"], said["citizens"], said["counts"]["exchanges"]) == (7, 310, 0)
    assert "is forgotten" in verb("namespaces", "remove", space.name)[2]
    with pytest.raises(Refused):
        server.mocks.remove(space.name)


def test_a_run_is_exported_and_put_back(verb: Verb, server: Server, space: Space, tmp_path: Path) -> None:
    """What happened in one namespace happens again in another: faults, ledger, clock."""
    space.clock.freeze()
    verb("faults", "add", "hang", "--times", "3")
    verb("faults", "clear")
    verb("faults", "add", "bad_gateway", "--times", "2")
    knock(server, space)
    file = tmp_path / "run.jsonl"
    assert "lines to" in verb("export", "--out", str(file))[2]
    code, out, _ = verb("export")
    assert code == ExitCode.DONE
    assert out == file.read_text("utf-8")
    other = server.space(f"{space.name[:50]}-again")
    with_other = ("--namespace", other.name)
    assert run(["--lang", "en", "mocks", "restore", str(file), *with_other]) == ExitCode.DONE
    assert [one.seq for one in other.ledger.exchanges()] == [1]
    assert [one.strikes for one in other.faults.in_force()] == [1]
    assert other.clock.read().rate == 0
    assert verb("export", "--out", str(tmp_path / "none" / "run"))[0] == ExitCode.USAGE
    assert verb("restore", str(tmp_path / "none"))[0] == ExitCode.USAGE


def test_nobody_there_says_how_to_start_them(verb: Verb) -> None:
    """An address without mocks ends with what to type."""
    code, out, err = verb("status", "--admin", "http://127.0.0.1:9")
    assert (code, out) == (ExitCode.NOT_POSSIBLE, "")
    assert "No mocks answer at http://127.0.0.1:9/__mock__/" in err
    assert "lienthong mocks serve" in err


def test_something_else_there_is_told(verb: Verb, server: Server) -> None:
    """A door is no admin API."""
    code, _, err = verb("status", "--admin", server.doors["population"].url)
    assert code == ExitCode.NOT_POSSIBLE
    assert "The mocks refuse" in err or "no mock of this release" in err


def test_a_key_opens_and_is_never_shown(
    verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mocks started with a key refuse whoever has none or another; no output holds one, given or right."""
    file = tmp_path / "key"
    file.write_text(KEY, encoding="utf-8")
    monkeypatch.setenv("LIENTHONG_MOCKS_KEY", KEY)
    with serving(artifacts.path("mocks.log"), ["--citizens", "300", "--admin-key-file", str(file)]) as locked:
        address = ("--admin", locked.admin)
        shown = [verb("status", *address)]
        assert shown[0][0] == ExitCode.DONE
        monkeypatch.setenv("LIENTHONG_MOCKS_KEY", "khoa-sai")
        shown += [verb("status", *address), verb("status", *address, "--key", "khoa-khac"), verb("status", "--help")]
        assert shown[1][0] == shown[2][0] == ExitCode.NOT_POSSIBLE
        assert "LIENTHONG_MOCKS_KEY" in shown[1][2]
        assert verb("status", *address, "--key", KEY)[0] == ExitCode.DONE
    told = "".join(part for _, out, err in shown for part in (out, err)) + "".join(capsys.readouterr())
    assert not re.search(f"{KEY}|khoa-sai|khoa-khac", told)


def test_serve_hands_on_what_it_does_not_know(tmp_path: Path) -> None:
    """An option of the mocks' own reaches them, and their mistake comes back with their exit code."""
    done = frontdoor.run("mocks", "serve", "--port", "0", "--settings", str(tmp_path / "none.toml"))
    assert done.returncode == ExitCode.USAGE
    assert "none.toml" in done.stderr
    assert "Traceback" not in done.stderr


def test_replay_hands_over_to_the_mocks(tmp_path: Path) -> None:
    """What cannot be replayed ends with 2, as the mocks say."""
    done = frontdoor.run("mocks", "replay", os.fspath(tmp_path / "none.jsonl"))
    assert done.returncode == ExitCode.USAGE
    assert "none.jsonl" in done.stderr
    assert "Traceback" not in done.stderr
