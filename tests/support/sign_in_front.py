"""A gateway that serves over TLS, as a process, with one door behind it and one vendor before it: for real browsers."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx

from contracts.model import AgencyCode
from gateway.security import Client, Scope
from gateway.settings import StoreSettings
from lienthong import home
from lienthong.processes import running
from lienthong.stores import opened, operator
from tests.support import artifacts
from tests.support.frontdoor import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.tls import Place

AGENCY: Final = AgencyCode("000.00.01.H99")
GATEWAY: Final = "dinhdanh.test"
VENDOR: Final = "motcua.example"
CALLBACK: Final = f"https://{GATEWAY}/sign-ins/callback"
LEFT: Final = f"https://{GATEWAY}/sign-ins/left"
BACK: Final = f"https://{VENDOR}/dang-nhap"
PATIENCE: Final = 60.0
SETTINGS: Final = """
[server]
port = 0
tls_certificate_file = {certificate}
tls_key_file = {certificate}
[store]
path = {path}
keys = {keys}
[signins]
public_url = "https://{gateway}"
return_to = {{ "{agency}" = ["{back}"] }}
[systems.vneid.adapter]
callback = "{callback}"
after_logout = "{left}"
{door}
"""


@dataclass
class Front:
    """The running gateway at `port`, as the vendor's server sees it."""

    port: int
    vendor: httpx.Client

    def make(self) -> dict[str, Any]:
        """Have the vendor make a sign-in."""
        purpose = {"agency": AGENCY.value, "procedure": "9.000001", "reason": "before_dossier"}
        return self._ask("", purpose=purpose, level=2, return_to=BACK)

    def claim(self, sign_in: str, code: str) -> dict[str, Any]:
        """Have the vendor claim who it is."""
        return self._ask(f"/{sign_in}/claim", code=code)

    def log_out(self, sign_in: str) -> dict[str, Any]:
        """Have the vendor end it."""
        return self._ask(f"/{sign_in}/logout", return_to=BACK)

    def _ask(self, path: str, **content: Any) -> dict[str, Any]:
        answer = self.vendor.post(f"/v1/sign-ins{path}", json=content)
        assert answer.is_success, answer.text
        told: dict[str, Any] = answer.json()
        return told


@contextmanager
def front(folder: Path, place: Place, door: Mapping[str, Any]) -> Iterator[Front]:
    """Run it until the block ends; `door` are settings of the adapter."""
    store = StoreSettings(path=folder / "s.db", keys=folder / "keys")
    config = folder / "lienthong.toml"
    text = SETTINGS.format(
        certificate=json.dumps(str(place.certificate)),
        path=json.dumps(str(store.path)),
        keys=json.dumps(str(store.keys)),
        gateway=GATEWAY,
        agency=AGENCY,
        back=BACK,
        callback=CALLBACK,
        left=LEFT,
        door="\n".join(f"{name} = {_toml(value)}" for name, value in door.items()),
    )
    config.write_text(text, encoding="utf-8")
    headers = {"Authorization": f"Bearer {asyncio.run(admitted(store))}"}
    command = home.module("lienthong", "serve", "--config", str(config), "--until-stdin-closes")
    log = artifacts.path("gateway.log")
    with running("gateway", command, environment=environment(), log=log) as gateway:
        base = gateway.ready["gateway"]
        trust = place.trusting()
        with httpx.Client(base_url=base, headers=headers, verify=trust, timeout=PATIENCE, trust_env=False) as vendor:
            yield Front(urlsplit(base).port or 0, vendor)


async def admitted(settings: StoreSettings) -> str:
    """Add the agency and the vendor, as the command line does, and return the vendor's key."""
    async with opened(settings) as store:
        await store.agencies.add(AGENCY, "UBND xã Mẫu", by=operator())
        client = Client(name="motcua", scopes=frozenset({Scope.SIGNINS_MAKE}), agencies=frozenset({AGENCY}))
        return (await store.clients.add(client, by=operator())).text


def _toml(value: Any) -> str:
    """Return a value of TOML: texts as JSON has them, tables inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)
