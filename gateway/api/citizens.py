"""`POST /v1/citizens/verify` and `POST /v1/citizens/lookup`: the population database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from gateway.api import access, bodies
from gateway.api.description.citizens import LOOKUP, SCHEMAS, VERIFY
from gateway.api.problems import Refused
from gateway.api.reads import Reading
from gateway.api.schemas.citizens import CitizenRequestV1, LookupResponseV1, VerifyResponseV1, citizen
from gateway.security import Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI

    from adapters.population import Credential
    from contracts.model import CitizenQuery, Exchange, Operation
    from gateway.api.openapi import Schemas
    from gateway.resilience import Outcome
    from gateway.runtime import Gateway
    from gateway.systems import PopulationSystem

Result = TypeVar("Result")


def routes(app: FastAPI) -> Schemas:
    """Add the routes of this part, and return the schemas that they read and write."""
    app.post("/v1/citizens/verify", **VERIFY)(verify)
    app.post("/v1/citizens/lookup", **LOOKUP)(lookup)
    return SCHEMAS


async def verify(request: Request) -> Response:
    """Ask whether a citizen matches the whole combination of number, name and birth.

    A "no" does not say which part differs; the database does not tell.
    """
    asked = await _Question.read(request, Scope.CITIZENS_VERIFY)
    outcome = await asked.put(asked.population.adapter.VERIFY, asked.population.adapter.verify)
    reading = asked.reading
    if outcome.failure is not None or outcome.value is None:
        return reading.problem(outcome)
    return reading.answer(
        VerifyResponseV1(
            matches=outcome.value.matches,
            correlation_id=reading.correlation_id,
            attempts=reading.attempts(outcome),
        )
    )


async def lookup(request: Request) -> Response:
    """Read the record of a citizen: none when nobody matches, more than one where a number is shared by error."""
    asked = await _Question.read(request, Scope.CITIZENS_LOOKUP)
    outcome = await asked.put(asked.population.adapter.LOOKUP, asked.population.adapter.lookup)
    reading = asked.reading
    if outcome.failure is not None or outcome.value is None:
        return reading.problem(outcome)
    return reading.answer(
        LookupResponseV1(
            citizens=tuple(map(citizen, outcome.value.citizens)),
            correlation_id=reading.correlation_id,
            attempts=reading.attempts(outcome),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One admitted question about a citizen."""

    population: PopulationSystem
    query: CitizenQuery
    reading: Reading

    @classmethod
    async def read(cls, request: Request, scope: Scope) -> Self:
        """Return the question in `request`. Raises `Refused`."""
        gateway: Gateway = request.app.state.gateway
        identity = access.identify(gateway, request, scope)
        if gateway.population is None:
            raise Refused("system_unknown")
        body = await bodies.read(request, CitizenRequestV1)
        access.admit(gateway, identity, scope, body.purpose.agency, body.purpose.officer)
        return cls(
            population=gateway.population,
            query=body.citizen.to_model(),
            reading=Reading.of(request, identity, body.purpose.to_model()),
        )

    async def put(self, operation: Operation, ask: Callable[..., Awaitable[Result]]) -> Outcome[Result]:
        """Put the question to the population database."""
        number = self.query.identity_number or self.query.old_card_number
        assert number is not None  # noqa: S101 - the query has refused anything else

        async def exchange(credential: Credential, run: Exchange) -> Result:
            return await ask(self.query, self.reading.purpose, credential, run)

        subject = self.reading.gateway.subjects.subject(number)
        return await self.reading.put(self.population.pipeline, operation, exchange, subject)
