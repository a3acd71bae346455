"""The fault grammar: where, what, when, for whom, until.

`catalogue` names the faults, `grammar` is how one is said, `book` decides which strike.
"""

from mocks.faults.book import Armed, FaultBook, Visit
from mocks.faults.catalogue import EVERYWHERE, NATURE, Acts, Nature, Stage, What, Where
from mocks.faults.grammar import Details, Fault, Until, When, Whom

__all__ = [
    "EVERYWHERE",
    "NATURE",
    "Acts",
    "Armed",
    "Details",
    "Fault",
    "FaultBook",
    "Nature",
    "Stage",
    "Until",
    "Visit",
    "What",
    "When",
    "Where",
    "Whom",
]
