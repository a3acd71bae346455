"""The synthetic partner: one write of each kind of repetition, look-ups, and the log-in. Made up; no real system.

Each method is one exchange that gives one result or raises one failure. Nothing here repeats, waits, counts or stores,
and no session is kept: a log-in gives one, and who calls hands it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from adapters.partner.credential import AccountBook
from adapters.partner.wire import Door, read_found, read_receipt, read_record, read_session
from contracts.model import AfterRejection, Effect, Operation, Repeat

if TYPE_CHECKING:
    from adapters.partner.credential import Account, Credential
    from adapters.partner.settings import PartnerSettings
    from adapters.transport import Request, Response, Transport
    from contracts.model import AgencyCode, Exchange, LookupAnswer, Purpose
    from contracts.model.partner import (
        Handover,
        Notice,
        PartnerWrite,
        Progress,
        Receipt,
        RecordCode,
        RecordLookup,
        Registration,
        Replacement,
    )

SYSTEM: Final = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What may safely be done with each operation; the settings say how long the partner may still act."""

    login: Operation
    read: Operation
    find_step: Operation
    find_transfer: Operation
    register: Operation
    replace: Operation
    append: Operation
    transfer: Operation
    notify: Operation

    @classmethod
    def of(cls, settings: PartnerSettings) -> Self:
        """Return the declarations under `settings`."""
        after = timedelta(seconds=settings.settle_after_seconds)
        find_step, find_transfer = _reading("find_step"), _reading("find_transfer")
        wait = AfterRejection.WAIT  # what comes after builds on it: a record that is not there, or is elsewhere by now
        return cls(
            login=_reading("login"),
            read=_reading("read"),
            find_step=find_step,
            find_transfer=find_transfer,
            register=_writing("register", Repeat.BY_KEY, after, after_rejection=wait),
            replace=_writing("replace", Repeat.SAFE, after, full_state=True),
            append=_writing("append", Repeat.AFTER_LOOKUP, after, lookup=find_step),
            transfer=_writing("transfer", Repeat.AFTER_LOOKUP, after, lookup=find_transfer, after_rejection=wait),
            notify=_writing("notify", Repeat.NEVER, after),
        )


class Partner:
    """Writes to the partner and asks it. `exchange.operation` is one of `operations`, as is whatever is raised."""

    def __init__(self, settings: PartnerSettings, transport: Transport) -> None:
        self.operations: Final = Declarations.of(settings)
        self._transport = transport
        self._door = Door(settings.endpoint)
        self._accounts = AccountBook(settings)

    def account(self, agency: AgencyCode) -> Account:
        """Return what `agency` opens sessions with now. Raises `CredentialRefused` where it has nothing."""
        return self._accounts.get(agency, self.operations.login)

    async def login(self, account: Account, exchange: Exchange) -> Credential:
        """Return a new session of `account`. Opening several harms nothing; the partner keeps them all."""
        response = await self._send(self._door.login(account, exchange), exchange)
        return read_session(response, account.fingerprint, exchange)

    async def register(
        self, registration: Registration, purpose: Purpose, key: str, credential: Credential, exchange: Exchange
    ) -> Receipt:
        """Make a record. Under the same `key` (1 to 200 characters of visible ASCII) it is made once."""
        request = self._door.register(registration, purpose, key, credential, exchange)
        return read_receipt(await self._send(request, exchange), registration.code, exchange)

    async def replace(
        self, replacement: Replacement, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Receipt:
        """Put the whole content of a record in place. The same once more changes nothing."""
        request = self._door.replace(replacement, purpose, credential, exchange)
        return read_receipt(await self._send(request, exchange), replacement.code, exchange)

    async def append(self, progress: Progress, purpose: Purpose, credential: Credential, exchange: Exchange) -> Receipt:
        """Append a step. The same once more is applied once more; `find_step` tells."""
        request = self._door.append(progress, purpose, credential, exchange)
        return read_receipt(await self._send(request, exchange), progress.code, exchange)

    async def transfer(
        self, handover: Handover, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Receipt:
        """Hand a record over. The same once more is done once more; `find_transfer` may be able to tell."""
        request = self._door.transfer(handover, purpose, credential, exchange)
        return read_receipt(await self._send(request, exchange), handover.code, exchange)

    async def notify(self, notice: Notice, purpose: Purpose, credential: Credential, exchange: Exchange) -> Receipt:
        """Have the applicant told something. The same once more tells them once more, and nobody can look it up."""
        request = self._door.notify(notice, purpose, credential, exchange)
        return read_receipt(await self._send(request, exchange), notice.code, exchange)

    async def read(self, code: RecordCode, credential: Credential, exchange: Exchange) -> RecordLookup:
        """Return a record, none being an answer too."""
        return read_record(await self._send(self._door.read(code, credential, exchange), exchange), code, exchange)

    async def find_step(self, progress: Progress, credential: Credential, exchange: Exchange) -> LookupAnswer:
        """Return whether the step of this write has been applied. Says nothing of its content."""
        response = await self._send(self._door.find_step(progress, credential, exchange), exchange)
        return read_found(response, progress.code, progress.step, exchange)

    async def find_transfer(self, handover: Handover, credential: Credential, exchange: Exchange) -> LookupAnswer:
        """Return whether the transfer of this write has been done, if the partner can tell."""
        response = await self._send(self._door.find_transfer(handover, credential, exchange), exchange)
        return read_found(response, handover.code, str(handover.transfer), exchange)

    async def _send(self, request: Request, exchange: Exchange) -> Response:
        return await self._transport.send(request, exchange)


def lane(write: PartnerWrite) -> str:
    """Return the ordering key of a write: the record, unless the caller keeps something else in order."""
    return write.lane_key


def _reading(name: str) -> Operation:
    return Operation(system=SYSTEM, name=name, effect=Effect.READ, repeat=Repeat.SAFE)


def _writing(
    name: str,
    repeat: Repeat,
    settle_after: timedelta,
    *,
    lookup: Operation | None = None,
    after_rejection: AfterRejection = AfterRejection.CONTINUE,
    full_state: bool = False,
) -> Operation:
    return Operation(
        system=SYSTEM,
        name=name,
        effect=Effect.WRITE,
        repeat=repeat,
        lookup=lookup,
        settle_after=settle_after,
        lane=lane,
        after_rejection=after_rejection,
        full_state=full_state,
    )
