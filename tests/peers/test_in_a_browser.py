"""Citizens sign in with a real browser: at our mock, and at a certified provider that shares no line with us.

Everything runs as it does in service: the gateway as a process that serves over TLS, under a name; the vendor's site
under another; the door under a third or at an address. What a browser finds wrong with a page fails the test.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.chromium import chromium, somebody
from tests.support.foreign_provider import LEVEL_2, NAME, foreign_provider
from tests.support.landing import HEADING, landing
from tests.support.mocks import running
from tests.support.sign_in_front import BACK, CALLBACK, GATEWAY, LEFT, VENDOR, front
from tests.support.tls import Place
from tests.support.vneid import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.sign_in_front import Front

PROVIDER: Final = "xacthuc.test"
OTHER_BROWSER: Final = "Lần đăng nhập này không bắt đầu từ trình duyệt này"


@dataclass(frozen=True)
class Door:
    """A place where citizens prove who they are: how the gateway reaches it, who is asked, and what they press."""

    settings: dict[str, Any]
    number: str
    name: str
    before: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    hosts: dict[str, int] = field(default_factory=dict)

    def prove(self, page: Page) -> None:
        """Do what a citizen does on its pages."""
        for button in self.before:
            page.click(button)
        page.fill("#so-dinh-danh", self.number)
        for place, text in self.fields.items():
            page.fill(place, text)
        page.click("#dang-nhap")
        for button in self.after:
            page.click(button)

    def leave(self, page: Page) -> None:
        """Do what a citizen does there to log out."""
        for button in self.leaving:
            page.click(button)


@contextmanager
def mock(profile: str) -> Iterator[Door]:
    """Run our mock."""
    with running("--host", "127.0.0.1", "--port", "0", "--citizens", "300") as mocks:
        account = mocks.ready["credentials"]["vneid"]["accounts"][1]
        registered = {"redirect_uris": [CALLBACK], "post_logout_redirect_uris": [LEFT]}
        content = {"verb": "register", "fields": registered}
        assert mocks.admin("POST", f"world/vneid_client/{account['username']}", content).is_success
        who = next(one for one in mocks.people() if one["identity_number"] and not one["oddities"])
        client = {"client_id": account["username"], "secret": account["secret"]}
        place = "issuer" if profile == "standard" else "endpoint"
        levels = {"acr_values": {"1": "LoA1", "2": "LoA2"}} if profile == "standard" else {}
        yield Door(
            settings={"variant": profile, place: mocks.ready["vneid"], "client": client, **levels},
            number=who["identity_number"],
            name=who["name"],
            before=("#bca",) if profile == "A1" else (),
            fields={"#mat-khau": PASSWORD},
            after=("#dong-y",),
            leaving=("#dang-xuat",) if profile == "A1" else (),
        )


@contextmanager
def provider(place: Place) -> Iterator[Door]:
    """Run the certified one, which browsers know by another name than the gateway does."""
    with foreign_provider("A1", place, CALLBACK, LEFT, PROVIDER) as ready:
        settings = {
            "variant": "A1",
            "endpoint": f"https://127.0.0.1:{ready['port']}",
            "browser_endpoint": f"https://{PROVIDER}",
            "issuer": ready["issuer"],
            "client": {"client_id": ready["client_id"], "secret": ready["client_secret"]},
            "pkce": False,
            "transport": {"ca_file": str(place.authority)},
        }
        yield Door(settings, LEVEL_2, NAME, leaving=("#dang-xuat",), hosts={PROVIDER: ready["port"]})


@dataclass
class Stage:
    """A gateway between a vendor and a door, and a browser program that finds them all."""

    front: Front
    door: Door
    browser: Browser

    def come_back(self, page: Page) -> dict[str, str]:
        """Have a citizen sign in from the vendor's site; return what their browser brings back there."""
        made = self.front.make()
        page.goto(made["start_url"])
        self.door.prove(page)
        brought = landed(page)
        assert brought["sign_in"] == made["id"]
        return brought


@pytest.fixture(scope="module", params=["mock A1", "mock A2", "mock standard", "oidc-provider"])
def one(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """All of it, for each kind of door."""
    folder, kind = tmp_path_factory.mktemp("stage"), request.param
    place = Place.made(folder, GATEWAY, VENDOR, PROVIDER)
    with (
        provider(place) if kind == "oidc-provider" else mock(kind.split()[1]) as door,
        front(folder, place, door.settings) as gateway,
        landing(place.serving()) as site,
        chromium({GATEWAY: gateway.port, VENDOR: site, **door.hosts}) as browser,
    ):
        yield Stage(gateway, door, browser)


def landed(page: Page) -> dict[str, str]:
    """Return what a browser brought to the vendor's site, once it is there."""
    page.wait_for_url(f"{BACK}?**")
    assert page.inner_text("h1") == HEADING
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_citizen_signs_in_and_out(one: Stage) -> None:
    """From the vendor's site to the person, and out again; then the door asks again. No address says who it is."""
    with somebody(one.browser) as page:
        seen: list[str] = []
        page.context.on("request", lambda request: seen.append(request.url))
        brought = one.come_back(page)
        assert set(brought) == {"sign_in", "code"}
        told = one.front.claim(**brought)
        assert told["account"]["identity_number"] == one.door.number
        assert told["account"]["name"] == one.door.name
        assert told["sufficient"]
        cookies = [cookie for cookie in page.context.cookies() if cookie["domain"] == GATEWAY]
        assert cookies
        for cookie in cookies:
            assert cookie["name"].startswith("__Host-")
            assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")

        out = one.front.log_out(brought["sign_in"])
        page.goto(out["leave_url"])
        assert page.get_attribute("html", "lang") == "vi"
        assert page.locator("h1").count() == page.locator("main").count() == 1
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # with nothing but a keyboard
        one.door.leave(page)
        page.wait_for_url(BACK)
        page.goto((one.front.make())["start_url"])
        page.wait_for_selector("#bca, #so-dinh-danh")
        assert not [address for address in seen if one.door.number in address or "eyJ" in address]


def test_a_citizen_goes_back_and_has_two_tabs(one: Stage) -> None:
    """Two sign-ins of one browser do not disturb each other; its back button leads to the same end once more."""
    with somebody(one.browser) as page:
        first, second = one.front.make(), one.front.make()
        other = page.context.new_page()
        page.goto(first["start_url"])
        other.goto(second["start_url"])
        one.door.prove(page)
        came = [landed(page)]
        other.goto(second["start_url"])  # the browser is signed in at the door by now, and is not asked again
        came.append(landed(other))
        assert [brought["sign_in"] for brought in came] == [first["id"], second["id"]]
        assert {(one.front.claim(**brought))["account"]["name"] for brought in came} == {one.door.name}
        page.goto(first["start_url"])
        assert landed(page) == came[0]


def test_a_start_address_is_of_no_use_in_another_browser(one: Stage) -> None:
    """Whoever opens it second is told so, in a page without a way on; who opened it first signs in."""
    with somebody(one.browser) as page, somebody(one.browser) as stranger:
        made = one.front.make()
        page.goto(made["start_url"])
        answer = stranger.goto(made["start_url"])
        assert answer is not None
        assert answer.status == 403
        assert stranger.inner_text("h1") == OTHER_BROWSER
        one.door.prove(page)
        assert (one.front.claim(**landed(page)))["sufficient"]


def test_a_citizen_may_say_no(one: Stage) -> None:
    """They are back at the vendor's site, which is told and gets nobody."""
    with somebody(one.browser) as page:
        made = one.front.make()
        page.goto(made["start_url"])
        for button in one.door.before:
            page.click(button)
        page.click("#tu-choi")
        assert landed(page) == {"sign_in": made["id"], "outcome": "denied"}
