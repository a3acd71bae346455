"""Turn what was measured of sign-ins into its own part of `docs/benchmarks.md`, words included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks import report
from benchmarks.figures import MICRO, MILLI

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.signins.figures import SignIns, Stretch

BEGIN: Final = "<!-- written by `make bench`, sign-ins: begin -->"
END: Final = "<!-- written by `make bench`, sign-ins: end -->"
RATE: Final = 100
SECONDS: Final = 60.0
NEARLY: Final = 0.98
"""The time runs until the last has ended, a little after the minute in which all of them began."""
BUSY: Final = 0.85
"""The share of all cores from which on they are what limits: no three processes keep every core busy all the time."""
PROMISE, FASTEST, STRAIGHT = "promise", "fast", "straight"

HEADING: Final = "## Signing in"
WHAT: Final = """\
**A complete sign-in** at A1: the vendor makes it, the browser opens the start page, the door authorises (the mock's
autopilot approves, grown citizens in turn), the browser comes back to the gateway, which exchanges the code, verifies
the ID token and asks userinfo, and the vendor claims the person. That is four requests to the gateway, one of the
browser and two of the gateway to the door, and nine durable writes; a log-out is one request more to each.

* Gateway (`lienthong serve`, one process), mock (journal on) and load are three processes and share the cores. The load
  plays browser and vendor as leanly as Python can. Connections are kept and there is no TLS: in front of the gateway a
  proxy ends it, and each real browser would open a connection of its own there.
* At an even rate a sign-in begins when it is due, whatever became of those before, and its time runs from that moment.
  "At once" begins one whenever one ends; these rows and the mock alone take turns, three rounds of four seconds each.
* *The mock alone* is its ceiling: the load has the exchanges with it that browser and gateway have (authorise with
  PKCE, token, userinfo), with nobody in between. The gateway asks for keys once an hour, so nobody does here.
* The pace and the bulkhead at the door are set far above the load, and so are the client's quotas. With the pace as it
  is delivered (100 exchanges a second) a gateway lets 50 citizens a second in.
* CPU is that of each process for each sign-in; *cores busy* is the CPU of all over the time that the stretch took."""


def write(path: Path, result: SignIns) -> None:
    """Replace this part of the page, or append it. Raises `ValueError` where the markers do not stand once each."""
    text = path.read_text()
    if BEGIN not in text and END not in text:
        path.write_text(f"{text.rstrip()}\n\n{BEGIN}\n{END}\n")
    report.write(path, render(result), (BEGIN, END))


def render(result: SignIns) -> str:
    """Return the part as Markdown."""
    micros = result.sync_seconds * MICRO
    disk = f"Store and journal lie on {result.disk}; one durable write of 300 bytes takes {micros:,.0f} µs there."
    parts = [
        HEADING,
        WHAT,
        disk,
        report.table(("machine", ""), result.machine),
        _stretches(result.stretches, result.cores),
        *_limits(result),
        "What was counted in the end:",
        "\n".join(f"* {one}." for one in (*result.counted, *result.wrong)),
        "### What sign-ins promise",
        report.table(("what", "aim", "found", ""), [aim(result)]),
        f"This part took {result.seconds:.0f} seconds.",
    ]
    return "\n\n".join(parts) + "\n"


def aim(result: SignIns) -> tuple[str, str, str, str]:
    """Return the promise with what was found."""
    found = _named(result, PROMISE).found
    kept = not result.wrong and found.failed == 0 and found.rate >= NEARLY * RATE
    return (
        f"complete sign-ins a second for {SECONDS:.0f} s, one node, SQLite, the mock behind it",
        f"{RATE}/s, none failed, each the right person",
        f"{found.rate:.1f}/s, {found.failed} failed, p99 {found.p99 * MILLI:.0f} ms",
        "kept" if kept else "**missed**",
    )


def _limits(result: SignIns) -> list[str]:
    """Say what limits the fastest stretch, and how fast the mock is beside it."""
    fast, straight = _named(result, FASTEST), _named(result, STRAIGHT)
    gateway, busy = fast.cpu["gateway"], fast.whole_cpu * fast.found.rate
    ratio = straight.found.rate / fast.found.rate if fast.found.rate else 0.0
    said = (
        f"The fastest with everything on this machine is {fast.found.rate:,.0f} sign-ins a second; the mock alone has"
        f" {straight.found.rate:,.0f}, {ratio:.1f} × as many."
    )
    why = (
        f"What limits it are the cores: {busy:.1f} of {result.cores} are busy, {gateway * fast.found.rate:.2f} of them"
        " with the gateway."
        if busy >= BUSY * result.cores
        else f"{busy:.1f} of {result.cores} cores are busy, {gateway * fast.found.rate:.2f} of them with the gateway,"
        " whose event loop is one thread; what else runs on the machine takes its part, too."
    )
    return [
        f"{said} {why} At {gateway * MILLI:.1f} ms for each, {RATE} a second need {gateway * RATE:.2f} cores of it."
    ]


def _stretches(stretches: list[Stretch], cores: int) -> str:
    header = (
        "load", "sign-ins/s", "p50 ms", "p99 ms", "slowest ms", "done", "failed",
        "CPU ms for each", "whole", f"cores busy, of {cores}",
    )  # fmt: skip
    return report.table(
        header,
        [
            (
                one.title,
                f"{one.found.rate:,.1f}",
                *(f"{seconds * MILLI:,.0f}" for seconds in (one.found.p50, one.found.p99, one.found.worst)),
                f"{one.found.done:,}",
                f"{one.found.failed:,}",
                ", ".join(f"{who} {seconds * MILLI:.1f}" for who, seconds in one.cpu.items()),
                f"{one.whole_cpu * MILLI:.1f}",
                f"{one.whole_cpu * one.found.rate:.1f}",
            )
            for one in stretches
        ],
    )


def _named(result: SignIns, name: str) -> Stretch:
    return next(one for one in result.stretches if one.name == name)
