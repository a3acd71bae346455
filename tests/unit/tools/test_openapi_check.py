from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from tools import openapi_check

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def document() -> dict[str, Any]:
    """Return a small valid document."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}, "example": {"count": None}}}
    answer = {"description": "ok", "content": content}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": answer, "500": {"description": "a defect"}}}}},
        "components": {
            "schemas": {
                "Answer": {
                    "type": "object",
                    "required": ["count"],
                    "properties": {"count": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
                }
            }
        },
    }


def _content(document: dict[str, Any]) -> dict[str, Any]:
    return document["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]  # type: ignore[no-any-return]


def test_examples_fit(document: dict[str, Any]) -> None:
    """An example that the schema accepts is not complained about, null included."""
    assert list(openapi_check.examples(document)) == []


def test_example_missing(document: dict[str, Any]) -> None:
    """Every operation shows what it answers."""
    del _content(document)["example"]
    assert list(openapi_check.examples(document)) == ["GET /a 200: no example"]


def test_example_wrong(document: dict[str, Any]) -> None:
    """An example that a caller could not receive is named with its place."""
    _content(document)["example"] = {"count": "three"}
    (line,) = openapi_check.examples(document)
    assert line.startswith("GET /a 200: the example does not fit: $.count")


def test_release(
    tmp_path: Path, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first document is released as it is; a later one only when it breaks nothing."""
    current, released = tmp_path / "openapi.json", tmp_path / "openapi.released.json"
    monkeypatch.setattr(openapi_check, "CURRENT", current)
    monkeypatch.setattr(openapi_check, "RELEASED", released)
    given = copy.deepcopy(document)
    monkeypatch.setattr(openapi_check, "generated", lambda: json.dumps(given))

    assert openapi_check.main([]) == 1
    assert openapi_check.main(["--release"]) == 0
    assert openapi_check.main([]) == 0

    given["paths"]["/b"] = given["paths"].pop("/a")
    assert openapi_check.main([]) == 1
    assert openapi_check.main(["--release"]) == 1
    assert "/a" in json.loads(released.read_text())["paths"]
    assert "breaks callers of openapi.released.json: /a: path removed" in capsys.readouterr().out
