"""The made-up country that every door looks at."""

from mocks.world.generate import AS_OF, LEAST_CITIZENS, generate
from mocks.world.people import Address, Birth, Citizen, Household, Kin, Marital, Oddity, OldUnit, Relation, Sex, World

__all__ = [
    "AS_OF",
    "LEAST_CITIZENS",
    "Address",
    "Birth",
    "Citizen",
    "Household",
    "Kin",
    "Marital",
    "Oddity",
    "OldUnit",
    "Relation",
    "Sex",
    "World",
    "generate",
]
