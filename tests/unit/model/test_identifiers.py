"""The grammar of each code: every form that is seen is taken, and what is near it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.model import AgencyCode, DossierCode, ProcedureCode

AGENCIES = ["000.00.01.H99", "000.00.00.G22", "H56", "H56.14", "G09.20", "H99.129", "H99.5.12.3", "H99.1A"]
DIGITS = "0123456789"


@pytest.mark.parametrize("text", AGENCIES)
def test_an_agency_has_the_old_form_or_the_new(text: str) -> None:
    """Four groups with the province last, or the province first."""
    assert AgencyCode(text).value == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h56",
        "H5",
        "H567",
        "H56.",
        ".H56",
        "H56..1",
        "H56-14",
        "000.00.H99",
        "0.00.00.H99",
        "000.00.01.H99.1",
        "H56 ",
    ],
)
def test_what_is_no_agency(text: str) -> None:
    """The message names the form and never the text."""
    with pytest.raises(ValueError, match=r"^not a AgencyCode$"):
        AgencyCode(text)


@given(st.from_regex(AgencyCode.form, fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_no_agency_code_is_longer_than_the_decision_allows(text: str) -> None:
    """35 characters: Decision 20/2020/QĐ-TTg."""
    assert len(AgencyCode(text).value) <= 35


@pytest.mark.parametrize("text", ["9.000001", "9.000001.000.00.00.H56", "9.000001.H56", "1.003560.G09"])
def test_a_procedure_is_national_or_a_provinces_copy(text: str) -> None:
    """The suffix is of either kind, and comes off."""
    assert ProcedureCode(text).national == ProcedureCode(text[:8])


@pytest.mark.parametrize("text", ["9.00001", "9.0000011", "9000001", "9.000001.", "9.000001.H5", "9.000001.00.00.H56"])
def test_what_is_no_procedure(text: str) -> None:
    """A suffix is whole or not there."""
    with pytest.raises(ValueError, match=r"^not a ProcedureCode$"):
        ProcedureCode(text)


@pytest.mark.parametrize(
    "text",
    [
        "000.00.07.H99-260302-0017",
        "H99.5-260302-0017",
        "H99.129-260105-0001",
        "H56.14-260302-10000",
        "H99.5-260302-0000017",
        "H99.5-20260302-0000017",
        "G09.20-20260302-0000001",
    ],
)
def test_a_dossier_code_of_each_kind(text: str) -> None:
    """By the circular, with a short unit, and as a national service gives them out."""
    assert DossierCode.parse(f" {text} ") == DossierCode(text)


@pytest.mark.parametrize(
    "text",
    [
        "H99.5-260302-017",
        "H99.5-260302-00000017",
        "H99.5-20260302-0017",
        "H99.5-2603020017",
        "H99.5-2603-0017",
        "260302-0017",
        "999190000017",
        "h99.5-260302-0017",
        "H99.5-260302-0017\n",
    ],
)
def test_what_is_no_dossier_code(text: str) -> None:
    """Least of all a person's number."""
    with pytest.raises(ValueError, match=r"^not a DossierCode$"):
        DossierCode(text)


@given(
    st.sampled_from(AGENCIES),
    st.text(DIGITS, min_size=6, max_size=6),
    st.integers(1, 9_999_999).map(lambda number: f"{number:04}"),
)
def test_a_day_may_outgrow_four_digits(unit: str, day: str, number: str) -> None:
    """The ten-thousandth dossier of a day has a code like any other."""
    assert DossierCode(f"{unit}-{day}-{number}").value.startswith(unit)
