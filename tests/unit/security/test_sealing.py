from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.sealing import CannotUnseal, NoSuchKey, NotSealed, Place, Seal, SealBroken, SealingKey

OLD, NEW = SealingKey(b"a secret of thirty-two bytes! 01"), SealingKey(b"a secret of thirty-two bytes! 02")
SEAL = Seal({1: OLD}, 1)
BOTH = Seal({1: OLD, 2: NEW}, 2)
HERE = Place("delivery", "payload", "01HQ")
PLACES = st.builds(Place, st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
PINNED = bytes.fromhex("0100000001000102030405060708090a0b278996199fb9c87157670f15b5f26c0d00946c59dcaf75839e5009")
PINNED_CHECK = "fdccf34353117f4a3b9596050e18996ef00abc2128296b27edd2839d4b3c6ffb"


@given(data=st.binary(max_size=200), place=PLACES)
def test_what_is_sealed_opens_in_its_place(data: bytes, place: Place) -> None:
    """Whatever is sealed comes back byte for byte, and never stands readable in what is kept."""
    sealed = SEAL.seal(data, place)
    assert SEAL.open(sealed, place) == data
    assert len(sealed) == len(data) + 33
    assert len(data) < 4 or data not in sealed


@given(data=st.binary(max_size=60), bit=st.integers(min_value=0))
def test_any_bit_flipped_is_refused(data: bytes, bit: int) -> None:
    """Form, key number, nonce, ciphertext, tag: one bit of any of them changed, and it does not open."""
    sealed = bytearray(SEAL.seal(data, HERE))
    bit %= 8 * len(sealed)
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CannotUnseal):
        BOTH.open(bytes(sealed), HERE)


@given(place=PLACES, other=PLACES)
def test_any_place_swapped_is_refused(place: Place, other: Place) -> None:
    """A value that was moved to another table, column or row does not open there, however the names are cut."""
    sealed = SEAL.seal(b"payload", place)
    if place == other:
        assert SEAL.open(sealed, other) == b"payload"
        return
    with pytest.raises(SealBroken):
        SEAL.open(sealed, other)


@pytest.mark.parametrize(
    "other",
    [
        Place("deliver", "ypayload", "01HQ"),
        Place("delivery", "payload01", "HQ"),
        Place("delivery", "result", "01HQ"),
        Place("delivery", "payload", "01HR"),
        Place("", "deliverypayload", "01HQ"),
    ],
)
def test_places_that_look_alike_are_told_apart(other: Place) -> None:
    """The boundary between table, column and row counts too."""
    with pytest.raises(SealBroken):
        SEAL.open(SEAL.seal(b"x", HERE), other)


@given(cut=st.integers(min_value=0))
def test_what_was_cut_off_is_refused(cut: int) -> None:
    """No beginning of a sealed value opens."""
    sealed = SEAL.seal(b"payload", HERE)
    with pytest.raises(CannotUnseal):
        SEAL.open(sealed[: cut % len(sealed)], HERE)


def test_the_same_value_is_sealed_differently_each_time() -> None:
    """Nobody can tell from the database that two payloads are equal."""
    assert len({SEAL.seal(b"same", HERE) for _ in range(100)}) == 100


def test_an_older_key_still_opens_and_the_current_one_seals() -> None:
    """After a rotation old values can be read, and new ones are sealed with the new key only."""
    old = SEAL.seal(b"old", HERE)
    new = BOTH.seal(b"new", HERE)
    assert (BOTH.open(old, HERE), BOTH.open(new, HERE)) == (b"old", b"new")
    with pytest.raises(NoSuchKey) as caught:
        SEAL.open(new, HERE)
    assert caught.value.number == 2


def test_an_old_value_can_be_sealed_again() -> None:
    """What was sealed with an older key is sealed with the current one; what is current already is left alone."""
    old = SEAL.seal(b"old", HERE)
    renewed = BOTH.renewed(old, HERE)
    assert renewed is not None
    assert Seal({2: NEW}, 2).open(renewed, HERE) == b"old"
    assert BOTH.renewed(renewed, HERE) is None
    with pytest.raises(SealBroken):
        BOTH.renewed(old, Place("delivery", "payload", "other"))


def test_a_key_of_the_same_number_that_is_another_is_refused() -> None:
    """The number finds the key, and does not prove it."""
    with pytest.raises(SealBroken):
        Seal({1: NEW}, 1).open(SEAL.seal(b"x", HERE), HERE)


def test_another_form_is_refused() -> None:
    """A value of a later form is not guessed at."""
    sealed = SEAL.seal(b"x", HERE)
    with pytest.raises(NotSealed):
        SEAL.open(b"\x02" + sealed[1:], HERE)


def test_the_form_does_not_change_between_releases() -> None:
    """What an earlier release sealed opens for ever: this value and this check value are fixed."""
    assert SEAL.open(PINNED, HERE) == "số liệu".encode()
    assert OLD.check_value() == PINNED_CHECK


def test_keys_are_taken_up_while_in_use() -> None:
    """One seal goes on to the next key without being made again."""
    seal = Seal({1: OLD}, 1)
    seal.take_up({1: OLD, 2: NEW}, 2)
    assert seal.current == 2
    assert BOTH.open(seal.seal(b"x", HERE), HERE) == b"x"


def test_nothing_secret_is_shown() -> None:
    """Neither key nor content stands in a representation, an error or a check value."""
    key = b"a secret of thirty-two bytes! 01"
    shown = [repr(SEAL), repr(OLD), OLD.check_value(), repr(SEAL._ring)]
    sealed = SEAL.seal(b"the payload", HERE)
    for wrong in (b"short", b"\x01" * 60, sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(CannotUnseal) as caught:
            SEAL.open(wrong, HERE)
        shown += [str(caught.value), repr(caught.value), repr(vars(caught.value)), repr(caught.value.__cause__)]
    for text in shown:
        assert "secret" not in text
        assert key.hex() not in text
        assert "the payload" not in text


def test_a_short_key_is_refused() -> None:
    """A key that could be guessed is not used."""
    with pytest.raises(ValueError, match="32 bytes"):
        SealingKey(b"k" * 31)
