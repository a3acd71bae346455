"""From a seed to a world: the same seed and size give the same people, on any machine and in any process.

People come household by household; then records are picked for every oddity, then numbers are issued, then all is
frozen. Draws come from one `random.Random(seed)` in one order; nothing is global and nothing reads the clock.
"""

from __future__ import annotations

import unicodedata
from calendar import isleap
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from mocks.world import names
from mocks.world.people import Address, Birth, Citizen, Household, Kin, Marital, Oddity, People, Relation, Sex
from mocks.world.places import Place, address, merged_address, places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    _Pick: TypeAlias = "Callable[[Oddity, Callable[[_Draft], bool]], list[_Draft]]"

AS_OF = date(2026, 7, 1)
"""The day the world is of, so that a minor stays one whenever a test runs."""
LEAST_CITIZENS = 300
"""Below this there would not be enough candidates for every oddity."""
MOST_CITIZENS = 1_000_000
"""Above this a slip of the keyboard would take all the memory of the machine."""
ADULT = 18
SHARES = {
    Oddity.DECOMPOSED_NAME: 0.02,
    Oddity.ONE_WORD_NAME: 0.004,
    Oddity.VERY_LONG_NAME: 0.004,
    Oddity.PUNCTUATED_NAME: 0.01,
    Oddity.YEAR_ONLY_BIRTH: 0.02,
    Oddity.LEAP_DAY: 0.003,
    Oddity.DECEASED: 0.02,
    Oddity.OLD_CARD_ONLY: 0.02,
    Oddity.NUMBER_PENDING: 0.002,
    Oddity.NUMBER_DISAGREES: 0.003,
    Oddity.SHARED_NUMBER: 0.001,
    Oddity.SHARED_NUMBER_NAMESAKE: 0.001,
    Oddity.MERGED_ADDRESS: 0.05,
}
"""Which part of all citizens carries each oddity; two at least. The shared numbers count pairs."""
TWINS_EVERY = 20
"""Every so many households all children come in pairs, so that no world is without twins."""
RELIGIONS = ("00", "00", "00", "00", "01", "02", "03", "04", "05", "06", "99")
BLOOD_GROUPS = (None, None, "A", "B", "AB", "O")


@dataclass(slots=True, eq=False)
class _Draft:
    """A citizen in the making."""

    id: int
    household: int
    relation: Relation
    name: names.Name
    sex: Sex
    born: date
    home: Place
    ethnicity: str
    marital: Marital
    father: _Draft | None = None
    mother: _Draft | None = None
    spouse: _Draft | None = None
    number: str | None = None
    card: str | None = None
    deceased_on: date | None = None
    oddities: set[Oddity] = field(default_factory=set)

    def age(self) -> int:
        return AS_OF.year - self.born.year - ((AS_OF.month, AS_OF.day) < (self.born.month, self.born.day))


def generate(seed: int, citizens: int = 5000) -> People:
    """Return the world of this seed. Raises `ValueError` for too few citizens or too many."""
    if citizens < LEAST_CITIZENS:
        raise ValueError(f"a world needs at least {LEAST_CITIZENS} citizens")
    if citizens > MOST_CITIZENS:
        raise ValueError(f"a world has at most {MOST_CITIZENS} citizens")
    rng = Random(seed)  # noqa: S311 - made-up people need repeatable draws, not secrets
    drafts = _people(rng, citizens)
    _mark(rng, drafts)
    _number(rng, drafts)
    _share_numbers(rng, drafts)
    return _freeze(rng, seed, drafts)


def _people(rng: Random, citizens: int) -> list[_Draft]:
    """Fill households, one per province first and then over all communes, until there are enough people."""
    every = list(places())
    rng.shuffle(every)
    first = list({place.province: place for place in every}.values())
    order = first + [place for place in every if place not in first]
    drafts: list[_Draft] = []
    household = 0
    while len(drafts) < citizens:
        drafts += _family(rng, len(drafts), household, order[household % len(order)])
        household += 1
    del drafts[citizens:]
    for draft in drafts:
        draft.father, draft.mother, draft.spouse = (
            None if kin is None or kin.id >= citizens else kin for kin in (draft.father, draft.mother, draft.spouse)
        )
    return drafts


def _family(rng: Random, next_id: int, household: int, home: Place) -> list[_Draft]:
    ethnicity = "01" if rng.random() < 0.85 else f"{rng.randint(2, 54):02}"  # noqa: PLR2004 - a share
    members: list[_Draft] = []

    def add(relation: Relation, sex: Sex, born: date, family: str | None, marital: Marital) -> _Draft:
        name = names.ordinary(rng, sex, family)
        draft = _Draft(
            next_id + len(members), household, relation, name, sex, min(born, AS_OF), home, ethnicity, marital
        )
        members.append(draft)
        return draft

    sex = rng.choice(list(Sex))
    head = add(Relation.HEAD, sex, _day(rng, rng.randint(1938, 2004)), None, Marital.SINGLE)
    if rng.random() < 0.75:  # noqa: PLR2004 - a share
        other = Sex.FEMALE if sex is Sex.MALE else Sex.MALE
        born = _day(rng, min(head.born.year + rng.randint(-5, 5), 2004))
        spouse = add(Relation.SPOUSE, other, born, None, Marital.MARRIED)
        head.marital, head.spouse, spouse.spouse = Marital.MARRIED, spouse, head
        father, mother = (head, spouse) if sex is Sex.MALE else (spouse, head)
        born = date(mother.born.year + rng.randint(20, 27), 1, 1) + timedelta(days=rng.randrange(365))
        for _ in range(rng.choice((0, 1, 1, 2, 2, 2, 3, 4))):
            if born > AS_OF:
                break
            litter = 2 if rng.random() < 0.02 or household % TWINS_EVERY == 0 else 1  # noqa: PLR2004 - a share
            for _ in range(litter):
                child = add(Relation.CHILD, rng.choice(list(Sex)), born, father.name.family, Marital.SINGLE)
                child.father, child.mother = father, mother
                if litter > 1:
                    child.oddities.add(Oddity.TWIN)
            born += timedelta(days=rng.randint(400, 1800))
    else:
        head.marital = rng.choice((Marital.SINGLE, Marital.SINGLE, Marital.DIVORCED, Marital.WIDOWED, Marital.UNKNOWN))
    if head.born.year > 1950 and rng.random() < 0.2:  # noqa: PLR2004 - a share
        elder_sex = rng.choice(list(Sex))
        elder = add(
            Relation.PARENT,
            elder_sex,
            _day(rng, head.born.year - rng.randint(20, 32)),
            head.name.family,
            Marital.WIDOWED,
        )
        head.father, head.mother = (elder, None) if elder_sex is Sex.MALE else (None, elder)
    return members


def _day(rng: Random, year: int) -> date:
    return date(year, 1, 1) + timedelta(days=rng.randrange(366 if isleap(year) else 365))


def _mark(rng: Random, drafts: list[_Draft]) -> None:
    """Pick the bearers of each oddity and change what has to change before numbers are issued."""

    def pick(oddity: Oddity, fits: Callable[[_Draft], bool]) -> list[_Draft]:
        candidates = [draft for draft in drafts if fits(draft)]
        chosen = rng.sample(candidates, min(len(candidates), _count(oddity, drafts)))
        for draft in chosen:
            draft.oddities.add(oddity)
        return chosen

    _mark_births(rng, drafts, pick)
    _mark_names(rng, pick)
    for draft in pick(Oddity.DECEASED, lambda draft: _plain(draft) and draft.age() > 60):  # noqa: PLR2004 - an age
        draft.deceased_on = AS_OF - timedelta(days=rng.randint(30, 3000))
        if draft.spouse is not None:
            draft.spouse.marital = Marital.WIDOWED
    pick(Oddity.OLD_CARD_ONLY, lambda draft: _plain(draft) and draft.born.year < 1960)  # noqa: PLR2004 - a year
    pick(Oddity.NUMBER_DISAGREES, _plain)
    pick(Oddity.MERGED_ADDRESS, lambda draft: len(draft.home.origins) > 1)


def _mark_births(rng: Random, drafts: list[_Draft], pick: _Pick) -> None:
    for draft in pick(Oddity.LEAP_DAY, lambda draft: _plain(draft) and draft.born.year < AS_OF.year - 8):
        draft.born = date(draft.born.year - draft.born.year % 4, 2, 29)
    for draft in pick(Oddity.NUMBER_PENDING, lambda draft: _plain(draft) and draft.relation is Relation.CHILD):
        draft.born = AS_OF - timedelta(days=rng.randrange(20))
    for draft in drafts:
        if draft.age() < ADULT:
            draft.oddities.add(Oddity.MINOR)
    pick(Oddity.YEAR_ONLY_BIRTH, lambda draft: _plain(draft) and draft.born.year < 1975)  # noqa: PLR2004 - a year


def _mark_names(rng: Random, pick: _Pick) -> None:
    for draft in pick(Oddity.ONE_WORD_NAME, lambda draft: _plain(draft) and draft.relation is not Relation.CHILD):
        draft.name = names.one_word(rng)
    for draft in pick(Oddity.VERY_LONG_NAME, _plain):
        draft.name = names.very_long(rng, draft.sex, draft.name.family)
    for draft in pick(Oddity.PUNCTUATED_NAME, lambda draft: _plain(draft) and draft.relation is not Relation.CHILD):
        draft.name = names.punctuated(rng, draft.sex)
    for draft in pick(Oddity.DECOMPOSED_NAME, lambda draft: _marked(draft.name)):
        draft.name = names.Name(*(unicodedata.normalize("NFD", part) for part in draft.name))


def _plain(draft: _Draft) -> bool:
    return not draft.oddities


def _count(oddity: Oddity, drafts: list[_Draft]) -> int:
    return max(2, round(SHARES[oddity] * len(drafts)))


def _marked(name: names.Name) -> bool:
    return any(unicodedata.normalize("NFD", part) != part for part in name)


def _number(rng: Random, drafts: list[_Draft]) -> None:
    """Issue numbers that agree with birth and sex, except where the record was corrected later."""
    issued: set[str] = set()

    def fresh(head: str, digits: int) -> str:
        while True:
            number = f"{head}{rng.randrange(10**digits):0{digits}}"
            if number not in issued:
                issued.add(number)
                return number

    for draft in drafts:
        sex, year = draft.sex, draft.born.year
        if Oddity.NUMBER_DISAGREES in draft.oddities:
            if rng.random() < 0.5:  # noqa: PLR2004 - a share
                sex = Sex.FEMALE if sex is Sex.MALE else Sex.MALE
            else:
                year += rng.choice((-1, 1))
        if not draft.oddities & {Oddity.OLD_CARD_ONLY, Oddity.NUMBER_PENDING}:
            draft.number = fresh(_head(sex, year), 6)
        if Oddity.OLD_CARD_ONLY in draft.oddities or (draft.born.year < 2003 and rng.random() < 0.5):  # noqa: PLR2004 - a year, a share
            draft.card = fresh("999", 6)
        if draft.number and draft.card:
            draft.oddities.add(Oddity.BOTH_NUMBERS)


def _share_numbers(rng: Random, drafts: list[_Draft]) -> None:
    """Give pairs one number: first people with nothing else in common, then namesakes born on one day."""

    def pairs(oddity: Oddity, fits: Callable[[_Draft], bool]) -> Iterable[tuple[_Draft, _Draft]]:
        free = [draft for draft in drafts if draft.number and draft.oddities <= {Oddity.BOTH_NUMBERS} and fits(draft)]
        chosen = rng.sample(free, 2 * _count(oddity, drafts))
        for one, other in zip(chosen[::2], chosen[1::2], strict=True):
            other.number = one.number
            one.oddities.add(oddity)
            other.oddities.add(oddity)
            yield one, other

    for one, other in pairs(Oddity.SHARED_NUMBER_NAMESAKE, _alone):
        one.name, other.name = names.NAMESAKES[one.sex]
        other.born, other.sex = one.born, one.sex
    for _, other in pairs(Oddity.SHARED_NUMBER, lambda _: True):
        if not str(other.number).startswith(_head(other.sex, other.born.year)):
            other.oddities.add(Oddity.NUMBER_DISAGREES)


def _alone(draft: _Draft) -> bool:
    """Say whether nobody's record depends on when this one was born."""
    return draft.relation is Relation.HEAD and not (draft.spouse or draft.father or draft.mother)


def _head(sex: Sex, year: int) -> str:
    """Return the first six digits: the unassigned prefix, century and sex, and the year's last two digits."""
    return f"999{(year - 1900) // 100 * 2 + (sex is Sex.FEMALE)}{year % 100:02}"


def _freeze(rng: Random, seed: int, drafts: list[_Draft]) -> People:
    every = places()
    citizens = []
    for draft in drafts:
        permanent = (merged_address if Oddity.MERGED_ADDRESS in draft.oddities else address)(rng, draft.home)
        hometown = address(rng, rng.choice(every))
        moved = rng.random() < 0.1  # noqa: PLR2004 - a share
        guardian = (draft.mother or draft.father) if draft.age() < ADULT else None
        dated = Oddity.YEAR_ONLY_BIRTH not in draft.oddities
        citizens.append(
            Citizen(
                id=draft.id,
                household=draft.household,
                relation=draft.relation,
                family_name=draft.name.family,
                middle_name=draft.name.middle,
                given_name=draft.name.given,
                sex=draft.sex,
                birth=Birth(draft.born.year, *((draft.born.month, draft.born.day) if dated else ())),
                number=draft.number,
                card=draft.card,
                ethnicity=draft.ethnicity,
                religion=rng.choice(RELIGIONS),
                marital=draft.marital,
                blood_group=rng.choice(BLOOD_GROUPS),
                birth_registration=_at(hometown, rng),
                hometown=hometown,
                permanent=permanent,
                current=address(rng, rng.choice(every)) if moved else permanent,
                father=_kin(draft.father) or _absent(rng, Sex.MALE, draft.name.family),
                mother=_kin(draft.mother) or _absent(rng, Sex.FEMALE, None),
                spouse=_kin(draft.spouse),
                guardian=_kin(guardian),
                deceased_on=draft.deceased_on,
                oddities=frozenset(draft.oddities),
            )
        )
    return People(seed, tuple(citizens), tuple(_households(drafts)))


def _at(place: Address, rng: Random) -> Address:
    return Address(place.province, place.commune, f"Trạm y tế số {rng.randint(1, 9)}", place.before)


def _kin(draft: _Draft | None) -> Kin | None:
    if draft is None:
        return None
    return Kin(" ".join(part for part in draft.name if part), draft.number, draft.card, draft.id)


def _absent(rng: Random, sex: Sex, family: str | None) -> Kin | None:
    """Return a parent who is named on the record and has none of their own, or nobody."""
    if rng.random() < 0.2:  # noqa: PLR2004 - a share
        return None
    return Kin(" ".join(part for part in names.ordinary(rng, sex, family) if part))


def _households(drafts: Iterable[_Draft]) -> Iterable[Household]:
    members: dict[int, list[int]] = {}
    for draft in drafts:
        members.setdefault(draft.household, []).append(draft.id)
    for household, ids in members.items():
        yield Household(household, ids[0], tuple(ids), f"999{household:06}")
