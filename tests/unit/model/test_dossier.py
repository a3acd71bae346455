"""A dossier is whole or it is not made: every wrong field is named at once, by its path, and nothing is cut off."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from pydantic import TypeAdapter

from contracts import VIETNAM
from contracts.model import ProcedureCode, WrongField
from contracts.model.dossier import (
    Document,
    Dossier,
    DossierInvalid,
    DossierProgress,
    DossierStatus,
    Fee,
    Paper,
    ProgressStep,
    Result,
    Supplement,
)
from tests.support.portal_adapter import DOCUMENT, DOSSIERS, FEE, FULL, PLAIN, PROGRESS, STEPS

STORED: TypeAdapter[Dossier] = TypeAdapter(Dossier)
STORED_PROGRESS: TypeAdapter[DossierProgress] = TypeAdapter(DossierProgress)


def refused(dossier: Any, **changes: Any) -> tuple[WrongField, ...]:
    """Return what is wrong with a value after these changes."""
    with pytest.raises(DossierInvalid) as caught:
        replace(dossier, **changes)
    return caught.value.fields


@pytest.mark.parametrize(("name", "longest"), [("subject", 1000), ("note", 1999)])
def test_what_is_too_long_is_named_and_never_cut(name: str, longest: int) -> None:
    """At the limit it is whole; one more is an error with the limit."""
    assert len(getattr(replace(PLAIN, **{name: "ă" * longest}), name)) == longest
    assert refused(PLAIN, **{name: "ă" * (longest + 1)}) == (
        WrongField(f"/{name}", "too_long", {"max_length": longest}),
    )


def test_what_is_too_long_inside_a_part_is_named_too() -> None:
    """Names of files and results, and of officers."""
    long = replace(DOCUMENT, file_name="a" * 4001)
    wrong = refused(
        FULL,
        documents=(DOCUMENT, long),
        supplements=(replace(FULL.supplements[0], documents=(long,)),),
        results=(Result(name="a" * 2001),),
    )
    assert [(one.path, one.values) for one in wrong] == [
        ("/documents/1/file_name", {"max_length": 4000}),
        ("/supplements/0/documents/0/file_name", {"max_length": 4000}),
        ("/results/0/name", {"max_length": 2000}),
    ]
    step = replace(STEPS.steps[0], officer="ă" * 51)
    assert refused(STEPS, steps=(STEPS.steps[0], step)) == (
        WrongField("/steps/1/officer", "too_long", {"max_length": 50}),
    )
    assert replace(STEPS, steps=(replace(step, officer="ă" * 50),)).steps[0].officer == "ă" * 50


def test_every_wrong_field_is_named_at_once() -> None:
    """By its path, and never by its value."""
    wrong = refused(
        PLAIN,
        procedure=ProcedureCode("9.999001.H99"),
        subject=" \n",
        owner="",
        received_at=datetime(2026, 3, 2, 8, 30),  # noqa: DTZ001
        due_at=datetime(2026, 3, 2, 8, 30, 0, 1, tzinfo=VIETNAM),
        phone="09\x00",
        fees=(replace(FEE, amount=-1), replace(FEE, amount=10**15)),
        databases=("7", ""),
    )
    assert {(one.path, one.reason) for one in wrong} == {
        ("/procedure", "not_national"),
        ("/subject", "required"),
        ("/owner", "required"),
        ("/received_at", "moment"),
        ("/due_at", "moment"),
        ("/phone", "invalid"),
        ("/fees/0/amount", "number"),
        ("/fees/1/amount", "invalid"),
        ("/databases/1", "required"),
    }
    with pytest.raises(DossierInvalid, match="9 wrong fields") as caught:
        replace(PLAIN, owner="", email="", fax="", phone="", note="", subject="", databases=("", "", ""))
    assert "MẪU" not in str(caught.value)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1979, 12, 31, 23, 59, 59, tzinfo=VIETNAM),
        datetime(9999, 12, 31, 23, 0, 0, tzinfo=UTC),
        datetime(2026, 3, 2, 8, 30, tzinfo=timezone(timedelta(hours=7, microseconds=1))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_a_moment_that_cannot_be_said_is_refused(moment: datetime) -> None:
    """Too early, too late, or not to the second by the clocks of Vietnam."""
    assert refused(PLAIN, due_at=moment) == (WrongField("/due_at", "moment"),)


def test_any_offset_is_a_moment() -> None:
    """It is sent in the time of Vietnam, wherever it was told."""
    assert replace(PLAIN, due_at=datetime(2026, 3, 2, 1, 30, tzinfo=UTC)).due_at == PLAIN.received_at


def test_progress_has_a_step() -> None:
    """Nothing to tell is not progress."""
    assert refused(STEPS, steps=()) == (WrongField("/steps", "required"),)
    assert refused(STEPS, steps=(replace(STEPS.steps[0], content=""),)) == (WrongField("/steps/0/content", "required"),)


@given(DOSSIERS)
def test_a_dossier_is_stored_and_read_back(dossier: Dossier) -> None:
    """As deliveries keep it: as JSON, by the types of its fields."""
    assert STORED.validate_json(STORED.dump_json(dossier)) == dossier


@given(PROGRESS)
def test_progress_is_stored_and_read_back(progress: DossierProgress) -> None:
    """Likewise."""
    assert STORED_PROGRESS.validate_json(STORED_PROGRESS.dump_json(progress)) == progress


@pytest.mark.parametrize("value", [FULL, STEPS, *FULL.documents, *FULL.fees, *FULL.supplements, *FULL.results])
def test_nothing_about_a_person_shows(value: object) -> None:
    """A log line or a traceback holds the code at most."""
    shown = f"{value!r} {value}"
    assert not any(text in shown for text in ("Mẫu", "MẪU", "999", "example", "0900", "20000"))


def test_the_statuses_are_the_national_table() -> None:
    """1 to 11, by number."""
    assert [status.value for status in DossierStatus] == list(range(1, 12))


@pytest.mark.parametrize("kind", [Dossier, Document, Fee, Paper, Supplement, Result, DossierProgress, ProgressStep])
def test_every_field_has_its_vietnamese_term(kind: type) -> None:
    """Each is named in the docstring of its part, which gives the term and the portal's name."""
    told = kind.__doc__ or ""
    missing = [one.name for one in fields(kind) if f"`{one.name}`" not in told]
    assert missing == []
