from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from contracts.model import Layer, NotSent
from gateway.delivery import Changed, Refusal, Refused, Resolution
from gateway.settings import StoreSettings
from gateway.store.backup import back_up, restore
from tests.support.deliveries import SETTLE_AFTER, SYSTEM, WORD, Toy, bench, changed
from tests.support.stores import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from contracts.model import Exchange
    from gateway.delivery import Found, Order
    from tests.support.deliveries import Bench, Secret
    from tests.support.postgres import Databases


CALM: dict[str, Any] = {
    "policy": {"attempt_seconds": 20},
    "lease_seconds": 20 * 86_400,
    "base_seconds": 3600,
    "cap_seconds": 7200,
}
"""What is away is tried once, and no attempt ends because this machine is slow or the clock is moved meanwhile."""


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


def _settings(place: Place) -> StoreSettings:
    return StoreSettings.model_validate(place.given())


class Partner(Toy):
    """The toy as a partner with a memory: what it has done and may be asked twice it does not do again.

    `asked` is every exchange; what is about something in `away` does not reach it.
    """

    def __init__(self) -> None:
        super().__init__(always=self.answer)
        self.asked: list[tuple[str, str, str]] = []
        self.away: set[str] = set()

    async def send(self, credential: Secret, exchange: Exchange, order: Order) -> bytes | None:
        """Note what was asked, under which key."""
        self.asked.append(("send", order.payload.decode(), order.key))
        return await super().send(credential, exchange, order)

    async def look_up(self, credential: Secret, exchange: Exchange, order: Order) -> Found:
        """Note what was looked up."""
        self.asked.append(("look up", order.payload.decode(), order.key))
        return await super().look_up(credential, exchange, order)

    async def answer(self, order: Order, exchange: Exchange) -> bytes | None:
        """Act, unless that was done before and is no new effect."""
        if order.payload.decode() in self.away:
            raise NotSent("connect_failed", operation=exchange.operation, layer=Layer.NETWORK)
        if exchange.operation.name in {"put", "add"} and self.effects[order.delivery]:
            return b"known"
        return self.act(order)

    def about(self, name: str, since: int) -> list[tuple[str, str]]:
        """Return what it was asked about something since then: what, and under which key."""
        return [(what, key) for what, asked, key in self.asked[since:] if asked == name]


async def _until_all(one: Bench, ids: Iterable[str], state: str) -> None:
    """Let time pass until all of them are in this state."""
    deadline = asyncio.get_running_loop().time() + 90
    for delivery in ids:
        while True:
            found = await one.deliveries.get(delivery)
            assert found is not None
            if found.state == state:
                break
            assert asyncio.get_running_loop().time() < deadline, found
            await one.move(SETTLE_AFTER)
            await asyncio.sleep(0.02)


async def test_the_drill(place: Place, there: Place, tmp_path: Path) -> None:
    """Backup with deliveries open, more work, loss, restore: nothing leaves until resumed, nothing takes effect twice.

    What was open at the backup is looked up, or sent again under its key, or put before a person, whether it has been
    sent since or not.
    """
    partner = Partner()
    names = ("put", "add", "append", "tell")
    async with bench(place, toy=partner, **CALM) as one:
        done = {name: await one.accept(name, lane=f"D-{name}", payload=f"done {name}") for name in names}
        left = {name: await one.accept(name, lane=f"L-{name}", payload=f"left {name}") for name in names}
        behind = await one.accept("append", lane="D-append", payload="behind")
        await back_up(_settings(place), tmp_path / "backup")
        rows = await one.store.engine.read(lambda tx: tx.fetch("SELECT id, partner_key FROM delivery"))
        keys = {row[0]: row[1] for row in rows}
        partner.away = {f"left {name}" for name in names}
        await one.running()
        for each in (*done.values(), behind, await one.accept("add", lane="N", payload="new")):
            await one.until(each, "settled", seconds=40)
    partner.away = set()
    since = len(partner.asked)

    await restore(_settings(there), tmp_path / "backup", by="admin", systems=[SYSTEM])
    async with bench(there, toy=partner, **CALM) as two:
        await two.running()
        await two.move(3 * SETTLE_AFTER)
        await asyncio.sleep(0.2)
        assert len(partner.asked) == since
        await two.store.switches.resume(SYSTEM, by="admin")
        await _until_all(two, [done["tell"].id, left["tell"].id], "needs_person")
        await _until_all(two, [each.id for name in names[:3] for each in (done[name], left[name])], "settled")
        await _until_all(two, [behind.id], "settled")

        for name in ("put", "add"):
            assert partner.about(f"done {name}", since) == [("send", keys[done[name].id])]
            assert partner.about(f"left {name}", since) == [("send", keys[left[name].id])]
        assert {what for what, _ in partner.about("done append", since)} == {"look up"}
        assert {what for what, _ in partner.about("behind", since)} == {"look up"}
        assert [what for what, _ in partner.about("left append", since)] == ["look up", "look up", "send"]
        assert [partner.about(f"{which} tell", since) for which in ("done", "left")] == [[], []]

        for asked, found in ((done["tell"], Resolution.DONE), (left["tell"], Resolution.SEND_AGAIN)):
            told = await two.get(asked)
            assert (told.why, told.may_have_acted) == ("interrupted", "maybe")
            changed(await two.deliveries.resolve(told.id, found, WORD))
        await two.until(left["tell"], "settled", seconds=40)
    assert set(partner.effects.values()) == {1}
    assert partner.order.index("done append") < partner.order.index("behind")
    assert len(partner.effects) == 10


async def test_what_a_person_was_asked_about_may_have_been_sent_since(
    place: Place, there: Place, tmp_path: Path
) -> None:
    """It is neither replayed nor taken back as if nothing had happened: only evidence says what became of it."""
    partner = Partner()
    async with bench(place, toy=partner) as one:
        delivery = await one.accept("tell")
        await one.store.engine.write(lambda tx: tx.execute("UPDATE delivery SET operation = 'unheard_of'"))
        await one.running()
        await one.until(delivery, "needs_person")
        await one.store.engine.write(lambda tx: tx.execute("UPDATE delivery SET operation = 'tell'"))
        await back_up(_settings(place), tmp_path / "backup")
        assert isinstance(await one.deliveries.replay(delivery.id, WORD), Changed)
        await one.until(delivery, "settled")
    await restore(_settings(there), tmp_path / "backup", by="admin", systems=[SYSTEM])
    async with bench(there, toy=partner) as two:
        await two.store.switches.resume(SYSTEM, by="admin")
        await two.running()
        for word in (two.deliveries.replay, two.deliveries.cancel):
            assert await word(delivery.id, WORD) == Refused(Refusal.MAY_HAVE_ACTED)
        changed(await two.deliveries.resolve(delivery.id, Resolution.DONE, WORD))
    assert partner.effects == {delivery.id: 1}


@pytest.mark.parametrize("refused", [False, True], ids=["on its way", "before a person"])
async def test_of_several_steps_nobody_knows_which_were_sent_since(
    place: Place, there: Place, tmp_path: Path, *, refused: bool
) -> None:
    """What a person calls done is the whole of a write that takes several exchanges: no part of it is sent again."""
    partner = Partner()
    async with bench(place, toy=partner, **CALM) as one:
        delivery = await one.accept("parts", payload="3")
        if refused:
            partner.behaviours = [partner.answer, partner.says("no_room")]
        else:
            partner.away = {"3"}
        await one.running()
        await (one.until(delivery, "needs_person") if refused else one.concluded(delivery, 1))
        await back_up(_settings(place), tmp_path / "backup")
        partner.away = set()
        if refused:
            changed(await one.deliveries.replay(delivery.id, WORD))
        await _until_all(one, [delivery.id], "settled")
    await restore(_settings(there), tmp_path / "backup", by="admin", systems=[SYSTEM])
    async with bench(there, toy=partner, **CALM) as two:
        await two.store.switches.resume(SYSTEM, by="admin")
        await two.running()
        await _until_all(two, [delivery.id], "needs_person")
        changed(await two.deliveries.resolve(delivery.id, Resolution.DONE, WORD))
        assert (await two.get(delivery)).state == "settled"
    assert partner.steps == {f"part/{number}": 1 for number in range(3)}


async def test_without_the_doubt_the_drill_fails(
    place: Place, there: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that took up its deliveries as the backup has them would send a second time what was sent since."""
    monkeypatch.setattr("gateway.store.tables.restored._DOUBT", "UPDATE delivery SET absent = 0")
    partner = Partner()
    async with bench(place, toy=partner) as one:
        delivery = await one.accept("tell")
        await back_up(_settings(place), tmp_path / "backup")
        await one.running()
        await one.until(delivery, "settled")
    await restore(_settings(there), tmp_path / "backup", by="admin", systems=[SYSTEM])
    async with bench(there, toy=partner) as two:
        await two.store.switches.resume(SYSTEM, by="admin")
        await two.running()
        await two.until(delivery, "settled")
    assert partner.effects[delivery.id] == 2
