"""The store, opened for a command-line verb, and its errors as ends of a command."""

from __future__ import annotations

import asyncio
import os
import pwd
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from gateway import store as stores
from lienthong.stop import ExitCode, Stop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from gateway.settings import Settings, StoreSettings
    from gateway.store import Store

Result = TypeVar("Result")

_CANNOT_OPEN: dict[type[stores.CannotOpen], str] = {
    stores.SecondServer: "second_server",
    stores.SchemaTooNew: "schema_too_new",
    stores.SchemaBehind: "schema_behind",
    stores.NotOurs: "not_ours",
    stores.NoAccess: "path_unusable",
    stores.KeyMissing: "key_missing",
    stores.WrongKey: "wrong_key",
    stores.KeyExposed: "key_exposed",
    stores.KeyCheckLost: "key_check_lost",
}
_NOT_POSSIBLE: dict[type[stores.NotPossible], str] = {
    stores.ClientExists: "client_exists",
    stores.UnknownClient: "unknown_client",
    stores.UnknownKey: "unknown_key",
    stores.KeyNeeded: "key_needed",
    stores.TooManyKeys: "too_many_keys",
    stores.AgencyExists: "agency_exists",
    stores.UnknownAgency: "unknown_agency",
    stores.NothingToBackUp: "nothing_to_back_up",
    stores.PlaceTaken: "place_taken",
    stores.NoBackup: "no_backup",
    stores.BackupDamaged: "backup_damaged",
    stores.BackupOfOtherEngine: "backup_of_other_engine",
    stores.KeyNotOfBackup: "key_not_of_backup",
    stores.KeyInTheWay: "key_in_the_way",
    stores.StoreNotEmpty: "store_not_empty",
}


@asynccontextmanager
async def opened(settings: StoreSettings) -> AsyncIterator[Store]:
    """Open the store beside whatever serves from it, for as long as the block lasts. Raises `Stop`."""
    with explained(settings):
        store = await stores.open_store(settings, serving=False)
        try:
            yield store
        finally:
            await store.close()


def use(settings: Settings, work: Callable[[Store], Awaitable[Result]]) -> Result:
    """Open the store, do the work, close it, and return what came of it. Raises `Stop`."""

    async def run() -> Result:
        async with opened(settings.store) as store:
            return await work(store)

    return asyncio.run(run())


@contextmanager
def explained(settings: StoreSettings) -> Iterator[None]:
    """Turn what the store refuses into a `Stop` that says what to do."""
    try:
        yield
    except stores.CannotOpen as error:
        code = ExitCode.STORE_IN_USE if isinstance(error, stores.SecondServer) else ExitCode.STORE_CLOSED
        raise Stop(code, _CANNOT_OPEN[type(error)], **_values(error)) from None
    except stores.NotPossible as error:
        keys = ", ".join(getattr(error, "key_ids", ()))
        raise Stop(ExitCode.NOT_POSSIBLE, _NOT_POSSIBLE[type(error)], name=error.name, keys=keys) from None
    except stores.StoreUnavailable as error:
        trouble = str(error.trouble)
        raise Stop(
            ExitCode.STORE_UNAVAILABLE, f"store_{trouble}", path=settings.place, why=error.detail or ""
        ) from None
    except OSError as error:
        if error.filename is None:
            raise
        why = error.strerror or type(error).__name__
        raise Stop(ExitCode.STORE_CLOSED, "path_unusable", path=str(error.filename), why=why) from None


def operator() -> str:
    """Return who is at the command line, as the journal of changes names them."""
    account = pwd.getpwuid(os.getuid()).pw_name
    return f"cli:{os.environ.get('SUDO_USER') or account}"


def _values(error: stores.CannotOpen) -> dict[str, str | int]:
    mode, wanted = getattr(error, "mode", 0), getattr(error, "wanted", 0)
    return {
        "path": str(error.path),
        "pid": getattr(error, "pid", None) or "?",
        "found": getattr(error, "found", None) or "?",
        "needed": getattr(error, "needed", None) or getattr(error, "known", None) or "?",
        "mode": f"{mode:04o}",
        "wanted": f"{wanted:04o}",
        "why": os.strerror(getattr(error, "error", 0)),
    }
