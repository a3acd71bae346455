"""Whether every value of one JSON schema is a value of another, as far as OpenAPI documents need to know.

A request may only become wider (the new schema takes whatever the old one took), a response only narrower (the new
schema gives nothing that the old one could not give). Both are the same question with the sides exchanged, except that
a response may always gain a field and may not lose one.

Understood: references, types, listed values, `anyOf`, `oneOf`, `allOf`, objects, arrays and bounds; and that `^(a|b)$`
has every text of `^a$`. Every other keyword is compared for equality, so that one which is not understood is reported
rather than passed over.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Schema = Mapping[str, Any]

# Tightening one of these refuses values that passed before: the first group by rising, the second by falling.
FLOORS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
CEILINGS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = (
    "pattern",
    "format",
    "multipleOf",
    "uniqueItems",
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "contains",
    "contentEncoding",
    "contentMediaType",
)
SAID_ELSEWHERE = {"type", "enum", "const", "properties", "required", "additionalProperties", "items", "prefixItems"}
SPEAK_TO_PEOPLE = {
    *("title", "description", "examples", "example", "default", "deprecated", "readOnly", "writeOnly"),
    *("externalDocs", "discriminator", "$comment", "$id", "$schema", "$defs", "xml"),
}
KNOWN = {*FLOORS, *CEILINGS, *EXACT, *SAID_ELSEWHERE, *SPEAK_TO_PEOPLE, "anyOf", "oneOf", "allOf", "$ref"}


class Side(Enum):
    """Which way the values travel."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True, order=True)
class Finding:
    """One breaking change: where it is, and what breaks."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Comparison:
    """The two documents, for their references, and the way in which the values travel."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    side: Side

    def compare(self, where: str, old: Any, new: Any) -> Iterator[Finding]:
        """Yield what breaks when `old` becomes `new`."""
        yield from self._compare(where, old, new, frozenset())

    def _compare(self, where: str, old: Any, new: Any, seen: frozenset[tuple[str, str]]) -> Iterator[Finding]:
        pair = (_reference(old), _reference(new))
        if all(pair):  # only where both sides are references can the descent go in circles
            if pair in seen:
                return
            seen |= {pair}
        olds, news = list(_alternatives(self.old, old)), list(_alternatives(self.new, new))
        inner, outer = (olds, news) if self.side is Side.REQUEST else (news, olds)
        for one in inner:
            yield from self._fits(where, one, outer, seen)

    def _fits(
        self, where: str, one: Schema, among: list[Schema], seen: frozenset[tuple[str, str]]
    ) -> Iterator[Finding]:
        """Yield nothing when `one` lies within some schema of `among`, else what keeps it out of the nearest."""
        nearest: list[Finding] | None = None
        for other in among:
            if not _same_type(one, other):
                continue
            old, new = (one, other) if self.side is Side.REQUEST else (other, one)
            findings = list(self._plain(where, old, new, seen))
            if not findings:
                return
            if nearest is None or len(findings) < len(nearest):
                nearest = findings
        if nearest is not None:
            yield from nearest
        elif self.side is Side.REQUEST:
            yield Finding(where, f"{_name(one)} is no longer accepted")
        else:
            yield Finding(where, f"may now be {_name(one)}")

    def _plain(self, where: str, old: Schema, new: Schema, seen: frozenset[tuple[str, str]]) -> Iterator[Finding]:
        yield from self._values(where, old, new)
        yield from self._bounds(where, old, new)
        if "properties" in old or "properties" in new or "additionalProperties" in old or "additionalProperties" in new:
            yield from self._object(where, old, new, seen)
        if "items" in old or "items" in new:
            yield from self._compare(f"{where}[]", old.get("items", True), new.get("items", True), seen)
        if "prefixItems" in old or "prefixItems" in new:
            olds, news = old.get("prefixItems", []), new.get("prefixItems", [])
            if len(olds) != len(news):
                yield Finding(where, f"has {len(news)} fixed items instead of {len(olds)}")
            for number, (before, after) in enumerate(zip(olds, news, strict=False)):
                yield from self._compare(f"{where}[{number}]", before, after, seen)

    def _values(self, where: str, old: Schema, new: Schema) -> Iterator[Finding]:
        inner, outer = (old, new) if self.side is Side.REQUEST else (new, old)
        allowed, given = _enum(outer), _enum(inner)
        if allowed is None:
            return
        if given is None:
            if self.side is Side.REQUEST:
                yield Finding(where, f"takes only {_listed(allowed)} now")
            else:
                yield Finding(where, "is no longer limited to its listed values")
            return
        extra = [value for value in given if value not in allowed]
        if extra and self.side is Side.REQUEST:
            yield Finding(where, f"{_listed(extra)} is no longer accepted")
        elif extra:
            yield Finding(where, f"may now be {_listed(extra)}")

    def _bounds(self, where: str, old: Schema, new: Schema) -> Iterator[Finding]:
        inner, outer = (old, new) if self.side is Side.REQUEST else (new, old)
        finite = _enum(inner) is not None  # listed values have been compared one by one
        for keys, tighter in ((FLOORS, operator.lt), (CEILINGS, operator.gt)):
            for key in keys:
                limit = outer.get(key)
                if limit is not None and not finite and (inner.get(key) is None or tighter(inner[key], limit)):
                    yield Finding(where, f"{key} went from {old.get(key, 'none')} to {new.get(key, 'none')}")
        unknown = sorted((old.keys() | new.keys()) - KNOWN - {key for key in (*old, *new) if key.startswith("x-")})
        for key in (*EXACT, *unknown):
            asked = outer.get(key)
            if key == "pattern" and asked is not None and _one_of_its_forms(inner.get(key), asked):
                continue
            if asked is not None and asked is not False and not finite and inner.get(key) != asked:
                yield Finding(where, f"{key} went from {old.get(key, 'none')} to {new.get(key, 'none')}")

    def _object(self, where: str, old: Schema, new: Schema, seen: frozenset[tuple[str, str]]) -> Iterator[Finding]:
        olds, news = old.get("properties", {}), new.get("properties", {})
        was, now = set(old.get("required", ())), set(new.get("required", ()))
        for name, before in olds.items():
            if name in news:
                yield from self._compare(f"{where}.{name}", before, news[name], seen)
            else:
                yield Finding(f"{where}.{name}", f"{self.side.value} field removed")
        if self.side is Side.REQUEST:
            for name in sorted(now - was):
                yield Finding(
                    f"{where}.{name}", "request field is required now" if name in olds else "new required request field"
                )
            if new.get("additionalProperties") is False and old.get("additionalProperties", True) is not False:
                yield Finding(where, "further fields are refused now")
        else:
            for name in sorted((was - now) & news.keys()):
                yield Finding(f"{where}.{name}", "response field may be missing now")
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from self._compare(f"{where}.*", before, after, seen)
        elif self.side is Side.REQUEST and isinstance(after, Mapping) and before is True:
            yield from self._compare(f"{where}.*", {}, after, seen)


def _one_of_its_forms(inner: str | None, outer: str) -> bool:
    """Return whether `outer` is `^(one|another)$`, and `inner` one of these, letter by letter, between `^` and `$`."""
    if inner is None or not (outer.startswith("^(") and outer.endswith(")$")):
        return False
    forms, depth = [""], 0
    for sign in re.findall(r"\\.|\[(?:\\.|[^\]])*\]|.", outer[2:-2], re.DOTALL):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            return False
        if sign == "|" and depth == 0:
            forms.append("")
        else:
            forms[-1] += sign
    return inner in {f"^{form}$" for form in forms}


def resolve(document: Mapping[str, Any], value: Any) -> Any:
    """Follow `$ref` within `document`. Raises `KeyError` for a reference that leads nowhere."""
    while _reference(value):
        target: Any = document
        for part in _reference(value).removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        value = target
    return value


def _reference(value: Any) -> str:
    return str(value["$ref"]) if isinstance(value, Mapping) and "$ref" in value else ""


def _alternatives(document: Mapping[str, Any], schema: Any) -> Iterator[Schema]:
    """Yield the schemas of which a value must fit one, each with at most one type and without `anyOf`."""
    schema = resolve(document, schema)
    if schema is True:
        schema = {}
    if schema is False:
        return
    schema = _merged(document, schema)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            rest = {name: value for name, value in schema.items() if name != key}
            for choice in schema[key]:
                for one in _alternatives(document, choice):
                    yield from _alternatives(document, {**rest, **one})
            return
    kinds = schema.get("type")
    if isinstance(kinds, list):
        for kind in kinds:
            yield {**schema, "type": kind}
    else:
        yield schema


def _merged(document: Mapping[str, Any], schema: Schema) -> Schema:
    """Fold `allOf` into one schema."""
    if "allOf" not in schema:
        return schema
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        piece = _merged(document, resolve(document, part))
        merged = {
            **merged,
            **piece,
            "properties": {**merged.get("properties", {}), **piece.get("properties", {})},
            "required": [*merged.get("required", []), *piece.get("required", [])],
        }
    return merged


def _same_type(one: Schema, other: Schema) -> bool:
    """Whether a value of `one` can be a value of `other`, as far as the types tell."""
    given, asked = _type(one), _type(other)
    return asked is None or given == asked or (given == "integer" and asked == "number")


def _type(schema: Schema) -> str | None:
    kind = schema.get("type")
    if kind is None and "const" in schema and schema["const"] is None:
        return "null"
    return kind


def _enum(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return None if values is None else list(values)


def _name(schema: Schema) -> str:
    if "const" in schema or "enum" in schema:
        return _listed(_enum(schema) or [])
    return str(schema.get("title") or schema.get("type") or "anything")


def _listed(values: list[Any]) -> str:
    return ", ".join(repr(value) for value in values)
