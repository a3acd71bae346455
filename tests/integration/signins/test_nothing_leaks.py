"""A whole run is looked through for every secret and every person that was in it."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

import structlog
import structlog.testing
from prometheus_client import generate_latest

from adapters.transport import Response
from tests.support.signins import GATEWAY, SECRET, bench, query_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    import pytest

    from adapters.transport import Transport
    from contracts.model import Exchange
    from tests.support.signins import Bench

CALLBACK: Final = f"{GATEWAY}/sign-ins/callback"
SECRET_MEMBERS: Final = ("access_token", "refresh_token", "id_token", "userProfileUri", "logoutUri")
PERSONAL_MEMBERS: Final = ("sub", "TechID", "HoVaTen", "SoDinhDanh", "NgayThangNamSinh", "SoDienThoai", "ThuDienTu")
SHORTEST: Final = 6


@dataclass
class Spy:
    """Stands between the gateway and the door, and knows every secret that passes."""

    inner: Transport
    secrets: dict[str, str] = field(default_factory=dict)

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        """Let a message pass."""
        for name, value in parse_qsl(request.content.decode()):
            if name in {"code_verifier", "client_secret"}:
                self.secrets[f"{name} {len(self.secrets)}"] = value
        answer = await self.inner.send(request, exchange)
        try:
            told = answer.json()
        except ValueError:
            return answer
        for name in (*SECRET_MEMBERS, *PERSONAL_MEMBERS):
            value = told.get(name)
            if isinstance(value, str) and len(value) >= SHORTEST:
                self.secrets[f"{name} {len(self.secrets)}"] = value
                self.secrets |= {f"{name} part {n} {len(self.secrets)}": p for n, p in _parts(value)}
        return answer


def _parts(value: str) -> Iterator[tuple[int, str]]:
    """Yield what a token or a link holds that gives it away as well: each part of a JWT, the value of a query."""
    for number, part in enumerate(value.rpartition("=")[2].split(".")):
        if len(part) > 4 * SHORTEST:
            yield number, part


def found(texts: list[tuple[str, str]], secrets: dict[str, str]) -> list[str]:
    """Return where which secret stands: plain, in an address, behind the escapes of JSON, in any case."""
    hits = []
    for where, text in texts:
        spellings = {text.lower(), unquote(text).lower(), unquote(unquote(text)).lower()}
        for name, value in secrets.items():
            forms = {value.lower(), json.dumps(value)[1:-1].lower(), " ".join(value.lower().split())}
            if any(form in spelling for form in forms for spelling in spellings):
                hits.append(f"{name} in {where}")
    return hits


class _Kept(logging.Handler):
    def __init__(self, texts: list[tuple[str, str]]) -> None:
        super().__init__(logging.DEBUG)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] not in {"httpx", "httpcore"}:  # the tests' own browsers
            self._texts.append(("log of a library", self.format(record)))


async def everything_happens(one: Bench, folder: Path) -> None:
    """Sign-ins that succeed, are declined, fail at every step, are attacked, claimed, logged out and abandoned."""
    for account in ("person", "enterprise", "organisation"):
        await one.approves(1, account)
        browser = one.browser()
        made = await one.make(session="phien-trinh-duyet-1")
        callback = await browser.follow(made["start_url"], CALLBACK)
        await one.browser().open(callback)
        back = (await browser.open(callback)).headers["location"]
        await browser.open(callback)
        await one.claim(back, session="phien-trinh-duyet-2")
        assert (await one.claim(back, session="phien-trinh-duyet-1", accounts=[])).status_code == 200
        await one.ask(f"/{made['id']}/claim", code="")
        one.seen.note("address of the vendor", back)
        out = (await one.ask(f"/{made['id']}/logout")).json()
        one.seen.note("address of the gateway", out["leave_url"])
        leave = await browser.http.get(out["leave_url"])  # the one page that holds a token: see below
        one.seen.note("address that the form goes to", leave.text.partition('action="')[2].partition('"')[0])
        await browser.submit(leave)
        await browser.open(out["leave_url"])
    await one.do("vneid_autopilot", "citizen", "deny")
    await one.signed_in()
    await one.approves(2)
    faults = (
        ("wrong_nonce", "token"),
        ("system_fault", "token"),
        ("subject_differs", "userinfo"),
        ("missing_fields", "userinfo"),
    )
    for what, operation in faults:
        await one.fault(what, operation)
        browser, made = one.browser(), await one.make()
        await browser.open(await browser.follow(made["start_url"], CALLBACK))
    await one.make()
    await one.signed_in()
    for file in folder.glob("s.db*"):  # while somebody is known there
        one.seen.note("file of the database", file.read_bytes().decode("utf-8", "replace"))
    await one.move(7200)
    await one.sweep()


async def a_defect_happens(one: Bench, spy: Spy, patched: pytest.MonkeyPatch) -> None:
    """Let something break that nobody expected, with everything secret in its words."""

    def broken(*_: object) -> None:
        raise RuntimeError(" ".join(spy.secrets.values()))

    assert one.gateway.vneid is not None
    patched.setattr(one.gateway.vneid.adapter, "assure", broken)
    made, browser = await one.make(), one.browser()
    answer = await browser.open(await browser.follow(made["start_url"], CALLBACK))
    assert answer.status_code == 500


async def test_nothing_secret_or_personal_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token, secret, name or number of a run stands in a log, address, page, error, metric or row, or is found."""
    texts: list[tuple[str, str]] = []

    def keep(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
        texts.append(("log", repr(event)))
        return event

    with monkeypatch.context() as patched:
        config = structlog.get_config()
        patched.setitem(config, "processors", [keep, *config["processors"]])
        structlog.configure(**config)
        handler = _Kept(texts)
        logging.getLogger().addHandler(handler)
        spies: list[Spy] = []

        def spied(inner: Transport) -> Spy:
            spies.append(Spy(inner))
            return spies[0]

        try:
            async with bench(tmp_path, transport=spied) as one:
                await everything_happens(one, tmp_path)
                await a_defect_happens(one, spies[0], patched)
                await one.gateway.observe()
                texts += [
                    ("metrics", generate_latest(one.gateway.metrics.registry).decode()),
                    *(seen for seen in one.seen.texts if seen[0] != "cookie"),
                ]
                who = {str(which): one.people[which]["name"] for which in (1, 2)}
                cookies = {
                    f"cookie {number}": text.partition("=")[2].partition(";")[0]
                    for number, (where, text) in enumerate(one.seen.texts)
                    if where == "cookie"
                }
        finally:
            logging.getLogger().removeHandler(handler)
    with closing(sqlite3.connect(tmp_path / "s.db")) as database:
        texts += [("row of the database", line) for line in database.iterdump()]
    secrets = {
        **spies[0].secrets,
        "client secret": SECRET,
        **{f"name {key}": name for key, name in who.items()},
        **cookies,
    }
    kinds = {name.partition(" ")[0] for name in secrets}
    assert kinds >= {
        "access_token",
        "id_token",
        "refresh_token",
        "code_verifier",
        "client_secret",
        "HoVaTen",
        "SoDinhDanh",
        "TechID",
        "cookie",
        "logoutUri",
    }
    assert {where for where, _ in texts} >= {
        "log",
        "metrics",
        "address of the gateway",
        "page of the gateway",
        "answer to the vendor",
        "row of the database",
    }
    assert found(texts, secrets) == []
    for name, value in secrets.items():  # and each of them would have been found, in every place
        for where in {where for where, _ in texts}:
            for form in (value, f"https://x.example/?a={value}", json.dumps({"x": value})):
                assert found([(where, f"… {form} …")], {name: value}), name


NUMBER, NAME, TOKEN = "999090000077", "Nguyễn Thị Lộ Tên", "eyJhbGciOi.Lo-Ra-Ngoai_77xYz.chuKyMau"
STRANGE: Final[dict[str, list[tuple[int, Any]]]] = {
    "exchange_code": [
        (400, {"error": "invalid_grant", "error_description": f"{NUMBER} {NAME} {TOKEN}"}),
        (400, {"error": TOKEN}),
        (400, {"error": f"{NAME} {NUMBER}"}),
        (400, {"error": {NAME: NUMBER}}),
        (500, f"<html>{NAME} {NUMBER} {TOKEN}"),
        (200, {"access_token": TOKEN, "id_token": TOKEN, "token_type": "Bearer", f"so_{NUMBER}": 1, NAME: 2}),
        (200, {"access_token": NAME, "id_token": NUMBER, "token_type": NAME, "expires_in": NUMBER}),
    ],
    "userinfo": [
        (401, {"error": TOKEN, "error_description": NAME}),
        (200, {"sub": NUMBER, "HoVaTen": NAME}),
        (200, f'{{"sub": "{NUMBER}", "sub": "{NUMBER}"}}'),
        (200, {"LoaiTaiKhoan": NUMBER}),
        (200, {"LoaiTaiKhoan": [NAME]}),
        (200, {"HoVaTen": [NAME], "SoDinhDanh": NUMBER + "0", "TechID": NAME, "NgayThangNamSinh": NUMBER}),
        (200, {"loAs": [NUMBER, NAME], "loginIdp": NUMBER, f"so_{NUMBER}": 1, NAME: 2}),
    ],
    "keys": [(200, {"keys": [{"kty": "RSA", "kid": NUMBER, "n": NAME, "e": TOKEN}]}), (400, {"error": NAME})],
}


@dataclass
class Strange:
    """A door that answers one operation strangely, with what it should not say; what is missing, it has told before."""

    inner: Transport
    now: tuple[str, int, Any] | None = None

    async def send(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        """Answer."""
        good = await self.inner.send(request, exchange)
        if self.now is None or self.now[0] != exchange.operation.name:
            return good
        _, status, told = self.now
        if isinstance(told, dict) and self.now[0] == "userinfo" and "sub" not in told:
            told = {**good.json(), **told}
        body = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
        return Response(status, headers={"content-type": "application/json"}, content=body.encode())


async def test_nothing_of_a_strange_answer_is_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Errors, pages, members and words of a door that quote tokens or persons: none is stored, shown or logged."""
    doors: list[Strange] = []

    def strange(inner: Transport) -> Strange:
        doors.append(Strange(inner))
        return doors[0]

    with structlog.testing.capture_logs() as logged:
        async with bench(tmp_path, transport=strange) as one:
            for operation, answers in STRANGE.items():
                for status, told in answers:
                    made, browser = await one.make(), one.browser()
                    callback = await browser.follow(made["start_url"], CALLBACK)
                    assert one.gateway.vneid is not None
                    one.gateway.vneid._keys._held = None  # as after an hour, in which the old keys are dropped
                    doors[0].now = (operation, status, told)
                    await browser.open(callback)
                    doors[0].now = None
            await browser.open(f"{callback}&error={TOKEN}".replace("code=", "x="))
            texts = [("metrics", generate_latest(one.gateway.metrics.registry).decode()), *one.seen.texts]
    with closing(sqlite3.connect(tmp_path / "s.db")) as database:
        texts += [("row of the database", line) for line in database.iterdump()]
    texts += [("log", repr(logged)), ("log of a library", caplog.text)]
    assert sum("account_kind_unknown" in text for where, text in texts if where.startswith("row")) > 1
    middle = TOKEN.split(".")[1]
    asked = {f"{GATEWAY}/sign-ins/callback"}  # what somebody writes into an address of ours stands in theirs
    texts = [(where, text) for where, text in texts if not any(text.startswith(one) for one in asked)]
    assert found(texts, {"number": NUMBER, "name": NAME, "token": TOKEN, "part": middle}) == []


async def test_the_page_with_the_token_is_shown_once_and_only_by_its_code(tmp_path: Path) -> None:
    """The form of a log-out holds the ID token: nobody without the code sees it, and nobody twice."""
    async with bench(tmp_path, adapter={"logout_by": "form"}) as one:
        back = await one.signed_in()
        await one.claim(back)
        sign_in = query_of(back)["sign_in"]
        out = (await one.ask(f"/{sign_in}/logout")).json()
        browser = one.browser()
        leave = f"{GATEWAY}/sign-ins/{sign_in}/leave"
        for wrong in (leave, f"{leave}?code={'A' * 43}", f"{leave}?code={query_of(back)['code']}"):
            assert "<form" not in (await browser.open(wrong)).text
        assert (await one.ask(f"/{sign_in}/logout")).json()["leave_url"] == out["leave_url"]
        page = await browser.open(out["leave_url"])
        assert page.text.count("id_token_hint") == 1
        assert "form-action 'self' http://mocks.test https://dinhdanh.test;" in page.headers["content-security-policy"]
        assert "<form" not in (await browser.open(out["leave_url"])).text
        assert (await one.ask(f"/{sign_in}/logout")).json() == {"tokens": "none", "linked": "none", "leave_url": None}
        assert (await one.row(sign_in))["tokens"] is None
