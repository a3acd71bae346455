"""Asking the gateway as one-stop software does, and judging what it says."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from contracts.model import Kind
from gateway.api.problems import STATUS
from lienthong.demo.people import Record, fold

if TYPE_CHECKING:
    from contracts.texts import Language
    from lienthong.demo.people import Question
    from lienthong.demo.stories import Failing

SLACK_SECONDS = 1.5
"""What a busy machine may add to a deadline before the demo calls it broken."""
OK = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """What the gateway said to one question, and how long it took."""

    question: Question
    status: int
    seconds: float
    body: dict[str, Any] = field(repr=False)

    @property
    def answered(self) -> bool:
        """Whether there is an answer, right or wrong."""
        return self.status == OK

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Every attempt that left."""
        return list(self.body.get("attempts", ()))

    @property
    def correlation_id(self) -> str:
        """The id under which the call is found in the audit."""
        return str(self.body.get("correlation_id", ""))

    @property
    def failing(self) -> tuple[str | None, str | None]:
        """Kind and layer of the problem document."""
        return self.body.get("kind"), self.body.get("layer")

    def right(self) -> bool:
        """Whether the answer is what the world says."""
        if self.question.operation == "verify":
            return self.body.get("matches") is bool(self.question.records)
        found = [_record(citizen) for citizen in self.body.get("citizens", ())]
        return len(found) == len(self.question.records) and frozenset(found) == self.question.records


class Caller:
    """One piece of one-stop software with its key."""

    def __init__(self, http: httpx.AsyncClient, gateway: str, key: str, language: Language) -> None:
        self._http = http
        self._gateway = gateway
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}

    async def ask(self, question: Question, purpose: dict[str, str], wait: int) -> Reply:
        """Ask, and wait at most `wait` seconds plus what the judge allows."""
        started = time.monotonic()
        try:
            response = await self._http.post(
                f"{self._gateway}/v1/citizens/{question.operation}",
                json={"citizen": question.citizen, "purpose": purpose},
                headers={**self._headers, "Prefer": f"wait={wait}"},
                timeout=wait + 2 * SLACK_SECONDS,
            )
            body = response.json()
        except (httpx.HTTPError, ValueError):
            return Reply(question, 0, time.monotonic() - started, {})
        return Reply(question, response.status_code, time.monotonic() - started, body)


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to come of a call: the right answer, or one of the problems in `failing` where `answer` is false.

    `attempts_failing` is how every attempt before an answer has to have failed, if it has to have failed at all.
    """

    wait: int
    answer: bool = True
    failing: frozenset[Failing] = frozenset()
    attempts_failing: Failing | None = None
    at_least: float = 0.0

    def judge(self, reply: Reply) -> str | None:
        """Return what is wrong with a reply, as a key of the catalogue; `None` when nothing is."""
        if reply.status == 0:
            return "nothing"
        if reply.seconds > self.wait + SLACK_SECONDS:
            return "late"
        if reply.seconds < self.at_least:
            return "early"
        return self._judge_answer(reply) if reply.answered else self._judge_problem(reply)

    def _judge_problem(self, reply: Reply) -> str | None:
        if not self.failing:
            return "no_answer"
        if reply.failing not in self.failing:
            return "other_failure"
        return None if reply.status == STATUS[Kind(reply.body["kind"])] else "other_status"

    def _judge_answer(self, reply: Reply) -> str | None:
        if not self.answer:
            return "answer"
        if not reply.right():
            return "wrong"
        failed = {(one["kind"], one["layer"]) for one in reply.attempts if one["kind"] is not None}
        if self.attempts_failing is not None and failed != {self.attempts_failing}:
            return "other_attempts"
        return None


def _record(citizen: dict[str, Any]) -> Record:
    return citizen["identity_number"], citizen["old_card_number"], fold(citizen["full_name"]), citizen["birth_date"]
