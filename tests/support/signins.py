"""Sign-ins at work: a gateway, the mock door behind it, a vendor's server, and browsers with their own cookies.

All in this process, on addresses that exist nowhere. A browser does what real ones do with what it is told and no more:
it keeps cookies by host, follows redirections, and fills forms in when it is asked to.
"""

from __future__ import annotations

import itertools
import re
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx

from contracts.model import AgencyCode
from gateway.api.app import create_app
from gateway.monitor.metrics import Metrics
from gateway.runtime import Gateway
from gateway.security import Client, Scope
from gateway.settings import Settings
from gateway.signins import Sweeper
from gateway.store import open_store
from gateway.store.tables import instant
from gateway.store.tables import signins as signin_rows
from gateway.store.tables.signins import New
from mocks.app import MockApp
from mocks.doors.vneid.settings import Account, VneidDoorSettings
from tests.support.hosting import Mounted, MountedAsync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Send
    from starlette.types import Scope as Scope_

    from adapters.transport import Transport
    from gateway.store.assembly import Assembly

AGENCY: Final = "000.00.01.H99"
GATEWAY: Final = "https://dinhdanh.test"
DOOR: Final = "http://mocks.test"
VENDOR: Final = "https://motcua.example/dang-nhap"
SECRET: Final = "bi-mat-mau"
ACCOUNT: Final = Account(
    agency=AGENCY,
    username="Mau0H99CongDichVuCongTinh001",
    secret=SECRET,
    redirect_uris=(f"{GATEWAY}/sign-ins/callback",),
    post_logout_redirect_uris=(f"{GATEWAY}/sign-ins/left",),
)
POLICY: Final[dict[str, Any]] = {
    "attempt_seconds": 5,
    "rate": {"per_second": 10_000, "burst": 1000, "ramp_from_per_second": 10_000},
    "retry": {"base_seconds": 0.01, "cap_seconds": 0.01},
    "breaker": {"failures": 1000, "trial_failures": 1000, "silence_seconds": 3600},
}
_TIMES: Final = 12


def settings(
    store: dict[str, Any],
    profile: str,
    *,
    beside: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    adapter: Mapping[str, Any] | None = None,
    **signins: Any,
) -> Settings:
    """Return settings of a gateway at one kind of door; `beside` are other systems, the rest what differs here."""
    door: dict[str, Any] = {"variant": profile, "plain_http": True, "linked_hosts": ["mocks.test"]}
    door |= {"issuer": DOOR, "acr_values": {"1": "LoA1", "2": "LoA2"}} if profile == "standard" else {"endpoint": DOOR}
    return Settings.model_validate(
        {
            "store": store,
            "signins": {"public_url": GATEWAY, "return_to": {AGENCY: [VENDOR]}, "sweep_seconds": 3600, **signins},
            "systems": {
                **(beside or {}),
                "vneid": {
                    "adapter": {
                        **door,
                        "callback": ACCOUNT.redirect_uris[0],
                        "after_logout": ACCOUNT.post_logout_redirect_uris[0],
                        "client": {"client_id": ACCOUNT.username, "secret": SECRET},
                        **(adapter or {}),
                    },
                    "policy": {**POLICY, **(policy or {})},
                },
            },
        }
    )


@dataclass
class Seen:
    """Everything that could be seen of a run: addresses, answers, pages; and every secret that was in it."""

    texts: list[tuple[str, str]] = field(default_factory=list)

    def note(self, where: str, text: str) -> None:
        """Keep a text."""
        self.texts.append((where, text))


class Browser:
    """One browser of one citizen."""

    def __init__(self, app: ASGIApp, mocks: MockApp, seen: Seen) -> None:
        hosts = {
            f"all://{urlsplit(GATEWAY).netloc}": httpx.ASGITransport(app, raise_app_exceptions=True),
            f"all://{urlsplit(DOOR).netloc}": MountedAsync(mocks),
        }
        self.http = httpx.AsyncClient(mounts=hosts, follow_redirects=False, timeout=30)
        self._seen = seen

    async def open(self, address: str, **options: Any) -> httpx.Response:
        """Open an address and stay at what it answers. What the gateway answers is looked at."""
        answer = await self.http.request(options.pop("method", "GET"), address, **options)
        if address.startswith(GATEWAY):
            self._looked_at(answer)
            self._seen.note("address of the gateway", address)
            for name, value in answer.headers.multi_items():
                self._seen.note("cookie" if name == "set-cookie" else "header of the gateway", value)
            self._seen.note("page of the gateway", answer.text)
        return answer

    async def follow(self, address: str, stop: str = VENDOR) -> str:
        """Follow redirections from an address until one leads to where `stop` begins; return that address."""
        for _ in range(_TIMES):
            if address.startswith(stop):
                return address
            answer = await self.open(address)
            assert answer.is_redirect, f"stayed at {answer.status_code}: {heading(answer)}"
            address = urljoin(address, answer.headers["location"])
        raise AssertionError("round and round")

    async def submit(self, page: httpx.Response, button: str | None = None) -> httpx.Response:
        """Fill in nothing, and press a button of a page's first form, `name=value`; or its only one."""
        form = re.search(r'<form method="(get|post)" action="([^"]*)">(.*?)</form>', page.text, re.DOTALL)
        assert form is not None, page.text
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[3])
        data = {unescape(name): unescape(value) for name, value in hidden}
        if button is not None:
            name, _, value = button.partition("=")
            data[name] = value
        if form[1] == "get":
            return await self.open(f"{unescape(form[2])}?{urlencode(data)}")
        return await self.open(unescape(form[2]), method="POST", data=data)

    @staticmethod
    def _looked_at(answer: httpx.Response) -> None:
        """Check what holds for every answer of the gateway to a browser."""
        headers = answer.headers
        assert headers["cache-control"] == "no-store"
        assert "json" not in headers.get("content-type", "")
        assert headers["referrer-policy"] == "no-referrer"
        if not answer.is_redirect:
            assert "default-src 'none'" in headers["content-security-policy"]
        for cookie in headers.get_list("set-cookie"):
            assert cookie.startswith("__Host-"), cookie
            parts = {part.strip().lower() for part in cookie.split(";")[1:]}
            assert {"path=/", "secure", "httponly", "samesite=lax"} <= parts
            assert not any(part.startswith("domain") for part in parts)


def heading(answer: httpx.Response) -> str:
    """Return the heading of a page."""
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    return "" if found is None else unescape(found[1])


def query_of(address: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@dataclass
class Bench:
    """A gateway with a door, and a vendor's server with its key."""

    gateway: Gateway
    app: ASGIApp
    mocks: MockApp
    vendor: httpx.AsyncClient
    admin: httpx.AsyncClient
    profile: str
    door: Transport
    seen: Seen = field(default_factory=Seen)
    people: list[dict[str, Any]] = field(default_factory=list)

    def browser(self) -> Browser:
        """Return a new browser, without cookies."""
        return Browser(self.app, self.mocks, self.seen)

    async def make(self, **changes: Any) -> dict[str, Any]:
        """Have the vendor make a sign-in."""
        answer = await self.ask("", **changes)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def ask(self, path: str, client: httpx.AsyncClient | None = None, **content: Any) -> httpx.Response:
        """Have the vendor ask something."""
        if not path:
            purpose = {"agency": AGENCY, "procedure": "9.000001", "reason": "before_dossier"}
            content = {"purpose": purpose, "level": 2, "return_to": VENDOR, **content}
        answer = await (client or self.vendor).post(f"/v1/sign-ins{path}", json=content)
        self.seen.note("answer to the vendor", answer.text if answer.is_error else "")
        return answer

    async def claim(self, back: str, client: httpx.AsyncClient | None = None, **content: Any) -> httpx.Response:
        """Have the vendor claim what a browser came back with."""
        brought = query_of(back)
        told = {"code": brought.get("code", "none"), **content}
        return await self.ask(f"/{brought['sign_in']}/claim", client, **told)

    async def signed_in(self, browser: Browser | None = None, **changes: Any) -> str:
        """Have somebody sign in, and return the address that their browser came back to the vendor with."""
        return await (browser or self.browser()).follow((await self.make(**changes))["start_url"])

    async def told(self, method: str, path: str, content: object = None) -> Any:
        """Call the mocks' admin API."""
        answer = await self.admin.request(method, f"/__mock__/{path}", json=content)
        assert answer.is_success, answer.text
        return answer.json()

    async def do(self, kind: str, name: str, verb: str, **fields: Any) -> None:
        """Move something in the mocks' world."""
        await self.told("POST", f"world/{kind}/{name}", {"verb": verb, "fields": fields})

    async def fault(self, what: str, operation: str, count: int = 1, **details: Any) -> None:
        """Let the door fail at an operation."""
        whom = {"door": "vneid", "operation": operation}
        fault = {"what": what, "for": whom, "until": {"count": count}, **({"with": details} if details else {})}
        await self.told("POST", "faults", fault)

    async def speak(self, **dialects: Any) -> None:
        """Have the door speak otherwise."""
        await self.told("PATCH", "dialects", {"vneid": dialects})

    async def approves(self, which: int = 0, account: str = "person") -> dict[str, Any]:
        """Have a grown citizen approve every sign-in from now on, and return who that is."""
        who = self.people[which]
        await self.do("vneid_autopilot", "citizen", "approve", citizens=[who["id"]], account=account)
        return who

    async def ledger(self, operation: str) -> list[str]:
        """Return how the door answered each exchange of an operation."""
        found = await self.told("GET", "exchanges?limit=1000")
        return [one["outcome"] for one in found["exchanges"] if one["operation"] == operation]

    async def move(self, seconds: float) -> None:
        """Let time pass in the gateway's database."""
        await self.gateway.store.engine.write(lambda tx: instant.move(int(seconds * 1_000_000), tx))

    async def sweep(self) -> None:
        """Sweep once."""
        assert self.gateway.vneid is not None
        sweeper = Sweeper(self.gateway.store, self.gateway.settings.signins, "vneid", self.gateway.metrics)
        await sweeper.sweep()

    def counted(self, gateway: Gateway | None = None) -> dict[str, float]:
        """Return how sign-ins ended, as it was counted here, or by another gateway."""
        return {
            sample.labels["outcome"]: sample.value
            for metric in (gateway or self.gateway).metrics.registry.collect()
            for sample in metric.samples
            if sample.name == "lienthong_sign_ins_total"
        }

    async def client(self, name: str, *agencies: str) -> httpx.AsyncClient:
        """Return another client's server."""
        issued = await self.gateway.store.clients.add(
            Client(
                name=name,
                scopes=frozenset({Scope.SIGNINS_MAKE}),
                agencies=frozenset(AgencyCode(one) for one in agencies or (AGENCY,)),
            ),
            by="test",
        )
        return vendor_of(self.app, issued.text)

    async def row(self, sign_in: str) -> dict[str, Any]:
        """Return a sign-in as it is stored."""
        names = "state, outcome, reason, person, tokens, pending"

        async def look(tx: Any) -> Any:
            return await tx.fetchrow(f"SELECT {names} FROM sign_in WHERE id = $1", sign_in)  # noqa: S608 - ours

        found = await self.gateway.store.engine.read(look)
        return dict(zip(names.split(", "), found, strict=True))


def new_row(client: str = "motcua") -> New:
    """Return a sign-in that is about to be made."""
    return New(
        id=str(uuid.uuid4()),
        client=client,
        agency=AGENCY,
        procedure=None,
        officer=None,
        dossier=None,
        level=2,
        return_to=VENDOR,
        session_mac=None,
    )


async def started(store: Assembly, lasts: int) -> str:
    """Make a sign-in, and bind a browser to it for so many microseconds. Returns its id."""
    one = new_row()
    await store.engine.write(partial(signin_rows.insert, one, lasts))
    assert await store.engine.write(partial(signin_rows.start, one.id, b"c", one.id.encode(), b"p", lasts))
    return one.id


@asynccontextmanager
async def doubled(one: Bench) -> AsyncIterator[Gateway]:
    """Serve by two gateways on one store: requests of browsers and of the vendor come to them in turn."""
    store = await open_store(one.gateway.settings.store, serving=False)
    other = Gateway(one.gateway.settings, store, Metrics(), {"vneid": one.door})
    apps = itertools.cycle((create_app(other), one.app))

    async def in_turn(scope: Scope_, receive: Receive, send: Send) -> None:
        await next(apps)(scope, receive, send)

    alone, one.app = one.app, in_turn
    vendor = one.vendor
    one.vendor = vendor_of(in_turn, vendor.headers["authorization"].partition(" ")[2])
    try:
        yield other
    finally:
        one.app, one.vendor = alone, vendor
        await store.close()


def vendor_of(app: ASGIApp, key: str) -> httpx.AsyncClient:
    """Return a vendor's server that calls a gateway with its key."""
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=GATEWAY, headers=headers, timeout=60)


@asynccontextmanager
async def bench(
    folder: Path,
    profile: str = "A1",
    *,
    transport: Callable[[Transport], Transport] | None = None,
    beside: Mapping[str, Any] | None = None,
    policy: Mapping[str, Any] | None = None,
    adapter: Mapping[str, Any] | None = None,
    store: Mapping[str, str] | None = None,
    **signins: Any,
) -> AsyncIterator[Bench]:
    """Run all of it until the block ends; `transport` may stand between the gateway and the door.

    `beside` are sections of other systems, whose doors are the same mocks'.
    """
    at = dict(store or {"path": str(folder / "s.db"), "keys": str(folder / "keys")})
    mocks = MockApp(citizens=300, vneid=VneidDoorSettings(accounts=(ACCOUNT,)))
    mounted: Transport = Mounted(mocks)
    door = mounted if transport is None else transport(mounted)
    try:
        transports = {**dict.fromkeys(beside or {}, mounted), "vneid": door}
        told = settings(at, profile, beside=beside, policy=policy, adapter=adapter, **signins)
        async with Gateway.open(told, transports=transports) as gateway:
            await gateway.store.agencies.add(AgencyCode(AGENCY), "UBND xã Mẫu", by="test")
            app = create_app(gateway)
            scopes = frozenset({Scope.SIGNINS_MAKE, Scope.DOSSIERS_WRITE})
            client = Client(name="motcua", scopes=scopes, agencies=frozenset({AgencyCode(AGENCY)}))
            issued = await gateway.store.clients.add(client, by="test")
            admin = httpx.AsyncClient(transport=MountedAsync(mocks), base_url=DOOR, timeout=30)
            one = Bench(gateway, app, mocks, vendor_of(app, issued.text), admin, profile, door)
            found = (await one.told("GET", "world/citizens?limit=1000"))["citizens"]
            one.people = [
                who
                for who in found
                if who["identity_number"]
                and not who["deceased_on"]
                and who["birth"]["year"] < 2000
                and not who["oddities"]
            ]
            await one.approves()
            yield one
    finally:
        mocks.stop()
        mocks.close()
