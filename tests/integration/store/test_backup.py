from __future__ import annotations

import asyncio
import errno
import json
import secrets
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import pytest

from contracts.model import AgencyCode, IdentityNumber
from contracts.model.delivery import FINAL, DeliveryState
from gateway.resilience.shelf import Shelved
from gateway.security import Subjects
from gateway.security.sealing import Place as Cell
from gateway.settings import StoreSettings
from gateway.store import (
    BackupDamaged,
    BackupOfOtherEngine,
    CallState,
    KeyInTheWay,
    KeyNotOfBackup,
    NoAccess,
    NoBackup,
    NothingToBackUp,
    PlaceTaken,
    StoreNotEmpty,
    keyfile,
    migrations,
)
from gateway.store.backup import Backup, back_up, restore
from gateway.store.sqlite import connection as sqlite
from gateway.store.tables import deliveries, events, lanes, replays
from gateway.store.tables.replays import Wanted
from gateway.store.upgrading import Standing, look
from tests.support.stores import AGENCY, ANSWERED, Place, call, client, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.store.assembly import Assembly
    from gateway.store.engine import Transaction
    from tests.support.postgres import Databases

CELL = Cell("delivery", "payload", "01HQ")
NUMBER = IdentityNumber("999190000017")


def _another(place: Place, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Give another machine with nothing on it yet, on the same engine."""
    folder = place.folder / "there"
    if not place.postgres:
        yield Place(folder)
        return
    databases: Databases = request.getfixturevalue("databases")
    with databases.one(empty=True) as dsn:
        yield Place(folder, dsn)


@pytest.fixture
def there(place: Place, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Return another machine than `place`."""
    yield from _another(place, request)


@pytest.fixture
def elsewhere(bare: Place, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Return another machine than `bare`."""
    yield from _another(bare, request)


def _settings(place: Place) -> StoreSettings:
    return StoreSettings.model_validate(place.given())


async def _back_up(place: Place, directory: Path, keys: Path | None = None) -> Backup:
    return await back_up(_settings(place), directory, keys=keys)


async def _restore(place: Place, directory: Path, keys: Path | None = None) -> Backup:
    return await restore(_settings(place), directory, by="admin", systems=["population", "partner"], keys=keys)


async def _work(store: Assembly) -> bytes:
    """Leave something of every kind in the store, and return what it sealed."""
    await store.agencies.add(AGENCY, "Xã “Một”\t\\N\n", by="admin")
    await store.clients.add(client("one-stop", AGENCY), by="admin")
    await store.switches.pause("population", by="admin", why="maintenance")
    await store.attempts.open_attempt(call("open"), 1, "request-1")
    await store.attempts.open_attempt(call("done"), 1, "request-2")
    await store.attempts.close_attempt(call("done"), 1, ANSWERED)
    await store.attempts.close_call(call("done"), outcome())
    sealed = store.seal.seal(b"old", CELL)
    await store.keys.rotate(by="admin")
    return sealed


async def test_the_drill(place: Place, there: Place, tmp_path: Path) -> None:
    """Back up while a server works on; lose everything; restore elsewhere: it is as it was then, and paused."""
    async with place.opened() as store:
        old = await _work(store)
        new, subject = store.seal.seal(b"new", CELL), store.subjects.subject(NUMBER)
        before = {entry.call_id: entry for entry in await store.audit.recent(limit=99)}
        clients, changes = await store.clients.all(), await store.audit.changes(limit=99)
        made = await _back_up(place, tmp_path / "backup")
        await store.attempts.close_call(call("open"), outcome())
        await store.attempts.open_attempt(call("later"), 1, "request-3")
        await store.agencies.add(AgencyCode("000.00.09.H99"), "Xã Chín", by="admin")
    shutil.rmtree(place.folder / "keys")

    restored = await _restore(there, tmp_path / "backup")

    assert restored.manifest == made.manifest
    async with there.opened() as store:
        entries = {entry.call_id: entry for entry in await store.audit.recent(limit=99)}
        assert entries.keys() == {"open", "done"}
        assert entries["done"] == before["done"]
        assert (entries["open"].state, entries["open"].number) == (CallState.INTERRUPTED, before["open"].number)
        assert (await store.audit.attempts("done"))[0].evidence is not None
        assert await store.clients.all() == clients
        assert [(agency.code, agency.name) for agency in await store.agencies.all()] == [(AGENCY, "Xã “Một”\t\\N\n")]
        assert (store.seal.open(old, CELL), store.seal.open(new, CELL)) == (b"old", b"new")
        assert store.subjects.subject(NUMBER) == subject

        for system in ("population", "partner"):
            paused = store.stop_switch.check(system)
            assert paused is not None
            assert (paused.by, paused.why.startswith("restored")) == ("admin", True)
        told = await store.audit.changes(limit=99)
        assert told[3:] == changes
        assert [change.what for change in told[:3]] == ["system.pause", "system.pause", "store.restore"]

        await store.switches.resume("population", by="admin")
        assert store.stop_switch.check("population") is None
        await store.attempts.open_attempt(call("next"), 1, "request-4")
        (latest,) = await store.audit.recent(limit=1)
        assert latest.number > before["done"].number
        await store.keys.rotate(by="admin")
        assert store.seal.current == 3


async def _accept(lane: str, state: str, tx: Transaction) -> None:
    """Write a delivery into a lane of its own, and an event of it."""
    number, position, _ = await lanes.enter("partner", lane, "000.00.01.H99", 0, tx)
    columns = ("id", "system", "operation", "agency", "client", "officer", "procedure", "partner_key")
    values = dict.fromkeys(columns, lane) | {"lane": number, "position": position, "accepted_at": 1}
    values |= {"reach_mark": 0, "kept_until": 0}
    await deliveries.insert(
        {**dict.fromkeys(("dossier", "legal_due_at", "topic", "replaces", "payload")), **values}, "", tx
    )
    settled_at = 5 if state in {"settled", "rejected", "cancelled", "superseded"} else None
    await deliveries.change(lane, {"state": state, "settled_at": settled_at, "absent": 1}, tx)
    await events.write(1, lane, "000.00.01.H99", "partner", "accepted", tx)


async def test_a_restored_delivery_may_have_been_sent_in_the_meantime(
    place: Place, there: Place, tmp_path: Path
) -> None:
    """What was open is taken up like a send whose worker died, even if it had not begun; what was final stays."""
    async with place.opened() as store:
        for state in DeliveryState:
            await store.engine.write(partial(_accept, f"of-{state}", state.value))
        await store.engine.write(partial(events.place, 99))
        await _back_up(place, tmp_path / "backup")
    await _restore(there, tmp_path / "backup")
    async with there.opened() as store:
        for state in DeliveryState:
            row = await store.engine.read(partial(deliveries.get, f"of-{state}"))
            assert row is not None
            if state in FINAL:
                assert (row.state, row.may_have_acted) == (state, "no")
            elif state is DeliveryState.NEEDS_PERSON:
                assert (row.state, row.may_have_acted) == (state, "maybe")
            else:
                assert (row.state, row.may_have_acted, row.absent) == ("sending", "maybe", 0)
        leases = await store.engine.read(
            lambda tx: tx.fetch("SELECT DISTINCT owner, lease_until <= (SELECT wall_micros()) FROM lane")
        )
        assert [tuple(lease) for lease in leases] == [("restored", True)]
        before = await store.engine.read(partial(events.after, 0, 99, None))
        await store.engine.write(partial(events.write, 2, "next", "000.00.01.H99", "partner", "accepted"))
        await store.engine.write(partial(events.place, 99))
        (new,) = await store.engine.read(partial(events.after, before[-1].position + 1000, 99, None))
        assert new.delivery == "next"


async def test_a_restored_store_knows_no_session(place: Place, there: Place, tmp_path: Path) -> None:
    """Those of the backup are long over, and whoever was logging in then is gone."""
    async with place.opened() as store:
        assert await store.sessions.take("portal:a", Shelved(), 60) == 1
        assert await store.sessions.put("portal:a", 1, b"session", None)
        assert await store.sessions.take("portal:b", Shelved(), 60) == 1
        await _back_up(place, tmp_path / "backup")
    await _restore(there, tmp_path / "backup")
    async with there.opened() as store:
        assert [await store.sessions.look(one) for one in ("portal:a", "portal:b")] == [Shelved()] * 2


async def test_a_restored_replay_of_many_waits_for_a_person(place: Place, there: Place, tmp_path: Path) -> None:
    """It was running, and may have gone further than the backup knows: nothing is sent before somebody resumes it."""
    wanted = Wanted(
        system="stuck", states=["needs_person"], agencies=None, operation=None, kind=None, why=None, since=None,
        until=None,
    )  # fmt: skip
    given = {
        "id": "r", "system": "stuck", "client": "c", "made_by": "b", "why": "w", "made_at": 1, "filter": "{}",
        "per_second": 1.0, "stop_above": 1, "stop_of": 2, "chosen": 1, "state": "running", "state_at": 1, "next_at": 1,
    }  # fmt: skip

    async def make(tx: Transaction) -> None:
        await _accept("stuck", "needs_person", tx)
        number = await replays.insert(given, tx)
        await replays.choose(number, wanted, tx)

    async with place.opened() as store:
        await store.engine.write(make)
        await _back_up(place, tmp_path / "backup")
    await _restore(there, tmp_path / "backup")
    async with there.opened() as store:
        (row,) = await store.engine.read(lambda tx: replays.page(tx, limit=9, before=None, agencies=None))
        assert (row.state, row.chosen, row.place) == ("paused", 1, 0)
        assert row.state_why is not None
        assert row.state_why.startswith("restored from the backup")


async def test_numbers_that_were_given_are_never_given_again(place: Place, there: Place, tmp_path: Path) -> None:
    """The latest call was deleted when its time was over; its number is not another call's after a restore."""
    async with place.opened() as store:
        await store.attempts.close_call(call("gone"), outcome())
        (gone,) = await store.audit.recent(limit=1)
        await store.engine.write(lambda tx: tx.execute("DELETE FROM audit"))
        await _back_up(place, tmp_path / "backup")
    await _restore(there, tmp_path / "backup")
    async with there.opened() as store:
        await store.attempts.close_call(call("next"), outcome())
        (latest,) = await store.audit.recent(limit=1)
        assert latest.number > gone.number


async def test_a_backup_is_of_one_moment(place: Place, there: Place, tmp_path: Path) -> None:
    """While calls are opened and closed without a pause, no copied attempt lacks its call, and writing goes on."""
    async with place.opened() as store:
        stop = asyncio.Event()

        async def write(name: str) -> int:
            done = 0
            while not stop.is_set():
                done += 1
                one = call(f"{name}-{done}")
                await store.attempts.open_attempt(one, 1, f"request-{name}-{done}")
                await store.attempts.close_attempt(one, 1, ANSWERED)
                await store.attempts.close_call(one, outcome())
            return done

        writers = [asyncio.create_task(write(f"w{number}")) for number in range(4)]
        await asyncio.sleep(0.2)
        for number in range(3):
            await _back_up(place, tmp_path / str(number))
        stop.set()
        written = sum(await asyncio.gather(*writers))
        assert len(await store.audit.recent(limit=1_000_000)) == written
    await _restore(there, tmp_path / "2")
    async with there.opened() as store:
        calls = await store.audit.recent(limit=1_000_000)
        assert 0 < len(calls) <= written
        for entry in calls[:50]:
            assert len(await store.audit.attempts(entry.call_id)) == entry.attempts


@pytest.mark.parametrize("version", ["0001", "0002"])
async def test_a_backup_of_an_older_release_is_restored_up_to_date(
    bare: Place, elsewhere: Place, tmp_path: Path, version: str
) -> None:
    """Before an upgrade the new release backs up the old tables as they are; restoring brings them up to date."""
    await _make(bare, version)
    made = await _back_up(bare, tmp_path / "backup")
    assert made.manifest.tables_version == version
    assert await _version(bare) == version
    await _restore(elsewhere, tmp_path / "backup")
    assert await _version(elsewhere) == migrations.HEAD
    async with elsewhere.opened() as store:
        assert store.stop_switch.check("population") is not None
        assert store.seal.open(store.seal.seal(b"x", CELL), CELL) == b"x"


async def _make(place: Place, version: str) -> None:
    """Make a store of an older release, with its audit key."""
    check = Subjects(keyfile.read_or_make(place.folder / "keys" / "audit.key")).check_value()
    insert = f"INSERT INTO key_check (key, value, made_at) VALUES ('audit', '{check}', 0)"  # noqa: S608 - ours
    if place.dsn is None:
        sqlite.make_file(place.folder / "store.db")
        with closing(sqlite.connect(place.folder / "store.db", busy_seconds=1)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrations.upgrade(connection, version)
            connection.execute(insert)
        return
    database = await asyncpg.connect(place.dsn)
    await database.execute(await asyncio.to_thread(migrations.script, None, version))
    await database.execute(insert)
    await database.close()


async def _version(place: Place) -> str:
    if place.dsn is None:
        with closing(sqlite3.connect(place.folder / "store.db")) as connection:
            return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    database = await asyncpg.connect(place.dsn)
    version = await database.fetchval("SELECT version_num FROM alembic_version")
    await database.close()
    return str(version)


async def test_database_and_keys_lie_apart(place: Place, tmp_path: Path) -> None:
    """Nothing in the database's folder holds a key or opens a payload; all of it is its owner's only."""
    async with place.opened() as store:
        await _work(store)
        made = await _back_up(place, tmp_path / "backup", tmp_path / "safe" / "keys")
    assert {path.name for path in made.keys.iterdir()} == {"audit.key", "sealing-1.key", "sealing-2.key"}
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["database"]
    key = (tmp_path / "safe" / "keys" / "sealing-1.key").read_bytes().strip()
    for path in (tmp_path / "backup" / "database").iterdir():
        content = path.read_bytes()
        assert key not in content
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "backup").stat().st_mode & 0o777 == made.keys.stat().st_mode & 0o777 == 0o700


async def test_a_backup_goes_only_where_nothing_lies(place: Place, tmp_path: Path) -> None:
    """An earlier backup is never written over; an empty folder will do; a failure leaves nothing behind."""
    with pytest.raises(NothingToBackUp):
        await back_up(StoreSettings(path=tmp_path / "no.db", keys=tmp_path / "keys"), tmp_path / "backup")
    assert not (tmp_path / "no.db").exists()
    async with place.opened():
        pass
    (tmp_path / "backup").mkdir()
    await _back_up(place, tmp_path / "backup")
    with pytest.raises(PlaceTaken):
        await _back_up(place, tmp_path / "backup")
    (place.folder / "keys" / "sealing-1.key").unlink()
    with pytest.raises(KeyNotOfBackup) as caught:
        await _back_up(place, tmp_path / "other")
    assert caught.value.name.endswith("sealing-1.key")
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name or path.name == "other"]


async def test_a_store_is_restored_only_where_there_is_none(place: Place, there: Place, tmp_path: Path) -> None:
    """Neither a store in use nor one that lies there is touched; a second restore is refused."""
    async with place.opened() as store:
        await store.agencies.add(AGENCY, "Xã Một", by="admin")
        await _back_up(place, tmp_path / "backup")
    with pytest.raises(StoreNotEmpty):
        await _restore(place, tmp_path / "backup")
    await _restore(there, tmp_path / "backup")
    with pytest.raises(StoreNotEmpty):
        await _restore(there, tmp_path / "backup")
    async with place.opened() as store:
        assert store.stop_switch.check("population") is None


async def test_a_damaged_backup_is_refused_and_leaves_nothing(place: Place, there: Place, tmp_path: Path) -> None:
    """One byte changed, a file missing, a manifest that is none: each is named, and no store comes of it."""
    async with place.opened() as store:
        await _work(store)
        await _back_up(place, tmp_path / "backup")
    piece = tmp_path / "backup" / "database" / ("audit.copy" if place.postgres else "store.db")
    good = piece.read_bytes()
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[:-1], b"", None):
        if bad is None:
            piece.unlink()
        else:
            piece.write_bytes(bad)
        with pytest.raises(BackupDamaged) as caught:
            await _restore(there, tmp_path / "backup")
        assert caught.value.name == str(piece)
    piece.write_bytes(good)
    manifest = tmp_path / "backup" / "database" / "manifest.json"
    said = manifest.read_text("utf-8")
    for wrong in ("", "{}", said.replace('"form": 1', '"form": 2'), said.replace("sha256", "sha1")):
        manifest.write_text(wrong, "utf-8")
        with pytest.raises(NoBackup):
            await _restore(there, tmp_path / "backup")
    with pytest.raises(NoBackup):
        await _restore(there, tmp_path / "nowhere")
    manifest.write_text(said, "utf-8")
    assert not (there.folder / "store.db").exists()
    assert not (there.folder / "keys").exists()
    await _restore(there, tmp_path / "backup")


async def test_a_manifest_that_lies_about_its_tables_is_refused(place: Place, there: Place, tmp_path: Path) -> None:
    """Checksums that fit are not believed: another version, or a row too few, and nothing of it becomes a store."""
    async with place.opened() as store:
        await _work(store)
        await _back_up(place, tmp_path / "backup")
    manifest = tmp_path / "backup" / "database" / "manifest.json"
    good = manifest.read_text("utf-8")
    said = json.loads(good)
    if place.postgres:
        next(piece for piece in said["pieces"] if piece["table"] == "audit")["rows"] += 1
    else:
        said["tables_version"] = "0001"
    manifest.write_text(json.dumps(said), "utf-8")
    with pytest.raises(BackupDamaged):
        await _restore(there, tmp_path / "backup")
    manifest.write_text(good, "utf-8")
    await _restore(there, tmp_path / "backup")


async def test_the_keys_have_to_belong_to_the_backup(place: Place, there: Place, tmp_path: Path) -> None:
    """A key that is missing, another, or damaged is named before anything is made; so is a foreign key in its place."""
    async with place.opened() as store:
        await store.keys.rotate(by="admin")
        await _back_up(place, tmp_path / "backup", tmp_path / "keys-of-it")
    for name in ("audit", "sealing-1", "sealing-2"):
        key = tmp_path / "keys-of-it" / f"{name}.key"
        good = key.read_bytes()
        for bad in (None, b"no key"):
            key.unlink()
            if bad is not None:
                key.write_bytes(bad)
            with pytest.raises(KeyNotOfBackup) as caught:
                await _restore(there, tmp_path / "backup", tmp_path / "keys-of-it")
            assert caught.value.name == str(key)
            key.write_bytes(good)
    with pytest.raises(KeyNotOfBackup):
        await _restore(there, tmp_path / "backup")
    assert not (there.folder / "keys").exists()

    foreign = there.folder / "keys" / "sealing-2.key"
    keyfile.write(foreign, secrets.token_bytes(32))
    with pytest.raises(KeyInTheWay) as taken:
        await _restore(there, tmp_path / "backup", tmp_path / "keys-of-it")
    assert taken.value.name == str(foreign)
    foreign.unlink()
    (tmp_path / "keys-of-it").chmod(0o755)  # a stick, or a share, keeps no modes
    await _restore(there, tmp_path / "backup", tmp_path / "keys-of-it")
    assert (there.folder / "keys" / "sealing-2.key").stat().st_mode & 0o777 == 0o600
    async with there.opened() as store:
        assert store.seal.current == 2


async def test_a_restore_that_was_interrupted_can_be_repeated(place: Place, there: Place, tmp_path: Path) -> None:
    """After dying between keys and database the same command goes through."""
    async with place.opened():
        await _back_up(place, tmp_path / "backup")
    shutil.copytree(tmp_path / "backup" / "keys", there.folder / "keys")
    await _restore(there, tmp_path / "backup")
    async with there.opened():
        pass


async def test_a_restore_that_fails_at_its_end_leaves_no_store(
    place: Place, there: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that is not paused yet is never there to be started: whatever happens before that, there is none."""

    async def fail(_restoring: object, tx: Transaction) -> None:
        await tx.execute("DELETE FROM switch")
        raise RuntimeError("out of memory")

    async with place.opened() as store:
        await _work(store)
        await _back_up(place, tmp_path / "backup")
    with monkeypatch.context() as patched:
        patched.setattr("gateway.store.backup.take_over", fail)
        with pytest.raises(RuntimeError):
            await _restore(there, tmp_path / "backup")
    assert (await look(_settings(there))).standing is Standing.EMPTY
    assert not [path for path in there.folder.iterdir() if "partial" in path.name]
    await _restore(there, tmp_path / "backup")


async def test_a_full_disk_is_that_of_the_backup(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the copy has no room, the folder of the backup is named and not the store; nothing is left behind."""
    async with place.opened() as store:
        await _work(store)
    with monkeypatch.context() as patched:
        if place.postgres:
            patched.setattr("gateway.store.backup.postgres.create", lambda _path: open("/dev/full", "wb"))  # noqa: PTH123, SIM115
        else:
            patched.setattr("gateway.store.backup.sqlite.sqlite.connect", _small)
        with pytest.raises(NoAccess) as caught:
            await _back_up(place, tmp_path / "backup")
    assert caught.value.error == errno.ENOSPC
    assert "store.db" not in str(caught.value.path)
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name or path.name == "backup"]


def _small(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Open a database; a copy on a disk that has room for one page."""
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    if ".partial" in str(path):
        connection.execute("PRAGMA max_page_count = 1")
    return connection


async def test_a_backup_of_one_engine_is_not_the_others(place: Place, tmp_path: Path, database: str) -> None:
    """Files of one engine are not read by the other, which is said before anything is done."""
    async with place.opened():
        await _back_up(place, tmp_path / "backup")
    other = Place(tmp_path / "other", None if place.postgres else database)
    with pytest.raises(BackupOfOtherEngine):
        await _restore(other, tmp_path / "backup")


async def test_a_log_beside_an_empty_place_is_not_read_into_the_store(tmp_path: Path) -> None:
    """SQLite would apply the log of a lost database to the restored one: with one lying there nothing is restored."""
    here, there = Place(tmp_path / "here"), Place(tmp_path / "there")
    async with here.opened():
        await _back_up(here, tmp_path / "backup")
    there.folder.mkdir()
    (there.folder / "store.db-wal").write_bytes(b"what was left of another database")
    with pytest.raises(StoreNotEmpty):
        await _restore(there, tmp_path / "backup")
    (there.folder / "store.db-wal").unlink()
    (there.folder / "store.db").write_bytes(b"")
    await _restore(there, tmp_path / "backup")
    assert {path.name for path in there.folder.iterdir()} == {"keys", "store.db", "store.db.serving.lock"}
