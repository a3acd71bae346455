"""Several processes at a portal whose log-in ends the session before: with a shelf they share one, without they do not.

The real adapter and the portal's mock, in its dialect `single_session`; over the store, as processes have it, too.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from adapters.portal import Credential, Portal, PortalSettings
from contracts.model import AgencyCode, DossierCode, ProcedureCode, Purpose
from gateway.resilience import Call, Deadline, NullObserver, Pipeline, PolicySettings
from gateway.resilience.sessions import Sessions
from gateway.resilience.sharing import Shared
from tests.support.hosting import in_process, over_sockets
from tests.support.pipelines import Log
from tests.support.sessions import MemoryShelf
from tests.support.stores import Place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from adapters.portal import Account
    from contracts.model import Exchange
    from gateway.resilience.shelf import Shelf
    from tests.support.conformance import Peer

AGENCY = AgencyCode("000.00.00.H99")
PURPOSE = Purpose(agency=AGENCY, procedure=ProcedureCode("9.999001"), officer="canbo.mau", dossier=None)
CODE = DossierCode("H99.5-260302-0017")
NUMBERS = count(1)


class NeverPaused:
    """A stop switch that nobody presses."""

    def check(self, _system: str) -> None:
        """Return that everything may leave."""
        return


class Process:
    """The adapter with its sessions and its pipeline, as one process has them. Made on a running loop."""

    def __init__(self, peer: Peer, shelf: Shelf | None) -> None:
        account = peer.mocks.ready["credentials"]["portal"]["accounts"][0]
        given = {"username": account["username"], "secret": account["secret"]}
        self.settings = PortalSettings(endpoint=peer.mocks.ready["portal"], plain_http=True, account=given)  # type: ignore[arg-type] - made a section
        self.portal = Portal(self.settings, peer.transport)
        self.log, switch, policy = Log(), NeverPaused(), PolicySettings()
        shares = shelf is not None and self.settings.shares_session
        self.sessions: Sessions[Account, Credential] = Sessions(
            self.portal,
            self.portal.operations.login,
            policy,
            log=self.log,
            switch=switch,
            observer=NullObserver(),
            now=lambda: datetime.fromtimestamp(peer.now(), UTC),
            shared=Shared(shelf, Credential.packed, Credential.unpacked) if shares else None,  # type: ignore[arg-type] - it is one
        )
        self.pipeline: Pipeline[Credential] = Pipeline(
            "portal", policy, credentials=self.sessions, log=self.log, switch=switch
        )

    async def look_up(self) -> bool:
        """Look a dossier up, as a call of a client would. Return whether that went well."""
        call = Call(
            id=f"call-{next(NUMBERS)}",
            operation=self.portal.operations.look_up,
            client="mot-cua",
            purpose=PURPOSE,
            subject="",
            deadline=Deadline.after(10, asyncio.get_running_loop().time()),
        )

        def doing(credential: Credential, exchange: Exchange) -> Any:
            return self.portal.look_up(CODE, PURPOSE, credential, exchange)

        return (await self.pipeline.run(call, doing)).failure is None

    async def aclose(self) -> None:
        """Wait for what was left behind."""
        await self.sessions.aclose()
        await self.pipeline.aclose()


async def made(peer: Peer, shelves: Sequence[Shelf | None]) -> list[Process]:
    """Return a process for each shelf."""
    return [Process(peer, shelf) for shelf in shelves]


def log_ins(peer: Peer) -> int:
    """Return how often anybody has logged in."""
    return sum(one["operation"] == "login" for one in peer.exchanges())


def worked(peer: Peer, processes: Sequence[Process]) -> tuple[list[int], list[bool]]:
    """Let the processes work: all at once, in turns, and when the session has ended.

    Return how many log-ins there had been after each, and which look-ups went well.
    """
    seen, well = [], []

    async def at_once() -> list[bool]:
        return await asyncio.gather(*(process.look_up() for process in processes))

    well += peer.run(at_once())
    seen.append(log_ins(peer))
    well += [peer.run(process.look_up()) for process in [*processes] * 3]
    seen.append(log_ins(peer))
    peer.advance(601)  # the portal says nothing of it beforehand
    well += peer.run(at_once())
    seen.append(log_ins(peer))
    for process in processes:
        peer.run(process.aclose())
    return seen, well


@pytest.mark.parametrize("many", [2, 8])
def test_processes_that_share_do_not_end_each_others_sessions(many: int) -> None:
    """One log-in for all, and one when that session is over."""
    with in_process() as peer:
        peer.speak("portal", {"single_session": True})
        shelf = MemoryShelf()
        seen, well = worked(peer, peer.run(made(peer, [shelf] * many)))
        assert (seen, all(well)) == ([1, 1, 2], True)


def test_processes_that_do_not_share_do() -> None:
    """The same without a shelf: they end each other's sessions, until somebody is refused twice and held."""
    with in_process() as peer:
        peer.speak("portal", {"single_session": True})
        seen, well = worked(peer, peer.run(made(peer, [None] * 3)))
        assert seen[-1] > len(well) / 2
        assert not all(well)


def test_processes_share_through_the_store(tmp_path: Path, database: str) -> None:
    """Four of them, each with its own connections to PostgreSQL, at a portal over sockets."""
    place = Place(tmp_path, database)
    with over_sockets() as peer:
        peer.speak("portal", {"single_session": True})
        stack = AsyncExitStack()
        try:
            stores = [peer.run(stack.enter_async_context(place.opened())) for _ in range(4)]
            processes = peer.run(made(peer, [store.sessions for store in stores]))
            seen, well = worked(peer, processes)
            assert (seen, all(well)) == ([1, 1, 2], True)
        finally:
            peer.run(stack.aclose())


def test_through_a_wrapper_there_is_nothing_to_share() -> None:
    """No session, so that no account's secret is ever put into the store; nor where a person has said that none is."""
    values = {"endpoint": "https://adapter.example", "account": {"username": "a", "secret": "s"}}
    assert PortalSettings.model_validate(values).shares_session
    assert not PortalSettings.model_validate(values | {"variant": "G1w"}).shares_session
    assert not PortalSettings.model_validate(values | {"single_session": False}).shares_session
