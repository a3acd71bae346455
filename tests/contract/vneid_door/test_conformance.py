"""The sign-in's mock keeps one set of promises: wherever it runs, however it speaks, and killed on the way."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from mocks.doors.vneid.door import VneidDoor
from mocks.doors.vneid.settings import Dialects
from mocks.faults import EVERYWHERE, NATURE, Stage
from tests.contract.vneid_door.afterwards import lives_in_its_namespace
from tests.contract.vneid_door.faults import ANSWERS, FAULTS, OTHERS, TOKENS
from tests.contract.vneid_door.peer import DOOR, Desk, adult, told
from tests.contract.vneid_door.promises import ASKING
from tests.contract.vneid_door.refusals import REFUSING
from tests.support.conformance import (
    Check,
    Peer,
    extremes,
    keeps,
    keeps_though_killed,
    one_at_a_time,
    remembered,
)
from tests.support.hosting import in_process, mortal, over_sockets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACK = (*ASKING, *REFUSING, *FAULTS)
BRIEF = tuple(check for check in PACK if not check.name.startswith(("strikes_a_caller", "spoils_a_token")))
"""Without the longest tables, which say the same in every dialect."""
ABROAD = (
    "signs_in[",
    "stays_signed_in[a1]",
    "leaves[a1]",
    "changes_its_keys[a1]",
    "ends_with_vneid_too",
    "shows_itself",
)
"""What may be otherwise over sockets: addresses, cookies, headers."""
LASTING = tuple(check for check in PACK if check.name.startswith((*ABROAD, "gives_no_tokens[a1]", "locks_a_caller")))
"""What lives on what the world remembers."""
ON_THE_WIRE = tuple(check for check in PACK if check.name.startswith((*ABROAD, "strikes_a_caller", "comes_back")))
ALWAYS = ("signs_in[a1]", "signs_in[standard]")
TOUCHED: dict[str, tuple[str, ...]] = {
    "claims": ("tells_who_it_is", "signs_in_for_others", "tells_the_level"),
    "absent": (),
    "kind_type": ("tells_who_it_is", "signs_in_for_others"),
    "year_only": ("tells_a_year_alone",),
    "subject": ("tells_who_it_is",),
    "level_told": ("tells_the_level",),
    "level_form": ("tells_the_level",),
    "low_level": ("asks_for_a_level",),
    "denied": ("says_no",),
    "late": ("is_too_slow",),
    "entry": ("decides_without_a_page", "says_no[a1]"),
    "confirm": ("says_no", "scans_a_code", "comes_back_wrongly"),
    "single_sign_on": ("stays_signed_in", "ends_with_vneid_too"),
    "response_iss": ("sends_back_with_an_error",),
    "session_state": (),
    "pkce": ("wants_pkce_as_it_says", "proves_possession"),
    "nonce": (),
    "client_auth": ("lets_no_stranger_in", "looks_at_tokens"),
    "replay": ("gives_no_tokens",),
    "a1_issuer": ("shows_itself",),
    "a1_access": ("looks_at_tokens", "tells_no_stranger"),
    "discovery": ("shows_itself",),
    "audience": ("leaves",),
    "expires_in": (),
    "refresh_token": ("refreshes",),
    "post_logout": ("leaves",),
    "logout_takes": ("is_left_as_it_says",),
    "logout_hint": ("is_left_as_it_says",),
    "logout_ends_tokens": ("leaves",),
    "view_info": ("ends_with_vneid_too",),
    "access_seconds": ("tells_no_stranger",),
    "id_token_seconds": (),
    "code_seconds": ("gives_no_tokens",),
    "sign_in_seconds": ("is_too_slow",),
    "qr_seconds": ("scans_a_code",),
    "session_seconds": ("stays_signed_in",),
}
"""Which promises a dialect may change, beside those of a whole sign-in; in mixtures all are kept."""
NUMBERS = {
    "access_seconds": 60_000,
    "id_token_seconds": 70_000,
    "code_seconds": 80,
    "sign_in_seconds": 800,
    "qr_seconds": 50,
    "session_seconds": 90_000,
}
KILLS = 2
SEED = 20261122
"""Decides the order of the promises and the places of the kills."""


def spoken(changes: dict[str, Any]) -> str:
    """Return the name of a case."""
    return "-".join(f"{name}={value}" for name, value in changes.items()) if len(changes) == 1 else "mixed"


def touched(name: str) -> list[Check]:
    """Return the checks of a dialect."""
    return [check for check in PACK if check.name in ALWAYS or check.name.startswith(TOUCHED[name] or ALWAYS)]


def test_every_dialect_touches_what_there_is() -> None:
    """Each dialect says which promises it may change, and each of those is there."""
    assert set(TOUCHED) == set(Dialects.model_fields)
    for names in TOUCHED.values():
        assert all(any(check.name.startswith(name) for check in PACK) for name in names)


def test_every_fault_of_this_door_has_a_promise() -> None:
    """Whatever can strike here has a row that says what it looks like, or a check of its own."""
    able = EVERYWHERE | {what for what in VneidDoor.plays if NATURE[what].stage is not Stage.CALLBACK}
    assert {str(what) for what in able} == {*(row.what for row in (*TOKENS, *ANSWERS)), *OTHERS}


@pytest.fixture(scope="module")
def mounted() -> Iterator[Peer]:
    """Return a peer of mocks in this process."""
    with in_process() as peer:
        yield peer


@pytest.mark.parametrize("check", PACK, ids=str)
def test_in_process(mounted: Peer, check: Check) -> None:
    """Mounted in process, each promise is kept."""
    check.keep(mounted)


def test_in_a_namespace() -> None:
    """A namespace has whole providers of its own; with a peer of its own, who counts what is in the usual one."""
    with in_process() as peer:
        lives_in_its_namespace(peer)


@pytest.mark.parametrize("changes", one_at_a_time(Dialects, NUMBERS), ids=spoken)
def test_in_every_dialect(changes: dict[str, Any]) -> None:
    """The promises are kept in every dialect, and the ledger has every exchange."""
    with in_process() as peer:
        peer.speak(DOOR, changes)
        keeps(touched(*changes), peer)
        assert [one["request_id"] for one in peer.exchanges()] == peer.sent


@pytest.mark.parametrize("changes", extremes(Dialects, NUMBERS), ids=spoken)
def test_in_mixed_dialects(changes: dict[str, Any]) -> None:
    """Every promise is kept in mixtures of dialects."""
    with in_process() as peer:
        peer.speak(DOOR, changes)
        keeps(BRIEF, peer)


def test_over_sockets() -> None:
    """As a process, over loopback, what sockets can change is as it should be."""
    with over_sockets() as peer:
        keeps(ON_THE_WIRE, peer)
        assert [one["request_id"] for one in peer.exchanges()] == peer.sent


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """Killed −9 at random places and started again, the mock goes on: sign-ins, codes, tokens, keys and the ledger."""
    with mortal(tmp_path / "mocks.journal") as (peer, process):
        peer.mocks.fault("busy", whom={"door": DOOR, "agency": "H98.9"}, until={"seconds": 10_000_000})

        def kill() -> None:
            desk, person = Desk(peer, "A1"), adult(peer)
            tokens, code = desk.tokens(person), desk.code(person)
            browser = desk.browser()
            desk.to_the_page(browser)
            before = remembered(peer)
            process.kill()
            assert remembered(peer) == before
            assert desk.claims(tokens)["SoDinhDanh"] == person["identity_number"]
            told(desk.exchange(code))
            desk.identify(browser, person)  # the page of before
            assert peer.last()["outcome"] == "identified"

        keeps_though_killed(LASTING, peer, Random(SEED), KILLS, kill)  # noqa: S311 - a draw to be repeated
        assert process.kills == KILLS
