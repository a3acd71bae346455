from __future__ import annotations

import ast
import json
import re
import string
import unicodedata
from pathlib import Path
from typing import TypeGuard

import pytest

from contracts.model import Kind, Layer
from contracts.texts import Language, catalogue
from gateway.api import problems

ROOT = Path(__file__).parents[2]
SLUG = re.compile(r"[a-z]+(_[a-z0-9]+)+|busy|paused|recovering|redirected")
FAILURES = {
    "NotSent",
    "InvalidRequest",
    "CredentialRefused",
    "CallerRefused",
    "Busy",
    "UnknownOutcome",
    "PlatformFailed",
    "SystemFailed",
    "Rejected",
    "AlreadyDone",
    "ContractBroken",
}


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def reasons_in_code() -> set[str]:
    """Every reason that code can give a failure, and every one of a partner's code tables."""
    found = set()
    for package in ("adapters", "gateway"):
        for path in (ROOT / package).rglob("*.py"):
            if path.parent.name != "api":  # refusals at the door have a table of their own
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    found |= {reason for reason in _given(node) if SLUG.fullmatch(reason)}
    for path in (ROOT / "contracts").rglob("*.json"):
        found |= set(_reasons(json.loads(path.read_text(encoding="utf-8"))))
    return found


def _given(node: ast.AST) -> list[str]:
    """Return the reasons that one piece of syntax gives: in a call, a tuple with a layer, an assignment, a table."""
    found: list[str] = []
    match node:
        case ast.Call(func=ast.Name(id=name), args=[reason, *_]) if name in FAILURES:
            found = _constants(reason)
        case ast.Call(func=ast.Attribute(attr="_refuse"), args=[_, reason, *_]):
            found = _constants(reason)
        case ast.Tuple(elts=elements) if any(_is_layer(element) for element in elements):
            found = [element.value for element in elements if _is_text(element)]
        case ast.Assign(targets=[ast.Name(id="reason")], value=value):
            found = _constants(value)
        case ast.AnnAssign(value=ast.Dict(keys=[ast.Attribute(value=ast.Name(id="Step")), *_], values=values)):
            found = [value.value for value in values if _is_text(value)]
        case ast.FunctionDef(name=name, returns=ast.Name(id="str"), body=body) if "reason" in name:
            returned = [part.value for line in body for part in ast.walk(line) if isinstance(part, ast.Return)]
            found = [reason for value in returned if value is not None for reason in _constants(value)]
    return found


def _is_layer(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Layer"


def _is_text(node: ast.expr) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _constants(node: ast.expr) -> list[str]:
    return [part.value for part in ast.walk(node) if _is_text(part)]


def _reasons(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["reason"]] if isinstance(node.get("reason"), str) else []
        return own + [reason for value in node.values() for reason in _reasons(value)]
    if isinstance(node, list):
        return [reason for value in node for reason in _reasons(value)]
    return []


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    """A text that exists in one language exists in the other, with the same things to fill in (but a name)."""
    vietnamese, english = catalogue(Language.VI), catalogue(Language.EN)
    assert vietnamese.keys() == english.keys()
    for key, template in vietnamese.items():
        assert placeholders(template) - {"system"} == placeholders(english[key]) - {"system"}, key


@pytest.mark.parametrize("language", Language)
def test_every_kind_layer_and_refusal_has_its_sentences(language: Language) -> None:
    """Nothing that a caller can meet is without a sentence."""
    texts = catalogue(language)
    wanted = {f"kind.{kind}.{part}" for kind in Kind for part in ("what", "next")}
    wanted |= {f"party.{layer}" for layer in Layer}
    wanted |= {f"refusal.{reason}.{part}" for reason in problems.REFUSAL_STATUS for part in ("what", "next")}
    wanted |= {f"field.{reason}" for reason in (*problems.FIELD_REASONS.values(), "invalid")}
    assert wanted - texts.keys() == set()


@pytest.mark.parametrize("language", Language)
def test_every_reason_in_the_code_has_a_sentence_of_its_own(language: Language) -> None:
    """A reason that code or a fault table can give is told in its own words, not only in those of its kind."""
    assert {reason for reason in reasons_in_code() if f"reason.{reason}.what" not in catalogue(language)} == set()


@pytest.mark.parametrize("language", Language)
def test_no_sentence_is_for_a_reason_that_nobody_gives(language: Language) -> None:
    """The catalogue holds no dead sentences."""
    told = {key.split(".")[1] for key in catalogue(language) if key.startswith("reason.")}
    source = "".join(
        path.read_text(encoding="utf-8")
        for package in ("adapters", "gateway", "contracts")
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".json"}
    )
    assert {reason for reason in told if f'"{reason}"' not in source} == set()


def test_vietnamese_is_composed_and_ends_like_a_sentence() -> None:
    """Vietnamese texts are NFC, so that they compare and print alike everywhere; sentences end in a full stop."""
    for key, template in catalogue(Language.VI).items():
        assert unicodedata.is_normalized("NFC", template), key
        if key.endswith((".what", ".next")):
            assert template.endswith("."), key


@pytest.mark.parametrize("language", Language)
def test_every_reason_of_a_wrong_field_has_its_words(language: Language) -> None:
    """A field that an adapter calls wrong is told in words, in both languages."""
    given = set()
    for path in (ROOT / "adapters").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "WrongField":
                given |= {reason for argument in node.args[1:2] for reason in _constants(argument)}
    assert len(given) >= 5
    assert {reason for reason in given if f"field.{reason}" not in catalogue(language)} == set()
