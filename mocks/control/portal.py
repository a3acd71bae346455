"""What the portal makes of what it has received: the index of Decision 766, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field

from mocks.asgi import Answer, json_answer
from mocks.clock import VIETNAM
from mocks.control.parts import Call, Route, Strict, Wrong
from mocks.doors.portal.door import PortalDoor
from mocks.doors.portal.score import Period, report

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes

First: TypeAlias = Annotated[date | None, Field(alias="from")]
Last: TypeAlias = Annotated[date | None, Field(alias="to")]


class Score(Strict):
    """Which period, whose dossiers, and how many another system counts."""

    first: First = None
    """The first day in Vietnam; not stated, that of the last day's month."""
    last: Last = None
    """The last day; not stated, today by the mocks' clock."""
    agency: str | None = None
    """An agency, or all of a province or ministry by the last part of their code."""
    expected: Annotated[int, Field(ge=0)] = 0

    def period(self, today: date) -> Period:
        """Return the period. Raises `Wrong`."""
        last = self.last or today
        first = self.first or last.replace(day=1)
        if last < first:
            raise Wrong("the period ends before it begins")
        return Period(first, last)


class PortalPart:
    """`portal`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "portal/score"): Route(self._score, "The index of a period, and which dossiers hurt it.", Score)
        }

    async def _score(self, call: Call) -> Answer:
        query = call.query
        settings = next(door.settings for door in self._app.doors if isinstance(door, PortalDoor))
        period = query.period(call.space.clock.now().astimezone(VIETNAM).date())
        return json_answer(report(call.space.turn(), settings, period, query.agency, query.expected))
