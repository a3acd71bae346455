"""The made-up country that every door looks at: the people it began with, and everything that has happened since."""

from mocks.world.generate import AS_OF, LEAST_CITIZENS, MOST_CITIZENS, generate
from mocks.world.people import Address, Birth, Citizen, Household, Kin, Marital, Oddity, OldUnit, People, Relation, Sex
from mocks.world.registry import Citizens, Registry
from mocks.world.state import Change, Kind, Lifecycle, Plain, Refused, Resource, State, Turn, Verb

__all__ = [
    "AS_OF",
    "LEAST_CITIZENS",
    "MOST_CITIZENS",
    "Address",
    "Birth",
    "Change",
    "Citizen",
    "Citizens",
    "Household",
    "Kin",
    "Kind",
    "Lifecycle",
    "Marital",
    "Oddity",
    "OldUnit",
    "People",
    "Plain",
    "Refused",
    "Registry",
    "Relation",
    "Resource",
    "Sex",
    "State",
    "Turn",
    "Verb",
    "generate",
]
