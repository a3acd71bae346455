from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import unicodedata
from collections import Counter
from datetime import date

import pytest

from mocks.control.world import describe
from mocks.world import AS_OF, LEAST_CITIZENS, MOST_CITIZENS, Citizen, Oddity, People, Registry, Relation, Sex, generate
from mocks.world.places import places
from tests.support.mocks import ROOT, joined

SEEDS = range(12)
FINGERPRINT = (
    "import hashlib; from mocks.control.world import describe; from mocks.world import *\n"
    "w = Registry.of_the_beginning(generate(7, 400)); "
    "print(hashlib.sha256(repr([describe(c, w) for c in w.people.citizens]).encode()).hexdigest())"
)


@pytest.fixture(scope="module")
def world() -> People:
    """Return a world of the usual size."""
    return generate(1, 5000)


def bearers(world: People, oddity: Oddity) -> list[Citizen]:
    """Return everybody with this oddity; there is somebody."""
    found = [citizen for citizen in world.citizens if oddity in citizen.oddities]
    assert found
    return found


def agrees(citizen: Citizen) -> bool:
    """Say whether digits 4 to 6 fit sex and year of birth."""
    assert citizen.number is not None
    year = citizen.birth.year
    digit = (year - 1900) // 100 * 2 + (citizen.sex is Sex.FEMALE)
    return citizen.number[3:6] == f"{digit}{year % 100:02}"


def test_same_seed_same_world() -> None:
    """The same seed and size give the same people; another seed gives others."""
    assert generate(5, 500) == generate(5, 500)
    assert generate(5, 500) != generate(6, 500)


def test_other_processes_make_the_same_world() -> None:
    """Neither hash randomisation nor the global random generator has a say."""
    random.seed(99)
    world = Registry.of_the_beginning(generate(7, 400))
    here = hashlib.sha256(repr([describe(one, world) for one in world.people.citizens]).encode()).hexdigest()
    for hash_seed in ("1", "2"):
        run = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", FINGERPRINT],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == here


@pytest.mark.parametrize("seed", SEEDS)
def test_every_oddity_is_there(seed: int) -> None:
    """Even the smallest world has at least two bearers of every oddity."""
    counts = Counter(oddity for citizen in generate(seed, LEAST_CITIZENS).citizens for oddity in citizen.oddities)
    assert set(counts) == set(Oddity)
    assert min(counts.values()) >= 2


def test_too_small_a_world_is_refused() -> None:
    """A world without room for every oddity is not made."""
    with pytest.raises(ValueError, match="at least"):
        generate(1, LEAST_CITIZENS - 1)


def test_a_world_beyond_all_memory_is_refused() -> None:
    """A nought too many is told at once; nobody waits until the machine has no memory left."""
    with pytest.raises(ValueError, match="at most"):
        generate(1, MOST_CITIZENS + 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_belong_to_nobody(seed: int) -> None:
    """Every number has its form and begins with 999; only the labelled pairs share one."""
    world = generate(seed, LEAST_CITIZENS)
    for citizen in world.citizens:
        assert citizen.number is None or (len(citizen.number) == 12 and citizen.number.isdigit())
        assert citizen.card is None or (len(citizen.card) == 9 and citizen.card.isdigit())
        assert all(number.startswith("999") for number in (citizen.number, citizen.card) if number)
    shared = {Oddity.SHARED_NUMBER, Oddity.SHARED_NUMBER_NAMESAKE}
    for holders in world.by_number.values():
        assert len(holders) == (2 if holders[0].oddities & shared else 1)
    assert all(len(holders) == 1 for holders in world.by_card.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_digits_agree_with_birth_and_sex(seed: int) -> None:
    """Digits 4 to 6 tell century, sex and year of birth, except exactly where a clerical error is labelled."""
    for citizen in generate(seed, LEAST_CITIZENS).citizens:
        if citizen.number:
            assert agrees(citizen) is (Oddity.NUMBER_DISAGREES not in citizen.oddities)


def test_people_live_in_every_province(world: People) -> None:
    """Households are spread over the 34 provinces, in communes of today that lie in them, with true old codes."""
    known = {(place.province, place.commune): {origin.unit for origin in place.origins} for place in places()}
    assert len(known) == 3321
    assert len({citizen.permanent.province for citizen in world.citizens}) == 34
    assert len({citizen.permanent.commune for citizen in world.citizens}) > 1000
    for citizen in world.citizens:
        for address in (citizen.permanent, citizen.current, citizen.hometown, citizen.birth_registration):
            assert address.before in known[address.province, address.commune]


def test_names(world: People) -> None:
    """Names are composed but for the labelled ones; short, long and punctuated ones are what they say."""
    for citizen in world.citizens:
        composed = unicodedata.normalize("NFC", citizen.name) == citizen.name
        assert composed is (Oddity.DECOMPOSED_NAME not in citizen.oddities)
        assert len(citizen.name) <= 100
        assert citizen.name == " ".join(citizen.name.split())
    for citizen in bearers(world, Oddity.ONE_WORD_NAME):
        assert " " not in citizen.name
    for citizen in bearers(world, Oddity.VERY_LONG_NAME):
        assert len(citizen.name.split()) >= 10
    for citizen in bearers(world, Oddity.PUNCTUATED_NAME):
        assert set(citizen.name) & set("'-")


def test_births(world: People) -> None:
    """Leap days, years alone, minors and the newly born are what they say; all but the year-only have a real day."""
    for citizen in world.citizens:
        birth = citizen.birth
        year_only = Oddity.YEAR_ONLY_BIRTH in citizen.oddities
        assert (birth.month is None) is (birth.day is None) is year_only
        if birth.month is not None and birth.day is not None:
            born = date(birth.year, birth.month, birth.day)
            age = AS_OF.year - born.year - ((AS_OF.month, AS_OF.day) < (born.month, born.day))
            assert 0 <= age < 110
            assert (age < 18) is (Oddity.MINOR in citizen.oddities)
    assert {(c.birth.month, c.birth.day) for c in bearers(world, Oddity.LEAP_DAY)} == {(2, 29)}
    for citizen in bearers(world, Oddity.NUMBER_PENDING):
        assert (citizen.number, citizen.card) == (None, None)


def test_numbers_old_and_new(world: People) -> None:
    """Some have both numbers, some only the old card; nobody but the newly born has none."""
    for citizen in world.citizens:
        both = bool(citizen.number and citizen.card)
        assert both is (Oddity.BOTH_NUMBERS in citizen.oddities)
        assert (not citizen.number and bool(citizen.card)) is (Oddity.OLD_CARD_ONLY in citizen.oddities)
        assert (not citizen.number and not citizen.card) is (Oddity.NUMBER_PENDING in citizen.oddities)


def test_shared_numbers(world: People) -> None:
    """A shared number has two holders; namesakes also share the day of birth and the name without diacritics."""
    for citizen in bearers(world, Oddity.SHARED_NUMBER):
        one, other = world.by_number[str(citizen.number)]
        assert (one.name, one.birth) != (other.name, other.birth)
    for citizen in bearers(world, Oddity.SHARED_NUMBER_NAMESAKE):
        one, other = world.by_number[str(citizen.number)]
        assert one.id != other.id
        assert one.name != other.name
        assert (joined(one.name), one.birth) == (joined(other.name), other.birth)


def test_addresses_that_outlived_their_commune(world: People) -> None:
    """A merged address has a code of today and a text and old code of before July 2025."""
    for citizen in bearers(world, Oddity.MERGED_ADDRESS):
        origins = next(place.origins for place in places() if place.commune == citizen.permanent.commune)
        text = next(origin.text for origin in origins if origin.unit == citizen.permanent.before)
        assert citizen.permanent.detail.endswith(text)


def test_the_dead_have_a_day_of_death(world: People) -> None:
    """Exactly those labelled deceased have died, all of them in the past."""
    for citizen in world.citizens:
        assert (citizen.deceased_on is not None) is (Oddity.DECEASED in citizen.oddities)
        assert citizen.deceased_on is None or citizen.deceased_on < AS_OF


@pytest.mark.parametrize("seed", SEEDS)
def test_families_hold_together(seed: int) -> None:
    """Relatives with a record are named as their record has them; parents are older; twins are born on one day."""
    world = generate(seed, LEAST_CITIZENS)
    for citizen in world.citizens:
        for kin in (citizen.father, citizen.mother, citizen.spouse, citizen.guardian):
            if kin is not None and kin.citizen is not None:
                other = world.citizens[kin.citizen]
                assert (kin.name, kin.number, kin.card) == (other.name, other.number, other.card)
                assert other.household == citizen.household
        for parent in (citizen.father, citizen.mother):
            if parent is not None and parent.citizen is not None:
                assert world.citizens[parent.citizen].birth.year + 15 <= citizen.birth.year
    for twin in bearers(world, Oddity.TWIN):
        siblings = [other for other in world.citizens if (other.mother, other.birth) == (twin.mother, twin.birth)]
        assert len(siblings) > 1 or twin.id == len(world.citizens) - 1 or twin.oddities & {Oddity.YEAR_ONLY_BIRTH}
    for household in world.households:
        members = [world.citizens[member] for member in household.members]
        assert [member.relation for member in members].count(Relation.HEAD) == 1
        assert world.citizens[household.head].relation is Relation.HEAD


def test_keys_tell_nothing() -> None:
    """The key of a number depends on the seed and holds no part of the number."""
    one, other = generate(1, LEAST_CITIZENS), generate(2, LEAST_CITIZENS)
    assert one.key("999190000017") == one.key("999190000017") != other.key("999190000017")
    assert "9991" not in one.key("999190000017")
