"""The judge of the chaos runs, on made-up books: silent when all agrees, and it sees each broken promise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import reckoning
from tests.support.reckoning import Attempt, Books, Told

if TYPE_CHECKING:
    from pathlib import Path

ATTEMPTS = {
    "r1": Attempt("c1", 1, "r1", 10.0, "answered"),
    "r2": Attempt("c2", 1, "r2", 11.0, "interrupted"),
    "r3": Attempt("c3", 1, "r3", 12.0, "failed"),
}
CALLS = {"c1": "answered", "c2": "interrupted", "c3": "failed", "c4": "failed"}
LEDGER = [{"request_id": "r1"}, {"request_id": "r2"}]
TOLD = [Told("c1", "answered"), Told("c3", "failed"), Told("c4", "failed")]


def broken(
    ledger: list[dict[str, str]] | None = None,
    attempts: dict[str, Attempt] | None = None,
    calls: dict[str, str] | None = None,
    told: list[Told] | None = None,
) -> list[tuple[str, str]]:
    """Return what the judge says of the good run with one part of it replaced."""
    books = Books(attempts or ATTEMPTS, calls or CALLS)
    found = reckoning.violations(ledger or LEDGER, books, told or TOLD)
    return [(violation.what, violation.which) for violation in found]


def test_where_all_agree_nothing_is_broken() -> None:
    """An attempt that never arrived and a call refused before any attempt are as right as an answer."""
    assert broken() == []


@pytest.mark.parametrize(
    ("said", "which"),
    [
        (broken(ledger=[*LEDGER, {"request_id": "r9"}]), (reckoning.UNRECORDED, "r9")),
        (broken(ledger=[*LEDGER, {"request_id": "r2"}]), (reckoning.TWICE, "r2")),
        (broken(ledger=LEDGER[1:]), (reckoning.UNSEEN, "r1")),
        (broken(calls={"c1": "answered", "c3": "failed", "c4": "failed"}), (reckoning.UNAUDITED, "r2")),
        (broken(attempts={**ATTEMPTS, "r4": Attempt("c4", 1, "r4", 13.0, "open")}), (reckoning.OPEN, "r4")),
        (broken(calls={**CALLS, "c5": "open"}), (reckoning.OPEN, "c5")),
        (broken(told=[Told("c9", "answered")]), (reckoning.LOST, "c9")),
        (broken(told=[Told("c2", "answered")]), (reckoning.CONTRADICTED, "c2")),
    ],
)
def test_each_broken_promise_is_seen_and_no_other(said: list[tuple[str, str]], which: tuple[str, str]) -> None:
    """One thing wrong is one violation, and it names the request or the call."""
    assert said == [which]


def test_the_ledger_is_read_from_every_life_of_the_mocks(tmp_path: Path) -> None:
    """A line that a kill cut off is no exchange, and what is no exchange is passed over."""
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    whole = json.dumps({"event": "exchange", "request_id": "r1"})
    first.write_text(f'{whole}\n{{"event": "other"}}\n{whole[:20]}', encoding="utf-8")
    second.write_text(whole.replace("r1", "r2") + "\n", encoding="utf-8")
    assert [entry["request_id"] for entry in reckoning.read_ledger([first, second])] == ["r1", "r2"]
