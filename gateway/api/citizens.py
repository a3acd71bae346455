"""`POST /v1/citizens/verify` and `POST /v1/citizens/lookup`: the population database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from gateway.api import access, bodies, preferences, problems
from gateway.api.description.citizens import LOOKUP, SCHEMAS, VERIFY
from gateway.api.problems import Refused
from gateway.api.schemas.citizens import CitizenRequestV1, LookupResponseV1, VerifyResponseV1, citizen
from gateway.resilience import Call, Deadline
from gateway.security import Scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI

    from contracts.model import CitizenQuery, Exchange, Operation, Purpose
    from contracts.texts import Language
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
    if outcome.failure is not None or outcome.value is None:
        return asked.problem(outcome)
    return asked.answer(
        VerifyResponseV1(
            matches=outcome.value.matches,
            correlation_id=asked.correlation_id,
            attempts=problems.attempts_view(asked.language, outcome.attempts),
        )
    )


async def lookup(request: Request) -> Response:
    """Read the record of a citizen: none when nobody matches, more than one where a number is shared by error."""
    asked = await _Question.read(request, Scope.CITIZENS_LOOKUP)
    outcome = await asked.put(asked.population.adapter.LOOKUP, asked.population.adapter.lookup)
    if outcome.failure is not None or outcome.value is None:
        return asked.problem(outcome)
    return asked.answer(
        LookupResponseV1(
            citizens=tuple(map(citizen, outcome.value.citizens)),
            correlation_id=asked.correlation_id,
            attempts=problems.attempts_view(asked.language, outcome.attempts),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One admitted question about a citizen: parsed, allowed and counted, but not yet asked."""

    gateway: Gateway
    population: PopulationSystem
    client: str
    query: CitizenQuery
    purpose: Purpose
    wait: float
    wait_applied: bool
    language: Language
    correlation_id: str

    @classmethod
    async def read(cls, request: Request, scope: Scope) -> Self:
        """Return the question in `request`. Raises `Refused`."""
        gateway: Gateway = request.app.state.gateway
        identity = access.identify(gateway, request, scope)
        if gateway.population is None:
            raise Refused("system_unknown")
        body = await bodies.read(request, CitizenRequestV1)
        access.admit(gateway, identity, scope, body.purpose.agency, body.purpose.officer)
        limits = gateway.settings.server
        wanted = preferences.wait(request.headers)
        return cls(
            gateway=gateway,
            population=gateway.population,
            client=identity.client.name,
            query=body.citizen.to_model(),
            purpose=body.purpose.to_model(),
            wait=limits.default_wait_seconds if wanted is None else min(wanted, limits.max_wait_seconds),
            wait_applied=wanted is not None,
            language=preferences.language(request.headers),
            correlation_id=request.state.correlation_id,
        )

    async def put(
        self,
        operation: Operation,
        ask: Callable[..., Awaitable[Result]],
    ) -> Outcome[Result]:
        """Put the question to the population database, inside the caller's deadline."""
        number = self.query.identity_number or self.query.old_card_number
        assert number is not None  # noqa: S101 - the query has refused anything else
        call = Call(
            id=self.correlation_id,
            operation=operation,
            client=self.client,
            purpose=self.purpose,
            subject=self.gateway.subjects.subject(number),
            deadline=Deadline.after(self.wait, self.gateway.monotonic()),
        )

        async def attempt(credential: object, exchange: Exchange) -> Result:
            try:
                return await ask(self.query, self.purpose, credential, exchange)
            finally:
                self.gateway.metrics.unknown_elements(operation, exchange.unknown_elements)

        outcome = await self.population.pipeline.run(call, attempt)
        self.gateway.metrics.call_ended(operation, None if outcome.failure is None else outcome.failure.kind)
        return outcome

    def answer(self, body: VerifyResponseV1 | LookupResponseV1) -> Response:
        """Return the answer, not to be kept by anybody on the way."""
        headers = {"Cache-Control": "no-store"}
        if self.wait_applied:
            headers["Preference-Applied"] = f"wait={self.wait:g}"
        return Response(body.model_dump_json(), media_type="application/json", headers=headers)

    def problem(self, outcome: Outcome[Result]) -> Response:
        """Return the problem document of a call that gave no result."""
        assert outcome.failure is not None  # noqa: S101 - an outcome has a value or a failure
        return problems.response(
            problems.of_failure(outcome.failure, outcome.attempts, self.language, self.correlation_id)
        )
