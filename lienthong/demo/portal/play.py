"""Playing the portal's stories in their order, and reading the portal's books at their end. Shows nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lienthong.demo import ledger
from lienthong.demo.portal import stories
from lienthong.demo.portal.acts import Acts, Tale
from lienthong.demo.portal.desk import ASKED, Desk
from lienthong.demo.portal.dossiers import FIRST, LAST
from lienthong.demo.portal.judge import There, compare, deserved, once, rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.texts import Language
    from lienthong.demo.mocks import Mocks
    from lienthong.demo.play import Watcher
    from lienthong.demo.portal.dossiers import Case
    from lienthong.demo.portal.judge import Once, Rates, Verdict
    from lienthong.demo.stage import Stage

CHAPTERS = tuple(story.name for story in stories.STORIES)
"""Everything that can be played of the portal, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that was played, and what the portal's own books say of it."""

    tales: tuple[Tale, ...]
    verdict: Verdict
    asked: int
    """Steps that a person was asked about on the way."""
    once: Once
    lowest: Rates | None
    """The index at the worst moment of the outage, if that was played."""
    reached: Rates
    deserved: Rates

    @property
    def mistakes(self) -> int:
        """How much is not as it has to be, over all judges."""
        told = sum(len(tale.wrong) for tale in self.tales)
        return told + (not self.verdict.holds) + (self.reached != self.deserved)

    @property
    def holds(self) -> bool:
        """Whether every judge agrees."""
        return self.mistakes == 0


@dataclass(slots=True)
class PortalPlay:
    """The portal's stories on one stage. With `doubt` a dossier is expected that nobody hands in."""

    stage: Stage
    mocks: Mocks
    cases: Sequence[Case]
    language: Language
    watcher: Watcher
    doubt: bool = False
    played: list[Case] = field(default_factory=list)

    async def run(self, names: Sequence[str]) -> Outcome | None:
        """Play the chapters of these names; `None` where none of them is here."""
        desk = Desk(self.stage.http, self.stage.gateway, self.stage.key, self.language)
        acts = Acts(self.mocks, desk, self._score)
        by_name = acts.by_name()
        tales = []
        for story, cases in stories.shared_out(self.cases):
            if story.name not in names:
                continue
            self.watcher.begins(story.name)
            tale, started = Tale(story.name, cases), time.monotonic()
            handed, arrived = len(desk.handed), len(await acts.arrived())
            self.played += cases
            await by_name[story.name](story, tale)
            tale.writes = len(desk.handed) - handed
            tale.exchanges = len(await acts.arrived()) - arrived
            tale.lasted = time.monotonic() - started
            self.watcher.ends(tale)
            tales.append(tale)
        return await self._read(tuple(tales), acts) if tales else None

    async def _read(self, tales: tuple[Tale, ...], acts: Acts) -> Outcome:
        there = There.read(
            await self.mocks.resources("dossier", "synced"),
            await self.mocks.resources("progress_step", "applied"),
            await self.mocks.counts(stories.DOOR),
        )
        waiting = len(await acts.desk.standing(ASKED))
        expected = [*self.played, *([replace(self.played[0], code=f"{self.played[0].code}9")] if self.doubt else ())]
        return Outcome(
            tales=tales,
            verdict=compare(expected, there, waiting),
            asked=acts.asked,
            once=once(self.played, await self._first_sends(acts)),
            lowest=None if acts.lowest is None else rates(acts.lowest),
            reached=rates(await self._score()),
            deserved=deserved(self.played),
        )

    async def _score(self) -> dict[str, Any]:
        return await self.mocks.score(FIRST, LAST, len(self.played))

    async def _first_sends(self, acts: Acts) -> frozenset[tuple[str, str]]:
        """Return code and write of each that would have taken effect, had it been sent when it was handed in, and once.

        Not so what was handed in while the portal was down, what was wrong, and whose first exchange did nothing.
        """
        acted = {one.name for one in ledger.entries(await acts.arrived()) if one.acted}
        _, sent = await ledger.sent(self.stage)
        first = {one.call: one.name for one in reversed(sent)}
        handed = {(one.case.code, one.write): one for one in reversed(acts.desk.handed)}
        return frozenset(
            write for write, one in handed.items() if not one.while_down and first.get(one.delivery or "") in acted
        )
