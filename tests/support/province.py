"""A province of real processes: the mocks, and `lienthong serve` on a store of its own with one client.

What the processes say goes into the run's artifacts. A server may be started through a script of the test's own, which
changes something in it and then hands over to the same command.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from contracts.model import AgencyCode
from gateway.security import Client, Scope
from gateway.settings import StoreSettings
from gateway.store import open_store
from lienthong import home
from lienthong.processes import started
from tests.support import artifacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from lienthong.processes import Child

AGENCY: Final = "000.00.01.H99"
CLIENT: Final = "motcua"
PURPOSE: Final = {"agency": AGENCY, "procedure": "9.000001", "officer": "canbo.thu01", "dossier": "H99.129-260105-0001"}

_CONFIG: Final = """\
[server]
port = {port}
stop_seconds = 5

[store]
{engine} = {where}
keys = {keys}

[systems.population]
captures = {captures}

[systems.population.policy]
{policy}

[systems.population.adapter]
endpoint = {endpoint}
sv_url = {sv_url}
timestamp_unit = {timestamp_unit}
xroad_client = {xroad_client}
officers = {{ "canbo.thu01" = "CB_THU_01" }}
transport = {{ {transport} }}

[systems.population.adapter.credential]
username = {username}
secret = {secret}
api_key = {api_key}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Province:
    """Where everything of one gateway lies. `key` is that of its client."""

    config: Path
    store: Path
    keys: Path
    captures: Path
    key: str = field(repr=False)

    @property
    def authorization(self) -> dict[str, str]:
        """The header that opens the gateway."""
        return {"Authorization": f"Bearer {self.key}"}

    def command(self, *entry: str) -> list[str]:
        """Return the command that serves. `entry` is a script that stands in for the command `lienthong`."""
        plain = home.module("lienthong")
        start = [*(plain[:-2] if entry else plain), *entry]
        return [*start, "serve", "--config", str(self.config), "--until-stdin-closes"]

    @asynccontextmanager
    async def serving(self, *entry: str) -> AsyncIterator[Child]:
        """Run the gateway until the block ends; see `command`."""
        log = artifacts.path("gateway.log")
        async with started("gateway", self.command(*entry), environment=environment(), log=log) as child:
            yield child


@asynccontextmanager
async def mocks(*arguments: str) -> AsyncIterator[Child]:
    """Run the mocks until the block ends; each exchange is in their log before it is answered."""
    command = home.module("mocks", *arguments, "--log-exchanges", "--until-stdin-closes")
    async with started("mocks", command, environment=environment(), log=artifacts.path("mocks.log")) as child:
        artifacts.note_world(child.ready["seed"], child.ready["citizens"])
        yield child


async def founded(
    folder: Path,
    mocks_ready: Mapping[str, Any],
    *,
    port: int = 0,
    policy: Mapping[str, Any],
    transport: Mapping[str, float],
    dsn_file: Path | None = None,
) -> Province:
    """Write the configuration for the mocks that are ready, and let one client in.

    The store is a file in `folder`, or where `dsn_file` says.
    """
    door = mocks_ready["credentials"]["population"]
    places = {
        "store": folder / "lienthong.db",
        "keys": folder / "keys",
        "captures": artifacts.path("captures.jsonl"),
    }
    texts = {
        **{name: str(place) for name, place in places.items()},
        **{name: door[name] for name in ("sv_url", "timestamp_unit", "xroad_client")},
        **{name: door["accounts"][0][name] for name in ("username", "secret", "api_key")},
        "endpoint": mocks_ready["population"],
        "where": str(dsn_file or places["store"]),
    }
    engine = "path" if dsn_file is None else "dsn_file"
    config = folder / "lienthong.toml"
    config.write_text(
        _CONFIG.format(
            port=port,
            engine=engine,
            policy="\n".join(_pairs(policy)),
            transport=", ".join(_pairs(transport)),
            **{name: json.dumps(text) for name, text in texts.items()},
        ),
        encoding="utf-8",
    )
    section = StoreSettings.model_validate({engine: texts["where"], "keys": places["keys"]})
    store = await open_store(section, serving=False)
    try:
        agency = AgencyCode(AGENCY)
        await store.agencies.add(agency, "UBND xã Mẫu", by="test")
        client = Client(name=CLIENT, scopes=frozenset(Scope), agencies=frozenset({agency}))
        issued = await store.clients.add(client, by="test")
    finally:
        await store.close()
    return Province(config=config, key=issued.text, **places)


def question(person: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that asks about a citizen of the mocks' world."""
    birth = person["birth"]
    full = birth["month"] is not None
    numbers = {name: person[name] for name in ("identity_number", "old_card_number") if person[name] is not None}
    name, number = next(iter(numbers.items()))
    return {
        "citizen": {
            name: number,
            "full_name": person["name"],
            "birth_date": f"{birth['year']:04}-{birth['month']:02}-{birth['day']:02}"
            if full
            else f"{birth['year']:04}",
        },
        "purpose": PURPOSE,
    }


def environment() -> dict[str, str]:
    """Return an environment without what this machine or this run has set for us."""
    return {name: value for name, value in home.environment().items() if not name.startswith("LIENTHONG_")}


def _pairs(values: Mapping[str, Any]) -> list[str]:
    """Return TOML pairs; a mapping in the values becomes an inline table."""
    return [
        f"{name} = {value}" if isinstance(value, int | float) else f"{name} = {{ {', '.join(_pairs(value))} }}"
        for name, value in values.items()
    ]
