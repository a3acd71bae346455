"""Namespaces as a fold of records: what is rebuilt is what was lived, at every point."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocks.clock import Clock
from mocks.journal import JournalRefused
from mocks.spaces import MOST, NoSpace, Space, Spaces
from tests.support.toy import CITIZENS, ToyDoor, admin, ask, fault, toy_app

if TYPE_CHECKING:
    from mocks.app import MockApp

START = 1_767_574_800.0


class Time:
    """The system's clock, which a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def dump(space: Space) -> dict[str, Any]:
    """Return all that a namespace remembers."""
    ledger = space.ledger
    return {
        "people": (space.people.seed, len(space.people.citizens)),
        "clock": (asdict(space.clock.pace), space.clock.seconds()),
        "faults": [(one.id, one.fault, one.since, one.strikes) for one in space.faults.in_force()],
        "next_id": space.faults.next_id,
        "exchanges": [(one, ledger.end_of(one.began)) for one in ledger.exchanges()],
        "effects": ledger.effects(),
        "counts": sorted(ledger.counts()),
        "totals": (ledger.total, ledger.done, ledger._tick),
        "ordinals": ledger._visits,
        "request_ids": ledger._request_ids,
        "world": {kind: [(one, dict(one.fields)) for one in space.state.written(kind)] for kind in space.state.kinds},
        "dialects": space.dialects,
        "targets": space.targets,
    }


def all_of(app: MockApp) -> dict[str, dict[str, Any]]:
    """Return what every namespace remembers in which anything happened."""
    return {space.name: dump(space) for space in app.spaces if space.lived}


KEYS = st.sampled_from(["a", "b", "ví dụ"])
NAMES = st.sampled_from(["default", "default", "x", "y"])
WHATS = (
    *("latency", "bad_gateway", "system_fault", "old_districts", "clock_skew", "acts_late", "reset_after", "drip"),
    *("truncated", "callback_twice", "callback_lost", "maintenance", "platform_down"),
)
UNTIL = st.fixed_dictionaries({"count": st.integers(1, 4)}, optional={"seconds": st.sampled_from([30.0, 3600.0])})
WHEN = st.fixed_dictionaries(
    {}, optional={"share": st.sampled_from([0.3, 1.0]), "first": st.just(1), "after": st.just(20.0)}
)
EXCHANGE = st.tuples(
    st.just("POST"),
    st.builds("/toy/{}/{}".format, st.sampled_from(["write", "write", "read", "refuse"]), KEYS),
    st.fixed_dictionaries({"text": st.sampled_from(["một", "hai"])}, optional={"id": st.sampled_from(["1", "2"])}),
)
COMMAND = st.one_of(
    st.tuples(
        st.just("POST"),
        st.just("/__mock__/faults"),
        st.fixed_dictionaries(
            {"what": st.sampled_from(WHATS), "until": UNTIL, "with": st.just({"seconds": 0.0})}, optional={"when": WHEN}
        ),
    ),
    st.tuples(st.just("DELETE"), st.sampled_from(["/__mock__/faults", "/__mock__/faults?id=1"]), st.none()),
    st.tuples(
        st.just("POST"),
        st.just("/__mock__/clock"),
        st.sampled_from(
            [
                {"freeze": True},
                {"freeze": False},
                {"rate": 60},
                {"advance_seconds": 40},
                {"advance_seconds": -40},
                {"jump": {"hour": 23, "minute": 30}},
                {"real": True},
                {"at": "2026-02-01T10:00:00+07:00"},
            ]
        ),
    ),
    st.tuples(st.just("POST"), st.builds("/__mock__/world/note/{}".format, KEYS), st.just({"verb": "close"})),
    st.tuples(
        st.just("POST"),
        st.just("/__mock__/world/citizen/7"),
        st.sampled_from([{"verb": "correct", "fields": {"given_name": "Ánh"}}, {"verb": "record_death"}]),
    ),
    st.tuples(
        st.just("PATCH"), st.just("/__mock__/dialects"), st.sampled_from([{"toy": {"tone": "old"}}, {"toy": {}}])
    ),
    st.tuples(st.just("PUT"), st.just("/__mock__/callbacks"), st.sampled_from([{"toy": None}, {"partner": None}])),
    st.tuples(st.just("POST"), st.just("/__mock__/reset"), st.sampled_from([{}, {"seed": 2}])),
    st.tuples(st.just("DELETE"), st.sampled_from(["/__mock__/namespaces?name=x"]), st.none()),
)
STEPS = st.lists(
    st.tuples(st.lists(EXCHANGE, max_size=4), st.none() | COMMAND, NAMES, st.sampled_from([0.0, 0.5, 45.0])),
    max_size=14,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_what_is_rebuilt_is_what_was_lived(steps: list[Any]) -> None:
    """After any exchanges and commands, some of them at once, the journal gives back every namespace as it is."""
    asyncio.run(_lived(steps))


async def _lived(steps: list[Any]) -> None:
    time = Time()
    with tempfile.TemporaryDirectory() as folder:
        journal, copy = Path(folder) / "journal", Path(folder) / "copy"
        app = toy_app(journal=journal, clock=lambda: Clock(time))
        for exchanges, command, name, later in steps:
            calls = [ask(app, *exchange, namespace=name, patience=0.05) for exchange in exchanges]
            if command is not None:
                calls.append(ask(app, *command, namespace=name))
            replies = await asyncio.gather(*calls)
            assert all(reply.status is None or b"defect" not in reply.body for reply in replies)
            time.now += later
            for _ in range(3):
                await asyncio.sleep(0)
            assert app.journal is not None
            await app.journal.lines()
            copy.write_bytes(journal.read_bytes())
            again = toy_app(journal=copy, clock=lambda: Clock(time))
            again.close()
            assert all_of(again) == all_of(app)
        app.stop()
        app.close()


@pytest.mark.parametrize("back", [{"advance_seconds": -60}, {"at": "2026-01-05T08:00:00+07:00"}, {"real": True}])
async def test_a_fault_that_is_over_is_over_for_a_restarted_mock_too(tmp_path: Path, back: dict[str, Any]) -> None:
    """A clock that was turned back revives no fault, whether or not anybody looked while it was over."""
    time = Time()
    app = toy_app(journal=tmp_path / "journal", clock=lambda: Clock(time))
    await fault(app, "busy", until={"seconds": 30})
    await fault(app, "busy", until={"seconds": 3000})
    await admin(app, "POST", "clock", {"advance_seconds": 60})
    await admin(app, "POST", "clock", back)
    assert [one.id for one in app.default.faults.in_force()] == [2]
    app.close()
    again = toy_app(journal=tmp_path / "journal", clock=lambda: Clock(time))
    assert all_of(again) == all_of(app)
    again.close()


async def test_every_beginning_of_a_journal_can_be_lived_through(tmp_path: Path) -> None:
    """Wherever a kill cuts the journal, what is left makes sense: every line more only adds what it says."""
    journal, copy = tmp_path / "journal", tmp_path / "copy"
    app = toy_app(journal=journal)
    await fault(app, "latency", until={"count": 3}, details={"seconds": 0})
    for key in "abca":
        await ask(app, "POST", f"/toy/write/{key}", {"text": key})
        await admin(app, "POST", "clock", {"advance_seconds": 60}, namespace="x")
    await admin(app, "POST", "world/note/a", {"verb": "close"})
    await ask(app, "POST", "/toy/read/a")
    await admin(app, "DELETE", "namespaces?name=x")
    app.close()
    lines = journal.read_bytes().splitlines(keepends=True)
    seen = []
    for count in range(1, len(lines) + 1):
        copy.write_bytes(b"".join(lines[:count]))
        again = toy_app(journal=copy)
        ledger = again.default.ledger
        assert [one.seq for one in ledger.exchanges()] == list(range(1, ledger.total + 1))
        assert all(ledger.end_of(one.began) for one in ledger.exchanges())
        seen.append((ledger.total, ledger.done, len(again.spaces)))
        again.close()
    assert seen[0] == (0, 0, 1)
    assert seen[-1] == (5, 4, 1)
    assert max(spaces for _, _, spaces in seen) == 2
    assert [one[:2] for one in seen] == sorted(one[:2] for one in seen)


@pytest.mark.parametrize(
    "line",
    [
        b'{"space":"default","weather":"fine"}',
        b'{"restarted":true}',
        b'{"space":7,"pace":{}}',
        b'{"space":"default","pace":{"shown":1,"wall":1,"rate":-1}}',
        b'{"space":"default","fault":{"what":"earthquake","until":{"count":1}},"id":1,"since":0}',
        b'{"space":"default","speaks":{},"door":"nowhere"}',
        b'{"space":"default","exchange":{},"effects":[],"changes":[]}',
        b'{"space":"default","changes":[{"kind":"unicorn","id":"1","verb":"v","state":"s","fields":{},"at":0}]}',
        b'{"space":"default","changes":[7]}',
        b'{"space":"no name","pace":{"shown":1,"wall":1,"rate":1}}',
    ],
)
def test_a_journal_that_tells_nonsense_is_refused(tmp_path: Path, line: bytes) -> None:
    """A line that is JSON and no record of these mocks is told in a sentence, and the file can be opened again."""
    journal = tmp_path / "journal"
    toy_app(journal=journal).close()
    header = journal.read_bytes()
    for _ in range(2):
        journal.write_bytes(header + line + b"\n")
        with pytest.raises(JournalRefused, match="do not understand line 2"):
            toy_app(journal=journal)
    journal.write_bytes(header)
    toy_app(journal=journal).close()


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", ".", "a" * 64, "x/y", "ă", "a\n"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """A namespace is named with a few letters, so that it fits a header, a login and a file."""
    with pytest.raises(NoSpace, match="named"):
        Spaces(1, CITIZENS, ()).of(name)


def test_names_that_are_names() -> None:
    """Letters, digits, dot, dash and underscore make a name, 63 of them at most."""
    spaces = Spaces(1, CITIZENS, ())
    for name in ("a", "0", "run-7", "a.b_c", "a" * 63):
        assert spaces.of(name) is spaces.of(name)


def test_too_many_namespaces_are_refused() -> None:
    """Whoever makes one for each test and removes none is told, and may go on after removing some."""
    spaces = Spaces(1, CITIZENS, (ToyDoor(),))
    for number in range(MOST - 1):
        spaces.of(f"n{number}")
    with pytest.raises(NoSpace, match="remove some"):
        spaces.of("one-more")
    assert spaces.of("n0").name == "n0"
    assert spaces.remove("n0")
    assert not spaces.remove("n0")
    assert spaces.of("one-more").name == "one-more"


def test_the_default_namespace_is_always_there() -> None:
    """Removed, it begins again."""
    spaces = Spaces(1, CITIZENS, ())
    before = spaces.of("default")
    assert spaces.remove("default")
    assert [space.name for space in spaces] == ["default"]
    assert spaces.of("default") is not before


async def test_a_reset_lets_the_journal_begin_again(tmp_path: Path) -> None:
    """Where nothing is left to remember nothing is kept, and what comes next is."""
    journal = tmp_path / "journal"
    app = toy_app(journal=journal)
    empty = journal.stat().st_size
    for _ in range(3):
        await asyncio.gather(*(ask(app, "POST", f"/toy/write/{key}") for key in "abc"))
        await admin(app, "POST", "reset", {})
        assert journal.stat().st_size == empty
    await ask(app, "POST", "/toy/write/a", namespace="x")
    await admin(app, "POST", "reset", {})
    assert journal.stat().st_size > empty
    app.close()
    app = toy_app(journal=journal)
    assert (app.default.ledger.total, app.spaces.of("x").ledger.total) == (0, 1)
    app.close()
