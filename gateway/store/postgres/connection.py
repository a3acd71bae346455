"""Reaching a PostgreSQL server the way this gateway needs it, and telling its errors apart.

The DSN holds a password. It goes to the driver and nowhere else: what is shown is `place`, and of an error its name.
"""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
from asyncpg import exceptions as pg

from gateway.store.errors import CannotOpen, NoAccess, StoreUnavailable, Trouble
from gateway.store.place import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncpg.pool import Pool

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 4.0
"""How long any one statement's answer is waited for; above the server's own limit, for a server that is gone."""
_LIMITS = {"statement_timeout": "3s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "10s"}
_SESSION = {
    "application_name": "lienthong",
    "jit": "off",
    "default_transaction_isolation": "read committed",  # a unit that waited for a lock reads what was written meanwhile
    **_LIMITS,
}
_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
_REFUSED: Mapping[type[Exception], int] = {
    pg.InvalidAuthorizationSpecificationError: errno.EACCES,
    pg.InsufficientPrivilegeError: errno.EACCES,
    pg.InvalidCatalogNameError: errno.ENOENT,
    pg.InvalidSchemaNameError: errno.ENOENT,
    pg.ClientConfigurationError: errno.EINVAL,
}
_TROUBLES: Mapping[type[Exception], Trouble] = {
    pg.DiskFullError: Trouble.FULL,
    pg.TooManyConnectionsError: Trouble.OVERLOADED,
    pg.LockNotAvailableError: Trouble.LOCKED,
    pg.QueryCanceledError: Trouble.LOCKED,
    pg.TransactionRollbackError: Trouble.LOCKED,
}
_LOST = (
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    pg.PostgresConnectionError,
    pg.InterfaceError,
    pg.InternalClientError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.CannotConnectNowError,
    pg.IdleInTransactionSessionTimeoutError,
)


@dataclass(frozen=True, slots=True)
class Server:
    """Which database of which server. `place` may be shown."""

    dsn: str = field(repr=False)

    @property
    def place(self) -> str:
        """Return hosts and database."""
        return place_of(self.dsn)

    def how(self) -> dict[str, Any]:
        """Return how to connect so that nothing waits without end. A standby, which only reads, is passed over."""
        return {
            "dsn": self.dsn,
            "timeout": CONNECT_SECONDS,
            "command_timeout": ANSWER_SECONDS,
            "server_settings": _SESSION,
            "target_session_attrs": "read-write",
        }

    async def connect(self) -> Connection:
        """Open a connection. Raises what the driver raises."""
        return await asyncpg.connect(**self.how())

    async def pool(self, size: int) -> Pool[asyncpg.Record]:
        """Return a pool of up to `size` connections, none of which is open yet."""
        return await asyncpg.create_pool(
            **self.how(), min_size=0, max_size=size, init=make_durable, reset=leave_as_it_is
        )


async def make_durable(connection: Connection) -> None:
    """See to it that a commit on this connection has reached the disk when it returns, whatever the default is."""
    await connection.execute(_DURABLE)


async def leave_as_it_is(_connection: Connection) -> None:
    """Give a connection back to the pool: units change nothing about a session, so nothing has to be asked of it."""


def lost(error: BaseException) -> bool:
    """Whether the connection is gone, or the server was never reached: not the fault of what was asked."""
    return isinstance(error, _LOST) and not isinstance(error, ValueError)  # the driver's word for a fault of ours


def refused(error: Exception, place: str) -> CannotOpen | None:
    """Return why the database is not for us to open, if that is what the error says."""
    number = next((number for kind, number in _REFUSED.items() if isinstance(error, kind)), None)
    return None if number is None else NoAccess(place, number)


def unavailable(error: Exception) -> StoreUnavailable:
    """Return what the error means to those who wanted to write or read."""
    trouble = next((trouble for kind, trouble in _TROUBLES.items() if isinstance(error, kind)), Trouble.BROKEN)
    return StoreUnavailable(trouble, type(error).__name__)
