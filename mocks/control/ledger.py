"""The ledger over HTTP: exchanges and effects, page by page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mocks.asgi import Answer, Request, json_answer
from mocks.control.parts import number_of

if TYPE_CHECKING:
    from mocks.control.parts import App, Routes
    from mocks.spaces import Space


class LedgerPart:
    """`exchanges`, `effects`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.routes: Routes = {("GET", "exchanges"): self._exchanges, ("GET", "effects"): self._effects}

    async def _exchanges(self, request: Request, space: Space) -> Answer:
        ledger = space.ledger
        page = ledger.exchanges(number_of(request, "since", 0), number_of(request, "limit", 1000))
        shown = [{**asdict(exchange), "ended": ledger.end_of(exchange.began)} for exchange in page]
        return json_answer({"total": ledger.total, "exchanges": shown})

    async def _effects(self, request: Request, space: Space) -> Answer:
        ledger = space.ledger
        names = ("door", "operation", "key", "count")
        counts = [dict(zip(names, effect, strict=True)) for effect in ledger.counts()]
        page = ledger.effects(number_of(request, "since", 0), number_of(request, "limit", 1000))
        return json_answer({"total": ledger.done, "counts": counts, "effects": [asdict(effect) for effect in page]})
