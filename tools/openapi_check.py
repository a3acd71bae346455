#!/usr/bin/env python3
"""Hold the OpenAPI document to what it promises.

    tools/openapi_check.py              check; 0 all is well, 1 something is not
    tools/openapi_check.py --write      write `gateway/api/openapi.json` from the code first
    tools/openapi_check.py --release    and if all is well, make it the released document that later ones may not break

Checked: the committed document is the one that the code gives; it is valid OpenAPI; every operation has an example for
its answer and its body, and every example fits its schema; nothing breaks a caller of the released document.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.api.app import api
from tools.openapi_breaking import METHODS, breaking
from tools.openapi_schemas import resolve

ROOT = Path(__file__).resolve().parent.parent
CURRENT = ROOT / "gateway" / "api" / "openapi.json"
RELEASED = ROOT / "gateway" / "api" / "openapi.released.json"

Document = Mapping[str, Any]


def generated() -> str:
    """Return the document that the code gives, as it is committed."""
    return json.dumps(api().openapi(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def problems(current: Path, released: Path) -> Iterator[str]:
    """Yield everything that is wrong, a sentence each."""
    if not current.exists():
        yield f"{current.name} is not there: run with --write"
        return
    text = current.read_text(encoding="utf-8")
    if text != generated():
        yield f"{current.name} is not what the code gives: run with --write and look at the difference"
    document = json.loads(text)
    for error in OpenAPIV31SpecValidator(document).iter_errors():
        yield f"not valid OpenAPI 3.1: {'/'.join(map(str, error.absolute_path))}: {error.message}"
    yield from examples(document)
    if released.exists():
        for finding in breaking(json.loads(released.read_text(encoding="utf-8")), document):
            yield f"breaks callers of {released.name}: {finding}"


def examples(document: Document) -> Iterator[str]:
    """Yield where an example is missing or does not fit its schema."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation, where = item[method], f"{method.upper()} {path}"
            parts = [("request", resolve(document, operation.get("requestBody", {})))]
            parts += [(status, resolve(document, answer)) for status, answer in operation["responses"].items()]
            for name, part in parts:
                needed = name == "request" or name.startswith("2")
                for media in part.get("content", {}).values():
                    yield from _fitting(document, f"{where} {name}", media, needed=needed)


def _fitting(document: Document, where: str, media: Document, *, needed: bool) -> Iterator[str]:
    values = [resolve(document, named).get("value") for named in media.get("examples", {}).values()]
    values += [media["example"]] if "example" in media else []
    if not values and needed:
        yield f"{where}: no example"
    validator = Draft202012Validator({**media.get("schema", {}), "components": document.get("components", {})})
    for value in values:
        for error in validator.iter_errors(value):
            yield f"{where}: the example does not fit: {error.json_path}: {error.message}"


def main(arguments: list[str] | None = None) -> int:
    """Do what is asked, say what is wrong, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--release", action="store_true")
    options = parser.parse_args(arguments)
    if options.write or options.release:
        CURRENT.write_text(generated(), encoding="utf-8")
    found = list(problems(CURRENT, RELEASED))
    for line in found:
        sys.stdout.write(f"{line}\n")
    if found:
        return 1
    if options.release:
        RELEASED.write_text(CURRENT.read_text(encoding="utf-8"), encoding="utf-8")
    sys.stdout.write("The OpenAPI document keeps its promises.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
