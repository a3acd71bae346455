from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.resilience.ports import Paused
from gateway.security import Scope, authorize
from gateway.security.clients import Identity
from gateway.store import AgencyExists, UnknownAgency
from tests.support.stores import AGENCY, Hands, client

if TYPE_CHECKING:
    from tests.integration.store.conftest import Opened


async def test_a_closed_agency_opens_nothing(opened: Opened) -> None:
    """When an agency is closed no client acts for it; opened again, those that did before do so again."""
    async with opened() as store:
        await store.agencies.add(AGENCY, "UBND xã Mẫu", by="admin")
        key = await store.clients.add(client("one-stop", AGENCY), by="admin")

        def allowed() -> bool:
            found = store.snapshot.client("one-stop")
            assert found is not None
            return authorize(Identity(found, key.id), Scope.CITIZENS_VERIFY, AGENCY) is None

        assert allowed()
        closed = await store.agencies.close(AGENCY, by="admin", why="merged")
        assert closed.closed_at is not None
        assert not allowed()
        with pytest.raises(UnknownAgency):
            await store.clients.change("one-stop", by="admin", agencies={AGENCY})
        again = await store.agencies.add(AGENCY, "UBND xã Mẫu mới", by="admin")
        assert (again.closed_at, again.name) == (None, "UBND xã Mẫu mới")
        assert allowed()


async def test_an_agency_is_added_once_and_closed_once(opened: Opened) -> None:
    """Adding one that is there, or closing one that is not, is refused by its code."""
    async with opened() as store:
        with pytest.raises(UnknownAgency):
            await store.agencies.close(AGENCY, by="admin", why="?")
        await store.agencies.add(AGENCY, "UBND xã Mẫu", by="admin")
        with pytest.raises(AgencyExists) as caught:
            await store.agencies.add(AGENCY, "another name", by="admin")
        assert caught.value.name == AGENCY.value
        assert [agency.name for agency in await store.agencies.all()] == ["UBND xã Mẫu"]


async def test_a_paused_system_stops_at_once(opened: Opened) -> None:
    """When `pause` returns, the switch says who paused the system, why and since when; others run on."""
    hands = Hands()
    async with opened(hands=hands) as store:
        assert store.stop_switch.check("population") is None
        await store.switches.pause("population", by="canbo.mau", why="bảo trì")
        expected = Paused(by="canbo.mau", why="bảo trì", since=hands.now)
        assert store.stop_switch.check("population") == expected
        assert store.stop_switch.check("civil-status") is None
        shown = store.snapshot.paused("population")
        assert shown is not None
        assert (shown.by, shown.why, shown.since) == ("canbo.mau", "bảo trì", hands.now)


async def test_the_first_to_pause_stays(opened: Opened) -> None:
    """Pausing a paused system changes neither who nor why nor since when, and leaves no second line."""
    hands = Hands()
    async with opened(hands=hands) as store:
        first = await store.switches.pause("population", by="a", why="one")
        hands.now += timedelta(hours=1)
        assert await store.switches.pause("population", by="b", why="two") == first
        assert len(await store.audit.changes(limit=9)) == 1


async def test_a_resumed_system_runs(opened: Opened) -> None:
    """Releasing gives back the switch that was pressed; releasing again gives nothing."""
    async with opened() as store:
        pressed = await store.switches.pause("population", by="a", why="one")
        assert await store.switches.resume("population", by="b", why="done") == pressed
        assert store.stop_switch.check("population") is None
        assert await store.switches.resume("population", by="b") is None
        assert [(line.what, line.by, line.why) for line in await store.audit.changes(limit=9)] == [
            ("system.resume", "b", "done"),
            ("system.pause", "a", "one"),
        ]


async def test_a_switch_stays_pressed_over_a_restart(opened: Opened) -> None:
    """A system that was paused is still paused when the gateway starts again."""
    async with opened() as store:
        pressed = await store.switches.pause("population", by="a", why="one")
    async with opened() as store:
        assert store.stop_switch.check("population") is not None
        assert await store.switches.all() == (pressed,)
