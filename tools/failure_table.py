#!/usr/bin/env python3
"""Write `docs/failures.md`: every fault of the mock × each operation, through a whole gateway, and what came of it.

    tools/failure_table.py            run everything and write the page; a quarter of a minute
    tools/failure_table.py --check    only say whether the committed page is what would be written

Also refuses what no row may be: a bare error without a problem document, an answer after the deadline, a "no" for
something that the mock did.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contracts.texts import Language
from gateway.monitor import logs
from tools import failure_runs
from tools.failure_runs import ATTEMPTS, DEADLINE_SECONDS, PHASE_SECONDS, POLICY, Reply, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "failures.md"
MARGIN_SECONDS: Final = 1.0
"""For a machine that has other things to do."""

OK: Final = 200
INTERNAL: Final = frozenset({"internal", "internal_error"})
GROUPS: Final = {
    "transport": "On the way",
    "platform_near": "At the exchange platform, near side",
    "platform_far": "At the exchange platform, far side",
    "system": "At the population database",
    "business": "The officer and the purpose, refused by the database",
}
PARTS: Final = ("kind", "reason", "layer", "party", "title", "detail", "may_have_acted", "correlation_id", "attempts")

INTRODUCTION: Final = f"""\
# What each failure comes to

Written by `tools/failure_table.py`, checked in the test run: do not edit. Each fault that the mock knows, and each
trouble on the way to it, was met by each operation through a whole gateway over real sockets.

To be quick, the gateway had other limits than a real one: a deadline of {DEADLINE_SECONDS} s for the caller,
{ATTEMPTS} attempts of {POLICY["attempt_seconds"]} s at most, {PHASE_SECONDS} s for the first byte.

* **fault, operation**: what happened; both operations in one row where nothing differs.
* **kind, layer, reason, may have acted**: the failure that the problem document tells (`contracts/model/failure.py`).
* **did act**: what the mock's ledger says. No row may say "no" where it says "yes"; "maybe" is always honest.
* **status, attempts**: what the caller got, and how many attempts were begun; our own settings may end the first.
* **struck once**: what the caller got when only the first attempt was struck.
* **verdict**: whose it is to put right; what officers and engineers are told stands [below](#what-people-are-told).
"""
HEAD: Final = (
    "fault",
    "operation",
    "kind",
    "layer",
    "reason",
    "may have acted",
    "did act",
    "status",
    "attempts",
    "struck once",
    "verdict",
)


def page(results: Iterable[Result]) -> str:
    """Return the page."""
    results = tuple(results)
    parts = [INTRODUCTION]
    for group, members in groupby(results, key=lambda result: result.case.group):
        table = [_line(HEAD), _line(["---"] * len(HEAD)), *map(_line, _rows(members))]
        parts.append(f"## {GROUPS.get(group, group)}\n\n" + "\n".join(table) + "\n")
    parts.append(_sentences(results))
    return "\n".join(parts)


def problems(results: Iterable[Result]) -> Iterator[str]:
    """Yield what no result may be, a sentence each."""
    for result in results:
        for reply in (*result.lasting.values(), *([result.once] if result.once else [])):
            for problem in _wrong(reply):
                yield f"{result.case.name}, {result.operation}: {problem}"
        one, *others = (_coded(reply) for reply in result.lasting.values())
        for other in others:
            if other != one:
                ends = f"{' '.join(one)}, and {' '.join(other)}"
                yield f"{result.case.name}, {result.operation}: two runs came to different ends: {ends}"


def _wrong(reply: Reply) -> Iterator[str]:
    if reply.seconds > DEADLINE_SECONDS + MARGIN_SECONDS:
        yield f"took {reply.seconds:.1f} s, the deadline was {DEADLINE_SECONDS} s"
    if reply.status == OK:
        return
    if reply.media_type != "application/problem+json" or any(not reply.body.get(part) for part in PARTS[:-1]):
        yield f"status {reply.status} without a whole problem document"
    elif reply.body["reason"] in INTERNAL:
        yield "a defect of the gateway"
    if reply.acted and reply.body.get("may_have_acted") == "no":
        yield "said that the database has not acted, and it has"


def _coded(reply: Reply) -> tuple[str, ...]:
    """Return what of a reply is in the table, beside texts."""
    body = reply.body
    answer = "answered" if reply.status == OK else str(body.get("kind", "–"))
    codes = [str(body.get(part, "–")) for part in ("layer", "reason", "may_have_acted")]
    acted = "yes" if reply.acted else "no"
    return (answer, *codes, acted, str(reply.status), str(len(body["attempts"])))


def _rows(results: Iterable[Result]) -> Iterator[list[str]]:
    """Yield the rows; operations that came to the same share one."""
    for _, same_case in groupby(results, key=lambda result: result.case.name):
        for cells, alike in groupby(same_case, key=_cells):
            members = list(alike)
            case = members[0].case
            operations = ", ".join(result.operation for result in members)
            yield [f"{case.name}: {case.does}", operations, *cells]


def _cells(result: Result) -> tuple[str, ...]:
    reply = result.lasting[Language.EN]
    return (*_coded(reply), _once(result.once), _party(result))


def _once(reply: Reply | None) -> str:
    if reply is None:
        return "–"
    number = len(reply.body["attempts"])
    return f"{reply.status} at attempt {number}"


def _party(result: Result) -> str:
    if result.lasting[Language.EN].status == OK:
        return "–"
    return " / ".join(str(result.lasting[language].body["party"]) for language in Language)


def _sentences(results: Iterable[Result]) -> str:
    """Return the texts, once for each kind and reason."""
    told: dict[tuple[str, str], list[str]] = {}
    for result in results:
        replies = [result.lasting[language] for language in Language]
        if replies[0].status != OK:
            body = replies[0].body
            texts = [f"{reply.body['title']} {reply.body['detail']}" for reply in replies]
            told.setdefault((str(body["kind"]), str(body["reason"])), texts)
    rows = [[kind, reason, *texts] for (kind, reason), texts in sorted(told.items())]
    head = ("kind", "reason", "tiếng Việt", "English")
    table = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "## What people are told\n\n" + "\n".join(table) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return its exit code."""
    parser = argparse.ArgumentParser(description="Write docs/failures.md from what really happens.")
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 when the page is not up to date")
    check = parser.parse_args(arguments).check
    logs.configure(level=logging.CRITICAL)
    results = asyncio.run(failure_runs.results())
    found = list(problems(results))
    text = page(results)
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        found.append(f"docs/{PAGE.name} is not what happens: run tools/failure_table.py and look at the difference")
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
