"""The ledger over HTTP: exchanges and effects, page by page and narrowed, and claims that are checked against them."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mocks.asgi import Answer, json_answer
from mocks.claims import CLAIMS, Verdict, check
from mocks.control.parts import MOST, Call, Route, Strict, Wrong, door_of, json_of
from mocks.doors import UNKNOWN
from mocks.faults import NATURE

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mocks.control.parts import App, Routes
    from mocks.ledger import Exchange, Ledger


class Effects(Strict):
    """Which effects: those after number `since`, narrowed by what each belongs to."""

    since: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=0)] = 1000
    door: str | None = None
    operation: str | None = None
    key: str | None = None
    lane: str | None = None
    agency: str | None = None
    fault: str | None = None

    def hits(self, exchange: Exchange) -> bool:
        """Say whether an exchange is one of those."""
        return all(getattr(exchange, name) == value for name, value in self._wanted) and (
            self.fault is None or self.fault in exchange.faults
        )

    @cached_property
    def _wanted(self) -> tuple[tuple[str, object], ...]:
        return tuple((name, value) for name in self.narrowing if (value := getattr(self, name)) is not None)

    @property
    def narrowing(self) -> tuple[str, ...]:
        """The fields that an exchange has under the same name."""
        return ("door", "operation", "key", "lane", "agency")


class Exchanges(Effects):
    """Which exchanges: likewise."""

    request_id: str | None = None

    @property
    def narrowing(self) -> tuple[str, ...]:
        """The fields that an exchange has under the same name."""
        return (*super().narrowing, "request_id")


class LedgerPart:
    """`exchanges`, `effects`, `ledger/check`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {
            ("GET", "exchanges"): Route(self._exchanges, "What came in, what struck it, what was answered.", Exchanges),
            ("GET", "effects"): Route(self._effects, "What was done, and how often for each key.", Effects),
            ("POST", "ledger/check"): Route(self._check, "Check claims about the ledger; each gets a verdict."),
        }

    def _check_names(self, about: BaseModel) -> None:
        """Refuse what nothing could ever be about: a claim that nothing happened would hold because of a slip."""
        door, operation, fault = (getattr(about, name, None) for name in ("door", "operation", "fault"))
        doors = self._app.doors if door is None else (door_of(self._app, door),)
        names = {UNKNOWN, *(name for one in doors for name in one.operations)}
        if operation is not None and operation not in names:
            raise Wrong(f"there is no operation of this name; there is {', '.join(sorted(names))}")
        if fault is not None and fault not in NATURE:
            raise Wrong("there is no fault of this name; faults/kinds lists what there is")

    async def _exchanges(self, call: Call) -> Answer:
        ledger, query = call.space.ledger, call.query
        self._check_names(query)
        found = (one for one in ledger.exchanges(query.since) if query.hits(one))
        shown = [_exchange(one, ledger) for one in islice(found, min(query.limit, MOST))]
        return json_answer({"total": ledger.total, "exchanges": shown})

    async def _effects(self, call: Call) -> Answer:
        ledger, query = call.space.ledger, call.query
        self._check_names(query)
        names = ("door", "operation", "key", "count")
        counts = [dict(zip(names, effect, strict=True)) for effect in ledger.counts()]
        return json_answer({"total": ledger.done, "counts": counts, "effects": _effects(query, ledger)})

    async def _check(self, call: Call) -> Answer:
        given = json_of(call.request)
        claims = CLAIMS.validate_python(given if isinstance(given, list) else [given])
        for claim in claims:
            self._check_names(claim)
        verdicts = [check(claim, call.space.ledger) for claim in claims]
        shown = [_verdict(verdict, call.space.ledger) for verdict in verdicts]
        return json_answer({"holds": all(verdict.holds for verdict in verdicts), "verdicts": shown})


def _exchange(exchange: Exchange, ledger: Ledger) -> dict[str, Any]:
    return {**asdict(exchange), "ended": ledger.end_of(exchange.began)}


def _effects(query: Effects, ledger: Ledger) -> list[dict[str, Any]]:
    if not query.limit:  # whoever wants the counts alone does not wait for a search of the whole ledger
        return []
    asked = {one.seq for one in ledger.exchanges() if query.hits(one)}
    found = (asdict(one) for one in ledger.effects(query.since) if one.exchange in asked)
    return list(islice(found, min(query.limit, MOST)))


def _verdict(verdict: Verdict, ledger: Ledger) -> dict[str, Any]:
    return {
        "claim": verdict.claim.model_dump(mode="json", exclude_none=True),
        "holds": verdict.holds,
        "sentence": verdict.sentence,
        "evidence": {
            "exchanges": [_exchange(one, ledger) for one in verdict.exchanges],
            "effects": [asdict(one) for one in verdict.effects],
            "left_out": verdict.left_out,
        },
    }
