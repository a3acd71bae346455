from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from gateway.security import Identity, IssuedKey, Quota, Refusal, RefusalReason, Scope, authenticate
from gateway.store import ClientExists, Store, TooManyKeys, UnknownAgency, UnknownClient, UnknownKey
from tests.support.stores import AGENCY, OTHER_AGENCY, Hands, Place, client

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.engine import Transaction
    from tests.integration.store.conftest import Opened


def _ask(store: Store, key: IssuedKey, hands: Hands) -> Identity | Refusal:
    return authenticate(f"Bearer {key.text}", store.snapshot, hands.now)


async def test_a_new_client_is_known_at_once(opened: Opened) -> None:
    """When `add` returns, the key opens what the client may do, and only that."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await store.agencies.add(AGENCY, "UBND xã Mẫu", by="admin")
        wanted = replace(client("one-stop", AGENCY), quota=Quota(per_minute=60), officer_quota=Quota(per_day=5))
        key = await store.clients.add(wanted, by="admin")
        assert _ask(store, key, hands) == Identity(wanted, key.id)
        (entry,) = await store.clients.all()
        assert entry.client == wanted
        assert [one.id for one in entry.keys] == [key.id]


async def test_clients_outlive_the_process(opened: Opened) -> None:
    """A key works after the store was closed and opened again."""
    hands = Hands()
    async with opened(hands=hands) as store:
        key = await store.clients.add(client(), by="admin")
    async with opened(hands=hands) as store:
        assert _ask(store, key, hands) == Identity(client(), key.id)


async def test_no_secret_is_stored(place: Place, tmp_path: Path) -> None:
    """Neither key nor secret is anywhere in the files of the store, or in any row of any table."""
    async with place.opened() as store:
        key = await store.clients.add(client(), by="admin")
        secret = key.text.split("_", 2)[2].encode()
        files = [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]
        if place.postgres:
            files += [await store.engine.read(partial(_everything, table)) for table in ("client_key", "change")]
        assert key.id.encode() in b"".join(files)
        assert secret not in b"".join(files)


async def _everything(table: str, tx: Transaction) -> bytes:
    return repr([tuple(row) for row in await tx.fetch("TABLE " + table)]).encode()


async def test_a_name_is_taken_once(opened: Opened) -> None:
    """A second client of the same name is refused, and changes nothing about the first."""
    async with opened() as store:
        await store.clients.add(client(), by="admin")
        with pytest.raises(ClientExists) as caught:
            await store.clients.add(replace(client(), scopes=frozenset(Scope)), by="admin")
        assert caught.value.name == "one-stop"
        (entry,) = await store.clients.all()
        assert entry.client == client()
        assert len(entry.keys) == 1


async def test_a_client_acts_for_known_agencies_only(opened: Opened) -> None:
    """An agency that is not there is named, and no half of the client is left behind."""
    async with opened() as store:
        await store.agencies.add(AGENCY, "UBND xã Mẫu", by="admin")
        with pytest.raises(UnknownAgency) as caught:
            await store.clients.add(client("one-stop", AGENCY, OTHER_AGENCY), by="admin")
        assert caught.value.name == OTHER_AGENCY.value
        assert await store.clients.all() == ()
        assert store.snapshot.current().keys == {}


async def test_changing_leaves_the_rest(opened: Opened) -> None:
    """Only what is given is replaced, and the key stays the same."""
    hands = Hands()
    async with opened(hands=hands) as store:
        await store.agencies.add(AGENCY, "UBND xã Mẫu", by="admin")
        key = await store.clients.add(client("one-stop", AGENCY), by="admin")
        await store.clients.change("one-stop", by="admin", scopes={Scope.SYSTEMS_READ}, quota=Quota(per_day=9))
        expected = replace(client("one-stop", AGENCY), scopes=frozenset({Scope.SYSTEMS_READ}), quota=Quota(per_day=9))
        assert _ask(store, key, hands) == Identity(expected, key.id)
        await store.clients.change("one-stop", by="admin", agencies=())
        assert _ask(store, key, hands) == Identity(replace(expected, agencies=frozenset()), key.id)


async def test_rotation_overlaps(opened: Opened) -> None:
    """After a rotation both keys work; the old one ends when it was told to."""
    hands = Hands()
    async with opened(hands=hands) as store:
        old = await store.clients.add(client(), by="admin")
        new = await store.clients.rotate("one-stop", by="admin", old_end_in=timedelta(hours=1))
        assert isinstance(_ask(store, old, hands), Identity)
        assert isinstance(_ask(store, new, hands), Identity)
        hands.now += timedelta(hours=1)
        assert _ask(store, old, hands) == Refusal(RefusalReason.KEY_EXPIRED)
        assert isinstance(_ask(store, new, hands), Identity)


async def test_two_keys_and_no_third(opened: Opened) -> None:
    """A client has at most two valid keys; the refusal names them; when one ends there is room again."""
    hands = Hands()
    async with opened(hands=hands) as store:
        first = await store.clients.add(client(), by="admin")
        second = await store.clients.rotate("one-stop", by="admin")
        with pytest.raises(TooManyKeys) as caught:
            await store.clients.rotate("one-stop", by="admin", old_end_in=timedelta(0))
        assert set(caught.value.key_ids) == {first.id, second.id}
        assert isinstance(_ask(store, first, hands), Identity)
        await store.clients.revoke_key(first.id, by="admin", why="old")
        await store.clients.rotate("one-stop", by="admin", expires_at=hands.now + timedelta(days=1))
        hands.now += timedelta(days=1)
        await store.clients.rotate("one-stop", by="admin")


async def test_an_end_is_never_put_off(opened: Opened) -> None:
    """Rotating with a late end does not lengthen the life of a key that ends sooner."""
    hands = Hands()
    async with opened(hands=hands) as store:
        old = await store.clients.add(client(), by="admin", expires_at=hands.now + timedelta(minutes=5))
        await store.clients.rotate("one-stop", by="admin", old_end_in=timedelta(days=1))
        hands.now += timedelta(minutes=5)
        assert _ask(store, old, hands) == Refusal(RefusalReason.KEY_EXPIRED)


async def test_a_revoked_key_is_dead_at_once_and_for_ever(opened: Opened) -> None:
    """When `revoke_key` returns, the key is refused; revoking again keeps the first moment; nothing brings it back."""
    hands = Hands()
    async with opened(hands=hands) as store:
        key = await store.clients.add(client(), by="admin")
        other = await store.clients.rotate("one-stop", by="admin")
        revoked = await store.clients.revoke_key(key.id, by="admin", why="lost")
        assert _ask(store, key, hands) == Refusal(RefusalReason.KEY_REVOKED)
        assert isinstance(_ask(store, other, hands), Identity)
        hands.now += timedelta(days=1)
        assert await store.clients.revoke_key(key.id, by="admin", why="again") == revoked
        await store.clients.rotate("one-stop", by="admin", old_end_in=timedelta(days=9))
        assert _ask(store, key, hands) == Refusal(RefusalReason.KEY_REVOKED)


async def test_a_revoked_client_is_shut_out(opened: Opened) -> None:
    """Revoking a client revokes each of its valid keys and nobody else's; a new key lets it in again."""
    hands = Hands()
    async with opened(hands=hands) as store:
        first = await store.clients.add(client(), by="admin")
        second = await store.clients.rotate("one-stop", by="admin")
        other = await store.clients.add(client("two-stop"), by="admin")
        assert {key.id for key in await store.clients.revoke("one-stop", by="admin", why="lost")} == {
            first.id,
            second.id,
        }
        assert _ask(store, first, hands) == _ask(store, second, hands) == Refusal(RefusalReason.KEY_REVOKED)
        assert isinstance(_ask(store, other, hands), Identity)
        assert await store.clients.revoke("one-stop", by="admin", why="again") == ()
        assert isinstance(_ask(store, await store.clients.rotate("one-stop", by="admin"), hands), Identity)


async def test_what_is_not_there_is_named(opened: Opened) -> None:
    """Every verb on an unknown client or key says which one it did not find."""
    async with opened() as store:
        for attempt in (
            store.clients.change("nobody", by="admin"),
            store.clients.rotate("nobody", by="admin"),
            store.clients.revoke("nobody", by="admin", why="?"),
        ):
            with pytest.raises(UnknownClient) as caught:
                await attempt
            assert caught.value.name == "nobody"
        with pytest.raises(UnknownKey) as key_caught:
            await store.clients.revoke_key("0123456789ab", by="admin", why="?")
        assert key_caught.value.name == "0123456789ab"


async def test_who_did_what_is_kept(opened: Opened) -> None:
    """Each change leaves one line: who, what, on what, why; a change that was refused leaves none."""
    async with opened() as store:
        key = await store.clients.add(client(), by="admin.a")
        await store.clients.change("one-stop", by="admin.b", quota=Quota(per_day=1))
        new = await store.clients.rotate("one-stop", by="admin.c")
        with pytest.raises(TooManyKeys):
            await store.clients.rotate("one-stop", by="admin.c")
        await store.clients.revoke_key(key.id, by="admin.d", why="lost")
        await store.clients.revoke_key(key.id, by="admin.e", why="again")
        assert [(line.by, line.what, line.name, line.why) for line in await store.audit.changes(limit=9)] == [
            ("admin.d", "key.revoke", key.id, "lost"),
            ("admin.c", "key.issue", new.id, None),
            ("admin.b", "client.change", "one-stop", None),
            ("admin.a", "client.add", "one-stop", None),
        ]
