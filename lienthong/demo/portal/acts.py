"""The six stories as they are played: hand dossiers in, let the portal fail, have a person decide, judge what is said.

What the portal has in the end is judged elsewhere, from its own books. Each dossier goes through reception, progress
and result in every story; a story says where on that way the portal fails, and what has to be seen of it here.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lienthong.demo.portal import stories
from lienthong.demo.portal.desk import ASKED, REFUSED, UNDER_WAY
from lienthong.demo.portal.dossiers import FILES, PROCESSED
from lienthong.demo.portal.judge import step_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from lienthong.demo.mocks import Mocks
    from lienthong.demo.portal.desk import Desk, Told
    from lienthong.demo.portal.dossiers import Case
    from lienthong.demo.portal.stories import Story

WAIT = 25
"""Seconds that the software waits for a write's end, where nothing is to last."""
DOWN_SECONDS = 2.0
SETTLES_SECONDS = 90.0
SETTLED, REJECTED = "settled", "rejected"
MADE = ("create=done",)
EXISTED = ("create=exists", "update=done")
TOO_LONG = 2100
WRONG_FIELDS = ("/dossier/documents/0/address", "/dossier/note", "/dossier/subject")


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that is not as it has to be. `why` is a key of the catalogue, `about` a dossier."""

    why: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """What a clerk reads on one dossier's timeline, and what is to be done next if anything."""

    code: str
    sentence: str
    next: str


@dataclass(slots=True)
class Tale:
    """What came of one story. `figures` fill its sentence in the catalogue."""

    name: str
    cases: Sequence[Case]
    figures: dict[str, int] = field(default_factory=dict)
    writes: int = 0
    exchanges: int = 0
    example: Example | None = None
    wrong: list[Mistake] = field(default_factory=list)
    lasted: float = 0.0

    def judge(self, right: bool, why: str, about: str = "") -> None:  # noqa: FBT001 - what is judged
        """Note a mistake, unless it is right."""
        if not right:
            self.wrong.append(Mistake(why, about))


@dataclass(slots=True)
class Acts:
    """One desk and one portal. `score` is asked for at the worst moment of the outage."""

    mocks: Mocks
    desk: Desk
    score: Callable[[], Awaitable[dict[str, Any]]]
    asked: int = 0
    """Steps that a person was asked about."""
    lowest: dict[str, Any] | None = None

    def by_name(self) -> dict[str, Callable[[Story, Tale], Awaitable[None]]]:
        """Return every story's act."""
        return {
            stories.LOST_ANSWER.name: self._lost_answer,
            stories.SESSION.name: self._session,
            stories.LOST_PROGRESS.name: self._lost_progress,
            stories.SPOKEN.name: self._spoken,
            stories.REFUSED.name: self._refused,
            stories.DOWN.name: self._down,
        }

    async def arrived(self) -> list[dict[str, Any]]:
        """Return every exchange that has arrived at the portal."""
        return await self.mocks.exchanges(door=stories.DOOR)

    async def _lost_answer(self, story: Story, tale: Tale) -> None:
        """Lose the answer to a creation: what was made is found to be there, and updated."""
        struck = tale.cases[: story.struck]
        for case in struck:
            await self.mocks.strike(stories.CREATED_IN_SILENCE, case.code)
        for case, told in await self._each(tale.cases, lambda case: self._received(tale, case)):
            tale.judge(_trail(told) == (EXISTED if case in struck else MADE), "other_way", case.code)
        await self._each(tale.cases, lambda case: self._finished(tale, case))
        tale.figures = {"struck": await self._struck("ack_lost", "create")}
        tale.judge(tale.figures["struck"] == len(struck), "not_struck")
        await self._show(tale, struck[0])

    async def _session(self, _: Story, tale: Tale) -> None:
        """End the session at the portal while everybody is at work: one log-in, and nobody notices."""
        await self._each(tale.cases, lambda case: self._received(tale, case))
        before = await self._log_ins()
        for session in await self.mocks.resources("portal_session", "open"):
            await self.mocks.do("portal_session", session["id"], "end")
        await self._each(tale.cases, lambda case: self._finished(tale, case))
        renewed = await self._log_ins() - before
        refused = sum(one["outcome"] == "session_expired" for one in await self.arrived())
        tale.figures = {"renewed": renewed, "refused": refused}
        tale.judge(renewed == 1, "not_once")
        tale.judge(refused > 0, "not_struck")
        await self._show(tale, tale.cases[0])

    async def _lost_progress(self, story: Story, tale: Tale) -> None:
        """Lose the answer to progress, which the portal would apply again: a person looks, and says what is so."""
        struck, others = tale.cases[: story.struck], tale.cases[story.struck :]
        done = struck[: story.struck // 2 + 1]
        for case in struck:
            fault = stories.STEP_DONE_IN_SILENCE if case in done else stories.STEP_NOT_DONE_IN_SILENCE
            await self.mocks.strike(fault, step_key(case, case.steps[0]))
        await self._each(tale.cases, lambda case: self._received(tale, case))
        told = await self._each(tale.cases, lambda case: self.desk.work(case, WAIT))
        for case, one in told:
            tale.judge(one.state == (ASKED if case in struck else SETTLED), "not_settled", case.code)
        asked = {one["dossier"]: str(one["id"]) for one in await self.desk.standing(ASKED)}
        tale.judge(asked.keys() == {case.code for case in struck}, "asked_about_others")
        self.asked += sum(len(case.steps) for case in tale.cases if case.code in asked)
        await self._each(struck, lambda case: self.desk.finish(case, 0))  # waits in its lane until the person has said
        await self._each(others, lambda case: self._ended(tale, case))
        await self._show(tale, struck[0])
        for case in struck:
            await self._decide(tale, case, asked.get(case.code, ""), there=case in done)
        silent = [await self._struck(what, "progress") for what in ("ack_lost", "hang")]
        tale.judge(silent == [len(done), len(struck) - len(done)], "not_struck")
        tale.figures = {"asked": len(asked), "done": silent[0], "again": silent[1]}
        tale.judge(await self.desk.settled(SETTLES_SECONDS), "not_settled")

    async def _decide(self, tale: Tale, case: Case, delivery: str, *, there: bool) -> None:
        """Look at the portal as a person would, and say what was seen."""
        found = (await self.desk.look_up(case)).get("dossier") or {}
        seen = found.get("status") == PROCESSED
        tale.judge(seen == there, "not_seen", case.code)
        evidence = f"Tra cứu trên Cổng: trạng thái {found.get('status')}"
        told = await self.desk.resolve(delivery, "done" if seen else "send_again", "Đã đối chiếu trên Cổng", evidence)
        tale.judge(told.accepted, "not_heard", case.code)

    async def _spoken(self, story: Story, tale: Tale) -> None:
        """Have the portal say the same in every way that it is known to say it in."""
        each = story.struck // 3
        twice, double, plain = (tale.cases[first : first + each] for first in range(0, story.struck, each))
        for case in twice:
            await self.mocks.strike(stories.DELIVERED_TWICE, case.code)
        for case in double:
            await self.mocks.strike(stories.DOUBLE_ENCODED, case.code)
        for case in plain:
            await self.mocks.strike(stories.SUCCESS_AS_TEXT, step_key(case, case.steps[0]))
        half = each // 2
        for exists, cases in (("-3", twice[:half]), ("text", twice[half:]), ("3", tale.cases[each:])):
            await self.mocks.speak(stories.DOOR, exists=exists)
            for case, told in await self._each(cases, lambda case: self._received(tale, case)):
                tale.judge(_trail(told) == (EXISTED if case in twice else MADE), "other_way", case.code)
        await self._each(tale.cases, lambda case: self._finished(tale, case))
        said = {"twice": "delivered_twice", "double": "double_encoded", "plain": "success_as_text"}
        tale.figures = {name: await self._struck(what) for name, what in said.items()}
        tale.judge(list(tale.figures.values()) == [len(twice), len(double), len(plain)], "not_struck")
        await self._show(tale, twice[0])

    async def _refused(self, story: Story, tale: Tale) -> None:
        """Hand in what is wrong: the gateway names every field, the portal refuses the rest, and both are corrected."""
        half = story.struck // 2
        wrong, unpublished, others = tale.cases[:half], tale.cases[half : story.struck], tale.cases[story.struck :]
        await self._each(wrong, lambda case: self._turned_away(tale, case))
        await self.mocks.speak(stories.DOOR, unknown_procedure="refused")
        refused = await self._each(
            unpublished, lambda case: self.desk.receive(case, WAIT, procedure=stories.UNPUBLISHED)
        )
        await self.mocks.speak(stories.DOOR, unknown_procedure="accepted")
        for case, told in refused:
            tale.judge(told.state == REJECTED, "not_rejected", case.code)
            await self.desk.work(case, 0)  # waits in its lane until the dossier is corrected
        await self._show(tale, unpublished[0])
        for case, told in refused:
            corrected = await self.desk.correct(case, str(told.body.get("id", "")), "Sửa mã thủ tục", WAIT)
            tale.judge(corrected.state == SETTLED, "not_settled", case.code)
        await self._each((*wrong, *others), lambda case: self._carried(tale, case))
        await self._each(unpublished, lambda case: self._ended(tale, case))
        tale.figures = {"wrong": len(wrong), "fields": len(WRONG_FIELDS), "refused": len(refused)}

    async def _turned_away(self, tale: Tale, case: Case) -> None:
        """Hand a dossier in with three wrong fields."""
        (document,) = case.reception()["documents"]
        told = await self.desk.receive(
            case,
            WAIT,
            subject="x" * TOO_LONG,
            note="x" * TOO_LONG,
            documents=[{**document, "address": document["address"].replace(FILES, "http://10.0.0.5/hoso")}],
        )
        right = told.status == REFUSED and tuple(told.pointers) == WRONG_FIELDS
        tale.judge(right, "not_named", case.code)

    async def _down(self, story: Story, tale: Tale) -> None:
        """Take the portal away in the middle of the work, hand everything in all the same, and give it back."""
        half = story.dossiers // 2
        await self._each(tale.cases[:half], lambda case: self._received(tale, case))
        await self.mocks.strike(stories.PLATFORM_DOWN)
        self.desk.portal_down, before = True, len(await self.arrived())
        began = time.monotonic()
        await self._each(tale.cases[half:], lambda case: self._left(tale, case, self.desk.receive))
        await self._each(tale.cases, lambda case: self._left(tale, case, self.desk.work))
        await self._each(tale.cases, lambda case: self._left(tale, case, self.desk.finish))
        await asyncio.sleep(DOWN_SECONDS)
        waiting = len(await self.desk.standing(UNDER_WAY))
        await self._show(tale, tale.cases[-1])
        self.lowest = await self.score()
        lasted, probes = time.monotonic() - began, len(await self.arrived()) - before
        await self.mocks.heal()
        self.desk.portal_down, back = False, time.monotonic()
        tale.judge(await self.desk.settled(SETTLES_SECONDS), "not_settled")
        tale.figures = {
            "waiting": waiting,
            "lasted": round(lasted),
            "tried": probes,
            "seconds": round(time.monotonic() - back),
        }

    async def _left(self, tale: Tale, case: Case, hand_in: Callable[[Case, int], Awaitable[Told]]) -> None:
        """Hand something in without waiting for its end: it is the gateway's from then on."""
        tale.judge((await hand_in(case, 0)).accepted, "not_accepted", case.code)

    async def _received(self, tale: Tale, case: Case) -> Told:
        told = await self.desk.receive(case, WAIT)
        tale.judge(told.state == SETTLED, "not_settled", case.code)
        return told

    async def _finished(self, tale: Tale, case: Case) -> None:
        told = await self.desk.work(case, WAIT)
        tale.judge(told.state == SETTLED, "not_settled", case.code)
        await self._ended(tale, case)

    async def _ended(self, tale: Tale, case: Case) -> None:
        told = await self.desk.finish(case, WAIT)
        tale.judge(told.state == SETTLED, "not_settled", case.code)

    async def _carried(self, tale: Tale, case: Case) -> None:
        await self._received(tale, case)
        await self._finished(tale, case)

    async def _each(self, cases: Sequence[Case], act: Callable[[Case], Awaitable[Any]]) -> list[tuple[Case, Any]]:
        return list(zip(cases, await asyncio.gather(*map(act, cases)), strict=True))

    async def _struck(self, what: str, operation: str | None = None) -> int:
        """Return how many exchanges with the portal a fault has struck."""
        return sum(what in one["faults"] and operation in {None, one["operation"]} for one in await self.arrived())

    async def _log_ins(self) -> int:
        return sum(one["operation"] == "login" and one["acted"] for one in await self.arrived())

    async def _show(self, tale: Tale, case: Case) -> None:
        """Ask where a dossier is, as a clerk would."""
        standing = (await self.desk.follow(case)).get("standing") or {}
        tale.judge(bool(standing.get("sentence")), "not_told", case.code)
        tale.example = Example(case.code, str(standing.get("sentence") or ""), str(standing.get("next") or ""))


def _trail(told: Told) -> tuple[str, ...]:
    """Return the exchanges that a write has come to."""
    return tuple(f"{step['name']}={step['ending']}" for step in told.body.get("steps", ()))
