from __future__ import annotations

import asyncio
import secrets
import shutil
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from structlog.testing import capture_logs

from gateway.security.sealing import NoSuchKey, key_prefix
from gateway.security.sealing import Place as Cell
from gateway.store import (
    KeyCheckLost,
    KeyExposed,
    KeyMissing,
    KeyNeeded,
    StoreUnavailable,
    UnknownKey,
    WrongKey,
    keyfile,
)
from gateway.store.tables import deliveries, instant, lanes
from gateway.store.tables.sealed import SEALED
from tests.support.stores import Hands, Place, call, outcome

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.assembly import Assembly
    from gateway.store.engine import Transaction
    from tests.integration.store.conftest import Opened

CELL = Cell("delivery", "payload", "01HQ")


def _key(place: Place, number: int) -> Path:
    return place.folder / "keys" / f"sealing-{number}.key"


async def test_an_empty_store_gets_a_key_to_seal_with(opened: Opened, place: Place) -> None:
    """The first start makes it, for its owner only; later starts and other processes open what was sealed with it."""
    async with opened() as store, opened(serving=False) as verb:
        sealed = store.seal.seal("hồ sơ".encode(), CELL)
        assert verb.seal.open(sealed, CELL) == "hồ sơ".encode()
    assert _key(place, 1).stat().st_mode & 0o777 == 0o600
    async with opened() as store:
        assert store.seal.open(sealed, CELL) == "hồ sơ".encode()
        assert [(entry.name, entry.current) for entry in await store.keys.all()] == [
            ("audit", True),
            ("sealing-1", True),
        ]


@pytest.mark.parametrize("serving", [True, False])
async def test_a_missing_sealing_key_stops_the_start(opened: Opened, place: Place, *, serving: bool) -> None:
    """Without the key nothing starts, nor is another one made; the file is named. So with an older one."""
    async with opened() as store:
        await store.keys.rotate(by="admin")
    for number in (1, 2):
        _key(place, number).rename(place.folder / "away")
        with pytest.raises(KeyMissing) as caught:
            async with opened(serving=serving):
                pass
        assert caught.value.path == _key(place, number)
        assert not _key(place, number).exists()
        (place.folder / "away").rename(_key(place, number))
    async with opened(serving=serving):
        pass


async def test_a_foreign_or_exposed_sealing_key_stops_the_start(opened: Opened, place: Place) -> None:
    """A key that is another database's, and one that others can read, are named."""
    async with opened():
        pass
    _key(place, 1).chmod(0o644)
    with pytest.raises(KeyExposed):
        async with opened():
            pass
    _key(place, 1).unlink()
    keyfile.write(_key(place, 1), secrets.token_bytes(32))
    with pytest.raises(WrongKey) as caught:
        async with opened():
            pass
    assert caught.value.path == _key(place, 1)


async def test_a_store_of_an_earlier_release_gets_its_first_sealing_key(opened: Opened, place: Place) -> None:
    """A store that was never sealed in, with calls in it, gets the key with the next start and keeps its audit key."""
    async with opened() as store:
        await store.attempts.close_call(call(), outcome())
        await store.engine.write(lambda tx: tx.execute("DELETE FROM key_check WHERE key = $1", "sealing-1"))
        check = store.subjects.check_value()
    _key(place, 1).unlink()
    async with opened() as store:
        assert store.subjects.check_value() == check
        assert store.seal.open(store.seal.seal(b"x", CELL), CELL) == b"x"


async def test_a_rotation_is_taken_up_by_whoever_runs(opened: Opened) -> None:
    """A verb rotates: the running server seals with the new key within seconds, and opens what the old one sealed."""
    async with opened() as server:
        old = server.seal.seal(b"old", CELL)
        with capture_logs() as logs:
            async with opened(serving=False) as verb:
                rotated = await verb.keys.rotate(by="admin")
                assert (rotated.name, verb.seal.current) == ("sealing-2", 2)
            for _ in range(200):
                if logs:
                    break
                await asyncio.sleep(0.05)
        assert ([line["event"] for line in logs], server.seal.current) == (["sealing key taken up"], 2)
        assert server.seal.open(old, CELL) == b"old"
        assert server.seal.renewed(old, CELL) is not None
        (change,) = await server.audit.changes(limit=9)
        assert (change.by, change.what, change.name) == ("admin", "key.rotate", "sealing-2")
        assert [(entry.name, entry.current) for entry in await server.keys.all()] == [
            ("audit", True),
            ("sealing-1", False),
            ("sealing-2", True),
        ]


async def test_ten_rotations_are_in_order(opened: Opened) -> None:
    """The tenth key is newer than the ninth, in the list, in use and after a restart."""
    async with opened() as store:
        for _ in range(10):
            await store.keys.rotate(by="admin")
    async with opened() as store:
        assert store.seal.current == 11
        assert [entry.name for entry in await store.keys.all() if entry.current] == ["audit", "sealing-11"]


async def test_rotations_at_once_are_one_after_the_other(opened: Opened) -> None:
    """Two operators at once: two keys, each known, and everything can be opened."""
    async with opened() as one, opened(serving=False) as two:
        await asyncio.gather(one.keys.rotate(by="a"), two.keys.rotate(by="b"))
        await asyncio.gather(one.snapshot.refresh(), two.snapshot.refresh())
        assert one.seal.current == two.seal.current == 3
        assert two.seal.open(one.seal.seal(b"x", CELL), CELL) == b"x"


async def test_a_file_that_a_crash_left_behind_is_the_next_key(opened: Opened, place: Place) -> None:
    """Dying between file and database leaves a file that nothing uses; the next rotation takes that one."""
    async with opened() as store:
        keyfile.read_or_make(_key(place, 2))
        left = _key(place, 2).read_bytes()
    async with opened() as store:
        assert store.seal.current == 1
        await store.keys.rotate(by="admin")
        assert store.seal.current == 2
    assert _key(place, 2).read_bytes() == left


async def test_a_rotation_that_cannot_be_written_changes_nothing(opened: Opened, place: Place) -> None:
    """When the database refuses, the old key stays in use; the file that is left is taken by the next try."""
    async with opened() as store:
        await store.engine.write(lambda tx: tx.execute("ALTER TABLE change RENAME TO elsewhere"))
        with pytest.raises((StoreUnavailable, sqlite3.OperationalError)):
            await store.keys.rotate(by="admin")
        await store.snapshot.refresh()
        assert store.seal.current == 1
        await store.engine.write(lambda tx: tx.execute("ALTER TABLE elsewhere RENAME TO change"))
        await store.keys.rotate(by="admin")
        assert (store.seal.current, _key(place, 3).exists()) == (2, False)


async def test_a_machine_without_the_new_file_says_so(tmp_path: Path, database: str) -> None:
    """Another machine serves on with the key it has, and names the file it lacks; once that is there, it takes it up.

    The file may also be brought there first: then nothing is missing at any time.
    """
    here, there = (Place(tmp_path / name, database) for name in ("here", "there"))
    async with here.opened() as ours:
        shutil.copytree(here.folder / "keys", there.folder / "keys")
        async with there.opened() as theirs:
            await ours.keys.rotate(by="admin")
            await theirs.snapshot.refresh()
            assert theirs.keys.trouble() == str(_key(there, 2))
            assert ours.seal.open(theirs.seal.seal(b"x", CELL), CELL) == b"x"
            with pytest.raises(NoSuchKey):
                theirs.seal.open(ours.seal.seal(b"x", CELL), CELL)
            shutil.copy(_key(here, 2), _key(there, 2))
            await theirs.snapshot.refresh()
            assert (theirs.keys.trouble(), theirs.seal.current) == (None, 2)

            shutil.copy(await ours.keys.prepare(), _key(there, 3))
            assert (ours.seal.current, theirs.seal.current) == (2, 2)
            await ours.keys.rotate(by="admin")
            await theirs.snapshot.refresh()
            assert (theirs.keys.trouble(), theirs.seal.current) == (None, 3)


async def _rows(store: Assembly, number: int) -> None:
    """Write a delivery, a webhook, a session and a sign-in with something sealed in every column."""
    now = await store.engine.read(instant.now)
    values = dict.fromkeys(("system", "operation", "agency", "client", "officer", "procedure", "partner_key"), "x")
    delivery, webhook, session, sign_in = (f"{one}-{number}" for one in ("delivery", "webhook", "session", "sign_in"))

    def sealed(table: str, column: str, row: str) -> bytes:
        return store.seal.seal(column.encode(), Cell(table, column, row))

    async def work(tx: Transaction) -> None:
        lane, position, _ = await lanes.enter("x", delivery, "x", 0, tx)
        given = {"id": delivery, "lane": lane, "position": position, "accepted_at": now, "reach_mark": 0}
        given |= {"kept_until": now, "payload": sealed("delivery", "payload", delivery)}
        await deliveries.insert(
            {**dict.fromkeys(("dossier", "legal_due_at", "topic", "replaces")), **values, **given}, "", tx
        )
        more = {column: sealed("delivery", column, delivery) for column in ("result", "said")}
        await deliveries.change(delivery, more, tx)
        await tx.execute(
            "INSERT INTO webhook (id, client, url, agencies, kinds, made_at, state_at, position, secret, old_secret) "
            "VALUES ($1, 'x', 'x', '', '', 0, 0, 0, $2, $3)",
            webhook,
            *(sealed("webhook", column, webhook) for column in ("secret", "old_secret")),
        )
        await tx.execute(
            "INSERT INTO session (id, fence, generation, token, lease_until) VALUES ($1, 1, 1, $2, 0)",
            session,
            sealed("session", "token", session),
        )
        await tx.execute(
            "INSERT INTO sign_in (id, client, agency, return_to, made_at, due_at, pending, person, tokens) "
            "VALUES ($1, 'x', 'x', 'x', 0, 0, $2, $3, $4)",
            sign_in,
            *(sealed("sign_in", column, sign_in) for column in ("pending", "person", "tokens")),
        )

    await store.engine.write(work)


async def _opened(store: Assembly) -> set[bytes]:
    """Return everything that is sealed, opened."""
    found = set()
    for one in SEALED:
        columns = ", ".join(one.columns)
        for row, *values in await store.engine.read(
            lambda tx, one=one, columns=columns: tx.fetch(f"SELECT id, {columns} FROM {one.table}")  # noqa: S608 - ours
        ):
            found |= {
                store.seal.open(value, Cell(one.table, column, row))
                for column, value in zip(one.columns, values, strict=True)
            }
    return found


async def _held(store: Assembly) -> list[tuple[str, int | None]]:
    return [(entry.name, entry.values) for entry in await store.keys.all()]


ALL = {column.encode() for one in SEALED for column in one.columns}
EACH = len(ALL)
"""Values that `_rows` writes."""


async def test_what_an_old_key_holds_is_sealed_anew_and_the_key_retired(opened: Opened, place: Place) -> None:
    """After a rotation everything is sealed with the new key; the old one is forgotten then, its file not missed."""
    hands = Hands()
    async with opened(hands=hands) as store:
        for number in range(3):
            await _rows(store, number)
        assert await _held(store) == [("audit", None), ("sealing-1", 3 * EACH)]
        assert await store.keys.reseal() == 0
        await store.keys.rotate(by="admin")
        await _rows(store, 3)
        assert await _held(store) == [("audit", None), ("sealing-1", 3 * EACH), ("sealing-2", EACH)]
        for name in ("sealing-1", "sealing-2"):
            with pytest.raises(KeyNeeded):
                await store.keys.retire(name, by="admin")
        assert await store.keys.reseal() == 3 * EACH
        assert await store.keys.reseal() == 0
        assert await _held(store) == [("audit", None), ("sealing-1", 0), ("sealing-2", 4 * EACH)]
        assert await _opened(store) == ALL
        with pytest.raises(KeyNeeded):  # another machine may still seal with it
            await store.keys.retire("sealing-1", by="admin")
        hands.move(timedelta(days=1, seconds=1))
        for name in ("audit", "sealing-9", "x"):
            with pytest.raises(UnknownKey):
                await store.keys.retire(name, by="admin")
        assert await store.keys.retire("sealing-1", by="admin") == _key(place, 1)
        assert [change.what for change in await store.audit.changes(limit=1)] == ["key.retire"]
    _key(place, 1).unlink()
    async with opened(hands=hands) as store:
        assert await _opened(store) == ALL
        assert (await store.keys.rotate(by="admin")).name == "sealing-3"


async def test_an_old_key_that_holds_one_value_is_not_retired(opened: Opened) -> None:
    """Whichever column of whichever table it is in."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await _rows(store, 1)
        await store.keys.rotate(by="admin")
        hands.move(timedelta(days=2))
        for one in SEALED:
            for column in one.columns:
                await store.engine.write(
                    lambda tx, one=one, column=column: tx.execute(
                        f"UPDATE {one.table} SET {column} = $1",  # noqa: S608 - ours
                        key_prefix(1) + b"x" * 40,
                    )
                )
                with pytest.raises(KeyNeeded):
                    await store.keys.retire("sealing-1", by="admin")
                await store.engine.write(
                    lambda tx, one=one, column=column: tx.execute(
                        f"UPDATE {one.table} SET {column} = $1",  # noqa: S608 - ours
                        store.seal.seal(column.encode(), Cell(one.table, column, f"{one.table}-1")),
                    )
                )
        await store.keys.retire("sealing-1", by="admin")


async def test_what_does_not_open_is_left_and_told(opened: Opened) -> None:
    """A damaged value stays as it is, keeps its key from being retired, and keeps nothing else from being renewed."""
    async with opened() as store:
        for number in range(2):
            await _rows(store, number)
        broken = key_prefix(1) + b"x" * 40
        await store.engine.write(
            lambda tx: tx.execute("UPDATE delivery SET payload = $1 WHERE id = 'delivery-0'", broken)
        )
        await store.keys.rotate(by="admin")
        with capture_logs() as logs:
            assert await store.keys.reseal() == 2 * EACH - 1
        assert [entry["event"] for entry in logs] == ["sealed value does not open"]
        assert await _held(store) == [("audit", None), ("sealing-1", 1), ("sealing-2", 2 * EACH - 1)]


async def test_a_row_that_somebody_is_changing_is_passed_over(opened: Opened, place: Place) -> None:
    """Nobody waits for the other: what they write is sealed by them, and what is left is renewed the next time."""
    if place.dsn is None:
        return
    async with opened() as store:
        for number in range(2):
            await _rows(store, number)
        await store.keys.rotate(by="admin")
        connection = await asyncpg.connect(place.dsn)
        try:
            changing = connection.transaction()
            await changing.start()
            await connection.execute("UPDATE delivery SET state = 'sending' WHERE id = 'delivery-0'")
            assert await asyncio.wait_for(store.keys.reseal(), 20) == 2 * EACH - 3
            await changing.commit()
        finally:
            await connection.close()
        assert await store.keys.reseal() == 3
        assert await _opened(store) == ALL


async def test_no_sealed_column_is_forgotten(opened: Opened, place: Place) -> None:
    """Every column of bytes is sealed, and then renewed and counted, or known not to be."""
    plain = {("client_key", "digest"), ("idempotency", "body")}
    plain |= {("sign_in", column) for column in ("session_mac", "cookie_mac", "state_mac")}
    async with opened() as store:
        if place.dsn is None:
            found = await store.engine.read(
                lambda tx: tx.fetch(
                    "SELECT m.name, c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c "
                    "WHERE m.type = 'table' AND c.type = 'BLOB'"
                )
            )
        else:
            found = await store.engine.read(
                lambda tx: tx.fetch(
                    "SELECT table_name, column_name FROM information_schema.columns "
                    "WHERE table_schema = 'public' AND data_type = 'bytea'"
                )
            )
    sealed = {(one.table, column) for one in SEALED for column in one.columns}
    assert {(row[0], row[1]) for row in found} == sealed | plain


async def test_a_store_that_forgot_its_key_but_holds_sealed_values_is_refused(opened: Opened, place: Place) -> None:
    """No new key is made beside values that it could never open; what cannot be told apart is not guessed."""
    async with opened() as store:
        await _rows(store, 1)
        await store.engine.write(lambda tx: tx.execute("DELETE FROM key_check WHERE key = 'sealing-1'"))
    before = _key(place, 1).read_bytes()
    for serving in (True, False):
        with pytest.raises(KeyCheckLost):
            async with opened(serving=serving):
                pass
    assert _key(place, 1).read_bytes() == before
