"""Turn what was measured of the mocks and their peers into its own part of `docs/benchmarks.md`, words included.

The part is written as a whole and stands between markers of its own, so that it can be measured again alone. A page
that has no such part yet gets it at its end.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.figures import MICRO, MILLI
from benchmarks.report import MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.figures import Beside, Figure

BEGIN = "<!-- written by `make bench`, the mocks beside their peers: begin -->"
END = "<!-- written by `make bench`, the mocks beside their peers: end -->"
START_AIM = 2.0
RESET_AIM = 0.050

HEADING = "## The mocks beside their peers"
UNEQUAL = """\
**The servers in this table do not do the same work.** WireMock and Mountebank answer canned bytes: they look for the
name of the operation in the body and send a text that was prepared beforehand. They check nothing, decide nothing, and
keep nothing. Our mock decides: it checks the caller's hashed password and its time, reads the XML against the schema,
asks which fault strikes, looks the person up in its world, builds the answer, and with the journal on it has the
exchange in its ledger and on disk (fsync) before the answer leaves. Read the ratio as the price of deciding, not as a
race between equals; and a peer that had to do the same would need a program of its own written into it."""
HOW = """\
* The load is that of the gateway's part: `wrk`, one thread, 16 kept connections. Requests are signed anew for each
  stretch, and each has an id of its own. Servers are loaded in turns, several rounds over, each while the others are
  suspended.
* WireMock (from npm, on a Java runtime) and Mountebank (npm) have a stub for both operations of the door, matched by
  method, path and the name of the operation's element in the body. That is the cheapest match that works; matching by
  XPath, which both offer, is dearer. The answer is byte for byte the one that our mock gave. Both run as is advised
  for load: no record of requests, no log. WireMock is warmed for longer and with pauses, because Java compiles while
  it runs.
* Each server is asked before and after the load, and its answer compared. What our mocks have in their ledger is
  compared with what the load has sent.
* Start: from the call of the program until the first right answer, three times; each time with an empty journal.
  After the load our mocks are killed (SIGKILL) and started once more with the journal of all of it.
* Reset: `POST /__mock__/reset`, from the call until its answer, the first time after all of the load and then each
  time after another second of it."""


def write(path: Path, result: Beside) -> None:
    """Replace this part of the page, or append it. Raises `ValueError` where the markers do not stand once each."""
    text = path.read_text()
    if BEGIN not in text and END not in text:
        path.write_text(f"{text.rstrip()}\n\n{BEGIN}\n{END}\n")
    report.write(path, render(result), (BEGIN, END))


def render(result: Beside) -> str:
    """Return the part as Markdown."""
    parts = [
        HEADING,
        UNEQUAL,
        HOW,
        _cores(result),
        report.table(("machine", ""), result.machine),
        _figures(result),
        _ratio(result),
        "### What the mocks promise",
        _aims(result),
        f"This part took {result.seconds:.0f} seconds.",
    ]
    return "\n\n".join(parts) + "\n"


def _cores(result: Beside) -> str:
    where = (
        f"The journal lies on {result.disk}; one durable write of 300 bytes takes {result.sync_seconds * MICRO:,.0f} µs"
    )
    cores = "Each server has one core to itself, and the load the others."
    if not result.pinned:
        cores = (
            "**Servers and load shared their cores in this run**: there is one only, or they cannot be dealt out here."
        )
    return f"{cores} {where} there. The answer has {result.answer_bytes:,} bytes."


def _figures(result: Beside) -> str:
    own = result.figures[0]
    header = ("server", "requests/s", "× ours", "CPU µs per request", "spread", "p50 ms", "p99 ms", "MiB", "wrong")
    return report.table(header, [_row(figure, own) for figure in result.figures])


def _row(figure: Figure, own: Figure) -> Sequence[str]:
    return (
        figure.title,
        f"{figure.rate:,.0f}",
        f"{figure.rate / own.rate:.2f}",
        f"{figure.cpu_per_call * MICRO:,.0f}",
        f"± {figure.spread * 50:.0f} %",
        f"{figure.p50 * MILLI:.1f}",
        f"{figure.p99 * MILLI:.1f}",
        f"{figure.resident / MEBIBYTE:.0f}",
        f"{figure.wrong:,}",
    )


def _ratio(result: Beside) -> str:
    own, by_name = result.figures[0], {figure.name: figure for figure in result.figures}
    told = []
    for key, name in (("wiremock", "WireMock"), ("mountebank", "Mountebank")):
        peer = by_name[key]
        rate, cpu = peer.rate / own.rate, peer.cpu_per_call / own.cpu_per_call
        told.append(f"{name} answers {rate:.1f} × as many requests a second at {cpu:.2f} × the CPU for each")
    return f"Beside our SOAP door with the journal on, and with canned bytes: {told[0]}; {told[1]}."


def _aims(result: Beside) -> str:
    rows = []
    for figure in result.figures:
        if figure.name in result.aims:
            least = result.aims[figure.name]
            subject = f"{figure.title}, requests/s"
            rows.append((subject, f"≥ {least:,}", f"{figure.rate:,.0f}", _word(kept=figure.rate >= least)))
    for title, seconds in result.starts.items():
        ours = title == next(iter(result.starts))
        found = f"{median(seconds):.2f} s, worst of {len(seconds)} {max(seconds):.2f} s"
        aim = f"< {START_AIM:g} s" if ours else "–"
        rows.append((f"{title}: start", aim, found, _word(kept=max(seconds) < START_AIM) if ours else "–"))
    if result.again is not None:
        size = result.again.journal_bytes / MEBIBYTE
        subject = f"our mocks: start after kill −9, {result.again.exchanges:,} exchanges in a journal of {size:.0f} MiB"
        rows.append((subject, "–", f"{result.again.seconds:.2f} s", "nothing lost"))
    times = [reset.seconds for reset in result.resets]
    worst = max(result.resets, key=lambda reset: reset.seconds)
    found = f"{median(times) * MILLI:.1f} ms, worst of {len(times)} {worst.seconds * MILLI:.1f} ms"
    subject = f"our mocks, journal on: reset, the worst of {worst.forgotten:,} exchanges"
    rows.append((subject, f"< {RESET_AIM * MILLI:g} ms", found, _word(kept=worst.seconds < RESET_AIM)))
    return report.table(("what", "aim", "found", ""), rows)


def _word(*, kept: bool) -> str:
    return "kept" if kept else "**missed**"
