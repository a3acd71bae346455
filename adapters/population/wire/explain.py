"""Why an answer breaks the contract: what the schema says about it, beside what the reader found.

Used only once an answer is refused, so that the slow, talkative validator costs nothing on the way. It adds the fields
that the reader had no reason to judge, because a shifted or half-converted record shows in several places at once.
"""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from adapters.population.wire.elements import MOST_WRONG
from contracts import population
from contracts.model import WrongField

if TYPE_CHECKING:
    from lxml import etree
    from xmlschema import XMLSchema10

_SCHEMAS: Final = {"CongdanCollection": "dancu-1.0.xsd", "KetQuaXacThuc": "dancuquocgia.xsd"}
_REPEATING: Final = "CongDan"
_LARGEST: Final = 2000


def explained(answer: etree._Element, wrong: tuple[WrongField, ...]) -> tuple[WrongField, ...]:
    """Return `wrong` and, behind it, every further field of `answer` that the schema refuses; never a value.

    An answer of thousands of elements is not asked about: the validator would take seconds, and nobody reads that far.
    """
    if next(islice(answer.iter(), _LARGEST, None), None) is not None:
        return wrong
    known = {field.path for field in wrong}
    fields = list(wrong)
    for error in _schema(_SCHEMAS[_local(answer)]).iter_errors(answer):
        # The validator's own sentences quote the document, so only the place is taken.
        path = _path(error.elem, answer) if error.elem is not None else None
        if path is not None and path not in known:
            known.add(path)
            fields.append(WrongField(path, "pattern"))
        if len(fields) >= MOST_WRONG:
            break
    return tuple(fields)


def _path(element: object, root: etree._Element) -> str | None:
    names: list[str] = []
    at: etree._Element | None = element  # type: ignore[assignment] # an lxml tree in, an lxml element out
    while at is not None:
        name = _local(at)
        if name == _REPEATING:
            name += f"[{sum(1 for _ in at.itersiblings(at.tag, preceding=True)) + 1}]"
        names.append(name)
        if at is root:
            return "/".join(reversed(names))
        at = at.getparent()
    return None


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


@cache
def _schema(name: str) -> XMLSchema10:
    from xmlschema import XMLSchema10  # noqa: PLC0415 - a third of a second that only a broken answer should cost

    return XMLSchema10(population.file(name).read_text(encoding="utf-8"), allow="none", defuse="always")
