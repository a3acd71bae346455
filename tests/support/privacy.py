"""Searches what a test run left behind for people: every name and number of the worlds that the tests use.

A name is found as written, without diacritics, in any case, with any sign between its words, and joined into one word;
also behind the escapes of JSON, XML, URLs and Python. A number is found by its form, wherever it stands alone, and by
itself anywhere. What is found is told by place and rule, never by value.
"""

from __future__ import annotations

import html
import re
import sqlite3
import unicodedata
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from lxml import etree

from contracts import population
from mocks.world import generate
from tests.support import artifacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

DEFAULT_WORLD: Final = (1, 5000)
"""What `python -m mocks` makes without being told: seed and size."""

SHORTEST_JOINED: Final = 8
FEWEST_WORDS: Final = 2
SHORTEST_PLAIN: Final = 5
"""Letters that a name without diacritics has at least: fewer come together by chance in ids and digests."""
_TOKEN: Final = re.compile(r"[^\W_]+")
_LETTERS: Final = re.compile(r"[^\W\d_]{8,}")
_TAG: Final = re.compile(r"<[^<>]{1,200}>")
_FORMED: Final = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)(?<![0-9a-f]{4}-)999(?:[0-9]{9}|[0-9]{6})(?![0-9A-Za-z])")
_LONG: Final = re.compile(r"[0-9]{9,}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
"""Drawn by chance, and so many that one of them would hold a short number sooner or later."""
_NUMBER_DIGITS: Final = (12, 9)
_ESCAPED: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}")
_STROKES: Final = str.maketrans({"đ": "d", "Đ": "D"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Somebody was found: in which artifact, on which line, by which rule. The value is not told again."""

    artifact: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.artifact}:{self.line}: {self.rule}"


@dataclass(slots=True)
class Known:
    """The people who are searched for."""

    names: set[str] = field(default_factory=set)
    """Words in lower case with single spaces, with diacritics and without."""
    joined: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    longest: dict[str, int] = field(default_factory=dict)
    """First word → the most words that a name beginning with it has."""

    def add_name(self, name: str) -> None:
        """Search for `name` in each of its forms, unless it is too short to be told from other words."""
        whole = unicodedata.normalize("NFC", name).lower()
        for form in (whole, folded(whole)):
            words = _TOKEN.findall(form)
            letters = "".join(words)
            if len(words) < FEWEST_WORDS or (letters.isascii() and len(letters) < SHORTEST_PLAIN):
                continue
            self.names.add(" ".join(words))
            self.longest[words[0]] = max(len(words), self.longest.get(words[0], 0))
            if len(letters) >= SHORTEST_JOINED:
                self.joined.add(letters)

    def add_number(self, number: str | None) -> None:
        """Search for a number."""
        if number is not None:
            self.numbers.add(number)


def folded(text: str) -> str:
    """Return `text` without diacritics."""
    letters = unicodedata.normalize("NFD", text.translate(_STROKES))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def known(worlds: Iterable[tuple[int, int]] = ()) -> Known:
    """Return the people of the default world, of `worlds` (seed and size), and of the contract's examples."""
    people = Known()
    for seed, size in {DEFAULT_WORLD, *worlds}:
        world = generate(seed, size)
        for citizen in world.citizens:
            kin = [one for one in (citizen.father, citizen.mother, citizen.spouse, citizen.guardian) if one]
            for name in (citizen.name, *(one.name for one in kin)):
                people.add_name(name)
            for number in (citizen.number, citizen.card, *(n for one in kin for n in (one.number, one.card))):
                people.add_number(number)
    for name, number in examples():
        people.add_name(name)
        people.add_number(number)
    return people


def examples() -> Iterator[tuple[str, str | None]]:
    """Yield the names in the contract's example messages, each with the number beside it."""
    for name in sorted(entry.name for entry in population.file("examples").iterdir() if entry.name.endswith(".xml")):
        root = etree.fromstring(population.file(f"examples/{name}").read_bytes())
        for element in root.iter("{*}HoVaTen"):
            parts = [str(text).strip() for text in element.itertext()]
            owner = element.getparent()
            beside = () if owner is None else owner.iterchildren("{*}SoDinhDanh", "{*}SoCMND")
            for number in [child.text for child in beside] or [None]:
                yield " ".join(part for part in parts if part), number or None


class Search:
    """Looks for known people. A line that names nobody is looked at once, however many databases it stands in."""

    def __init__(self, people: Known) -> None:
        self._people = people
        self._of_nobody: set[str] = set()

    def file(self, file: Path, name: str) -> Iterator[Finding]:
        """Yield every finding in one file; a database is read table by table as well."""
        content = file.read_bytes()
        text = content.decode("utf-8", "replace")
        yield from self.text(text, name)
        if artifacts.is_database(file):
            yield from self.text(_dump(file), f"{name} (dump)")

    def text(self, text: str, name: str) -> Iterator[Finding]:
        """Yield every finding in a text, at most one for each rule and line."""
        for number, line in enumerate(text.splitlines(), start=1):
            if line in self._of_nobody:
                continue
            rules = {rule for spelling in spellings(line) for rule in self._rules(spelling)}
            if not rules:
                self._of_nobody.add(line)
            for rule in rules:
                yield Finding(name, number, rule)

    def _rules(self, line: str) -> Iterator[str]:
        """Yield the rules that find somebody in `line`."""
        people = self._people
        if _FORMED.search(line):
            yield "a number of the form 999…"
        for run in _LONG.findall(_UUID.sub("-", line)):
            if any(run[at : at + 12] in people.numbers for at in range(len(run) - 11)) or run in people.numbers:
                yield "a seeded number"
        lower = line.lower()
        if not people.joined.isdisjoint(_LETTERS.findall(lower)):
            yield "a seeded name, joined"
        words = _TOKEN.findall(lower)
        for at, word in enumerate(words):
            most = people.longest.get(word, 0)
            if any(" ".join(words[at : at + many]) in people.names for many in range(FEWEST_WORDS, most + 1)):
                yield "a seeded name"


def _dump(database: Path) -> str:
    """Return every row as text; nothing where a test has damaged the database, whose bytes have been searched."""
    with closing(sqlite3.connect(database)) as connection:
        try:
            return "\n".join(connection.iterdump())
        except sqlite3.DatabaseError:
            return ""


def spellings(line: str) -> Iterator[str]:
    """Yield `line` in NFC, and again without the escapes and tags in it where there are any."""
    yield (plain := unicodedata.normalize("NFC", line))
    other = plain
    if "%" in other:
        other = unquote(other, errors="replace")
    if _ESCAPED.search(other):
        other = _unescaped(other)
    if "&" in other:
        other = html.unescape(other)
    if "<" in other:
        other = _TAG.sub(" ", other)
    if other != plain:
        yield unicodedata.normalize("NFC", other)


def _unescaped(text: str) -> str:
    r"""Return `text` with `\uXXXX` (JSON, Python) and runs of `\xNN` (the repr of bytes, in UTF-8) resolved."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(
        r"(?:\\x[0-9a-fA-F]{2})+",
        lambda found: bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "replace"),
        text,
    )
