"""Playing the stories: strike, ask the struck and the bystanders at once, heal, judge. Shows nothing itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from contracts.model import AgencyCode, Kind, Layer
from gateway.security import Client, Scope
from lienthong.demo.asking import Caller, Expected, Reply
from lienthong.demo.stories import OUTAGE, STORIES, WAIT
from lienthong.stores import opened, operator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from contracts.texts import Language
    from lienthong.demo.mocks import Mocks
    from lienthong.demo.people import Question, Register
    from lienthong.demo.stage import Stage
    from lienthong.demo.stories import Story

AT_ONCE = 8
SWITCH_SECONDS = 2.0
"""A switch pressed or a key revoked at the command line works within this time."""
OPENS_SECONDS = 6.0
RECOVERS_SECONDS = 6.0
PULSE = 0.1
UNAUTHORISED = 401
SYSTEM = "population"
CHAPTERS = ("clear", *(story.name for story in STORIES), "key_revoked", "paused", "outage")
"""Everything that can be played, in order."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A reply that is not what it has to be. `why` is a key of the catalogue."""

    why: str
    reply: Reply | None = None


@dataclass(slots=True)
class Chapter:
    """What came of one story. `replies` are those that it is about, `beside` those that it must not touch."""

    name: str
    replies: list[Reply] = field(default_factory=list)
    beside: list[Reply] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    seconds: float | None = None
    """How long a switch or a key took to work, where the story is about one."""
    lasted: float = 0.0


class Played(Protocol):
    """What came of a chapter, as far as it is shown while the next one is played."""

    name: str
    lasted: float

    @property
    def wrong(self) -> Sequence[object]:
        """What is not as it has to be."""


class Watcher(Protocol):
    """Whoever watches the play."""

    def begins(self, chapter: str) -> None:
        """Take note that a chapter begins."""

    def ends(self, chapter: Played) -> None:
        """Take note of what came of it."""


@dataclass(slots=True)
class Play:
    """All stories on one stage. `doubt` turns the first right answer around, to see whether the judge is awake."""

    stage: Stage
    mocks: Mocks
    register: Register
    language: Language
    watcher: Watcher
    doubt: bool = False
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def run(self, names: Sequence[str]) -> list[Chapter]:
        """Play the chapters of these names in their order in `CHAPTERS`."""
        chapters = []
        acts: dict[str, Callable[[Chapter], Awaitable[None]]] = {
            "clear": self._clear,
            **{story.name: partial(self._tell, story) for story in STORIES},
            "key_revoked": self._revoke,
            "paused": self._pause,
            "outage": self._outage,
        }
        for name in (name for name in CHAPTERS if name in names):
            act = acts[name]
            self.watcher.begins(name)
            chapter = Chapter(name)
            started = time.monotonic()
            await act(chapter)
            chapter.lasted = time.monotonic() - started
            self.watcher.ends(chapter)
            chapters.append(chapter)
        return chapters

    async def _clear(self, chapter: Chapter) -> None:
        """Ask about every oddity while nothing is wrong."""
        register = self.register
        rounds = range(2 * len(register.oddities()))
        questions = [register.right("verify") for _ in rounds] + [register.right("lookup") for _ in rounds]
        questions += [register.wrong("verify") for _ in rounds] + [register.wrong("lookup") for _ in rounds]
        if self.doubt:
            questions[0] = replace(questions[0], records=frozenset())
        chapter.replies = await self._ask(questions, chapter, Expected(wait=WAIT))

    async def _tell(self, story: Story, chapter: Chapter) -> None:
        operations = story.operations
        struck = [self.register.right(operations[turn % len(operations)]) for turn in range(story.struck)]
        keys = {question.key for question in struck}
        beside = [question for question in self._some(story.beside) if question.key not in keys]
        for key in keys:
            await self.mocks.strike(story.fault, key)
        ends = story.expect is None or story.passes
        expected = Expected(
            wait=story.wait,
            answer=ends,
            failing=frozenset() if ends or story.expect is None else frozenset({story.expect}),
            attempts_failing=story.expect if story.passes else None,
            at_least=story.at_least,
        )
        chapter.replies, chapter.beside = await asyncio.gather(
            self._ask(struck, chapter, expected, second_agency=story.second_agency),
            self._ask(beside, chapter, Expected(wait=WAIT)),
        )
        await self.mocks.heal()

    async def _revoke(self, chapter: Chapter) -> None:
        """Revoke a key as the command line does, while it is in use."""
        name = "mot-cua-tam"
        agency = AgencyCode.parse(self.stage.agencies[0])
        async with opened(self.stage.store) as store:
            client = Client(name=name, scopes=frozenset(Scope), agencies=frozenset({agency}))
            key = await store.clients.add(client, by=operator())
            caller = self._caller(key.text)
            await self._until(chapter, caller, lambda reply: reply.answered, "key_slow")
            await store.clients.revoke(name, by=operator(), why="demo")
        chapter.replies.clear()
        chapter.seconds = await self._until(chapter, caller, lambda reply: reply.status == UNAUTHORISED, "key_slow")

    async def _pause(self, chapter: Chapter) -> None:
        """Press and release the stop switch as the command line does."""
        refused = (Kind.NOT_SENT, Layer.OURS)
        async with opened(self.stage.store) as store:
            await store.switches.pause(SYSTEM, by=operator(), why="demo")
            chapter.seconds = await self._until(chapter, self._caller(), lambda reply: reply.failing == refused, "slow")
            chapter.replies += await self._ask(
                self._some(6), chapter, Expected(wait=WAIT, answer=False, failing=frozenset({refused}))
            )
            await store.switches.resume(SYSTEM, by=operator())
            await self._until(chapter, self._caller(), lambda reply: reply.answered, "slow")

    async def _outage(self, chapter: Chapter) -> None:
        """Take the whole door away until the breaker opens, then give it back and wait for the first answer."""
        failing = frozenset({(Kind.UNKNOWN_OUTCOME, Layer.NETWORK), (Kind.NOT_SENT, Layer.NETWORK)})
        down = Expected(wait=WAIT, answer=False, failing=failing)
        await self.mocks.strike(OUTAGE)
        ends_at = time.monotonic() + OPENS_SECONDS
        while not any(reply.body.get("kind") == Kind.NOT_SENT for reply in chapter.replies):
            if time.monotonic() > ends_at:
                chapter.wrong.append(Wrong("not_opened"))
                break
            chapter.replies += await self._ask(self._some(AT_ONCE), chapter, down)
        chapter.replies += await self._ask(self._some(AT_ONCE), chapter, down)
        await self.mocks.heal()
        either = replace(down, answer=True)
        ends_at = time.monotonic() + RECOVERS_SECONDS
        good = 0
        while good < AT_ONCE:  # the breaker wants more than one good probe, so that one answer is not yet the end
            if time.monotonic() > ends_at:
                chapter.wrong.append(Wrong("not_recovered"))
                break
            (reply,) = await self._ask(self._some(1), chapter, either)
            chapter.replies.append(reply)
            good = good + 1 if reply.answered else 0
            await asyncio.sleep(0 if reply.answered else PULSE)
        chapter.beside = await self._ask(self._some(20), chapter, Expected(wait=WAIT))

    async def _until(self, chapter: Chapter, caller: Caller, reached: Callable[[Reply], bool], too_slow: str) -> float:
        """Ask again and again until a reply is as wanted, and return how long that took."""
        started = time.monotonic()
        while True:
            reply = await caller.ask(self.register.right("verify"), self.stage.purpose(), WAIT)
            seconds = time.monotonic() - started
            chapter.replies.append(reply)
            if reply.answered and not reply.right():
                chapter.wrong.append(Wrong("wrong", reply))
            if reached(reply):
                return seconds
            if seconds > SWITCH_SECONDS:
                chapter.wrong.append(Wrong(too_slow, reply))
                return seconds
            await asyncio.sleep(PULSE)

    async def _ask(
        self, questions: Sequence[Question], chapter: Chapter, expected: Expected, *, second_agency: bool = False
    ) -> list[Reply]:
        """Ask all of them, a few at once, and judge each reply."""
        caller, purpose = self._caller(), self.stage.purpose(second_agency=second_agency)

        async def one(question: Question) -> Reply:
            async with self._slots:
                reply = await caller.ask(question, purpose, expected.wait)
            why = expected.judge(reply)
            if why is not None:
                chapter.wrong.append(Wrong(why, reply))
            return reply

        return list(await asyncio.gather(*map(one, questions)))

    def _some(self, count: int) -> list[Question]:
        """Return some questions of every kind."""
        register = self.register
        kinds = (
            lambda: register.right("verify"),
            lambda: register.right("lookup"),
            lambda: register.wrong("verify"),
        )
        return [kinds[turn % len(kinds)]() for turn in range(count)]

    def _caller(self, key: str | None = None) -> Caller:
        return Caller(self.stage.http, self.stage.gateway, key or self.stage.key, self.language)
