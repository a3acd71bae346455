"""What a caller of the sign-in's mock may rely on: citizens, pages, claims, levels, who need not be asked.

What becomes of tokens, keys and sessions stands in `afterwards`, who and what is refused in `refusals`, what faults
come to in `faults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.contract.vneid_door.afterwards import AFTERWARDS
from tests.contract.vneid_door.peer import PROFILES, Desk, adult, done, holds, id_of, told
from tests.support.conformance import Check, alone, each
from tests.support.vneid import parts

if TYPE_CHECKING:
    from tests.support.conformance import Peer

NINE: Final = {
    "sub",
    "TechID",
    "LoaiTaiKhoan",
    "HoVaTen",
    "SoDinhDanh",
    "NgayThangNamSinh",
    "loginIdp",
    "userProfileUri",
    "logoutUri",
}
DIRECT: Final = NINE - {"loginIdp"} | {"loAs", "IAL"}
LOW: Final = {"told": None, "access_denied": "access_denied", "unmet": "unmet_authentication_requirements", "page": ""}
MINOR: Final = 2013


def signs_in(peer: Peer, profile: str) -> None:
    """Promise a whole sign-in: back with state and code, tokens that hold, the person's claims, one effect each."""
    desk, person = Desk(peer, profile), adult(peer)
    browser = desk.sign_in(person, state="trang-thai", nonce="so-ngau-nhien", acr_values="LoA1")
    back, dialects = browser.came_back(), desk.dialects
    assert browser.landed.startswith(f"{desk.party.callback}?")
    assert back["state"] == "trang-thai"
    named = profile == "standard" or dialects["response_iss"]
    assert back.get("iss") == (desk.issuer if named else None)
    assert ("session_state" in back) is (profile != "standard" and dialects["session_state"])
    tokens = told(desk.exchange(back["code"]))
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "openid")
    assert isinstance(tokens["expires_in"], str) is (dialects["expires_in"] == "string")
    assert ("refresh_token" in tokens) is dialects["refresh_token"]
    claims = holds(desk, tokens)
    dropped = profile != "standard" and dialects["nonce"] == "dropped"
    assert claims.get("nonce") == (None if dropped else "so-ngau-nhien")
    for method in ("GET", "POST"):
        info = told(peer.run(desk.party.userinfo(tokens["access_token"], method)))
        assert (info["sub"], info["SoDinhDanh"]) == (claims["sub"], person["identity_number"])
        assert info["HoVaTen"] == person["name"]
    assert [done(peer, one, id_of(tokens)) for one in ("authorize", "token", "userinfo")] == [_begun(desk), 1, 2]
    sign_in = peer.told(f"world/vneid_sign_in/{id_of(tokens)}")
    assert (sign_in["state"], sign_in["fields"]["citizen"]) == ("redeemed", person["id"])


def _begun(desk: Desk) -> int:
    """Return how often a sign-in begins: with A1 it begins with A2 too."""
    return 2 if desk.profile == "A1" else 1


def tells_who_it_is(peer: Peer, profile: str) -> None:
    """Promise the small set or the rich one, the kind as the dialect writes it, and nobody's e-mail made up."""
    desk, person = Desk(peer, profile), adult(peer, 1)
    peer.do("vneid_account", str(person["id"]), "contact", email=None, phone="0000000001")
    claims, dialects = desk.claims(desk.tokens(person)), desk.dialects
    usual = DIRECT if profile == "A2" else NINE
    told_level = usual | ({"loAs"} if dialects["level_told"] in ("loas", "both") else set())
    absent = {"absent": None, "empty": "", "null": None}[dialects["absent"]]
    if dialects["claims"] == "small":
        assert set(claims) == told_level
    else:
        assert set(claims) > told_level
        assert claims["SoDienThoai"] == "0000000001"
        assert claims.get("ThuDienTu") == absent
        assert ("ThuDienTu" in claims) is (dialects["absent"] != "absent")
    number = profile == "A2" if dialects["kind_type"] == "by_provider" else dialects["kind_type"] == "int"
    assert claims["LoaiTaiKhoan"] == (1 if number else "1")
    assert len(claims["NgayThangNamSinh"]) == len("yyyymmdd")
    assert (claims["sub"] == claims["TechID"]) is (dialects["subject"] == "tech_id")
    assert claims["TechID"] == person["account"]


def signs_in_for_others(peer: Peer, account: str) -> None:
    """Promise an enterprise with its numbers, one without, an organisation, and no person's number with any."""
    desk = Desk(peer, "A1")
    browser = desk.browser()
    desk.to_the_page(browser)
    desk.identify(browser, adult(peer), account)
    if "dong-y" in browser.buttons:
        peer.run(browser.press("dong-y"))
    claims = desk.claims(told(desk.exchange(browser.came_back()["code"])))
    kind, numbers = {"enterprise": (2, 2), "enterprise_without_tax_code": (2, 0), "organisation": (3, 0)}[account]
    assert int(claims["LoaiTaiKhoan"]) == kind
    assert claims["TenDoanhNghiep"]
    assert sum(name in claims for name in ("MaSoDoanhNghiep", "MaSoThue")) == numbers
    assert not {"SoDinhDanh", "HoVaTen"} & set(claims)


def tells_a_year_alone(peer: Peer) -> None:
    """Promise that a birthday of which the year alone is known is told as the dialect has it."""
    desk = Desk(peer)
    person = next(one for one in peer.people if one["oddities"] == ["year_only_birth"] and one["identity_number"])
    born = desk.claims(desk.tokens(person))["NgayThangNamSinh"]
    assert born == f"{person['birth']['year']}{'0000' if desk.dialects['year_only'] == 'zeros' else ''}"


def tells_the_level(peer: Peer, profile: str) -> None:
    """Promise the level where and as the dialect tells it: by age, and by what the police have done since."""
    desk, dialects = Desk(peer, profile), Desk(peer).dialects
    child = next(one for one in peer.people if one["identity_number"] and one["birth"]["year"] >= MINOR)
    person = adult(peer, 2)
    for who, level in ((child, 1), (person, 2)):
        tokens = desk.tokens(who)
        claims, written = desk.claims(tokens), f"LoA{level}" if dialects["level_form"] == "LoA2" else str(level)
        acr = parts(tokens["id_token"])[1].get("acr")
        if profile == "A2":
            assert (acr, claims["loAs"], claims["IAL"]) == ("1", written, level)
            continue
        assert acr == (written if dialects["level_told"] in ("acr", "both") else None)
        rich = dialects["claims"] == "rich"
        assert claims.get("loAs") == (written if rich or dialects["level_told"] in ("loas", "both") else None)


def asks_for_a_level(peer: Peer, profile: str) -> None:
    """Promise that less than the level asked for is told, refused or ended, as the dialect says; and that it rises."""
    desk, person = Desk(peer, profile), adult(peer, 3)
    peer.do("vneid_account", str(person["id"]), "lower")
    browser = desk.sign_in(person, acr_values="LoA2")
    error = LOW[desk.dialects["low_level"]]
    if error == "":
        assert (browser.landed, browser.at.status_code) == ("", 403)
    else:
        assert browser.came_back().get("error") == error
    assert "code" in desk.sign_in(person, acr_values="LoA1 LoA2").came_back()
    peer.do("vneid_account", str(person["id"]), "raise")
    assert "code" in desk.sign_in(person, acr_values="LoA2").came_back()


def says_no(peer: Peer, profile: str) -> None:
    """Promise that who says no gets the caller an error or stays on a page, at once or in the app, for good."""
    desk, person = Desk(peer, profile), adult(peer)
    for late in (False, True):
        browser = desk.browser()
        desk.to_the_page(browser, state="khong")
        if late and desk.dialects["confirm"] == "app":
            desk.identify(browser, person)
        at = str(browser.at.url)
        peer.run(browser.press("tu-choi"))
        if desk.dialects["denied"] == "returned":
            back = browser.came_back()
            assert (back["error"], back["state"], "code" in back) == ("access_denied", "khong", False)
        else:
            assert (browser.landed, browser.at.status_code) == ("", 403)
        assert peer.last()["outcome"] == "denied"
        peer.run(browser.get(at))
        assert "code" not in browser.came_back()


def is_too_slow(peer: Peer, profile: str) -> None:
    """Promise that a citizen who waits too long is told, or the caller is, and that nobody signs in any more."""
    desk, browser = Desk(peer, profile), Desk(peer, profile).browser()
    desk.to_the_page(browser)
    peer.advance(desk.dialects["sign_in_seconds"] + 1)
    desk.identify(browser, adult(peer))
    if desk.dialects["late"] == "page":
        assert (browser.landed, browser.at.status_code) == ("", 400)
    else:
        assert browser.came_back().get("error") == "access_denied"
    assert peer.last()["outcome"] in ("sign_in_late", "denied")


def scans_a_code(peer: Peer) -> None:
    """Promise that a QR code ends before the sign-in does, and that a new one is good."""
    desk = Desk(peer, "A2")
    browser = desk.browser()
    desk.to_the_page(browser)
    if desk.dialects["qr_seconds"] >= desk.dialects["sign_in_seconds"]:
        return  # it never ends first
    peer.advance(desk.dialects["qr_seconds"])
    desk.identify(browser, adult(peer), by="quet-qr")
    assert (peer.last()["outcome"], peer.last()["acted"]) == ("qr_expired", False)
    if desk.dialects["sign_in_seconds"] > desk.dialects["qr_seconds"] + 1:
        peer.run(browser.press("tai-lai-qr"))
        desk.identify(browser, adult(peer), by="quet-qr")
        if "dong-y" in browser.buttons:
            peer.run(browser.press("dong-y"))
        assert "code" in browser.came_back()


def knows_nobody(peer: Peer) -> None:
    """Promise that wrong password, unknown number and locked account stay on the page, and that the next try counts."""
    desk, person = Desk(peer), adult(peer, 4)
    browser = desk.browser()
    desk.to_the_page(browser)
    number = person["identity_number"]
    dead = next(one for one in peer.people if one["deceased_on"] and one["identity_number"])
    peer.do("vneid_account", str(person["id"]), "lock")
    for shown, password, outcome in (
        (number, "sai", "password_wrong"),
        ("999000000000", "mat-khau-mau", "no_account"),
        (dead["identity_number"], "mat-khau-mau", "no_account"),
        (number, "mat-khau-mau", "account_locked"),
    ):
        peer.run(browser.press("dang-nhap", number=shown, password=password, account="person"))
        assert (peer.last()["outcome"], peer.last()["acted"], browser.landed) == (outcome, False, "")
        assert 'role="alert"' in browser.at.text
        assert number not in browser.at.text
    peer.do("vneid_account", str(person["id"]), "unlock")
    desk.identify(browser, person)
    assert peer.last()["acted"] is True


def decides_without_a_page(peer: Peer, profile: str) -> None:
    """Promise that a simulator verb approves or denies a sign-in, and that the page sends the browser on."""
    desk, person = Desk(peer, profile), adult(peer)
    for verb, fields in (("approve", {"citizen": person["id"]}), ("deny", {})):
        browser = desk.browser()
        peer.run(browser.get(desk.asking()))
        sign_in = dict(browser.at.url.params).popitem()[1]
        if profile == "A1" and desk.dialects["entry"] == "straight":
            sign_in = peer.last()["key"]
            peer.do("vneid_sign_in", sign_in, verb, **fields)
            continue  # the browser is with A2 by now, and nobody tells that one
        peer.do("vneid_sign_in", sign_in, verb, **fields)
        peer.run(browser.get(str(browser.at.url)))
        if verb == "approve":
            assert (
                desk.claims(told(desk.exchange(browser.came_back()["code"])))["SoDinhDanh"] == person["identity_number"]
            )
        else:
            assert "code" not in browser.came_back()


def flies_by_itself(peer: Peer, profile: str) -> None:
    """Promise that with the autopilot nobody is asked, that it takes its citizens in turn, and that it ends."""
    desk = Desk(peer, profile)
    people = [adult(peer, place) for place in (5, 6)]
    peer.do("vneid_autopilot", "citizen", "approve", citizens=[one["id"] for one in people])
    numbers = set()
    for _ in people:
        browser = desk.browser()
        peer.run(browser.get(desk.asking()))
        numbers.add(desk.claims(told(desk.exchange(browser.came_back()["code"])))["SoDinhDanh"])
    assert numbers == {one["identity_number"] for one in people}
    peer.do("vneid_autopilot", "citizen", "deny")
    browser = desk.browser()
    peer.run(browser.get(desk.asking()))
    assert "code" not in browser.came_back()
    peer.do("vneid_autopilot", "citizen", "by_hand")
    desk.to_the_page(browser)
    assert "dang-nhap" in browser.buttons


def stays_signed_in(peer: Peer, profile: str) -> None:
    """Promise that a browser is asked once, unless the caller wants it asked, or the session is over."""
    desk, person = Desk(peer, profile), adult(peer)
    browser = desk.sign_in(person)
    again = desk.dialects["single_sign_on"]
    for asked, unasked in (
        ({}, True),
        ({"prompt": "none"}, True),
        ({"max_age": "0"}, False),
        ({"prompt": "login"}, False),
    ):
        desk.to_the_page(browser, **asked)
        # A1 asks, and goes to VNeID for the answer: there the browser is signed in too.
        assert ("code" in browser.came_back()) is (again and (unasked or profile == "A1")), asked
        if asked.get("prompt") == "none" and not again:
            assert browser.came_back()["error"] == "login_required"
    peer.advance(desk.dialects["session_seconds"] + 1)
    desk.to_the_page(browser)
    assert "code" not in browser.came_back()


ASKING: Final[tuple[Check, ...]] = (
    *each(signs_in, PROFILES),
    *each(tells_who_it_is, PROFILES),
    *each(signs_in_for_others, ("enterprise", "enterprise_without_tax_code", "organisation")),
    *alone(tells_a_year_alone),
    *each(tells_the_level, PROFILES),
    *each(asks_for_a_level, PROFILES),
    *each(says_no, PROFILES),
    *each(is_too_slow, PROFILES),
    *alone(scans_a_code, knows_nobody),
    *each(decides_without_a_page, PROFILES),
    *each(flies_by_itself, PROFILES),
    *each(stays_signed_in, PROFILES),
    *AFTERWARDS,
)
