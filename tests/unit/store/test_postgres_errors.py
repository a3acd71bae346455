from __future__ import annotations

import errno

import pytest
from asyncpg import exceptions as pg

from gateway.store import NoAccess, Trouble
from gateway.store.postgres.connection import Server, lost, refused, unavailable


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (pg.DiskFullError("x"), Trouble.FULL),
        (pg.TooManyConnectionsError("x"), Trouble.OVERLOADED),
        (pg.LockNotAvailableError("x"), Trouble.LOCKED),
        (pg.QueryCanceledError("x"), Trouble.LOCKED),
        (pg.DeadlockDetectedError("x"), Trouble.LOCKED),
        (pg.SerializationError("x"), Trouble.LOCKED),
        (pg.ReadOnlySQLTransactionError("x"), Trouble.BROKEN),
        (pg.ConnectionDoesNotExistError("x"), Trouble.BROKEN),
        (pg.AdminShutdownError("x"), Trouble.BROKEN),
        (pg.CannotConnectNowError("x"), Trouble.BROKEN),
        (pg.UndefinedTableError("x"), Trouble.BROKEN),
        (ConnectionRefusedError(), Trouble.BROKEN),
        (TimeoutError(), Trouble.BROKEN),
    ],
)
def test_every_error_has_a_trouble_and_only_its_name_is_told(error: Exception, trouble: Trouble) -> None:
    """What a server says may quote values; what is told of it is the kind of trouble and the error's name."""
    told = unavailable(error)
    assert (told.trouble, told.detail) == (trouble, type(error).__name__)


@pytest.mark.parametrize(
    ("error", "gone"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (pg.ConnectionDoesNotExistError("x"), True),
        (pg.InterfaceError("connection is closed"), True),
        (pg.AdminShutdownError("x"), True),
        (pg.CannotConnectNowError("x"), True),
        (pg.IdleInTransactionSessionTimeoutError("x"), True),
        (pg.TargetServerAttributeNotMatched("x"), True),
        (pg.ClientConfigurationError("x"), False),
        (pg.UniqueViolationError("x"), False),
        (pg.DiskFullError("x"), False),
        (pg.QueryCanceledError("x"), False),
        (LookupError(), False),
    ],
)
def test_a_lost_connection_is_told_from_a_refusal(error: Exception, gone: bool) -> None:  # noqa: FBT001 - a table
    """Only what says nothing about what was asked is tried again on another connection."""
    assert lost(error) is gone


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (pg.InvalidPasswordError("x"), errno.EACCES),
        (pg.InvalidAuthorizationSpecificationError("x"), errno.EACCES),
        (pg.InsufficientPrivilegeError("x"), errno.EACCES),
        (pg.InvalidCatalogNameError("x"), errno.ENOENT),
        (pg.ClientConfigurationError("x"), errno.EINVAL),
    ],
)
def test_what_a_person_has_to_see_to_is_told_as_that(error: Exception, number: int) -> None:
    """Account, rights, database and form of the DSN do not mend themselves."""
    told = refused(error, "db.example/lienthong")
    assert isinstance(told, NoAccess)
    assert (told.path, told.error) == ("db.example/lienthong", number)


def test_what_may_pass_is_no_refusal() -> None:
    """A server that is full or away is waited for."""
    assert refused(pg.TooManyConnectionsError("x"), "h/d") is None
    assert refused(ConnectionRefusedError(), "h/d") is None


def test_a_server_shows_no_secret() -> None:
    """Neither as text nor in a traceback's values."""
    server = Server("postgresql://a:khong-cho-xem@h/d")
    assert "khong-cho-xem" not in f"{server} {server!r} {server.place}"
