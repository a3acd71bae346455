from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.texts import Language
from tests.support import artifacts
from tools import failure_runs, failure_table
from tools.failure_cases import Case, cases
from tools.failure_runs import DEADLINE_SECONDS, Reply, Result


@pytest.mark.timeout(240)
async def test_each_fault_comes_to_what_the_page_says() -> None:
    """Every fault of the mock × each operation, run afresh, gives the committed page and breaks no rule of it.

    A machine that stands still for some seconds makes ends of its own: what does not come again is not the gateway's.
    """
    results = await failure_runs.results(artifacts.record, artifacts.path("mocks.log"))
    if list(failure_table.problems(results)):
        results = await failure_runs.results(artifacts.record, artifacts.path("mocks-again.log"))
    assert list(failure_table.problems(results)) == []
    assert failure_table.page(results) == failure_table.PAGE.read_text(encoding="utf-8")
    kinds = {result.case.fault["what"] for result in results if result.case.fault is not None}
    assert {result.operation for result in results} == {"verify", "lookup"}
    assert len(kinds) > 20


def test_a_new_fault_of_the_mock_is_in_the_table_by_itself() -> None:
    """The list of kinds is the mock's own: a kind that nobody has written down here becomes a case."""
    nature = {"where": "transport", "stage": "wire", "acts": "no", "does": "The sun interferes."}
    first = cases({"sunspots": {**nature, "doors": ["population"]}, "eclipse": {**nature, "doors": ["portal"]}})[0]
    assert "`eclipse`" not in {case.name for case in cases({"eclipse": {**nature, "doors": ["portal"]}})}
    assert (first.name, first.does, first.fault) == ("`sunspots`", "The sun interferes.", {"what": "sunspots"})


CASE = Case(group="transport", name="`x`", does="Something.")
BODY: dict[str, Any] = {
    "kind": "unknown_outcome",
    "reason": "connection_lost",
    "layer": "network",
    "party": "Somebody",
    "title": "It broke.",
    "detail": "Try again.",
    "may_have_acted": "maybe",
    "correlation_id": "01JZ0000000000000000000000",
    "attempts": [{}],
}
REPLY = Reply(status=504, media_type="application/problem+json", body=BODY, seconds=0.1)


def judged(reply: Reply, other: Reply | None = None) -> list[str]:
    """Return what is wrong with a result in which the caller got `reply`."""
    told = {Language.VI: other or reply, Language.EN: reply}
    return list(failure_table.problems([Result(case=CASE, operation="verify", lasting=told, once=None)]))


def test_a_whole_problem_document_in_time_is_right() -> None:
    """The rules are silent where nothing is wrong."""
    assert judged(REPLY) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"status": 500, "media_type": "text/plain; charset=utf-8", "body": {"attempts": []}}, "whole problem"),
        ({"body": {**BODY, "title": ""}}, "whole problem"),
        ({"body": {**BODY, "reason": "internal_error"}}, "a defect"),
        ({"seconds": DEADLINE_SECONDS + 5.0}, "the deadline was"),
        ({"acted": True, "body": {**BODY, "may_have_acted": "no"}}, "has not acted, and it has"),
    ],
)
def test_what_no_row_may_be_is_told(change: dict[str, Any], told: str) -> None:
    """A bare error, a half document, a defect, a late answer and a false "no" each fail the table."""
    assert told in judged(replace(REPLY, **change))[0]


def test_two_ends_of_one_fault_are_told() -> None:
    """A row that comes out differently the second time is no row of a table."""
    assert "two runs" in judged(REPLY, replace(REPLY, status=502, body={**BODY, "kind": "system_failed"}))[0]
