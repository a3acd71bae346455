"""What the current OpenAPI document breaks for callers of the released one. Pure; `tools/openapi_check.py` runs it.

A breaking change needs a new major version of the interface beside the old one, so there is no way to allow one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.openapi_schemas import Comparison, Finding, Side, resolve

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
IDENTITY = ("operationId", "x-required-scope")  # generated clients are named after the one, keys carry the other
SCHEME_KEYS = ("type", "scheme", "in", "name", "openIdConnectUrl")

Document = Mapping[str, Any]


def breaking(old: Document, new: Document) -> list[Finding]:
    """Return every change from `old` to `new` that breaks a caller of `old`."""
    findings = [*_schemes(old, new)]
    news = {_template(path): item for path, item in new.get("paths", {}).items()}
    for path, before in old.get("paths", {}).items():
        after = news.get(_template(path))
        if after is None:
            findings.append(Finding(path, "path removed"))
            continue
        for method in METHODS:
            if method not in before:
                continue
            where = f"{method.upper()} {path}"
            if method in after:
                findings += _operation(where, (old, before, before[method]), (new, after, after[method]))
            else:
                findings.append(Finding(where, "operation removed"))
    return sorted(set(findings))


def _operation(
    where: str, old: tuple[Document, Document, Document], new: tuple[Document, Document, Document]
) -> Iterator[Finding]:
    (old_document, old_item, before), (new_document, new_item, after) = old, new
    for key in IDENTITY:
        if before.get(key) != after.get(key):
            yield Finding(where, f"{key} went from {before.get(key)} to {after.get(key)}")
    request = Comparison(old_document, new_document, Side.REQUEST)
    response = Comparison(old_document, new_document, Side.RESPONSE)
    yield from _parameters(
        where, request, _by_name(old_document, old_item, before), _by_name(new_document, new_item, after)
    )
    yield from _body(
        where,
        request,
        resolve(old_document, before.get("requestBody")),
        resolve(new_document, after.get("requestBody")),
    )
    yield from _responses(where, response, before.get("responses", {}), after.get("responses", {}))
    yield from _security(
        where,
        before.get("security", old_document.get("security", [])),
        after.get("security", new_document.get("security", [])),
    )


def _parameters(where: str, comparison: Comparison, old: Document, new: Document) -> Iterator[Finding]:
    for key, before in old.items():
        after = new.get(key)
        place = f"{where} {key}"
        if after is None:
            yield Finding(place, "parameter removed")
            continue
        if after.get("required", False) and not before.get("required", False):
            yield Finding(place, "parameter is required now")
        yield from comparison.compare(place, before.get("schema", True), after.get("schema", True))
    for key, after in new.items():
        if key not in old and after.get("required", False):
            yield Finding(f"{where} {key}", "new required parameter")


def _body(where: str, comparison: Comparison, old: Document | None, new: Document | None) -> Iterator[Finding]:
    place = f"{where} request"
    if old is None:
        if new is not None and new.get("required", False):
            yield Finding(place, "a body is required now")
        return
    if new is None:
        yield Finding(place, "body removed")
        return
    if new.get("required", False) and not old.get("required", False):
        yield Finding(place, "a body is required now")
    yield from _content(place, comparison, old.get("content", {}), new.get("content", {}))


def _responses(where: str, comparison: Comparison, old: Document, new: Document) -> Iterator[Finding]:
    for status, before in old.items():
        place = f"{where} {status}"
        if status not in new:
            yield Finding(place, "status removed")
            continue
        first, second = resolve(comparison.old, before), resolve(comparison.new, new[status])
        yield from _content(place, comparison, first.get("content", {}), second.get("content", {}))
        headers = {name.lower() for name in second.get("headers", {})}
        for name in first.get("headers", {}):
            if name.lower() not in headers:
                yield Finding(place, f"header {name} removed")


def _content(where: str, comparison: Comparison, old: Document, new: Document) -> Iterator[Finding]:
    for media, before in old.items():
        if media not in new:
            yield Finding(where, f"media type {media} removed")
        else:
            yield from comparison.compare(where, before.get("schema", True), new[media].get("schema", True))


def _security(where: str, old: list[Document], new: list[Document]) -> Iterator[Finding]:
    """Whoever could call before must still be able to: some new way asks no more than the way they used."""
    if not new:
        return
    for way in old or [{}]:
        if not any(
            all(set(scopes) <= set(way.get(name, ())) and name in way for name, scopes in one.items()) for one in new
        ):
            yield Finding(where, f"a caller with {_way(way)} is no longer let in; needs {' or '.join(map(_way, new))}")


def _schemes(old: Document, new: Document) -> Iterator[Finding]:
    olds = old.get("components", {}).get("securitySchemes", {})
    news = new.get("components", {}).get("securitySchemes", {})
    for name, before in olds.items():
        after = news.get(name)
        if after is not None:
            for key in SCHEME_KEYS:
                if str(before.get(key)).lower() != str(after.get(key)).lower():
                    yield Finding(f"security scheme {name}", f"{key} went from {before.get(key)} to {after.get(key)}")


def _by_name(document: Document, item: Document, operation: Document) -> dict[str, Document]:
    """Return the parameters of an operation and its path. Path parameters go by position: their names are ours."""
    found: dict[str, Document] = {}
    for value in (*item.get("parameters", ()), *operation.get("parameters", ())):
        parameter = resolve(document, value)
        place, name = parameter["in"], str(parameter["name"])
        if place == "header":
            name = name.lower()
        if place != "path":
            found[f"{place} parameter {name}"] = parameter
    return found


def _template(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _way(way: Document) -> str:
    return " and ".join(f"{name}{list(scopes) if scopes else ''}" for name, scopes in way.items()) or "no key"
