"""A dossier in the API's words: complete against the portal, changed in nothing, every wrong field named at once."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.portal import Portal
from contracts import portal as contract
from contracts.model import DossierCode
from contracts.model.dossier import (
    Document,
    Dossier,
    DossierInvalid,
    DossierProgress,
    Fee,
    Paper,
    ProgressStep,
    Result,
    Supplement,
    members,
)
from gateway.api.problems import FIELD_REASONS, wrong_fields
from gateway.api.schemas.dossier_parts import (
    DocumentV1,
    FeeV1,
    PaperV1,
    ProgressStepV1,
    ResultV1,
    SupplementV1,
)
from gateway.api.schemas.dossiers import DossierV1
from gateway.api.schemas.sayable import Handed, Sayable
from tests.support import portal_adapter
from tests.support.portal_adapter import DOSSIERS, FULL, PLAIN, PROGRESS, STEPS

CODE = DossierCode("H99.5-260302-0017")
SCHEMAS: dict[str, type[Sayable]] = {
    "dossier": DossierV1,
    "document": DocumentV1,
    "fee": FeeV1,
    "paper": PaperV1,
    "supplement": SupplementV1,
    "result": ResultV1,
    "step": ProgressStepV1,
}
MODELS: dict[str, type[Any]] = {
    "dossier": Dossier,
    "document": Document,
    "fee": Fee,
    "paper": Paper,
    "supplement": Supplement,
    "result": Result,
    "step": ProgressStep,
}
FIELDS = json.loads(contract.file("fields.json").read_text(encoding="utf-8"))["fields"]
INSIDE = {"number": ("dossier", "owner_numbers"), "database": ("dossier", "databases")}
"""Objects of the portal that are plain values here."""
NO_FILES = Portal(portal_adapter.settings(attachment_bases=[], newer_fields=False), None).refuses  # type: ignore[arg-type]


def read(content: Any, refuses: Any = None) -> DossierV1:
    """Read a dossier as the API does."""
    context = None if refuses is None else Handed(str(CODE), refuses)
    return DossierV1.model_validate_json(json.dumps(content), context=context)


def wrong(content: Any, refuses: Any = None) -> dict[str, str]:
    """Return what is wrong with a dossier, by where."""
    with pytest.raises(ValidationError) as caught:
        read(content, refuses)
    return {one.path: one.reason for one in wrong_fields(caught.value)}


def given_as(dossier: Dossier) -> dict[str, Any]:
    """Return a dossier as a caller sends it."""
    found: dict[str, Any] = json.loads(DossierV1.of(dossier).model_dump_json())
    return found


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row['object']}.{row['name']}")
def test_every_field_of_the_portal_has_its_place(row: dict[str, Any]) -> None:
    """Its name in our words, and in the description the portal's own name beside the Vietnamese term."""
    schema, name = INSIDE.get(row["object"], (row["object"], row["ours"]))
    if name == "code" and schema in {"dossier", "step"}:
        assert name not in SCHEMAS[schema].model_fields  # it stands in the path
        return
    described = SCHEMAS[schema].model_fields[name].description
    assert described is not None
    assert f"`{row['name']}`" in described
    assert not described.startswith("`")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_has_the_models_members_and_no_other(name: str) -> None:
    """What the model gains, the API has to say."""
    members = {one.name for one in fields(MODELS[name])} - ({"code"} if name == "dossier" else set())
    assert SCHEMAS[name].model_fields.keys() == members
    assert SCHEMAS[name].says is MODELS[name]


@given(DOSSIERS)
@settings(max_examples=60)
def test_a_dossier_comes_back_as_it_was_given(dossier: Dossier) -> None:
    """Through JSON, into the model and out of it again."""
    assert read(given_as(dossier)).to_model(code=dossier.code) == dossier


@given(PROGRESS)
@settings(max_examples=40)
def test_progress_comes_back_as_it_was_given(progress: DossierProgress) -> None:
    """The same for steps."""
    for step in progress.steps:
        told = ProgressStepV1.of(step).model_dump_json()
        assert ProgressStepV1.model_validate_json(told).to_model() == step


BROKEN = st.sampled_from(
    ["", " \n", "\x00", "x" * 5000, -1, 2**53, 1.5, True, None, {}, [], "12", "2026-13-01T00:00:00Z"]
)


@given(DOSSIERS, st.data())
@settings(max_examples=60)
def test_what_is_taken_can_be_made_and_sent(dossier: Dossier, data: st.DataObject) -> None:
    """Nothing gets past the door that the model or the portal's adapter would refuse later."""
    content = given_as(dossier)
    for name in data.draw(st.sets(st.sampled_from(sorted(content)), max_size=3)):
        content[name] = data.draw(BROKEN)
    refuses = Portal(portal_adapter.settings(), None).refuses  # type: ignore[arg-type]
    try:
        taken = read(content, refuses)
    except ValidationError:
        return
    made = taken.to_model(code=dossier.code)
    assert [path for path, *member in members(made) if refuses(*member)] == []


@given(DOSSIERS)
@settings(max_examples=40)
def test_what_cannot_be_sent_is_named_as_the_adapter_names_it(dossier: Dossier) -> None:
    """Each place, and no other."""
    named = {path for path, *member in members(dossier) if NO_FILES(*member)}
    if named:
        assert wrong(given_as(dossier), NO_FILES).keys() == named


def test_wrong_fields_of_every_sort_are_named_together() -> None:
    """A wrong type hides no text that is too long, and neither hides an address that cannot be told."""
    content = given_as(FULL)
    content |= {"procedure": "9.999001.H99", "subject": "", "status": "5", "owner_numbers": ["1"], "refused_at": 5}
    content["documents"] = [{**content["documents"][0], "file_name": "a" * 4001, "id": 11}, "x"]
    content["supplements"][0]["documents"][0]["address"] = "https://10.0.0.7/"
    content["fees"][0]["amount"] = 10**15
    del content["owner_kind"]
    refuses = Portal(portal_adapter.settings(), None).refuses  # type: ignore[arg-type]
    assert wrong(content, refuses) == {
        "/procedure": "not_national",
        "/subject": "required",
        "/status": "choice",
        "/owner_numbers/0": "pattern",
        "/refused_at": "moment",
        "/documents/0/id": "text",
        "/documents/0/file_name": "too_long",
        "/documents/1": "invalid",
        "/supplements/0/documents/0/address": "attachment_address",
        "/fees/0/amount": "invalid",
        "/owner_kind": "required",
    }


@pytest.mark.parametrize("value", [True, False, 2.0, 1.5, 0, 12, "2", None])
def test_a_status_is_a_whole_number_of_the_table_and_nothing_that_equals_one(value: object) -> None:
    """`true` would be a dossier that was just registered; of a dossier and of a step the field is named."""
    assert wrong(given_as(PLAIN) | {"status": value}) == {"/status": "choice"}
    step = json.loads(ProgressStepV1.of(STEPS.steps[0]).model_dump_json()) | {"status": value}
    with pytest.raises(ValidationError) as caught:
        ProgressStepV1.model_validate_json(json.dumps(step))
    assert [(one.path, one.reason) for one in wrong_fields(caught.value)] == [("/status", "choice")]


@pytest.mark.parametrize(
    ("member", "value"), [("status", 12), ("status", True), ("owner_kind", "x"), ("result_delivery", "x")]
)
def test_the_values_to_choose_from_are_named_without_a_word_of_another_language(member: str, value: object) -> None:
    """The sentence around them is Vietnamese or English; they themselves are only a list."""
    with pytest.raises(ValidationError) as caught:
        read(given_as(FULL) | {member: value})
    (told,) = wrong_fields(caught.value)
    assert re.fullmatch(r"('?\w+'?, )+'?\w+'?", str(told.values["expected"]))


@pytest.mark.parametrize("member", ["subject", "note", "owner"])
@pytest.mark.parametrize("value", ["", " ", "\t\n", "a\x00b", "\x1f"])
def test_a_text_is_refused_for_the_models_own_reason(member: str, value: str) -> None:
    """One rule in one place."""
    with pytest.raises(DossierInvalid) as caught:
        Dossier(**{**{one.name: getattr(PLAIN, one.name) for one in fields(Dossier)}, member: value})
    assert wrong({**given_as(PLAIN), member: value}) == {one.path: one.reason for one in caught.value.fields}


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-02T08:30:00",
        "2026-03-02",
        "2026-03-02T08:30+07:00",
        "2026-03-02T08:30:00.5+07:00",
        "2026-03-02T08:30:00.0000001+07:00",
        "2026-02-30T08:30:00+07:00",
        "2026-03-02T24:30:00+07:00",
        "1979-12-31T23:59:59+07:00",
        "0001-01-01T00:00:00+14:00",
        1_772_415_000,
        True,
    ],
)
def test_a_moment_has_its_offset_and_no_part_of_a_second(moment: object) -> None:
    """Nothing is rounded, and no number of seconds is taken for a day."""
    assert wrong({**given_as(PLAIN), "due_at": moment}) == {"/due_at": "moment"}


@pytest.mark.parametrize("moment", ["2026-03-09T17:00:00+07:00", "2026-03-09T10:00:00Z", "2026-03-09T10:00:00.000Z"])
def test_a_moment_may_be_told_in_any_offset(moment: str) -> None:
    """The same instant, whichever way software writes it."""
    assert read({**given_as(PLAIN), "due_at": moment}).due_at == PLAIN.due_at


def test_a_far_offset_stays_what_it_was() -> None:
    """What a caller wrote comes back in its own offset."""
    there = PLAIN.received_at.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert str(read({**given_as(PLAIN), "received_at": there.isoformat()}).received_at) == str(there)


def test_codes_are_words_and_nothing_else() -> None:
    """The portal's own codes are not taken for words."""
    content = {**given_as(PLAIN), "owner_kind": "1", "channel": 2, "result_delivery": "DIRECT"}
    assert wrong(content) == {"/owner_kind": "choice", "/channel": "choice", "/result_delivery": "choice"}
    assert FIELD_REASONS["enum"] == "choice"
