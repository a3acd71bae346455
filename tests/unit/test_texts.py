from __future__ import annotations

import ast
import json
import string
import unicodedata
from pathlib import Path

import pytest

from contracts.model import Kind, Layer
from contracts.texts import Language, catalogue
from gateway.api import problems

ROOT = Path(__file__).parents[2]
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
    """Every literal reason that a failure is made with, and every reason of a partner's fault table."""
    found = set()
    for package in ("adapters", "gateway"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in FAILURES:
                    first = node.args[0] if node.args else None
                    if isinstance(first, ast.Constant):
                        found.add(first.value)
    for table in ("contracts/xroad/faults.json", "contracts/population/codes/faults.json"):
        path = ROOT / table
        if path.exists():
            found |= set(_reasons(json.loads(path.read_text(encoding="utf-8"))))
    return found


def _reasons(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["reason"]] if isinstance(node.get("reason"), str) else []
        return own + [reason for value in node.values() for reason in _reasons(value)]
    if isinstance(node, list):
        return [reason for value in node for reason in _reasons(value)]
    return []


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    """A text that exists in one language exists in the other, with the same things to fill in."""
    vietnamese, english = catalogue(Language.VI), catalogue(Language.EN)
    assert vietnamese.keys() == english.keys()
    for key, template in vietnamese.items():
        assert placeholders(template) == placeholders(english[key]), key


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
