"""Turn what was measured of durable delivery into its own part of `docs/benchmarks.md`, words included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.delivery.jobs import CALLERS, PEERS_DRAINED, PEERS_QUEUED
from benchmarks.figures import MICRO, MILLI

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.delivery.figures import Delivery, Ordered, Whole
    from benchmarks.delivery.jobs import Told
    from benchmarks.load import Load

BEGIN = "<!-- written by `make bench`, durable delivery: begin -->"
END = "<!-- written by `make bench`, durable delivery: end -->"
ACCEPTS_AIM = 1000
ACCEPT_P99_AIM = 0.100
DELIVERED_AIM = 500
RATIO_AIM = 3.0
OUTAGE_AIM = 1.10

HEADING = "## Durable delivery"
JOB = f"""\
**The ordered job.** Jobs of 400 bytes over 500 ordering keys are handed in, and handled by a handler that does nothing:
one at a time for each key, in order, 32 at once. Ours seals each payload, takes an idempotency key, writes audit and
event, and commits each attempt before the handler may run; 8 agencies take turns. The peers do what they offer:

* *procrastinate* (PostgreSQL): a `lock` for each key, 32 jobs at once in one process, 10 connections, which is what
  ours opens. It keeps order and one in flight for each key. It has no idempotency key, no fence and no attempt that is
  written before the handler runs; a job whose worker died stays "doing" until a task of one's own finds it.
* *celery + redis* has no order for a key. The nearest is a queue for each shard of keys with one worker that handles
  one job at a time; `appendfsync always`, `acks_late`. Order holds only as long as nothing is tried again and no worker
  dies: a retried job goes to the end, one that was not acknowledged comes back after the visibility timeout, and
  whatever waits makes every key of its shard wait. The rate is that of four processes, ours of one.

Ours has 100,000 queued, then is started anew (a new process, everything imported) and drains 50,000 of them; the peers
have {PEERS_QUEUED:,} queued and drain {PEERS_DRAINED:,}, because more would take them minutes. "First" is the time from
the call of the program until the first handler ran. PostgreSQL and Redis lie on the same disk as the SQLite file, with
fsync on. CPU is that of the contender and its server together: on a machine that others use too, trust it more than the
rates. Rates compare within one run only."""
FRESH = """\
**A fresh write** comes alone, 5 ms after the one before, in a lane of its own; the time is from the call of `accept`
until the handler runs. *Blocked*: so many others stand in lanes behind one that waits for a correction. *Of others*:
so many of other agencies are ready, and are being worked on. procrastinate gets 500 blocked ones only, behind 8 jobs
that do not end: with more, each look for work took so long that the run would not end."""
OUTAGE = """\
**A system that is down.** Jobs come to one system at an even 100 a second, while another system of the same process is
there or, by turns, cannot be reached and has 1,000 jobs waiting. Five runs of each; the middle one is shown."""
WHOLE = f"""\
**The whole way.** `POST /v1/partner/records` over HTTP by `wrk` with 1 and with {CALLERS} callers, each request with a
key and a record of its own; the gateway as `lienthong serve` runs it, the stop switch pressed, so that nothing is sent;
then the switch is let go and nothing is accepted, until the mock of the partner (journal on) has everything; then both
at once. Load, gateway, mock and PostgreSQL share the cores of this machine."""


def write(path: Path, result: Delivery) -> None:
    """Replace this part of the page, or append it. Raises `ValueError` where the markers do not stand once each."""
    text = path.read_text()
    if BEGIN not in text and END not in text:
        path.write_text(f"{text.rstrip()}\n\n{BEGIN}\n{END}\n")
    report.write(path, render(result), (BEGIN, END))


def render(result: Delivery) -> str:
    """Return the part as Markdown."""
    place, micros = result.disk, result.sync_seconds * MICRO
    disk = f"Stores lie on {place}; one durable write of 300 bytes takes {micros:,.0f} µs there."
    parts = [
        HEADING,
        JOB,
        disk,
        report.table(("machine", ""), result.machine),
        _ordered(result.ordered),
        FRESH,
        _fresh(result.ordered),
        OUTAGE,
        _outage(result.ordered),
        WHOLE,
        _whole(result.whole),
        "### What durable delivery promises",
        report.table(("what", "aim", "found", ""), aims(result)),
        f"This part took {result.seconds:.0f} seconds.",
    ]
    return "\n\n".join(parts) + "\n"


def aims(result: Delivery) -> list[tuple[str, str, str, str]]:
    """Return each promise with what was found."""
    ordered = {one.name: one for one in result.ordered}
    whole = {one.name: one for one in result.whole}
    rows = []
    for name, one in whole.items():
        if one.many is not None:
            rate, late = _rate(one.many), one.many.p99
            kept = rate >= ACCEPTS_AIM and late <= ACCEPT_P99_AIM
            aim = f"≥ {ACCEPTS_AIM:,}/s, p99 ≤ {ACCEPT_P99_AIM * MILLI:.0f} ms"
            found = f"{rate:,.0f}/s, p99 {late * MILLI:.0f} ms"
            rows.append((f"accepts over HTTP, {CALLERS} callers, {one.title}", aim, found, _word(kept=kept)))
        kept = one.delivered >= DELIVERED_AIM
        what = f"delivered to the mock, {one.title}"
        rows.append((what, f"≥ {DELIVERED_AIM}/s", f"{one.delivered:,.0f}/s", _word(kept=kept)))
        del name
    peer = _drained(ordered["procrastinate"])
    for name in ("postgres", "sqlite"):
        ratio = _drained(ordered[name]) / peer
        what = f"ordered job drained, {ordered[name].title}, beside procrastinate"
        rows.append((what, f"≥ {RATIO_AIM:g} ×", f"{ratio:.1f} ×", _word(kept=ratio >= RATIO_AIM)))
    ratio = _drained(ordered["sqlite"]) / _drained(ordered["postgres"])
    rows.append(("SQLite beside PostgreSQL, drained", "≥ 1 ×", f"{ratio:.1f} ×", _word(kept=ratio >= 1)))
    for name in ("sqlite", "postgres"):
        well, down = ordered[name].well, ordered[name].beside_outage
        if well is not None and down is not None:
            ratio = down.p99 / well.p99
            what = f"p99 while another system is down, {ordered[name].title}"
            rows.append((what, f"≤ {OUTAGE_AIM:g} ×", f"{ratio:.2f} ×", _word(kept=ratio <= OUTAGE_AIM)))
    return rows


def _ordered(rows: list[Ordered]) -> str:
    peer = next(row for row in rows if row.name == "procrastinate")
    header = (
        "contender", "accepts/s, 1 caller", "p50 / p99 ms", f"accepts/s, {CALLERS} callers", "p50 / p99 ms", "queued",
        "first, s", "drained/s", "× procrastinate", "CPU ms each",
    )  # fmt: skip
    return report.table(
        header,
        [
            (
                row.title,
                *_accepts(row.accept_one),
                *_accepts(row.accept_many),
                f"{row.queued:,}",
                f"{row.drained.first:.2f}" if row.drained else "–",
                f"{_drained(row):,.0f}",
                f"{_drained(row) / _drained(peer):.1f}",
                f"{row.drained.cpu_each * MILLI:.2f}" if row.drained else "–",
            )
            for row in rows
        ],
    )


def _fresh(rows: list[Ordered]) -> str:
    header = (
        "contender",
        "alone, p50 / p99 ms",
        "behind blocked",
        "p50 / p99 ms",
        "behind ready of others",
        "p50 / p99 ms",
    )
    return report.table(
        header,
        [
            (
                row.title,
                _times(row.fresh),
                f"{row.blocked:,}" if row.behind_blocked else "–",
                _times(row.behind_blocked),
                f"{row.others:,}" if row.behind_others else "–",
                _times(row.behind_others),
            )
            for row in rows
        ],
    )


def _outage(rows: list[Ordered]) -> str:
    header = ("contender", "all well, p50 / p99 ms", "other system down, p50 / p99 ms", "p99 ×")
    return report.table(
        header,
        [
            (row.title, _times(row.well), _times(row.beside_outage), f"{row.beside_outage.p99 / row.well.p99:.2f}")
            for row in rows
            if row.well is not None and row.beside_outage is not None
        ],
    )


def _whole(rows: list[Whole]) -> str:
    header = (
        "engine", "accepts/s, 1 caller", "p50 / p99 ms", f"accepts/s, {CALLERS} callers", "p50 / p99 ms",
        "CPU µs per accept", "delivered/s", "CPU µs per delivery", "both: accepts/s", "p99 ms", "both: delivered/s",
    )  # fmt: skip
    return report.table(
        header,
        [
            (
                row.title,
                *_answers(row.one),
                *_answers(row.many),
                _cpu(row.accept_cpu),
                f"{row.delivered:,.0f}",
                _cpu(row.delivery_cpu),
                f"{_rate(row.both):,.0f}",
                f"{row.both.p99 * MILLI:.1f}" if row.both else "–",
                f"{row.both_delivered:,.0f}",
            )
            for row in rows
        ],
    )


def _accepts(told: Told | None) -> tuple[str, str]:
    return ("–", "–") if told is None else (f"{told.rate:,.0f}", _times(told))


def _answers(load: Load | None) -> tuple[str, str]:
    if load is None:
        return "–", "–"
    return f"{_rate(load):,.0f}", f"{load.p50 * MILLI:.1f} / {load.p99 * MILLI:.1f}"


def _times(told: Told | None) -> str:
    return "–" if told is None else f"{told.p50 * MILLI:.1f} / {told.p99 * MILLI:.1f}"


def _cpu(spent: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds * MICRO:,.0f}" for name, seconds in spent.items() if round(seconds * MICRO))


def _drained(row: Ordered) -> float:
    return row.drained.rate if row.drained is not None and row.drained.rate else 1.0


def _rate(load: Load | None) -> float:
    return load.calls / load.seconds if load is not None and load.seconds else 0.0


def _word(*, kept: bool) -> str:
    return "kept" if kept else "**missed**"
