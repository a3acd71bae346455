"""The clock over HTTP: read it, freeze it, let it run at a rate, set it, advance it, jump to a weekday and hour."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, Field, model_validator

from mocks.asgi import Answer, json_answer
from mocks.clock import VIETNAM, Clock, Pace
from mocks.control.parts import Call, Route, Strict, Wrong, object_of
from mocks.faults.grammar import Weekday  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes


class Jump(Strict):
    """The next such moment in Vietnam."""

    weekday: Weekday | None = None
    hour: Annotated[int, Field(ge=0, le=23)]
    minute: Annotated[int, Field(ge=0, le=59)] = 0


class Command(Strict):
    """One thing to do with the clock."""

    advance_seconds: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None
    at: AwareDatetime | None = None
    jump: Jump | None = None
    freeze: bool | None = None
    """True stands still, false goes on at the real rate."""
    rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    real: bool | None = None
    """True returns to the system's time."""

    @model_validator(mode="after")
    def _one(self) -> Command:
        if len(self.model_fields_set) != 1:
            raise ValueError("state exactly one of advance_seconds, at, jump, freeze, rate, real")
        return self

    def pace(self, clock: Clock) -> Pace:
        """Return how the clock is to run. Raises `ValueError`."""
        if self.advance_seconds is not None:
            return clock.advanced(self.advance_seconds)
        if self.at is not None:
            return clock.at(self.at.timestamp())
        if self.jump is not None:
            return clock.jumped(self.jump.weekday, self.jump.hour, self.jump.minute)
        if self.freeze is not None:
            return clock.running(0.0 if self.freeze else 1.0)
        if self.rate is not None:
            return clock.running(self.rate)
        return clock.real()


class ClockPart:
    """`clock`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "clock"): Route(self._read, "The mocks' time and how it runs."),
            ("POST", "clock"): Route(self._set, "Freeze the clock, advance it, set it, let it run at a rate, or jump."),
        }

    async def _read(self, call: Call) -> Answer:
        clock = call.space.clock
        now = clock.now()
        return json_answer(
            {
                "now": now.isoformat(timespec="milliseconds"),
                "local": now.astimezone(VIETNAM).isoformat(timespec="seconds"),
                "rate": clock.pace.rate,
                "offset_seconds": round(clock.seconds() - clock.wall(), 3),
            }
        )

    async def _set(self, call: Call) -> Answer:
        command = Command.model_validate(object_of(call.request))
        try:
            pace = command.pace(call.space.clock)
        except ValueError as error:
            raise Wrong(str(error)) from None
        await self._app.happen(call.space, {"pace": asdict(pace)})
        return await self._read(call)
