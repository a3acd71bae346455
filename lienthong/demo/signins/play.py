"""Playing the stories of sign-ins in their order, and comparing the books at their end. Shows nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lienthong.demo.portal.dossiers import COMMUNES
from lienthong.demo.signins import stories
from lienthong.demo.signins.acts import Acts, Tale
from lienthong.demo.signins.browser import CALLBACK, LEFT, visitors
from lienthong.demo.signins.judge import counts, exchanges, judge
from lienthong.demo.signins.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.texts import Language
    from lienthong.demo.mocks import Mocks
    from lienthong.demo.people import Person
    from lienthong.demo.play import Watcher
    from lienthong.demo.signins.judge import Verdict
    from lienthong.demo.stage import Stage

CHAPTERS = tuple(story.name for story in stories.STORIES)
"""Everything that can be played of sign-ins, in order."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was played, and what the books say of it."""

    tales: tuple[Tale, ...]
    verdict: Verdict

    @property
    def mistakes(self) -> int:
        """How much is not as it has to be."""
        return sum(len(tale.wrong) for tale in self.tales) + (not self.verdict.holds)

    @property
    def holds(self) -> bool:
        """Whether every judge agrees."""
        return self.mistakes == 0


@dataclass(frozen=True, slots=True)
class SignInPlay:
    """The stories of sign-ins on one stage. With `doubt` the first citizen is expected to be somebody else."""

    stage: Stage
    mocks: Mocks
    people: Sequence[Person]
    language: Language
    watcher: Watcher
    doubt: bool = False

    async def run(self, names: Sequence[str]) -> Outcome | None:
        """Play the chapters of these names; `None` where none of them is here."""
        chosen = [(story, people) for story, people in stories.shared_out(self.people) if story.name in names]
        if not chosen:
            return None
        addresses = {"redirect_uris": [CALLBACK], "post_logout_redirect_uris": [LEFT]}
        await self.mocks.do("vneid_client", stories.CLIENT, "register", **addresses)
        tales = []
        async with visitors() as http:
            vendor = Vendor(self.stage.http, self.stage.gateway, self.stage.key, COMMUNES[0].agency, self.language)
            acts = Acts(self.mocks, vendor, http, self.stage.gateway, self.language)
            for story, people in chosen:
                self.watcher.begins(story.name)
                tale, started = Tale(story.name), time.monotonic()
                await acts.by_name()[story.name](people, tale)
                tale.lasted = time.monotonic() - started
                self.watcher.ends(tale)
                tales.append(tale)
        return Outcome(tuple(tales), await self._verdict(tales))

    async def _verdict(self, tales: Sequence[Tale]) -> Verdict:
        visits = [visit for tale in tales for visit in tale.visits]
        if self.doubt:
            visits[0] = replace(visits[0], owner="")
        metrics = (await self.stage.http.get(f"{self.stage.gateway}/metrics")).text
        return judge(visits, counts(metrics), exchanges(await self.mocks.counts(stories.DOOR)))
