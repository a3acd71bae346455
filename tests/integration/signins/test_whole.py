from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tests.support.signins import GATEWAY, VENDOR, bench, heading, query_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("profile", ["A1", "A2", "standard"])
async def test_a_citizen_signs_in_and_out(tmp_path: Path, profile: str) -> None:
    """From the vendor's call to the person, at each kind of door; then out again, here and at the door."""
    async with bench(tmp_path, profile) as one:
        who = await one.approves()
        browser = one.browser()
        made = await one.make(return_to=f"{VENDOR}?tab=2", session="phien-trinh-duyet-1")
        assert made["start_url"] == f"{GATEWAY}/sign-ins/{made['id']}"
        back = await browser.follow(made["start_url"])
        assert back.startswith(f"{VENDOR}?tab=2&sign_in={made['id']}&code=")
        assert set(query_of(back)) == {"tab", "sign_in", "code"}
        accounts = [{"id": "tk-1", "identity_number": who["identity_number"]}, {"id": "tk-2", "tax_code": "9990000001"}]
        answer = await one.claim(back, session="phien-trinh-duyet-1", accounts=accounts)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["account"]["identity_number"] == who["identity_number"]
        assert told["account"]["email"] is None
        assert (told["sufficient"], told["level"]["verdict"]) == (True, "met"), told["level"]
        assert (told["matching"]["outcome"], told["matching"]["accounts"]) == ("link", ["tk-1"])
        assert [key["by"] for key in told["matching"]["keys"]] == ["tech_id", "identity_number"]
        out = (await one.ask(f"/{made['id']}/logout", return_to=VENDOR)).json()
        assert out["tokens"] == "ended"
        page = await browser.open(out["leave_url"])
        assert heading(page) == "Đăng xuất khỏi tài khoản định danh điện tử"
        left = await browser.submit(page)
        if profile == "A1":  # without the ID token it asks
            left = await browser.submit(left, "confirmed=yes")
        assert left.headers["location"].startswith(f"{GATEWAY}/sign-ins/left?state=")


async def test_a_level_that_is_too_low_is_an_answer_with_the_next_step(tmp_path: Path) -> None:
    """No error: who it is, that it is not enough, and what the citizen can do; and none is asked for, any is enough."""
    async with bench(tmp_path) as one:
        who = await one.approves(1)
        await one.do("vneid_account", str(who["id"]), "lower")
        told = (await one.claim(await one.signed_in())).json()
        assert (told["outcome"], told["sufficient"]) == ("level_too_low", False)
        assert told["level"] == {"wanted": 2, "found": 1, "verdict": "too_low"}
        assert "police" in told["next_step"]
        assert (await one.claim(await one.signed_in(level=None))).json()["sufficient"]
        assert one.counted() == {"level_too_low": 1, "claimed": 1}
        await one.speak(low_level="unmet")
        assert query_of(await one.signed_in())["outcome"] == "level_not_met"


async def test_a_word_for_a_level_that_no_table_knows_is_not_enough_and_is_told_of_once(tmp_path: Path) -> None:
    """Nothing is guessed from it, and an operator learns which word to add."""
    with capture_logs() as logged:
        async with bench(tmp_path) as one:
            await one.speak(level_form="2")
            for _ in range(2):
                told = (await one.claim(await one.signed_in())).json()
                assert (told["outcome"], told["level"]["verdict"]) == ("level_too_low", "unstated")
    assert [line["detail"] for line in logged if "level" in line["event"]] == ["acr 2"]


async def test_a_shared_computer_asks_for_a_new_proof_and_takes_no_old_one(tmp_path: Path) -> None:
    """The door is asked for it; and where somebody takes that out of the address, a token that says when is refused."""
    async with bench(tmp_path, again=True) as one:
        browser, made = one.browser(), await one.make()
        address = (await browser.open(made["start_url"])).headers["location"]
        assert query_of(address)["prompt"] == "login"
        assert (await one.claim(await browser.follow(address))).status_code == 200
        assert one.gateway.vneid is not None
        one.gateway.vneid.adapter._clock = lambda: datetime.now(UTC) + timedelta(seconds=200)  # so much later
        made = await one.make()
        address = (await browser.open(made["start_url"])).headers["location"].replace("&prompt=login", "")
        callback = await browser.follow(address, f"{GATEWAY}/sign-ins/callback")
        assert (await browser.open(callback)).status_code == 502
        assert (await one.row(made["id"]))["reason"] == "id_token_refused"


async def test_what_is_held_for_a_log_out_ends_by_itself(tmp_path: Path) -> None:
    """The page that holds the token after five minutes, the tokens after eight hours; nobody has to come for them."""
    async with bench(tmp_path) as one:
        left, kept = [query_of(await one.signed_in())["sign_in"] for _ in range(2)]
        leave = (await one.ask(f"/{left}/logout")).json()["leave_url"]
        back = await one.signed_in()
        assert (await one.claim(back)).headers["cache-control"] == "no-store"
        claimed = query_of(back)["sign_in"]
        await one.move(301)
        assert "<form" not in (await one.browser().open(leave)).text
        await one.sweep()
        assert [(await one.row(which))["tokens"] is None for which in (left, kept, claimed)] == [True, True, False]
        await one.move(8 * 3600)
        await one.sweep()
        assert (await one.row(claimed))["tokens"] is None


async def test_organisations_sign_in_too(tmp_path: Path) -> None:
    """The kind of account is told, with the keys that it is looked for by; one without its numbers is not let in."""
    async with bench(tmp_path) as one:
        await one.approves(0, "enterprise")
        told = (
            await one.claim(await one.signed_in(), accounts=[{"id": "dn", "tax_code": "9990000001", "locked": True}])
        ).json()
        assert told["account"]["kind"] == "enterprise"
        assert told["sufficient"]  # whether the door states a level of one or not
        assert told["matching"]["keys"][0]["by"] == "tech_id"
        await one.approves(0, "organisation")
        told = (await one.claim(await one.signed_in(), accounts=[])).json()
        assert (told["account"]["kind"], told["matching"]["outcome"]) == ("organisation", "new")


async def test_keys_that_the_door_has_changed_are_asked_for_once_more(tmp_path: Path) -> None:
    """A sign-in goes on when the door signs with a key that nobody has seen."""
    async with bench(tmp_path) as one:
        await one.signed_in()
        await one.do("vneid_keys", "a1", "rotate")
        assert (await one.claim(await one.signed_in())).status_code == 200
        await one.signed_in()
        assert len(await one.ledger("jwks")) == 2  # at the first sign-in, and when a key was missing
        text = (await one.vendor.get("/metrics")).text
        assert 'lienthong_door_keys_age_seconds{system="vneid"}' in text


async def test_logging_out_survives_a_door_that_does_not_help(tmp_path: Path) -> None:
    """What cannot be ended there is told, and nobody is remembered here; the browser need not come back."""
    async with bench(tmp_path) as one:
        back = await one.signed_in()
        await one.claim(back)
        await one.fault("system_fault", "revoke", 9)
        await one.fault("system_fault", "idp_logout", 9)
        sign_in = query_of(back)["sign_in"]
        out = (await one.ask(f"/{sign_in}/logout")).json()
        assert (out["tokens"], out["linked"]) == ("failed", "failed")
        assert (await one.row(sign_in))["person"] is None
        assert (await one.claim(back)).status_code == 410
        browser = one.browser()
        await one.fault("return_lost", "logout", 2)
        asked = await browser.submit(await browser.open(out["leave_url"]))
        stays = await browser.submit(asked, "confirmed=yes")
        assert stays.status_code == 200
        assert heading(await browser.open(f"{GATEWAY}/sign-ins/left")) == "Đã đăng xuất"


async def test_a_browser_that_has_logged_out_goes_back_to_the_vendor(tmp_path: Path) -> None:
    """By the form, the door, and our address, to where the vendor wanted it."""
    async with bench(tmp_path, "standard") as one:
        browser = one.browser()
        back = await one.signed_in(browser)
        await one.claim(back)
        out = (await one.ask(f"/{query_of(back)['sign_in']}/logout", return_to=f"{VENDOR}?tam-biet=1")).json()
        left = (await browser.submit(await browser.open(out["leave_url"]))).headers["location"]
        assert (await browser.open(left)).headers["location"] == f"{VENDOR}?tam-biet=1"


@pytest.mark.parametrize("takes", ["both", "address"])
@pytest.mark.parametrize("hint", ["optional", "needed"])
async def test_a_browser_logs_out_as_the_door_takes_it(tmp_path: Path, takes: str, hint: str) -> None:
    """By an address at A1: with our name alone where that is enough, and with the token only where it is set so."""
    settings: dict[str, Any] = {"linked_hosts": []}  # else the link behind A1 ends its session before the browser comes
    settings |= {"logout_shows": "id_token_hint"} if hint == "needed" else {}
    async with bench(tmp_path, adapter=settings) as one:
        await one.speak(logout_takes=takes, logout_hint=hint)
        browser = one.browser()
        back = await one.signed_in(browser)
        await one.claim(back)
        out = (await one.ask(f"/{query_of(back)['sign_in']}/logout", return_to=VENDOR)).json()
        page = await browser.open(out["leave_url"])
        assert '<form method="get" ' in page.text
        assert ("id_token_hint" in page.text) is (hint == "needed")
        assert "form-action 'self' http://mocks.test https://dinhdanh.test" in page.headers["content-security-policy"]
        left = await browser.submit(page)
        if hint == "optional":
            left = await browser.submit(left, "confirmed=yes")
        assert await one.ledger("logout") == (["ended"] if hint == "needed" else ["asked", "ended"])
        assert (await browser.open(left.headers["location"])).headers["location"] == VENDOR


async def test_a_form_that_the_door_does_not_take_leaves_the_browser_there(tmp_path: Path) -> None:
    """What we held is ended all the same: only the door's own session in that browser goes on."""
    async with bench(tmp_path, adapter={"logout_by": "form"}) as one:
        await one.speak(logout_takes="address")
        browser = one.browser()
        back = await one.signed_in(browser)
        await one.claim(back)
        out = (await one.ask(f"/{query_of(back)['sign_in']}/logout")).json()
        assert out["tokens"] == "ended"
        assert (await browser.submit(await browser.open(out["leave_url"]))).status_code == 405
        assert await one.ledger("logout") == ["form_refused"]


async def test_where_it_is_set_so_a_no_is_told_on_a_page_of_ours(tmp_path: Path) -> None:
    """With a link back to the vendor."""
    async with bench(tmp_path, denied="page") as one:
        await one.do("vneid_autopilot", "citizen", "deny")
        browser = one.browser()
        page = await browser.open(await browser.follow((await one.make())["start_url"], f"{GATEWAY}/sign-ins/callback"))
        assert (page.status_code, heading(page)) == (200, "Chưa đăng nhập")
        assert "outcome=denied" in page.text


async def test_a_sign_in_is_its_own_clients_alone(tmp_path: Path) -> None:
    """Another client, another agency and a key without the scope get nothing; an unknown field and a code are wrong."""
    async with bench(tmp_path) as one:
        back = await one.signed_in()
        sign_in = query_of(back)["sign_in"]
        other = await one.client("khac")
        assert (await one.claim(back, other)).status_code == 404
        assert (await one.ask(f"/{sign_in}/logout", other)).status_code == 404
        purpose = {"agency": "000.00.02.H99", "reason": "before_dossier"}
        assert (await one.ask("", purpose=purpose)).status_code == 404
        assert (await one.ask("", surprise=1)).status_code == 422
        assert (await one.ask(f"/{sign_in}/claim", code="!")).status_code == 422
        assert (await one.ask("/khong-co/claim", code="x")).status_code == 404
        await one.gateway.store.clients.change("motcua", by="test", scopes=())
        assert (await one.claim(back)).status_code == 403


async def test_a_stop_switch_stops_sign_ins_too(tmp_path: Path) -> None:
    """Nothing leaves for the door; browsers are told so."""
    async with bench(tmp_path, "standard") as one:
        await one.gateway.store.switches.pause("vneid", by="test", why="thử")
        answer = await one.browser().open((await one.make())["start_url"])
        assert (answer.status_code, await one.ledger("discovery")) == (503, [])
