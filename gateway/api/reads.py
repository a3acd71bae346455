"""A read, whichever system it is for: admitted, put inside the caller's deadline, answered or explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from starlette.responses import Response

from gateway.api import preferences, problems
from gateway.resilience import Call, Deadline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import BaseModel
    from starlette.requests import Request

    from contracts.model import Exchange, Operation, Purpose
    from contracts.texts import Language
    from gateway.api.schemas.common import AttemptV1
    from gateway.resilience import Outcome, Pipeline
    from gateway.runtime import Gateway
    from gateway.security import Identity

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One admitted read: parsed, allowed and counted, but not yet asked."""

    gateway: Gateway
    client: str
    purpose: Purpose
    wait: float
    wait_applied: bool
    language: Language
    correlation_id: str

    @classmethod
    def of(cls, request: Request, identity: Identity, purpose: Purpose) -> Self:
        """Return the read that `request` is, once it may be made."""
        gateway: Gateway = request.app.state.gateway
        limits = gateway.settings.server
        wanted = preferences.wait(request.headers)
        return cls(
            gateway=gateway,
            client=identity.client.name,
            purpose=purpose,
            wait=limits.default_wait_seconds if wanted is None else min(wanted, limits.max_wait_seconds),
            wait_applied=wanted is not None,
            language=preferences.language(request.headers),
            correlation_id=request.state.correlation_id,
        )

    async def put(
        self,
        pipeline: Pipeline[Any],
        operation: Operation,
        ask: Callable[[Any, Exchange], Awaitable[Result]],
        subject: str = "",
    ) -> Outcome[Result]:
        """Ask a system, inside the caller's deadline. `ask` makes one exchange; `subject` is a pseudonym."""
        call = Call(
            id=self.correlation_id,
            operation=operation,
            client=self.client,
            purpose=self.purpose,
            subject=subject,
            deadline=Deadline.after(self.wait, self.gateway.monotonic()),
        )

        async def attempt(credential: object, exchange: Exchange) -> Result:
            try:
                return await ask(credential, exchange)
            finally:
                self.gateway.metrics.unknown_elements(operation, exchange.unknown_elements)

        outcome = await pipeline.run(call, attempt)
        self.gateway.metrics.call_ended(operation, None if outcome.failure is None else outcome.failure.kind)
        return outcome

    def attempts(self, outcome: Outcome[Any]) -> tuple[AttemptV1, ...]:
        """Return what each attempt came to, for the caller."""
        return problems.attempts_view(self.language, outcome.attempts)

    def answer(self, body: BaseModel) -> Response:
        """Return the answer, not to be kept by anybody on the way."""
        headers = {"Cache-Control": "no-store"}
        if self.wait_applied:
            headers["Preference-Applied"] = f"wait={self.wait:g}"
        return Response(body.model_dump_json(), media_type="application/json", headers=headers)

    def problem(self, outcome: Outcome[Any]) -> Response:
        """Return the problem document of a call that gave no result."""
        assert outcome.failure is not None  # noqa: S101 - an outcome has a value or a failure
        return problems.response(
            problems.of_failure(outcome.failure, outcome.attempts, self.language, self.correlation_id)
        )
