"""Who we are to the exchange platform."""

from __future__ import annotations

import pytest

from adapters.xroad import ClientId, client_header


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("VN-TEST/GOV/000.00.01.H99/MOTCUA", "VN-TEST/GOV/000.00.01.H99/MOTCUA"),
        ("VN-TEST/GOV/000.00.01.H99", "VN-TEST/GOV/000.00.01.H99"),
        (" A/B/C \n", "A/B/C"),
        ("A/B/C'()+,-.=?", "A/B/C'()+,-.=%3F"),
    ],
)
def test_the_header_is_the_parts_each_encoded(text: str, header: str) -> None:
    """Legal identifiers pass, and what a path may not hold is percent-encoded."""
    assert client_header(ClientId.parse(text)) == header


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "A/B",
        "A/B/C/D/E",
        "A//C",
        "/B/C",
        "A/B/",
        "A/B/C D",
        "A/B/Cổng",
        "A/B/C%2F",
        "A/B/C:1",
        "A/B/C\r\nX: y",
        "A/B/C/",
    ],
)
def test_what_is_no_identifier_is_refused(text: str) -> None:
    """Too few or too many parts, an empty part, or a character that identifiers may not have."""
    with pytest.raises(ValueError, match="X-Road"):
        ClientId.parse(text)
