"""What is tried against a sign-in, and what goes wrong on its way. `docs/sign-ins.md` has a row for each test here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from contracts.model import AgencyCode
from gateway.signins.codes import cookie_name
from gateway.store.tables import signins
from tests.support.signins import AGENCY, GATEWAY, VENDOR, bench, heading, query_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from adapters.transport import Request, Response, Transport
    from contracts.model import Exchange
    from tests.support.signins import Bench, Browser

CALLBACK = f"{GATEWAY}/sign-ins/callback"
OTHER_BROWSER = "Lần đăng nhập này không bắt đầu từ trình duyệt này"
FAILED = "Đăng nhập không thành công"
BEGIN_AGAIN = "Chưa đăng nhập được"
UNAVAILABLE = "Chưa kết nối được để đăng nhập"
STRANGE = "Chưa hoàn tất đăng nhập"
EXPIRED = "Lần đăng nhập đã hết hạn"
UNKNOWN = "Không tìm thấy lần đăng nhập này"
DEFECTS = (
    "wrong_audience",
    "wrong_issuer",
    "token_expired",
    "token_unsigned",
    "algorithm_confused",
    "unknown_key",
    "wrong_signature",
    "wrong_nonce",
)


async def nobody(one: Bench, sign_in: str) -> None:
    """Check that nobody is known to have signed in, and that nothing is kept of anybody."""
    row = await one.row(sign_in)
    assert (row["person"], row["tokens"]) == (None, None)
    assert row["state"] in {"made", "started", "failed", "over"}


async def finishes(one: Bench, browser: Browser, made: dict[str, Any]) -> None:
    """Check that the right browser can still go through with it."""
    back = await browser.follow(made["start_url"])
    assert (await one.claim(back)).status_code == 200


async def test_a_token_that_proves_nothing_lets_nobody_in(tmp_path: Path) -> None:
    """Every defect of an ID token ends at a page that says so in words, and the sign-in is over."""
    async with bench(tmp_path, "standard") as one:
        for defect in DEFECTS:
            await one.fault(defect, "token")
            made, browser = await one.make(), one.browser()
            answer = await browser.open(await browser.follow(made["start_url"], CALLBACK))
            assert (answer.status_code, heading(answer)) == (502, FAILED), defect
            assert "không chứng minh được" in answer.text, defect
            assert f'href="{VENDOR}?sign_in={made["id"]}&amp;outcome=failed"' in answer.text, defect
            await nobody(one, made["id"])
            assert (await one.row(made["id"]))["reason"] == "id_token_refused"
        assert one.counted() == {"failed": len(DEFECTS)}


async def test_an_answer_about_somebody_else_lets_nobody_in(tmp_path: Path) -> None:
    """Userinfo about another subject than the ID token, or of an unknown kind of account, is nobody's."""
    async with bench(tmp_path) as one:
        for fault in ("subject_differs", "unknown_kind"):
            await one.fault(fault, "userinfo")
            made, browser = await one.make(), one.browser()
            answer = await browser.open(await browser.follow(made["start_url"], CALLBACK))
            assert (answer.status_code, heading(answer)) == (502, FAILED), fault
            await nobody(one, made["id"])


async def test_a_mixed_up_issuer_is_no_answer(tmp_path: Path) -> None:
    """A callback in another provider's name is not exchanged, and the sign-in goes on."""
    async with bench(tmp_path, "standard") as one:
        await one.fault("wrong_issuer", "authorize")
        made, browser = await one.make(), one.browser()
        answer = await browser.open(await browser.follow(made["start_url"], CALLBACK))
        assert (answer.status_code, heading(answer)) == (400, STRANGE)
        assert await one.ledger("token") == []
        await finishes(one, browser, made)


async def test_a_start_address_is_for_the_browser_that_opens_it_first(tmp_path: Path) -> None:
    """Opened by another browser, before or after the sign-in, it ends at a page and changes nothing."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        assert (await browser.open(made["start_url"])).is_redirect
        answer = await one.browser().open(made["start_url"])
        assert (answer.status_code, heading(answer)) == (403, OTHER_BROWSER)
        assert "set-cookie" not in answer.headers
        assert VENDOR not in answer.text
        await finishes(one, browser, made)
        assert (await one.browser().open(made["start_url"])).status_code == 403


async def test_the_doors_address_sent_to_somebody_else_ends_nowhere(tmp_path: Path) -> None:
    """Whoever signs in at an address that another browser was given gives that browser nothing."""
    async with bench(tmp_path) as one:
        made, attacker, victim = await one.make(), one.browser(), one.browser()
        address = (await attacker.open(made["start_url"])).headers["location"]
        answer = await victim.open(await victim.follow(address, CALLBACK))
        assert (answer.status_code, heading(answer)) == (403, OTHER_BROWSER)
        await nobody(one, made["id"])
        assert await one.ledger("token") == []
        answer = await one.ask(f"/{made['id']}/claim", code="A" * 43)
        assert (answer.status_code, answer.json()["reason"]) == (403, "sign_in_code")


async def test_what_another_session_came_back_with_is_refused(tmp_path: Path) -> None:
    """An attacker's finished sign-in, planted in a victim's browser at the vendor, is not handed over there."""
    async with bench(tmp_path) as one:
        back = await one.signed_in(session="phien-cua-ke-tan-cong")
        for session in ("phien-cua-nan-nhan-00", None):
            answer = await one.claim(back, session=session)
            assert (answer.status_code, answer.json()["reason"]) == (403, "sign_in_session")
        assert (await one.claim(back, session="phien-cua-ke-tan-cong")).status_code == 200


@pytest.mark.parametrize("pkce", ["checked", "ignored"])
async def test_a_code_of_another_sign_in_lets_nobody_in(tmp_path: Path, pkce: str) -> None:
    """An attacker's code with a victim's state: the verifier does not fit, or, where that is ignored, the nonce."""
    async with bench(tmp_path) as one:
        await one.speak(pkce=pkce)
        browsers = one.browser(), one.browser()
        sign_ins = [await one.make() for _ in browsers]
        theirs, ours = [
            query_of(await browser.follow(made["start_url"], CALLBACK))
            for browser, made in zip(browsers, sign_ins, strict=True)
        ]
        answer = await browsers[1].open(f"{CALLBACK}?{urlencode({**ours, 'code': theirs['code']})}")
        assert (answer.status_code, heading(answer)) == (502, FAILED)
        for made in sign_ins:
            await nobody(one, made["id"])


async def test_nobody_is_sent_to_an_address_that_is_not_on_the_list(tmp_path: Path) -> None:
    """Look-alike hosts, other paths and schemes, users, backslashes: refused at the start and at log-out."""
    host = urlsplit(VENDOR).netloc
    wrong = (
        "https://motcua.example.ke-xau.example/dang-nhap",
        "https://motcua.examp1e/dang-nhap",
        "https://mоtcua.example/dang-nhap",
        f"http://{host}/dang-nhap",
        f"HTTPS://{host}/dang-nhap",
        f"https://{host}:443/dang-nhap",
        f"https://{host}:8443/dang-nhap",
        f"https://{host}/",
        f"https://{host}/dang-nhap/",
        f"https://{host}/dang-nhap/../khac",
        f"https://{host}/dang-nhap%2f",
        f"https://{host}@ke-xau.example/dang-nhap",
        f"https://ke-xau.example\\@{host}/dang-nhap",
        f"https://{host}\\dang-nhap",
        f"//{host}/dang-nhap",
        "/dang-nhap",
        "javascript:alert(1)",
        f"{VENDOR}#x",
        f"{VENDOR}?x=1#y",
        f"{VENDOR}?code=x",
        f"{VENDOR}?a=1&%63ode=x",
        f"{VENDOR}?a=1;code=x",
        f"{VENDOR}?sign_in=x",
        f"{VENDOR}?outcome=x",
        f"{VENDOR}?a=\r\nSet-Cookie:x",
        f"{VENDOR} ",
        f" {VENDOR}",
    )
    async with bench(tmp_path) as one:
        for address in wrong:
            answer = await one.ask("", return_to=address)
            assert (answer.status_code, answer.json()["reason"]) == (422, "return_to_not_allowed"), address
        back = await one.signed_in(return_to=f"{VENDOR}?ho-so=H99.1")
        assert back.startswith(f"{VENDOR}?ho-so=H99.1&sign_in=")
        answer = await one.ask(f"/{query_of(back)['sign_in']}/logout", return_to=wrong[0])
        assert answer.status_code == 422
        for address in ("left", "left?state=https://ke-xau.example", "left?state=x"):
            assert not (await one.browser().open(f"{GATEWAY}/sign-ins/{address}")).is_redirect


async def test_an_agency_is_a_wall(tmp_path: Path) -> None:
    """Another agency's addresses are not its own, and a client that lost an agency has lost its sign-ins."""
    lists = {AGENCY: [VENDOR], "000.00.02.H99": ["https://khac.example/dang-nhap"]}
    async with bench(tmp_path, return_to=lists) as one:
        answer = await one.ask("", return_to="https://khac.example/dang-nhap")
        assert (answer.status_code, answer.json()["reason"]) == (422, "return_to_not_allowed")
        back = await one.signed_in()
        sign_in = query_of(back)["sign_in"]
        assert (await one.ask(f"/{sign_in}/logout", return_to="https://khac.example/dang-nhap")).status_code == 422
        store = one.gateway.store
        await store.agencies.add(AgencyCode("000.00.02.H99"), "UBND xã Khác", by="test")
        await store.clients.change("motcua", by="test", agencies=[AgencyCode("000.00.02.H99")])
        assert (await one.claim(back)).status_code == 404
        assert (await one.ask(f"/{sign_in}/logout")).status_code == 404
        assert (await one.row(sign_in))["tokens"] is not None


async def test_who_can_write_rows_cannot_hand_one_person_over_as_another(tmp_path: Path) -> None:
    """What is sealed is bound to its row and column: moved elsewhere it opens nothing, and shows nothing."""
    async with bench(tmp_path) as one:
        theirs = await one.signed_in()
        await one.approves(1)
        own = await one.signed_in()
        (source, target), move = (
            (query_of(back)["sign_in"] for back in (theirs, own)),
            "UPDATE sign_in SET {} WHERE id = $2",
        )
        same_column = move.format("person = (SELECT person FROM sign_in WHERE id = $1)")
        await one.gateway.store.engine.write(lambda tx: tx.execute(same_column, source, target))
        assert (await one.claim(own)).status_code == 500
        other_column = move.format("tokens = (SELECT person FROM sign_in WHERE id = $1)")
        await one.gateway.store.engine.write(lambda tx: tx.execute(other_column, source, source))
        assert (await one.ask(f"/{source}/logout")).status_code == 500
        assert (await one.claim(theirs)).status_code == 200


async def test_what_was_used_is_good_for_nobody_else(tmp_path: Path) -> None:
    """State, code, cookie, claim code and start address, each shown once more, by others and for other sign-ins."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        callback = await browser.follow(made["start_url"], CALLBACK)
        back = (await browser.open(callback)).headers["location"]
        # state and code: by another browser; the code in a sign-in of its own
        assert (await one.browser().open(callback)).status_code == 403
        thief = one.browser()
        second = await one.make()
        brought = query_of(await thief.follow(second["start_url"], CALLBACK))
        spent = f"{CALLBACK}?{urlencode({**brought, 'code': query_of(callback)['code']})}"
        assert heading(await thief.open(spent)) == FAILED
        # the cookie of one sign-in under the name of another
        third, other = await one.make(), one.browser()
        await other.open(third["start_url"])
        value = next(cookie.value for cookie in browser.http.cookies.jar if cookie.name == cookie_name(made["id"]))
        copied = one.browser()
        copied.http.cookies.set(cookie_name(third["id"]), value or "", domain=urlsplit(GATEWAY).netloc)
        assert (await copied.open(third["start_url"])).status_code == 403
        # the claim code: by another client, for another sign-in, and after its time
        elsewhere = await one.client("khac")
        assert (await one.claim(back, elsewhere)).status_code == 404
        answer = await one.ask(f"/{third['id']}/claim", code=query_of(back)["code"])
        assert (answer.status_code, answer.json()["reason"]) == (403, "sign_in_code")
        first, again = (await one.claim(back)).json(), (await one.claim(back)).json()
        assert first == again
        # the start address and the callback, after the end
        await one.move(301)
        answer = await one.claim(back)
        assert (answer.status_code, answer.json()["reason"]) == (410, "sign_in_over")
        for address in (made["start_url"], callback):
            assert heading(await browser.open(address)) == EXPIRED
        await one.sweep()
        await nobody_any_more(one, made["id"])
        assert (await one.claim(back)).status_code == 410
        await one.move(25 * 3600)
        await one.sweep()
        assert (await one.claim(back)).status_code == 404
        assert heading(await browser.open(callback)) == UNKNOWN


async def nobody_any_more(one: Bench, sign_in: str) -> None:
    """Check that the person is forgotten."""
    row = await one.row(sign_in)
    assert (row["state"], row["person"]) == ("over", None)


async def test_a_callback_without_the_right_cookie_changes_nothing(tmp_path: Path) -> None:
    """Whoever brings state and code, or an error, without the cookie, or with another's, is shown a page."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        callback = await browser.follow(made["start_url"], CALLBACK)
        state = query_of(callback)["state"]
        planted = one.browser()
        planted.http.cookies.set(cookie_name(made["id"]), "A" * 43, domain=urlsplit(GATEWAY).netloc)
        for other in (one.browser(), planted):
            for address in (callback, f"{CALLBACK}?error=access_denied&state={state}", f"{callback}&state={state}"):
                assert not (await other.open(address)).is_redirect
        for junk in ("", "?state=", "?state=x&code=y", f"?state={state}&state={state}", "?%ff", "?" + "a=1&" * 60):
            assert (await browser.open(f"{CALLBACK}{junk}")).status_code == 404
        assert (await one.row(made["id"]))["state"] == "started"
        assert await one.ledger("token") == []
        await finishes(one, browser, made)


async def test_a_cookie_that_a_neighbour_can_plant_is_not_ours(tmp_path: Path) -> None:
    """A name that a browser does not take for `__Host-`, for a sign before it, is not taken for it here either."""
    async with bench(tmp_path) as one:
        made, attacker = await one.make(), one.browser()
        callback = await attacker.follow(made["start_url"], CALLBACK)
        ours = "; ".join(f"{cookie.name}={cookie.value}" for cookie in attacker.http.cookies.jar)
        for before in (b"\xa0", b"\x85", b"\x1c", b"\x1f", b"=", b"a", ours.encode() + b"; "):
            planted = [(b"cookie", before + ours.encode())]
            assert (await one.browser().open(callback, headers=planted)).status_code == 403, before
        assert await one.ledger("token") == []
        await finishes(one, attacker, made)


async def test_what_nobody_looks_at_yet_uses_nothing_up(tmp_path: Path) -> None:
    """A browser that fetches ahead, a frame, an image or a script: nothing is bound, exchanged or shown by them."""
    hints = [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        *({"Sec-Fetch-Dest": what} for what in ("iframe", "image", "empty")),
    ]
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()

        async def ahead(address: str) -> None:
            for hint in hints:
                answer = await browser.open(address, headers=hint)
                assert (answer.status_code, answer.text) == (503, ""), hint
                assert "set-cookie" not in answer.headers

        await ahead(made["start_url"])
        assert (await one.row(made["id"]))["state"] == "made"
        callback = await browser.follow(made["start_url"], CALLBACK)
        await ahead(callback)
        assert await one.ledger("token") == []
        back = (await browser.open(callback, headers={"Sec-Fetch-Dest": "document"})).headers["location"]
        await one.claim(back)
        leave = (await one.ask(f"/{made['id']}/logout")).json()["leave_url"]
        await ahead(leave)
        assert "<form" in (await browser.open(leave)).text


async def test_two_tabs_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Two sign-ins of one browser, side by side and back in the other order, both come to their end."""
    async with bench(tmp_path) as one:
        browser, tabs = one.browser(), [await one.make() for _ in range(2)]
        callbacks = [await browser.follow(made["start_url"], CALLBACK) for made in tabs]
        for made, callback in reversed(list(zip(tabs, callbacks, strict=True))):
            back = (await browser.open(callback)).headers["location"]
            assert query_of(back)["sign_in"] == made["id"]
            assert (await one.claim(back)).status_code == 200


async def test_the_back_button_goes_on_with_the_same_sign_in(tmp_path: Path) -> None:
    """Opened again by its own browser: the same state before the end, the same way back after it, one exchange."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        first = (await browser.open(made["start_url"])).headers["location"]
        assert (await browser.open(made["start_url"])).headers["location"] == first
        callback = await browser.follow(first, CALLBACK)
        back = (await browser.open(callback)).headers["location"]
        for address in (callback, made["start_url"]):
            assert (await browser.open(address)).headers["location"] == back
        assert await one.ledger("token") == ["issued"]


async def test_a_callback_that_comes_twice_at_once_is_exchanged_once(tmp_path: Path) -> None:
    """Five requests of the same browser at the same moment all lead back, by one exchange."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        callback = await browser.follow(made["start_url"], CALLBACK)
        await one.fault("latency", "token", seconds=0.3)
        answers = await asyncio.gather(*(browser.open(callback) for _ in range(5)))
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert await one.ledger("token") == ["issued"]


async def test_a_door_that_is_away_at_the_start_changes_nothing(tmp_path: Path) -> None:
    """Its addresses cannot be had, or its page does not come: the same browser goes on when it is back."""
    async with bench(tmp_path, "standard") as one:
        await one.fault("system_fault", "discovery", 9)
        made, browser = await one.make(), one.browser()
        answer = await browser.open(made["start_url"])
        assert (answer.status_code, heading(answer)) == (503, UNAVAILABLE)
        assert (await one.row(made["id"]))["state"] == "made"
        await one.told("DELETE", "faults")
        await one.fault("system_fault", "authorize")
        address = (await browser.open(made["start_url"])).headers["location"]
        assert (await browser.open(address)).status_code >= 500
        await finishes(one, browser, made)


@pytest.mark.parametrize("operation", ["token", "userinfo"])
async def test_a_door_that_goes_away_on_the_way_lets_nobody_in(tmp_path: Path, operation: str) -> None:
    """Where the code is exchanged, and at userinfo: a page with the way back, and a new sign-in works."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        callback = await browser.follow(made["start_url"], CALLBACK)
        await one.fault("system_fault", operation, 9)
        answer = await browser.open(callback)
        assert (answer.status_code, heading(answer)) == (503, BEGIN_AGAIN)
        assert f'href="{VENDOR}?sign_in={made["id"]}&amp;outcome=unavailable"' in answer.text
        await nobody(one, made["id"])
        assert (await browser.open(callback)).text.split("<p class")[0] == answer.text.split("<p class")[0]
        await one.told("DELETE", "faults")
        assert (await one.claim(await one.signed_in(browser))).status_code == 200
        assert one.counted() == {"unavailable": 1, "claimed": 1}


async def test_a_code_is_not_used_up_while_the_keys_cannot_be_had(tmp_path: Path) -> None:
    """Without them nothing could be proven: the same callback is good when the door is back."""
    async with bench(tmp_path) as one:
        made, browser = await one.make(), one.browser()
        callback = await browser.follow(made["start_url"], CALLBACK)
        await one.fault("system_fault", "jwks", 9)
        answer = await browser.open(callback)
        assert (answer.status_code, heading(answer)) == (503, UNAVAILABLE)
        await nobody(one, made["id"])
        assert await one.ledger("token") == []
        await one.told("DELETE", "faults")
        assert (await one.claim((await browser.open(callback)).headers["location"])).status_code == 200


@dataclass
class Meanwhile:
    """Lets something happen while the door is asked who it is."""

    inner: Transport
    happens: Callable[[], Awaitable[None]] | None = None

    async def send(self, request: Request, exchange: Exchange) -> Response:
        """Let a message pass."""
        if exchange.operation.name == "userinfo" and self.happens is not None:
            await self.happens()
        return await self.inner.send(request, exchange)


async def test_an_exchange_that_outlasts_its_time_lets_nobody_in(tmp_path: Path) -> None:
    """Ended by the sweep while it was under way: what it learns is not kept, and the browser is told."""
    doors: list[Meanwhile] = []

    def slow(inner: Transport) -> Meanwhile:
        doors.append(Meanwhile(inner))
        return doors[0]

    async with bench(tmp_path, transport=slow) as one:

        async def swept() -> None:
            await one.move(3600)
            await one.sweep()

        made, browser = await one.make(), one.browser()
        callback = await browser.follow(made["start_url"], CALLBACK)
        doors[0].happens = swept
        answer = await browser.open(callback)
        assert (answer.status_code, heading(answer)) == (410, EXPIRED)
        await nobody(one, made["id"])
        assert one.counted() == {"interrupted": 1}


async def test_a_no_and_an_error_of_the_door_go_back_without_a_code(tmp_path: Path) -> None:
    """The citizen declines: back with an outcome and nothing to claim. The door is overloaded: a page with a link."""
    async with bench(tmp_path) as one:
        await one.do("vneid_autopilot", "citizen", "deny")
        back = await one.signed_in()
        assert set(query_of(back)) == {"sign_in", "outcome"}
        assert query_of(back)["outcome"] == "denied"
        assert (await one.claim(back)).json()["reason"] == "sign_in_code"
        await one.approves()
        await one.fault("error_in_success", "authorize")
        made, browser = await one.make(), one.browser()
        answer = await browser.open(await browser.follow(made["start_url"], CALLBACK))
        assert (answer.status_code, heading(answer)) == (503, BEGIN_AGAIN)
        assert one.counted() == {"denied": 1, "unavailable": 1}


async def test_what_nobody_comes_back_to_is_ended_and_counted(tmp_path: Path) -> None:
    """Never opened, never back, interrupted, never claimed: each late step is refused, and each is counted once."""
    async with bench(tmp_path) as one:
        never_opened, never_back, interrupted = [await one.make() for _ in range(3)]
        browser = one.browser()
        late = await browser.follow(never_back["start_url"], CALLBACK)
        cut = await browser.follow(interrupted["start_url"], CALLBACK)
        await one.gateway.store.engine.write(lambda tx: signins.consume(interrupted["id"], 1, tx))
        back = await one.signed_in()
        await one.move(3600)
        assert heading(await browser.open(never_opened["start_url"])) == EXPIRED
        assert heading(await browser.open(late)) == EXPIRED
        assert heading(await browser.open(cut)) == EXPIRED
        assert (await one.claim(back)).status_code == 410
        await one.sweep()
        await one.sweep()
        expected = ("never_opened", "never_returned", "interrupted", "never_claimed")
        assert one.counted() == dict.fromkeys(expected, 1)
        await nobody_any_more(one, query_of(back)["sign_in"])
        told = {
            (entry.operation, entry.state.value, entry.reason)
            for entry in await one.gateway.store.audit.recent(limit=50)
            if entry.operation in {"sign_in", "claim"}
        }
        assert told >= {("sign_in", "abandoned", why) for why in expected[:3]}
        assert ("claim", "abandoned", "never_claimed") in told
