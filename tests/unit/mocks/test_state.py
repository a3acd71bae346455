from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocks.doors.population.door import PopulationDoor
from mocks.spaces import Spaces
from mocks.world import Change, Citizens, Lifecycle, Oddity, Plain, Refused, Resource, State, Turn, Verb, generate

if TYPE_CHECKING:
    from collections.abc import Mapping

PEOPLE = generate(1, 300)
IDS = [
    str(next(one.id for one in PEOPLE.citizens if oddity in one.oddities))
    for oddity in (Oddity.NUMBER_PENDING, Oddity.DECEASED, Oddity.MINOR, Oddity.OLD_CARD_ONLY)
]
DOSSIER = Plain(
    Lifecycle(
        kind="dossier",
        starts=("received", "draft"),
        verbs={
            "submit": Verb(("draft",), "received", "It is handed in.", ("at",)),
            "return": Verb(("received",), "draft", "The officer wants more."),
            "note": Verb(("received", "draft"), None, "Somebody writes on it.", ("text", "by")),
            "close": Verb(("received",), "closed", "It is done."),
        },
    )
)
FIELDS = {
    "number": st.sampled_from(["999190000017", "999190000018", "12", str(PEOPLE.citizens[0].number)]),
    "deceased_on": st.sampled_from(["2026-03-01", "1900-01-01", "hôm qua"]),
    "family_name": st.sampled_from(["Trần", ""]),
    "birth": st.sampled_from(["1990", "2025-02-28", "2025-02-30"]),
    "sex": st.sampled_from(["female", "1"]),
    "text": st.text(max_size=3),
    "unknown": st.just(1),
}


def state() -> State:
    """Return a fresh state with citizens and dossiers."""
    return State({"citizen": Citizens(PEOPLE), "dossier": DOSSIER})


def snapshot(of: State) -> list[Resource]:
    """Return all that was written."""
    return [*of.written("citizen"), *of.written("dossier")]


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, str, str, dict[str, Any], bool]:
    """Draw a kind, an id, a verb or a state to begin in, fields, and whether the turn is dropped."""
    kind = draw(st.sampled_from(["citizen", "dossier"]))
    verbs = [*(Citizens.lifecycle if kind == "citizen" else DOSSIER.lifecycle).verbs, "create", "fly"]
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=2, unique=True))
    fields = {name: draw(FIELDS[name]) for name in names}
    return kind, draw(st.sampled_from([*IDS, "a", "99999"])), draw(st.sampled_from(verbs)), fields, draw(st.booleans())


def take(turn: Turn, kind: str, one_id: str, verb: str, fields: Mapping[str, Any]) -> None:
    """Do a step in a turn. Raises `Refused`."""
    if verb == "create":
        turn.create(kind, one_id, "draft" if kind == "dossier" else "registered", **fields)
    else:
        turn.do(kind, one_id, verb, **fields)


@settings(deadline=None)
@given(st.lists(steps(), max_size=25))
def test_replayed_changes_give_the_state_that_was_lived(walk: list[Any]) -> None:
    """Whatever was done, refused and dropped: the changes, through JSON, make the same state once more."""
    lived, journal = state(), []
    for moment, (kind, one_id, verb, fields, dropped) in enumerate(walk):
        turn = Turn(lived, 1.8e9 + moment)
        before = snapshot(lived)
        try:
            take(turn, kind, one_id, verb, fields)
        except Refused:
            assert turn.changes == ()
        assert snapshot(lived) == before
        if not dropped:
            lived.apply(turn.changes)
            journal += [json.dumps({**asdict(change), "fields": dict(change.fields)}) for change in turn.changes]
        for resource in snapshot(lived):
            assert resource.state in lived.kinds[resource.kind].lifecycle.states
    rebuilt = state()
    rebuilt.apply(tuple(Change(**json.loads(line)) for line in journal))
    assert snapshot(rebuilt) == snapshot(lived)


@settings(deadline=None)
@given(st.lists(steps(), min_size=1, max_size=12))
def test_one_turn_sees_its_own_writes_as_the_world_will(walk: list[Any]) -> None:
    """Many steps in one turn leave what the same steps leave one turn at a time."""
    at_once, one_by_one = state(), state()
    turn = Turn(at_once, 1.8e9)
    for kind, one_id, verb, fields, _ in walk:
        outcomes = []
        single = Turn(one_by_one, 1.8e9)
        for pen in (turn, single):
            try:
                take(pen, kind, one_id, verb, fields)
                outcomes.append("done")
            except Refused as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]
        one_by_one.apply(single.changes)
        assert list(turn.all(kind)) == list(Turn(one_by_one, 0.0).all(kind))
    assert snapshot(at_once) == []
    at_once.apply(turn.changes)
    assert snapshot(at_once) == snapshot(one_by_one)


def test_a_turn_says_why_not() -> None:
    """What a life cycle does not allow is refused in a sentence that says what it does allow."""
    turn = Turn(state(), 0.0)
    turn.create("dossier", "a", "draft")
    for message, step in {
        "there is a dossier of this id": ("a", "create", {}),
        "there is no dossier of this id": ("b", "note", {}),
        "no dossier can fly; there is submit, return, note, close": ("a", "fly", {}),
        "a dossier that is draft cannot close": ("a", "close", {}),
        "note sets text, by, and nothing else": ("a", "note", {"text": "x", "at": "y"}),
        "submit sets at, and nothing else": ("a", "submit", {"text": "x"}),
    }.items():
        with pytest.raises(Refused, match=message):
            take(turn, "dossier", *step)
    with pytest.raises(Refused, match="no dossier begins as closed"):
        turn.create("dossier", "c", "closed")
    assert len(turn.changes) == 1


def test_versions_and_times_are_told() -> None:
    """Each step raises the version by one, keeps the fields that it does not set, and says when it was."""
    turn = Turn(state(), 5.0)
    turn.create("dossier", "a", "draft", text="một")
    turn.do("dossier", "a", "submit", at="hôm nay")
    assert turn.get("dossier", "a") == Resource(
        "dossier", "a", "received", {"text": "một", "at": "hôm nay"}, version=2, changed=5.0
    )


@pytest.mark.parametrize(
    ("starts", "verbs", "told"),
    [
        ((), {}, "it begins in no state"),
        (("a",), {"go": Verb((), "b", "")}, "go leaves from no state"),
        (("a",), {"go": Verb(("b",), "c", "")}, "nothing leads to b; nothing leads to c"),
        (
            ("a",),
            {"go": Verb(("b",), "c", ""), "back": Verb(("c",), "b", "")},
            "nothing leads to b; nothing leads to c",
        ),
        (("a",), {"go": Verb(("a", "typo"), "b", "")}, "nothing leads to typo"),
        (("a",), {"created": Verb(("a",), "b", "")}, "created is how the beginning is called"),
    ],
)
def test_a_life_cycle_that_nobody_could_live_is_refused(
    starts: tuple[str, ...], verbs: dict[str, Verb], told: str
) -> None:
    """A state that nothing reaches and a verb that nothing can do are mistakes of whoever declared them."""
    with pytest.raises(ValueError, match=told):
        Lifecycle("thing", starts, verbs)


def test_every_declared_life_cycle_reads_well() -> None:
    """Every kind of the world stands under its own name, and every verb has a sentence."""
    kinds = Spaces(1, 300, (PopulationDoor(),)).of("default").state.kinds
    assert {"citizen", "callback", "population_account"} <= set(kinds)
    for name, kind in kinds.items():
        assert kind.lifecycle.kind == name
        assert all(verb.sentence.endswith(".") for verb in kind.lifecycle.verbs.values())


def test_two_doors_cannot_mean_two_things_by_one_name() -> None:
    """A kind of resource belongs to one door; a second of its name would silently take its place."""
    one, other = PopulationDoor(), PopulationDoor()
    other.kinds = (DOSSIER,)
    assert "dossier" in Spaces(1, 300, (one, other)).of("default").state.kinds
    for kind in (*one.kinds, Citizens(PEOPLE)):
        other.kinds = (kind,)
        with pytest.raises(ValueError, match="two kinds of resources bear one name"):
            Spaces(1, 300, (one, other))
