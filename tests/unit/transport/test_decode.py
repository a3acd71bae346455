"""Bodies are unpacked as far as allowed and no further."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.transport.decode import NotDecodable, TooLarge, decoded

LIMIT = 10_000


@given(st.binary(max_size=2000))
def test_round_trip(body: bytes) -> None:
    """What was packed comes back."""
    assert decoded(gzip.compress(body), "gzip", LIMIT) == body
    assert decoded(zlib.compress(body), "deflate", LIMIT) == body
    assert decoded(body, None, LIMIT) == body


def test_a_bomb_is_stopped_at_the_limit() -> None:
    """A thousandfold body is refused without being made."""
    bomb = gzip.compress(bytes(200 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decoded(bomb, "gzip", LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_many_members_share_one_limit() -> None:
    """A bomb in slices is a bomb."""
    with pytest.raises(TooLarge):
        decoded(gzip.compress(bytes(LIMIT // 2)) * 3, "gzip", LIMIT)
    assert decoded(gzip.compress(bytes(LIMIT)), "gzip", LIMIT) == bytes(LIMIT)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "gzip;q=1"])
def test_only_what_was_offered(coding: str) -> None:
    """A coding that we did not offer is not an answer."""
    with pytest.raises(NotDecodable):
        decoded(b"x", coding, LIMIT)


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_refused(body: bytes) -> None:
    """Bytes that are not packed are refused, whatever they are."""
    for coding in ("gzip", "deflate"):
        try:
            decoded(body, coding, LIMIT)
        except (NotDecodable, TooLarge):
            continue
