from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gateway.store import SecondServer, StoreUnavailable, Trouble
from gateway.store.sqlite.locks import ServingLock, TurnLock

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    """While one holds the serving lock, another is refused and learns its process id."""
    database = tmp_path / "store.db"
    first = ServingLock.take(database)
    with pytest.raises(SecondServer) as caught:
        ServingLock.take(database)
    assert (caught.value.path, caught.value.pid) == (database, os.getpid())
    first.release()
    ServingLock.take(database).release()


def test_a_lock_file_left_behind_locks_nothing(tmp_path: Path) -> None:
    """What a killed process wrote into the file does not matter; only a living one holds the lock."""
    database = tmp_path / "store.db"
    (tmp_path / "store.db.serving.lock").write_text("4194305")
    ServingLock.take(database).release()


def test_an_unreadable_process_id_is_left_out(tmp_path: Path) -> None:
    """A lock whose file says nothing sensible is still a lock."""
    database = tmp_path / "store.db"
    first = ServingLock.take(database)
    (tmp_path / "store.db.serving.lock").write_text("?")
    with pytest.raises(SecondServer) as caught:
        ServingLock.take(database)
    assert caught.value.pid is None
    first.release()


def test_one_turn_at_a_time(tmp_path: Path) -> None:
    """While one holds the turn, another neither takes it nor passes by; afterwards both are possible."""
    database = tmp_path / "store.db"
    one, other = TurnLock(database), TurnLock(database)
    with one.held(0):
        for late in (other.held(0).__enter__, lambda: other.pass_by(0.01)):
            with pytest.raises(StoreUnavailable) as caught:
                late()
            assert caught.value.trouble is Trouble.LOCKED
    other.pass_by(0)
    with other.held(0), pytest.raises(StoreUnavailable):
        one.pass_by(0)
    one.close()
    other.close()


def test_the_turn_is_free_again_after_an_error(tmp_path: Path) -> None:
    """Whoever fails in its turn gives it back."""
    turn, other = TurnLock(tmp_path / "store.db"), TurnLock(tmp_path / "store.db")

    def fail() -> None:
        with turn.held(0):
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    other.pass_by(0)
    turn.close()
    other.close()
