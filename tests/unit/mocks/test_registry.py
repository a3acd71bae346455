from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from mocks.world import Citizen, Citizens, Oddity, People, Refused, Registry, Sex, State, Turn, generate

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 7, 2, 5, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def people() -> People:
    """Return a small world."""
    return generate(1, 400)


class World:
    """People, their state, and a hand that does one verb a turn."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.state = State({"citizen": Citizens(people)})

    @property
    def registry(self) -> Registry:
        """Return the citizens as they are now."""
        return Registry(self.people, Turn(self.state, NOON))

    def do(self, citizen: Citizen, verb: str, **fields: Any) -> Citizen:
        """Do a verb and return the citizen thereafter. Raises `Refused`."""
        turn = Turn(self.state, NOON)
        turn.do("citizen", str(citizen.id), verb, **fields)
        self.state.apply(turn.changes)
        return self.registry.citizen(citizen.id)

    def odd(self, oddity: Oddity) -> Iterator[Citizen]:
        """Return everybody with this oddity."""
        return (one for one in self.people.citizens if oddity in one.oddities)


@pytest.fixture
def world(people: People) -> World:
    """Return a world to which nothing has happened yet."""
    return World(people)


def test_a_newborn_is_found_once_the_number_is_issued(world: World) -> None:
    """The number agrees with birth and sex, begins with 999, is nobody else's, and finds the newborn."""
    issued = set()
    for newborn in world.odd(Oddity.NUMBER_PENDING):
        assert newborn.number is None
        now = world.do(newborn, "issue_number")
        assert now.number is not None
        assert now.number[:6] == f"999{2 + (now.sex is Sex.FEMALE)}{now.birth.year % 100:02}"
        assert world.registry.by_number(now.number) == (now,)
        assert now.number not in world.people.by_number
        issued.add(now.number)
    assert len(issued) > 1


def test_a_number_is_issued_once_in_a_life(world: World) -> None:
    """Neither a second time, nor somebody else's, whether had from the beginning, issued since, or cancelled since."""
    one, other = list(world.odd(Oddity.NUMBER_PENDING))[:2]
    first = next(world.odd(Oddity.TWIN))
    world.do(one, "issue_number", number="999226000001")
    world.do(first, "replace_number")
    with pytest.raises(Refused, match="cannot issue_number"):
        world.do(one, "issue_number")
    for taken in ("999226000001", world.people.citizens[0].number, first.number):
        with pytest.raises(Refused, match="number: it was issued before"):
            world.do(other, "issue_number", number=taken)
    assert world.registry.citizen(other.id).number is None


def test_made_up_numbers_step_aside_for_those_written_before(people: People) -> None:
    """The number that a newborn would be issued is given to another first: the newborn gets the next one."""
    newborn, other = list(World(people).odd(Oddity.NUMBER_PENDING))[:2]
    usual = World(people).do(newborn, "issue_number").number
    world = World(people)
    world.do(other, "issue_number", number=usual)
    now = world.do(newborn, "issue_number").number
    assert now is not None
    assert usual is not None
    assert int(now) == int(usual) + 1


def test_a_number_that_moved_finds_its_holder_and_no_longer_the_old_one(world: World) -> None:
    """Of two who share a number, one is issued another: each is then alone with theirs."""
    one = next(world.odd(Oddity.SHARED_NUMBER))
    shared = str(one.number)
    (other,) = (holder for holder in world.registry.by_number(shared) if holder.id != one.id)
    now = world.do(one, "replace_number")
    assert [holder.id for holder in world.registry.by_number(shared)] == [other.id]
    assert [holder.id for holder in world.registry.by_number(str(now.number))] == [one.id]
    again = world.do(one, "replace_number")
    assert world.registry.by_number(str(now.number)) == ()
    assert world.registry.by_number(str(again.number)) == (again,)


def test_an_account_stays_when_the_number_is_replaced(world: World) -> None:
    """Whoever has a number has one account, their own and the same for ever; without a number there is none."""
    for one, other in (
        (world.people.citizens[0], world.people.citizens[1]),
        tuple(world.odd(Oddity.SHARED_NUMBER))[:2],
    ):
        account = world.registry.account(one)
        assert account is not None
        assert account != world.registry.account(other)
        now = world.do(one, "replace_number")
        assert world.registry.account(now) == account
    newborn = next(world.odd(Oddity.NUMBER_PENDING))
    assert world.registry.account(newborn) is None
    assert world.registry.account(world.do(newborn, "issue_number")) is not None


def test_numbers_follow_a_corrected_sex_and_birth(world: World) -> None:
    """A number made up after a correction tells the corrected year and sex."""
    newborn = next(world.odd(Oddity.NUMBER_PENDING))
    world.do(newborn, "correct", sex="female", birth="1999-12-31")
    assert str(world.do(newborn, "issue_number").number).startswith("999199")


def test_a_correction_is_seen_by_whoever_looks(world: World) -> None:
    """The record, the relatives' records and the household name the citizen as corrected; all else stays."""
    mother = next(
        one for one in world.people.citizens if one.number and any(_names(kid, one.id) for kid in world.people.citizens)
    )
    naming = [kid.id for kid in world.people.citizens if _names(kid, mother.id)]
    now = world.do(mother, "correct", family_name="Đinh", given_name="Thử Lại", marital="widowed", birth="1961")
    assert (now.family_name, now.given_name, now.marital, now.birth.iso) == ("Đinh", "Thử Lại", "widowed", "1961")
    assert (now.middle_name, now.number, now.permanent) == (mother.middle_name, mother.number, mother.permanent)
    assert world.registry.by_number(str(mother.number)) == (now,)
    for kid in map(world.registry.citizen, naming):
        assert mother.name not in {kin.name for kin in _kin(kid) if kin.citizen == mother.id}
        assert {(kin.name, kin.number) for kin in _kin(kid) if kin.citizen == mother.id} == {(now.name, now.number)}
    untouched = [one for one in world.people.citizens if one.id != mother.id and one.id not in naming]
    assert [world.registry.citizen(one.id) for one in untouched] == untouched


def _kin(citizen: Citizen) -> list[Any]:
    return [kin for kin in (citizen.father, citizen.mother, citizen.spouse, citizen.guardian) if kin is not None]


def _names(citizen: Citizen, other: int) -> bool:
    return any(kin.citizen == other for kin in _kin(citizen))


def test_the_head_of_a_household_is_read_as_they_are_now(world: World) -> None:
    """Whoever asks for the head of a household gets the corrected name."""
    head = world.people.citizens[world.people.households[0].head]
    world.do(head, "correct", given_name="Mới")
    assert world.registry.head_of(head).given_name == "Mới"


def test_found_by_the_old_card_as_they_are_now(world: World) -> None:
    """The old card finds the corrected record."""
    one = next(world.odd(Oddity.OLD_CARD_ONLY))
    now = world.do(one, "correct", given_name="Mới")
    assert world.registry.by_card(str(one.card)) == (now,)
    now = world.do(one, "replace_number")
    assert world.registry.by_number(str(now.number)) == world.registry.by_card(str(one.card)) == (now,)


def test_a_death_has_a_day(world: World) -> None:
    """The day of death is as stated, or the day in Vietnam on which it is recorded; nobody dies twice."""
    one, other, newborn = world.people.citizens[0], world.people.citizens[1], next(world.odd(Oddity.NUMBER_PENDING))
    assert str(world.do(one, "record_death", deceased_on="2026-03-01").deceased_on) == "2026-03-01"
    assert str(world.do(other, "record_death").deceased_on) == "2026-07-02"
    assert str(world.do(newborn, "record_death").deceased_on) == "2026-07-02"
    for dead in (one, next(world.odd(Oddity.DECEASED))):
        with pytest.raises(Refused, match="a citizen that is deceased cannot record_death"):
            world.do(dead, "record_death")
    with pytest.raises(Refused, match="cannot issue_number"):
        world.do(newborn, "issue_number")


@pytest.mark.parametrize(
    ("verb", "fields", "told"),
    [
        ("issue_number", {"number": "998190000017"}, ["number"]),
        ("issue_number", {"number": 999190000017}, ["number"]),
        ("issue_number", {"birth": "1990"}, ["issue_number sets number, and nothing else"]),
        ("record_death", {"deceased_on": "2026-02-30"}, ["deceased_on: Value error, there is no such day"]),
        ("record_death", {"deceased_on": "1800-01-01"}, ["nobody dies before being born"]),
        ("correct", {}, ["state what is corrected"]),
        ("correct", {"birth": "2026-00-01", "sex": "khác", "marital": ""}, ["birth", "sex", "marital"]),
        ("correct", {"birth": "1899"}, ["birth"]),
        ("correct", {"birth": "2026-7-1"}, ["birth"]),
        ("correct", {"family_name": "", "given_name": " "}, ["family_name", "given_name"]),
        (
            "correct",
            {"family_name": "A\x00", "middle_name": "B\ud800", "given_name": "C\n"},
            ["fam", "middle", "given"],
        ),
        ("correct", {"middle_name": "dài " * 25 + "quá"}, ["the whole name has 100 characters at most"]),
        ("correct", {"number": "999190000017"}, ["and nothing else"]),
        ("fly", {}, ["no citizen can fly; there is issue_number, replace_number, correct, record_death"]),
    ],
)
def test_what_no_register_would_take_is_refused(
    world: World, verb: str, fields: dict[str, Any], told: list[str]
) -> None:
    """Every wrong field is named at once, no value is quoted, and nothing has changed."""
    newborn = next(world.odd(Oddity.NUMBER_PENDING))
    with pytest.raises(Refused) as refused:
        world.do(newborn, verb, **fields)
    for name in told:
        assert name in str(refused.value)
    for value in ("999190000017", "khác", "dài", "2026-02-30"):
        assert value not in str(refused.value)
    assert world.state.written("citizen") == ()


@pytest.mark.parametrize("one_id", ["400", "-1", "01", "", "một", "٣", "9" * 5000])
def test_nobody_has_an_id_that_nobody_has(world: World, one_id: str) -> None:
    """An id is one of the world's, written one way; no citizen is added."""
    turn = Turn(world.state, NOON)
    with pytest.raises(Refused, match="there is no citizen of this id"):
        turn.do("citizen", one_id, "record_death")
    with pytest.raises(Refused, match="there are no citizens but those"):
        turn.create("citizen", one_id, "registered")
    assert turn.changes == ()


def test_looking_up_costs_the_same_while_nothing_has_happened(people: People) -> None:
    """While nobody was written, a look-up hands out what the world began with, uncopied."""
    registry = Registry.of_the_beginning(people)
    numbered = [one for one in people.citizens if one.number]
    assert all(registry.citizen(one.id) is one for one in numbered)
    assert all(registry.by_number(str(one.number)) is people.by_number[str(one.number)] for one in numbered)


def test_looking_up_stays_quick_when_much_has_happened() -> None:
    """With a thousand citizens corrected, a look-up takes less than a few milliseconds of CPU time."""
    world = World(generate(1, 2000))
    for one in world.people.citizens[:1000]:
        world.do(one, "correct", marital="unknown")
    number = str(world.people.citizens[0].number)
    began = time.process_time()
    for _ in range(50):
        assert world.registry.by_number(number)
    assert (time.process_time() - began) / 50 < 0.05
