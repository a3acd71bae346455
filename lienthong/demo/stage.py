"""The demo's own little province: mocks and gateway as real processes, its agencies, and a client with its key."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from contracts.model import AgencyCode
from gateway.security import Client, Scope
from gateway.settings import StoreSettings
from lienthong import home
from lienthong.demo.portal.dossiers import COMMUNES, FILES
from lienthong.demo.portal.stories import ANSWERS
from lienthong.demo.signins.browser import CALLBACK, LEFT, PUBLIC, RETURN_TO
from lienthong.demo.signins.stories import CLIENT as CLIENT_AT_THE_DOOR
from lienthong.mocks import start_command
from lienthong.processes import started
from lienthong.stores import opened, operator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lienthong.processes import Child

CLIENT = "mot-cua-demo"
OFFICER = "canbo.demo"
PROCEDURE = "9.000001"

_CONFIG = """\
# Written by `lienthong demo`. The accounts are the mocks' own and made up.
[server]
host = "127.0.0.1"
port = 0

[store]
path = {store}
keys = {keys}

[systems.population.adapter]
endpoint = {endpoint}
sv_url = {sv_url}
timestamp_unit = {timestamp_unit}
xroad_client = {xroad_client}
officers = {{ {officer} = "CB_DEMO" }}
{agencies}
# The demo squeezes a bad month into seconds: shorter times, and room for that many retries in one minute.
[systems.population.policy]
attempt_seconds = 1
commit_seconds = 4
budget = {{ floor = 100 }}
breaker = {{ window_seconds = 2, probe_seconds = 0.5 }}
rate = {{ ramp_from_per_second = 20, ramp_seconds = 3 }}
credentials = {{ hold_seconds = 5 }}
retry = {{ untold_seconds = 1 }}
"""
_PORTAL = """
[systems.portal.adapter]
endpoint = {endpoint}
account = {{ username = {username}, secret = {secret} }}
attachment_bases = [{files}]
settle_after_seconds = 1

# A lost answer costs two seconds, and so few are under way at once that no other takes as long on a slow machine.
[systems.portal.policy]
attempt_seconds = 2
commit_seconds = 10
breaker = {{ window_seconds = 2, probe_seconds = 0.5 }}
rate = {{ ramp_from_per_second = 20, ramp_seconds = 3 }}

[delivery]
base_seconds = 0.2
cap_seconds = 1
poll_seconds = 0.2
concurrency = 8
"""
_SIGN_INS = """
[signins]
public_url = {public}

[signins.return_to]
{agency} = [{back}]

[systems.vneid.adapter]
variant = "A1"
endpoint = {endpoint}
callback = {callback}
after_logout = {left}
client = {{ client_id = {username}, secret = {secret} }}
linked_hosts = [{host}]

[systems.vneid.policy]
attempt_seconds = 2
"""
_ANSWER = """
[[systems.portal.adapter.answers]]
meaning = {meaning}
code = {code}
"""
_AGENCY = """
[systems.population.adapter.agencies.{agency}.credential]
username = {username}
secret = {secret}
api_key = {api_key}
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the stories are played on."""

    config: Path
    store: StoreSettings
    gateway: str
    admin: str
    agencies: tuple[str, str]
    key: str
    http: httpx.AsyncClient
    serving: Child

    def purpose(self, *, second_agency: bool = False) -> dict[str, str]:
        """Return why the demo asks, for its first or its second agency."""
        agency = self.agencies[1 if second_agency else 0]
        return {"agency": agency, "procedure": PROCEDURE, "officer": OFFICER, "reason": "before_dossier"}


@asynccontextmanager
async def built(folder: Path, *, seed: int, citizens: int) -> AsyncIterator[Stage]:
    """Start everything in `folder`, and end it in order. Raises `NotReady` when a process does not start."""
    environment = {name: value for name, value in home.environment().items() if not name.startswith("LIENTHONG_")}
    command = [*start_command(host="127.0.0.1", port=0, seed=seed, citizens=citizens), "--until-stdin-closes"]
    config = folder / "lienthong.toml"
    store = StoreSettings(path=folder / "lienthong.db", keys=folder / "keys")
    async with (
        started("mocks", command, environment=environment, log=folder / "mocks.log") as mocks,
        httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=100)) as http,
    ):
        agencies = _configure(config, store, mocks.ready)
        key = await _admit(store, agencies)
        serve = home.module("lienthong", "serve", "--config", str(config), "--until-stdin-closes")
        async with started("gateway", serve, environment=environment, log=folder / "gateway.log") as gateway:
            yield Stage(config, store, gateway.ready["gateway"], mocks.ready["admin"], agencies, key, http, gateway)


def _configure(config: Path, store: StoreSettings, mocks: Any) -> tuple[str, str]:
    """Write the gateway's configuration for the mocks' doors, and return the population database's two agencies."""
    door = mocks["credentials"]["population"]
    accounts = door["accounts"][:2]
    text = _CONFIG.format(
        store=_toml(str(store.path)),
        keys=_toml(str(store.keys)),
        endpoint=_toml(mocks["population"]),
        officer=_toml(OFFICER),
        agencies="".join(_AGENCY.format(**{name: _toml(value) for name, value in one.items()}) for one in accounts),
        **{name: _toml(door[name]) for name in ("sv_url", "timestamp_unit", "xroad_client")},
    )
    config.write_text(text + _portal(mocks) + _sign_ins(mocks), encoding="utf-8")
    first, second = (account["agency"] for account in accounts)
    return first, second


def _portal(mocks: Any) -> str:
    """Return the section of the portal: one account of the province, for all communes."""
    account = mocks["credentials"]["portal"]["accounts"][0]
    values = {"endpoint": mocks["portal"], "files": FILES, **{name: account[name] for name in ("username", "secret")}}
    answers = ({"meaning": meaning, "code": code} for meaning, code in ANSWERS)
    parts = [(_PORTAL, values), *((_ANSWER, answer) for answer in answers)]
    return "".join(part.format(**{name: _toml(value) for name, value in said.items()}) for part, said in parts)


def _sign_ins(mocks: Any) -> str:
    """Return the sections of sign-ins: the first commune's citizens, at the door of the national portal."""
    account = next(one for one in mocks["credentials"]["vneid"]["accounts"] if one["username"] == CLIENT_AT_THE_DOOR)
    values = {
        "public": PUBLIC,
        "agency": COMMUNES[0].agency,
        "back": RETURN_TO,
        "endpoint": mocks["vneid"],
        "callback": CALLBACK,
        "left": LEFT,
        "host": urlsplit(mocks["vneid"]).netloc,
        **{name: account[name] for name in ("username", "secret")},
    }
    return _SIGN_INS.format(**{name: _toml(value) for name, value in values.items()})


def _toml(value: str) -> str:
    """Return a TOML basic string, whose escapes are those of JSON."""
    return json.dumps(value)


async def _admit(settings: StoreSettings, agencies: tuple[str, str]) -> str:
    """Add the agencies and the client, as the command line does, and return the client's key."""
    async with opened(settings) as store:
        codes = [AgencyCode.parse(agency) for agency in (*agencies, *(commune.agency for commune in COMMUNES))]
        for code in codes:
            await store.agencies.add(code, f"Demo {code}", by=operator())
        client = Client(name=CLIENT, scopes=frozenset(Scope), agencies=frozenset(codes))
        return (await store.clients.add(client, by=operator())).text
