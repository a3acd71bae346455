from __future__ import annotations

import pytest

from contracts.model import IdentityNumber, OldCardNumber
from gateway.security import Subjects

SUBJECTS = Subjects(b"k" * 32)


def test_the_same_number_gives_the_same_pseudonym() -> None:
    """Who asked about one person can be found again."""
    first = SUBJECTS.subject(IdentityNumber("999190000017"))
    assert first == Subjects(b"k" * 32).subject(IdentityNumber("999190000017"))
    assert len(first) == 64
    assert "999190000017" not in first


def test_everything_else_differs() -> None:
    """Another number, another kind of number and another key give other pseudonyms."""
    seen = {
        SUBJECTS.subject(IdentityNumber("999190000017")),
        SUBJECTS.subject(IdentityNumber("999190000018")),
        SUBJECTS.subject(OldCardNumber("999190000")),
        Subjects(b"l" * 32).subject(IdentityNumber("999190000017")),
        SUBJECTS.check_value(),
        Subjects(b"l" * 32).check_value(),
    }
    assert len(seen) == 6


def test_the_pseudonym_does_not_change_between_releases() -> None:
    """Old audit rows stay findable: these values are fixed for ever."""
    assert SUBJECTS.subject(IdentityNumber("999190000017")) == PINNED_SUBJECT
    assert SUBJECTS.check_value() == PINNED_CHECK


def test_a_short_key_is_refused() -> None:
    """A key that could be guessed is not used."""
    with pytest.raises(ValueError, match="32 bytes"):
        Subjects(b"k" * 31)


PINNED_SUBJECT = "235b8efe333371e397f0e2838ee054fad8856503ccd6ae2f2c6cfb1301f967d2"
PINNED_CHECK = "e44540b21861924e0884cd7007c7d246df62a52d93076003985b4af5180671bc"
