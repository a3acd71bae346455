"""The population database (Cơ sở dữ liệu quốc gia về dân cư): verify a citizen, look a citizen up.

Each method is one exchange that gives one result or raises one failure. Nothing here repeats, waits, counts or stores.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from adapters.population.credential import Credential, CredentialBook
from adapters.population.wire import Asking, dialect, read_lookup, read_verification
from contracts.model import CallerRefused, Effect, Layer, Lookup, Operation, Repeat, Verification

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lxml import etree

    from adapters.population.settings import PopulationSettings
    from adapters.population.wire import Reading
    from adapters.transport import Transport
    from contracts.model import AgencyCode, CitizenQuery, Exchange, ProcedureCode, Purpose

SYSTEM: Final = "population"

_NATIONAL_PART: Final = 8  # n.nnnnnn; what follows names the agency that took the procedure over
_NAMES_KEPT: Final = 20
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,59}")

T = TypeVar("T")


class Population:
    """Asks the population database on behalf of an officer. Holds no session: every request authenticates itself."""

    VERIFY: Final = Operation(system=SYSTEM, name="verify", effect=Effect.READ, repeat=Repeat.SAFE)
    LOOKUP: Final = Operation(system=SYSTEM, name="lookup", effect=Effect.READ, repeat=Repeat.SAFE)

    def __init__(self, settings: PopulationSettings, transport: Transport, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._dialect = dialect(settings)
        self._credentials = CredentialBook(settings)

    def credential(self, agency: AgencyCode, operation: Operation = VERIFY) -> Credential:
        """Return what `agency` authenticates with now. Raises `CredentialRefused` where it has none."""
        return self._credentials.get(agency, operation)

    async def verify(
        self, query: CitizenQuery, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Verification:
        """Return whether a citizen has this number, name and birth together (`XacThucThongTinCongDan`).

        Raises `InvalidRequest` and `CallerRefused` before anything is sent, else one of the failures of an exchange.
        """
        answer = await self._ask(self.VERIFY, query, purpose, credential, exchange)
        return _noted(read_verification(answer, exchange.operation), exchange)

    async def lookup(self, query: CitizenQuery, purpose: Purpose, credential: Credential, exchange: Exchange) -> Lookup:
        """Return the records of the citizens that match, none being an answer too (`TraCuuThongTinCongDan`).

        Raises as `verify` does. A record about a number that was not asked for is `ContractBroken`.
        """
        answer = await self._ask(self.LOOKUP, query, purpose, credential, exchange)
        return _noted(read_lookup(answer, exchange.operation, query), exchange)

    async def _ask(
        self,
        operation: Operation,
        query: CitizenQuery,
        purpose: Purpose,
        credential: Credential,
        exchange: Exchange,
    ) -> etree._Element:
        asking = self._asking(operation, query, purpose, exchange.request_id)
        request = self._dialect.request(asking, credential, self._clock())
        response = await self._transport.send(request, exchange)
        return self._dialect.answer(response, exchange)

    def _asking(self, operation: Operation, query: CitizenQuery, purpose: Purpose, request_id: str) -> Asking:
        agency = self._settings.agencies.get(purpose.agency.value)
        officer = (agency.officers.get(purpose.officer) if agency else None) or self._settings.officers.get(
            purpose.officer
        )
        if officer is None:
            raise CallerRefused("officer_not_mapped", operation=operation, layer=Layer.OURS)
        procedure = self._procedure(purpose.procedure)
        if procedure is None:
            raise CallerRefused("procedure_not_licensed", operation=operation, layer=Layer.OURS)
        phone = agency.phone if agency else None
        return Asking(
            operation=operation,
            request_id=request_id,
            query=query,
            procedure=procedure,
            officer=officer,
            login=purpose.officer,
            agency=purpose.agency.value,
            phone=self._settings.phone if phone is None else phone,
        )

    def _procedure(self, code: ProcedureCode) -> str | None:
        """Return `MaDVC`: by the list of licensed procedures where there is one, else the national part of the code."""
        national = code.value[:_NATIONAL_PART]
        licensed = self._settings.procedures
        if licensed is None:
            return national
        return licensed.get(code.value) or licensed.get(national)


def _noted(reading: Reading[T], exchange: Exchange) -> T:
    exchange.unknown_elements += len(reading.unknown)
    names = dict.fromkeys(name for name in reading.unknown if _NAME.fullmatch(name))
    exchange.unknown_names = tuple(names)[:_NAMES_KEPT]
    return reading.value
