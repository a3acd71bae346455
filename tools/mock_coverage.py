#!/usr/bin/env python3
"""Write `docs/mocks-coverage.md`: what can be had from each door of the mocks, and what a caller meets then.

    tools/mock_coverage.py            run everything and write the page; a few seconds
    tools/mock_coverage.py --check    only say whether the committed page is what would be written

Every row is run in process, so the page cannot say what is not so. Also refuses an outcome that a door declares and
nobody can reach, and a fault that does not strike where it is said to.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from mocks.faults import EVERYWHERE, NATURE, Acts, Details, Until, What, When, Whom
from tools import mock_bench
from tools.mock_bench import NOW, Bench, Caller, Outcome, Planned, Struck
from tools.mock_dialects import values
from tools.mock_partner import PartnerCaller
from tools.mock_population import PopulationCaller
from tools.mock_portal import PortalCaller
from tools.mock_vneid import VneidCaller
from tools.mounted import End, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mocks.doors import Door

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "mocks-coverage.md"
CALLERS: Final[tuple[Caller, ...]] = (PopulationCaller(), PartnerCaller(), PortalCaller(), VneidCaller())
LONGEST_TEXT: Final = 40
FAULT_CODE: Final = re.compile(r"<faultcode>([^<]*)<")
CHOICE: Final = {Acts.YES: "yes", Acts.NO: "no", Acts.USUALLY: "yes, unless told", Acts.USUALLY_NOT: "no, unless told"}

INTRODUCTION: Final = """\
# What the mocks can do

Written by `tools/mock_coverage.py`, checked in the test run: do not edit. Every row was had from mocks in process. What
is assumed about a real system, and what is left out, stands in the `LIMITS.md` of each door.

* **outcome**: what the ledger calls the decision (`GET /__mock__/exchanges`).
* **how to get it**: what to send, or what to set before. All else is a good request.
* **HTTP**, **code or text**: the status, and by which code or text the answer says what it is; `–` if it needs none.
* **comes back**: both, or how the connection ended. Waits were cut short; how long they are can be told (`seconds`).
* **acts**: whether the system did what was asked, and so whether the ledger has an *effect*.

A dialect is another way in which a system may speak or decide:

    PATCH /__mock__/dialects   {"population": {"refusal": "json"}}
"""
FAULTS: Final = """\
A fault is set over the admin API, and is always limited:

    POST /__mock__/faults   {"what": "bad_gateway", "until": {"count": 1}, "for": {"operation": "verify"}}

What is not said does not limit it: it strikes everybody, always, at every operation that can play it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """All that was had from one door."""

    door: Door[Any]
    outcomes: Sequence[Outcome]
    faults: Sequence[Struck]
    callbacks: Sequence[Planned]


async def covered() -> tuple[Coverage, ...]:
    """Run everything. Raises `LookupError` for a door that nobody knows how to talk to."""
    bench = Bench()
    callers = {caller.door: caller for caller in CALLERS}
    found = [
        Coverage(
            door=door,
            outcomes=await mock_bench.outcomes(door, callers[door.name]),
            faults=await mock_bench.faults(door, callers[door.name]),
            callbacks=await mock_bench.callbacks(door, callers[door.name]),
        )
        for door in bench.app.doors
    ]
    bench.close()
    return tuple(found)


def problems(coverage: Iterable[Coverage]) -> Iterator[str]:
    """Yield what is declared and was not had, or had and not declared, a sentence each."""
    for one in coverage:
        yield from _undecided(one)
        for operation, declared in one.door.operations.items():
            had = {outcome.decided for outcome in one.outcomes if outcome.operation == operation}
            for missing in sorted(set(declared) - had):
                yield f"{one.door.name}, {operation}: nobody reaches {missing}: say how in mock_{one.door.name}.py"
            for strange in sorted(filter(None, had - set(declared))):
                yield f"{one.door.name}, {operation}: {strange} is not declared"


def _undecided(one: Coverage) -> Iterator[str]:
    """Yield what did not come about."""
    for outcome in one.outcomes:
        if outcome.decided != outcome.recipe.outcome:
            yield f"{one.door.name}, {outcome.operation}: {outcome.recipe.outcome} came out as {outcome.decided}"
    for struck in one.faults:
        if not struck.struck:
            yield f"{one.door.name}, {struck.operation}: {struck.what} did not strike"
    for planned in one.callbacks:
        if planned.what is not None and planned.what not in planned.plan["faults"]:
            yield f"{one.door.name}, {planned.name}: {planned.what} did not strike"


def page(coverage: Iterable[Coverage]) -> str:
    """Return the page."""
    coverage = tuple(coverage)
    parts = [INTRODUCTION, _every_fault([one.door for one in coverage])]
    for one in coverage:
        parts += [f"## Door `{one.door.name}`\n", _answers(one), _strikes(one)]
        parts += [_sent(one)] if one.callbacks else []
        parts += [_dialects(one.door)]
    return "\n".join(parts)


def _every_fault(doors: Sequence[Door[Any]]) -> str:
    rows = []
    for what, nature in NATURE.items():
        able = [door.name for door in doors if what in EVERYWHERE or what in door.plays]
        named = "every" if len(able) == len(doors) else ", ".join(able) or "none yet"
        where = nature.where.replace("_", " ")
        rows.append([f"`{what}`", where, nature.sentence, CHOICE[nature.acts], named])
    table = _table(("fault", "arises", "what happens", "acts", "door"), rows)
    return f"## Faults\n\n{table}\n{FAULTS}\n" + _table(("part", "means"), _grammar())


def _grammar() -> Iterator[Sequence[str]]:
    """Yield every part of the language in which a fault is said."""
    for name, part in (("when", When), ("for", Whom), ("until", Until), ("with", Details)):
        for inner, info in part.model_fields.items():
            yield f"`{name}.{inner}`", " ".join(str(info.description).split())


def _answers(one: Coverage) -> str:
    rows: dict[tuple[str, ...], list[str]] = {}
    for outcome in one.outcomes:
        reply, acted = outcome.reply, "yes" if outcome.acted else "no"
        told = (f"`{outcome.decided}`", outcome.recipe.how, str(reply.status), _said(reply), acted)
        rows.setdefault(told, []).append(outcome.operation)
    table = [[told[0], _named(operations, one.door), *told[1:]] for told, operations in rows.items()]
    return "### Answers\n\n" + _table(("outcome", "operation", "how to get it", "HTTP", "code or text", "acts"), table)


def _strikes(one: Coverage) -> str:
    rows: dict[tuple[str, ...], list[str]] = {}
    for struck in one.faults:
        told = (f"`{struck.what}`", _back(struck.reply, struck.usual), struck.acted, struck.if_told or "–")
        rows.setdefault(told, []).append(struck.operation)
    table = [
        [told[0], NATURE[What(told[0].strip("`"))].where.replace("_", " "), _named(operations, one.door), *told[1:]]
        for told, operations in rows.items()
    ]
    head = ("fault", "arises", "operation", "comes back", "acts", "acts if told otherwise")
    return "### Answers under a fault\n\n" + _table(head, table)


def _sent(one: Coverage) -> str:
    rows = [
        [planned.name, "–" if planned.what is None else f"`{planned.what}`", _plan(planned)]
        for planned in one.callbacks
    ]
    about = "What the system sends by itself, to where `PUT /__mock__/callbacks` says.\n\n"
    return "### Callbacks\n\n" + about + _table(("callback", "fault", "what is planned"), rows)


def _dialects(door: Door[Any]) -> str:
    model = type(door.standard)
    rows = []
    for name, every in values(model).items():
        standard = getattr(door.standard, name)
        others = ", ".join(_value(value) for value in every if value != standard)
        rows.append([f"`{name}`", _value(standard), others, model.model_fields[name].description or "–"])
    return "### Dialects\n\n" + _table(("dialect", "standard", "others", "what it decides"), rows)


def _value(value: Any) -> str:
    return "any number" if value is int else f"`{json.dumps(value).strip(chr(34))}`"


def _named(operations: Sequence[str], door: Door[Any]) -> str:
    others = [operation for operation in door.operations if operation not in operations]
    if not others:
        return "every"
    return f"all but {others[0]}" if len(others) == 1 < len(operations) else ", ".join(operations)


def _plan(planned: Planned) -> str:
    plan = planned.plan
    seconds = round(plan["due"] - NOW)
    times = f", {plan['left']} times" if plan["left"] > 1 else ""
    return {
        "due": f"sent after {seconds} s{times}",
        "held": f"held back until the next one about the same key, at most {seconds} s",
        "lost": "never sent",
    }[plan["state"]]


def _back(reply: Reply, usual: Reply) -> str:
    """Return what came back, or how the connection ended."""
    if reply.end is End.WHOLE:
        if (reply.body, reply.header("location")) != (usual.body, usual.header("location")):
            altered = (reply.status, _said(reply)) == (usual.status, _said(usual))
            return f"{reply.status}, an altered answer" if altered else _whole(reply)
        manner = ", in pieces" if reply.pieces > 1 else ", late" if reply.waited else ""
        return f"{reply.status}, the usual answer{manner}"
    if reply.end is End.LEFT:
        return "silence until the caller leaves"
    silence = "silence" if reply.waited else ""
    part = f"{reply.status}, part of the answer" if reply.status is not None else ""
    end = "connection reset" if reply.end is End.RESET else "connection closed"
    return ", then ".join(filter(None, (part, silence, end)))


def _whole(reply: Reply) -> str:
    """Return status and code of a whole answer."""
    wait = reply.header("retry-after")
    said = [f"{reply.status}", _said(reply), "" if wait is None else f"Retry-After: {wait}"]
    return ", ".join(filter(None, said))


def _said(reply: Reply) -> str:
    """Return the code or text by which an answer says what it is."""
    location = reply.header("location")
    if location is not None:
        return _away(location)
    text = reply.body.decode(errors="replace")
    media_type = (reply.header("content-type") or "").partition(";")[0]
    if media_type == "text/html":
        return "a page"
    if media_type == "application/json":
        return _code(json.loads(text))
    fault = FAULT_CODE.search(text)
    if fault:
        return f"`{fault[1]}`"
    return f"“{text}”" if media_type == "text/plain" and len(text) <= LONGEST_TEXT else "–"


def _away(location: str) -> str:
    """Return where a browser is sent: to another page, or back to its caller with a code or an error."""
    told = dict(parse_qsl(urlsplit(location).query))
    if "error" in told:
        return f"back with `{told['error']}`"
    return "back with a code" if "code" in told else "to another page"


def _code(content: Any) -> str:
    data = content.get("data")
    inside = data.get("error") if isinstance(data, dict) else None
    if isinstance(inside, dict):
        return f"`{content['code']}` with `{inside['code']}` inside"
    code = content.get("code", content.get("error_code", content.get("type", content.get("error"))))
    return "–" if code is None else f"`{code}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_line(cells) for cells in (head, ["---"] * len(head), *rows)) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return its exit code."""
    parser = argparse.ArgumentParser(description="Write docs/mocks-coverage.md from what really happens.")
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 when the page is not up to date")
    check = parser.parse_args(arguments).check
    coverage = asyncio.run(covered())
    found = list(problems(coverage))
    text = page(coverage)
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        found.append(f"docs/{PAGE.name} is not what happens: run tools/mock_coverage.py and look at the difference")
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
