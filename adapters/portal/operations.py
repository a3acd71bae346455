"""The national portal: a dossier's whole state, its progress, a look-up, and the log-in.

Each method is one exchange that gives one result or raises one failure. Nothing here repeats, waits, counts or stores,
and no session is kept. Which exchange follows which is for `flow`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from adapters.portal.answers import Answers
from adapters.portal.credential import AccountBook, Credential
from adapters.portal.wire import form
from adapters.portal.wire.answer import Judge
from adapters.portal.wire.reading import read_lookup, read_receipt, read_session
from contracts.model import AfterRejection, Effect, Operation, Repeat

if TYPE_CHECKING:
    from adapters.portal.credential import Account
    from adapters.portal.settings import PortalSettings
    from adapters.transport import Request, Response, Transport
    from contracts.model import AgencyCode, DossierCode, Exchange, Purpose
    from contracts.model.dossier import Dossier, DossierProgress
    from contracts.model.portal import PortalLookup, PortalReceipt

SYSTEM: Final = "portal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What may safely be done with each operation.

    `sync_dossier` is what is delivered; `create` and `update` are the exchanges that it may come to. Either of them
    sent again changes nothing: what exists is answered so, and a whole content is put in place of itself.
    """

    login: Operation
    look_up: Operation
    sync_dossier: Operation
    create: Operation
    update: Operation
    progress: Operation

    @classmethod
    def of(cls, settings: PortalSettings) -> Self:
        """Return the declarations under `settings`."""
        after = timedelta(seconds=settings.settle_after_seconds)
        return cls(
            login=_reading("login"),
            look_up=_reading("look_up"),
            sync_dossier=_syncing("sync_dossier", after),
            create=_syncing("create", after),
            update=_syncing("update", after),
            progress=Operation(
                system=SYSTEM,
                name="progress",
                effect=Effect.WRITE,
                repeat=Repeat(settings.progress_repeat),
                settle_after=after,
                lane=lane,
            ),
        )


class Portal:
    """Sends dossiers up and asks for them. `exchange.operation` is one of `operations`, as is whatever is raised."""

    def __init__(self, settings: PortalSettings, transport: Transport) -> None:
        self.operations: Final = Declarations.of(settings)
        self._transport = transport
        self._form = form(settings)
        needs_text = settings.success_needs_text
        self._judge = Judge(
            Answers(settings.answers), self._form.success_needs_text if needs_text is None else needs_text
        )
        self._accounts = AccountBook(settings, nameless=settings.nameless)

    def refuses(self, part: type, member: str, value: object) -> str | None:
        """Return why this member of a dossier, or of a part of it, cannot be sent from here; `None` if it can.

        A key of the catalogue's `field` table. The model's own rules are kept before.
        """
        return self._form.rules.reason(part, member, value)

    def account(self, agency: AgencyCode) -> Account:
        """Return what `agency` opens sessions with now. Raises `CredentialRefused` where it has nothing."""
        return self._accounts.get(agency, self.operations.login)

    async def login(self, account: Account, exchange: Exchange) -> Credential:
        """Return a new session of `account`. Whether one opened before goes on is unknown (`single_session`).

        Through a wrapper there is none: the account itself is returned, and nothing is sent.
        """
        opening = self._form.login(account, exchange)
        if isinstance(opening, Credential):
            return opening
        response = await self._send(opening, exchange)
        return read_session(response, account.fingerprint, self._judge, exchange)

    async def create(
        self, dossier: Dossier, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> PortalReceipt:
        """Make a dossier. One that is there is the rejection `dossier_exists`: by whom and since when is not said."""
        request = self._form.create(dossier, purpose, credential, exchange)
        return read_receipt(await self._send(request, exchange), dossier.code, self._judge, exchange)

    async def update(
        self, dossier: Dossier, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> PortalReceipt:
        """Put a whole content in place of a dossier's. One that is not there is the rejection `dossier_unknown`."""
        request = self._form.update(dossier, purpose, credential, exchange)
        return read_receipt(await self._send(request, exchange), dossier.code, self._judge, exchange)

    async def progress(
        self, progress: DossierProgress, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> PortalReceipt:
        """Add steps, as many as one request may have (`flow.part`). The same once more may be added once more."""
        request = self._form.progress(progress, purpose, credential, exchange)
        response = await self._send(request, exchange)
        return read_receipt(response, progress.code, self._judge, exchange, sent=len(progress.steps))

    async def look_up(
        self, code: DossierCode, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> PortalLookup:
        """Return the dossier under `code`, none being an answer too."""
        request = self._form.look_up(code, purpose, credential, exchange)
        return read_lookup(await self._send(request, exchange), code, self._judge, exchange)

    async def _send(self, request: Request, exchange: Exchange) -> Response:
        return await self._transport.send(request, exchange)


def lane(write: Dossier | DossierProgress) -> str:
    """Return the ordering key of a write: the dossier's code."""
    return write.code.value


def _reading(name: str) -> Operation:
    return Operation(system=SYSTEM, name=name, effect=Effect.READ, repeat=Repeat.SAFE)


def _syncing(name: str, settle_after: timedelta) -> Operation:
    return Operation(
        system=SYSTEM,
        name=name,
        effect=Effect.WRITE,
        repeat=Repeat.SAFE,
        settle_after=settle_after,
        lane=lane,
        after_rejection=AfterRejection.WAIT,  # progress of a dossier that is not there would be refused
        full_state=True,
    )
