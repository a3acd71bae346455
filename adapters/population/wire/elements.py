"""Reading elements of the service's answers: known ones by name, others kept, wrong ones remembered by their path.

Knows nothing of citizens; see `record`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from lxml import etree

from contracts.model import Unread, WrongField

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    Found: TypeAlias = dict[str, etree._Element]  # noqa: SLF001 - the only name lxml gives its elements

MOST_WRONG: Final = 50
NAMESPACES: Final = ("http://www.mic.gov.vn/dancu/1.0", "http://dancuquocgia.bca", "")


def tags(*names: str) -> dict[str, str]:
    """Return qualified tag → local name, for each of `names` in each namespace of the service, and in none."""
    return {f"{{{space}}}{name}" if space else name: name for space in NAMESPACES for name in names}


@dataclass(slots=True)
class Elements:
    """Reads one answer.

    `wrong` is what breaks the contract, by path; `unread` what has no field; `unknown` the names of unknown elements.
    """

    wrong: dict[str, WrongField] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def refuse(self, path: str, reason: str) -> None:
        """Remember that the element at `path` is wrong; the first reason stays, and past a few dozen it is enough."""
        if len(self.wrong) < MOST_WRONG:
            self.wrong.setdefault(path, WrongField(path, reason))

    def each(self, element: etree._Element, path: str, known: Mapping[str, str]) -> list[etree._Element]:
        """Return the known children in order, and keep the others."""
        if element.text and element.text.strip():
            self.refuse(path, "invalid")
        children = []
        for child in element:
            tag = child.tag
            if tag in known:
                children.append(child)
            elif isinstance(tag, str):
                self.keep(child, path)
        return children

    def children(self, element: etree._Element, path: str, known: Mapping[str, str]) -> Found:
        """Return the known children by local name; one that stands twice is wrong, for nobody says which one counts."""
        found: Found = {}
        for child in self.each(element, path, known):
            name = known[child.tag]
            if name in found:
                self.refuse(f"{path}/{name}", "repeated")
            else:
                found[name] = child
        return found

    def keep(self, element: etree._Element, path: str) -> None:
        """Remember an element that no field has room for."""
        name = etree.QName(element).localname
        content = etree.tostring(element, encoding="unicode", with_tail=False) if len(element) else element.text
        self.unread.append(Unread(f"{path}/{name}", (content or "").strip()))
        self.unknown.append(name)

    def text(self, found: Found, name: str, path: str) -> str | None:
        """Return the text of a simple element, without space around it, or `None` where it is absent or empty."""
        element = found.get(name)
        if element is None:
            return None
        if len(element):
            self.refuse(f"{path}/{name}", "invalid")
            return None
        return (element.text or "").strip() or None

    def formed(self, found: Found, name: str, path: str, form: re.Pattern[str]) -> str | None:
        """Return the text as `text` does, and refuse one that is not of the form."""
        text = self.text(found, name, path)
        if text is not None and not form.fullmatch(text):
            self.refuse(f"{path}/{name}", "pattern")
            return None
        return text
