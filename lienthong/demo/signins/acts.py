"""The stories of sign-ins as they are played: citizens come, the door fails them, strangers try what they left behind.

A citizen proves themselves by a verb of the mock, in the place of the page's form. Who got in is judged elsewhere.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contracts import texts
from lienthong.demo.signins import stories
from lienthong.demo.signins.browser import PUBLIC, Browser
from lienthong.demo.signins.judge import IN, Visit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import httpx

    from contracts.texts import Language
    from lienthong.demo.mocks import Mocks
    from lienthong.demo.people import Person
    from lienthong.demo.signins.browser import Halt
    from lienthong.demo.signins.vendor import Claimed, Vendor

AT_THE_DOOR = "sessionDataKey"
"""The parameter by which the door's page says which sign-in it is about."""
NOTICES = ("other_browser", "failed", "begin_again", "unavailable", "expired", "strange")
"""The gateway's pages that end a visit, by their names in the catalogue."""
NO_PAGE = "no_page"
"""The door showed its own trouble, or nothing that anybody knows."""


@dataclass(slots=True)
class Tale:
    """What came of one story. `figures` fill its sentence in the catalogue."""

    name: str
    visits: list[Visit] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    example: str = ""
    """What a citizen who was not let in has been told."""
    noted: list[str] = field(default_factory=list)
    """What else is not as it has to be: keys of the catalogue."""
    lasted: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """Everything that is not as it has to be."""
        return ["other_end"] * sum(one.came != one.expected or one.wrongly_in for one in self.visits) + self.noted


@dataclass(frozen=True, slots=True)
class Acts:
    """One vendor at one door; everybody has a browser of their own."""

    mocks: Mocks
    vendor: Vendor
    visitors: httpx.AsyncClient
    gateway: str
    language: Language

    def by_name(self) -> dict[str, Callable[[Sequence[Person], Tale], Awaitable[None]]]:
        """Return every story's act."""
        return {
            stories.CLEAR.name: self._clear,
            stories.LOW.name: self._low,
            stories.FORGED.name: self._forged,
            stories.STOLEN.name: self._stolen,
            stories.DOWN.name: self._down,
        }

    async def _clear(self, people: Sequence[Person], tale: Tale) -> None:
        """Let everybody sign in at once, and out again."""
        came = await self._each(people, lambda one: self._visit(tale, one, self._browser()))
        ended = await asyncio.gather(*(self.vendor.log_out(str(claimed.body.get("id", ""))) for _, claimed in came))
        tale.noted += ["not_ended"] * ended.count(False)
        tale.figures = {"citizens": len(people), "ended": sum(ended)}

    async def _low(self, people: Sequence[Person], tale: Tale) -> None:
        """Let those sign in whose account has level 1 alone: an answer, and what to do next."""
        for one in people:
            await self.mocks.do("vneid_account", str(one.id), "lower")
        for _, claimed in await self._each(
            people, lambda one: self._visit(tale, one, self._browser(), expected="level_too_low")
        ):
            tale.example = claimed.sentence
        tale.figures = {"citizens": len(people)}

    async def _forged(self, people: Sequence[Person], tale: Tale) -> None:
        """Answer the exchange with tokens that prove nothing, and a code that comes twice."""
        faults = iter(stories.FORGERIES)
        came = await self._each(
            people, lambda one: self._visit(tale, one, self._browser(), expected="failed", fault=next(faults))
        )
        tale.example = came[0][0].heading
        tale.figures = {"citizens": len(people), "struck": await self._struck(*stories.FORGERIES)}
        tale.noted += ["not_struck"] * (tale.figures["struck"] != len(people))

    async def _stolen(self, people: Sequence[Person], tale: Tale) -> None:
        """Sign in, and have a stranger try every address that was seen on the way, in another browser."""
        tries = 0
        for one in people:
            browser, stranger = self._browser(), self._browser()
            at, _ = await self._visit(tale, one, browser)
            for address in browser.trail:
                if not address.startswith(PUBLIC):
                    continue
                halt = await stranger.open(address)
                tale.example = halt.heading
                tale.visits.append(Visit(one.number or "", "other_browser", self._notice(halt), stranger=True))
                tries += 1
            claimed = await self.vendor.claim(stranger.session, at.brought)
            came = IN if claimed.let_in else claimed.outcome
            tale.visits.append(Visit(one.number or "", "sign_in_session", came, claimed.number, stranger=True))
            tries += 1
        tale.figures = {"citizens": len(people), "tries": tries}

    async def _down(self, people: Sequence[Person], tale: Tale) -> None:
        """Take the door away: from some before its page, from others on their way back; then give it back."""
        half = len(people) // 2
        waiting, late = people[:half], people[half:]
        await self._each(
            late, lambda one: self._visit(tale, one, self._browser(), expected="begin_again", fault="bad_gateway")
        )
        browsers = [self._browser() for _ in waiting]
        started = [await self.vendor.begin(browser.session) for browser in browsers]
        await self.mocks.strike(stories.DOOR_DOWN)
        for browser, start in zip(browsers, started, strict=True):
            halt = await browser.open(start)
            tale.noted += ["not_down"] * (halt.status != stories.DOWN_STATUS)
        await self.mocks.heal()
        for one, browser, start in zip(waiting, browsers, started, strict=True):
            await self._visit(tale, one, browser, start=start)
        await self._each(late, lambda one: self._visit(tale, one, self._browser()))
        tale.example = texts.text(self.language, "page.begin_again.title")
        tale.figures = {"waiting": len(waiting), "late": len(late), "citizens": len(people)}

    async def _visit(
        self,
        tale: Tale,
        who: Person,
        browser: Browser,
        *,
        expected: str = IN,
        fault: str | None = None,
        start: str | None = None,
    ) -> tuple[Halt, Claimed]:
        """Have a citizen sign in, and the vendor claim them; note how that ended."""
        at = await browser.open(start or await self.vendor.begin(browser.session))
        name = at.brought.get(AT_THE_DOOR, "")
        if name:
            if fault is not None:
                await self.mocks.strike(stories.at_exchange(fault), name)
            await self.mocks.do("vneid_sign_in", name, "approve", citizen=who.id)
            at = await browser.open(at.address)
        claimed = await self.vendor.claim(browser.session, at.brought)
        came = IN if claimed.let_in else claimed.outcome
        if not at.back:
            came = self._notice(at) if not claimed.let_in else IN
        tale.visits.append(Visit(who.number or "", expected, came, claimed.number, name))
        return at, claimed

    def _notice(self, halt: Halt) -> str:
        """Return which of the gateway's pages that is."""
        found = (one for one in NOTICES if texts.text(self.language, f"page.{one}.title") == halt.heading)
        return next(found, NO_PAGE)

    def _browser(self) -> Browser:
        return Browser(self.visitors, self.gateway, self.language, session=secrets.token_hex(16))

    async def _struck(self, *faults: str) -> int:
        arrived = await self.mocks.exchanges(door=stories.DOOR, operation="token")
        return sum(bool(set(faults) & set(one["faults"])) for one in arrived)

    async def _each(
        self, people: Sequence[Person], visit: Callable[[Person], Awaitable[tuple[Halt, Claimed]]]
    ) -> list[tuple[Halt, Claimed]]:
        return list(await asyncio.gather(*map(visit, people)))
