from __future__ import annotations

import pytest

from gateway.security import Subjects
from gateway.signins.codes import Codes, cookies, same

SIGN_IN, OTHER = "5d1f7a52-8f0e-4a3c-9a55-3f8f0b7c2a10", "5d1f7a52-8f0e-4a3c-9a55-3f8f0b7c2a11"
CODES = Codes(Subjects(b"k" * 32))


def test_what_opens_one_thing_opens_no_other() -> None:
    """The claim code, which stands in an address, is not the one to the page that holds a token; nor anybody's else."""
    made = [
        CODES.claim(SIGN_IN),
        CODES.claim(OTHER),
        CODES.leave(SIGN_IN),
        CODES.leave(OTHER),
        Codes(Subjects(b"l" * 32)).claim(SIGN_IN),
    ]
    kept = [
        CODES.cookie_mac("x"),
        CODES.state_mac("x"),
        CODES.session_mac(SIGN_IN, "x"),
        CODES.session_mac(OTHER, "x"),  # whoever reads the rows does not see that two are of one browser
        CODES.cookie_mac("y"),
    ]
    assert len({*made}) == len(made)
    assert len({*kept}) == len(kept)
    assert all(len(one) == 43 for one in made)
    assert same(made[0], CODES.claim(SIGN_IN))
    assert not any(same(one, made[0]) for one in (*made[1:], "", "é", made[0][:-1], made[0].lower()))


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (["__Host-a=1; __Host-b=2"], {"__Host-a": "1", "__Host-b": "2"}),
        (["__Host-a=1", "__Host-b=2"], {"__Host-a": "1", "__Host-b": "2"}),
        (["__Host-a=1=2;b"], {"__Host-a": "1=2", "b": ""}),
        (["__Host-a=1; __Host-a=1"], {}),
        (["__Host-a=1", "__Host-a=2"], {}),
        (["\xa0__Host-a=1"], {"\xa0__Host-a": "1"}),
        (["=__Host-a=1"], {"": "__Host-a=1"}),
        (['__Host-a="1"'], {"__Host-a": '"1"'}),
        ([], {}),
    ],
)
def test_cookies_are_read_to_the_letter(headers: list[str], found: dict[str, str]) -> None:
    """No sign is taken for a blank, nothing is unquoted, and a name that stands twice is nobody's."""
    assert cookies(headers) == found
