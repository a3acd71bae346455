from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.api.app import create_app
from gateway.runtime import Gateway
from gateway.settings import StoreSettings
from gateway.signins import Sweeper
from gateway.store.backup import back_up, restore
from tests.support.signins import GATEWAY, VENDOR, Browser, bench, heading, vendor_of
from tests.support.stores import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import Databases

CALLBACK = f"{GATEWAY}/sign-ins/callback"
EXPIRED = "Lần đăng nhập đã hết hạn"


@pytest.fixture
def there(place: Place, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Return another machine, on the same engine, on which there is nothing."""
    folder = place.folder / "there"
    if not place.postgres:
        yield Place(folder)
        return
    databases: Databases = request.getfixturevalue("databases")
    with databases.one(empty=True) as dsn:
        yield Place(folder, dsn)


async def test_a_restored_store_ends_what_was_open(tmp_path: Path, place: Place, there: Place) -> None:
    """Made, at the door, back, claimed: each ends with a page or a 410, is counted once, and nobody is handed over."""
    async with bench(tmp_path, store=place.given()) as one:
        made, second, browser = await one.make(), await one.make(), one.browser()
        callback = await browser.follow(second["start_url"], CALLBACK)
        back, claimed = [await one.signed_in() for _ in range(2)]
        assert (await one.claim(claimed)).status_code == 200
        await back_up(one.gateway.settings.store, tmp_path / "backup")
        issued = await one.ledger("token")

        store = StoreSettings.model_validate(there.given())
        await restore(store, tmp_path / "backup", by="admin", systems=["vneid"])
        told = one.gateway.settings.model_copy(update={"store": store})
        async with Gateway.open(told, transports={"vneid": one.door}) as gateway:
            app = create_app(gateway)
            again = Browser(app, one.mocks, one.seen)
            again.http.cookies = browser.http.cookies
            await gateway.store.switches.resume("vneid", by="admin")
            for address in (made["start_url"], callback):
                answer = await again.open(address)
                assert (answer.status_code, heading(answer)) == (410, EXPIRED)
                assert f"{VENDOR}?sign_in=" in answer.text
            vendor = vendor_of(app, one.vendor.headers["authorization"].partition(" ")[2])
            for brought in (back, claimed):
                answer = await one.claim(brought, vendor)
                assert (answer.status_code, answer.json()["reason"]) == (410, "sign_in_over")
            assert await one.ledger("token") == issued
            await Sweeper(gateway.store, told.signins, "vneid", gateway.metrics).sweep()
            expected = ("never_opened", "never_returned", "never_claimed")
            assert one.counted(gateway) == dict.fromkeys(expected, 1)
            kept = await gateway.store.engine.read(lambda tx: tx.fetchval("SELECT count(person) FROM sign_in"))
            assert kept == 0
