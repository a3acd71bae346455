"""The example configuration at work on other ports: the mocks, the file, and the gateway that it makes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.settings import StoreSettings
from lienthong import home
from lienthong.processes import running
from tests.support import artifacts, mocks
from tests.support.chaos import free_port
from tests.support.frontdoor import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXAMPLE: Final = Path(__file__).parents[2] / "deploy" / "lienthong.example.toml"


@dataclass(frozen=True)
class Prepared:
    """Mocks that run, and a configuration that leads to them. `ports` are ours, by those of the example."""

    world: mocks.Mocks
    ports: Mapping[str, str]
    store: StoreSettings
    variables: Mapping[str, str]
    """What the environment says where everything is."""

    def elsewhere(self, text: str) -> str:
        """Return a text of the documentation with our ports."""
        return _elsewhere(text, self.ports)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the gateway until the block ends."""
        command = home.module("lienthong", "serve", "--until-stdin-closes")
        with running("gateway", command, environment=environment(**self.variables), log=artifacts.path("gateway.log")):
            yield


@contextmanager
def prepared(folder: Path) -> Iterator[Prepared]:
    """Run the mocks until the block ends, with a copy of the example in `folder`."""
    with mocks.running("--host", "127.0.0.1", "--port", "0", "--citizens", "300") as world:
        here = world.ready["admin"].removesuffix("/__mock__/")
        ports = {"8080": str(free_port()), "8000": str(free_port()), "9100": here.rpartition(":")[2]}
        store = StoreSettings(path=folder / "lienthong.db", keys=folder / "keys")
        config = folder / "lienthong.toml"
        config.write_text(_elsewhere(EXAMPLE.read_text("utf-8"), ports), encoding="utf-8")
        places = {"CONFIG": config, "STORE__PATH": store.path, "STORE__KEYS": store.keys}
        variables = {"LIENTHONG_MOCKS": here, **{f"LIENTHONG_{name}": str(place) for name, place in places.items()}}
        yield Prepared(world, ports, store, variables)


def _elsewhere(text: str, ports: Mapping[str, str]) -> str:
    return re.sub("|".join(ports), lambda found: ports[found[0]], text)
