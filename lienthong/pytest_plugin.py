"""Fixtures for tests of software that talks to the national systems: mocks as a server, a namespace for each test.

A test that asks for none of them starts and imports nothing. The plugin is loaded into projects that have packages of
any name, so it imports nothing of ours but what is needed, when it is needed, and of the mocks nothing at all.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from lienthong.mocking import Clock, DoorAccess, Faults, Ledger, Server, Space, World

KEY = "LIENTHONG_MOCKS_KEY"
SHOWN = 10
"""Exchanges shown when a test has failed."""
SPACE: pytest.StashKey[Space] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what can be set, on the command line or in the ini file."""
    group = parser.getgroup("lienthong", "mocks of Vietnam's national systems")
    for name, what in (
        ("seed", "which made-up world the mocks have (1)"),
        ("citizens", "how many made-up citizens it has, 300 at least (1000)"),
        ("mocks", "address of mocks that run already, instead of a server of the test run's own"),
    ):
        group.addoption(f"--lienthong-{name}", default=None, help=what)
        parser.addini(f"lienthong_{name}", what, default="")
    parser.addini("lienthong_arguments", "more arguments for the mocks' server", type="args", default=[])


@pytest.fixture(scope="session")
def lienthong_mocks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give the mocks' server: one for each test run (and worker), started when a test first needs it."""
    from pydantic import SecretStr  # noqa: PLC0415 - only a test that needs the mocks pays for it

    from lienthong.mocking import attached, serving  # noqa: PLC0415 - likewise
    from lienthong.processes import NotReady  # noqa: PLC0415

    config = request.config
    key = SecretStr(os.environ[KEY]) if os.environ.get(KEY) else None
    address = _asked(config, "mocks", "")
    if address:
        with attached(address, key=key) as server:
            yield server
        return
    world = ["--seed", _asked(config, "seed", "1"), "--citizens", _asked(config, "citizens", "1000")]
    log = tmp_path_factory.mktemp("lienthong") / "mocks.log"
    try:
        with serving(log, [*world, *config.getini("lienthong_arguments")], key=key) as server:
            yield server
    except NotReady as error:
        pytest.fail(f"the mocks did not start:\n{error.tail}", pytrace=False)


@pytest.fixture
def lienthong_space(request: pytest.FixtureRequest, lienthong_mocks: Server) -> Iterator[Space]:
    """Give a namespace of the test's own, which is forgotten after it."""
    from lienthong.mocking import Refused  # noqa: PLC0415 - see above

    space = lienthong_mocks.space(f"t{secrets.token_hex(5)}")
    request.node.stash[SPACE] = space
    yield space
    del request.node.stash[SPACE]
    with suppress(Refused):  # nobody has ever used it
        lienthong_mocks.mocks.remove(space.name)


@pytest.fixture
def lienthong_doors(lienthong_mocks: Server, lienthong_space: Space) -> Mapping[str, DoorAccess]:
    """Give address and credentials of every door, with logins that lead into the test's namespace."""
    return lienthong_mocks.doors_in(lienthong_space.name)


@pytest.fixture
def lienthong_world(lienthong_space: Space) -> World:
    """Give the people and resources of the test's namespace."""
    return lienthong_space.world


@pytest.fixture
def lienthong_clock(lienthong_space: Space) -> Clock:
    """Give the clock of the test's namespace."""
    return lienthong_space.clock


@pytest.fixture
def lienthong_faults(lienthong_space: Space) -> Faults:
    """Give the faults of the test's namespace."""
    return lienthong_space.faults


@pytest.fixture
def lienthong_ledger(lienthong_space: Space) -> Ledger:
    """Give the ledger of the test's namespace."""
    return lienthong_space.ledger


@pytest.hookimpl(hookwrapper=True)  # the older way to wrap, which every release of pytest understands
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Show beside a failure what has arrived at the mocks: no name, no number."""
    outcome = yield
    report, space = outcome.get_result(), item.stash.get(SPACE, None)
    if report.failed and space is not None:
        report.sections.append(("mocks", _told(space)))


def _asked(config: pytest.Config, name: str, otherwise: str) -> str:
    return str(config.getoption(f"lienthong_{name}") or config.getini(f"lienthong_{name}") or otherwise)


def _told(space: Space) -> str:
    from lienthong.mocking import MocksError  # noqa: PLC0415 - see above

    try:
        counts = space.health().counts
        exchanges = space.ledger.last(SHOWN)
        in_force = ", ".join(fault.what for fault in space.faults.in_force())
    except MocksError as error:
        return f"The mocks' ledger cannot be read: {error}"
    return "\n".join(
        (
            f"{counts.exchanges} exchanges, {counts.effects} effects; faults in force: {in_force or 'none'}",
            *([f"the last {len(exchanges)}:"] if counts.exchanges > len(exchanges) else []),
            *map(str, exchanges),
        )
    )
