"""What the part about durable delivery makes of what it has measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.delivery import report
from benchmarks.delivery.figures import Delivery, Ordered, Whole
from benchmarks.delivery.jobs import Meter, Plan, Told, hand_in, lane, tell, text, told
from benchmarks.load import Load

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WELL, DOWN = Told(p99=0.010), Told(p99=0.012)


def _result(*, late: float = 0.05, drained: int = 1200) -> Delivery:
    ours = [
        Ordered(name, f"ours, {name}", drained=Told(drained, 1.0), well=WELL, beside_outage=DOWN)
        for name in ("sqlite", "postgres")
    ]
    peers = [
        Ordered("procrastinate", "procrastinate", drained=Told(400, 1.0)),
        Ordered("celery", "celery", drained=Told(800, 1.0)),
    ]
    many = Load(calls=6000, seconds=4.0, refused=0, broken=0, p50=0.02, p99=late)
    return Delivery(ordered=[*ours, *peers], whole=[Whole("postgres", "PostgreSQL", many=many, delivered=600.0)])


def _found(result: Delivery) -> dict[str, tuple[str, str]]:
    return {what: (found, word) for what, _, found, word in report.aims(result)}


def test_each_promise_is_judged_by_what_was_found() -> None:
    """Fast but late is missed; the ratio to procrastinate is that of the rates; so is that of the two runs' p99."""
    found = _found(_result())
    assert found["accepts over HTTP, 32 callers, PostgreSQL"] == ("1,500/s, p99 50 ms", "kept")
    assert found["delivered to the mock, PostgreSQL"] == ("600/s", "kept")
    assert found["ordered job drained, ours, postgres, beside procrastinate"] == ("3.0 ×", "kept")
    assert found["p99 while another system is down, ours, sqlite"] == ("1.20 ×", "**missed**")
    found = _found(_result(late=0.2, drained=1100))
    assert found["accepts over HTTP, 32 callers, PostgreSQL"] == ("1,500/s, p99 200 ms", "**missed**")
    assert found["ordered job drained, ours, postgres, beside procrastinate"] == ("2.8 ×", "**missed**")


def test_the_part_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    """A page without the part gets it at its end; the second time it stands there once."""
    page = tmp_path / "benchmarks.md"
    page.write_text("# What a call costs\n")
    for _ in range(2):
        report.write(page, _result())
    written = page.read_text()
    assert written.startswith("# What a call costs\n")
    assert written.count(report.HEADING) == written.count(report.BEGIN) == written.count(report.END) == 1
    assert "| celery |" in written


async def test_every_job_is_handed_in_once_whatever_the_number_of_callers() -> None:
    """So many callers share the jobs; each takes its time, and none is handed in twice."""
    seen: list[int] = []

    async def one(number: int) -> None:
        seen.append(number)

    assert len(await hand_in(one, 100, 32)) == 100
    assert sorted(seen) == list(range(100))
    assert (lane(3), lane(503), len(text(7))) == ("H-3", "H-3", 400)


def test_what_a_program_tells_comes_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """Percentiles are of the jobs' own times, and the line that is printed is read back whole."""
    found = Meter(()).told(100, [number / 100 for number in range(100)])
    assert (found.p50, found.p99) == (0.50, 0.99)
    tell(found)
    assert told(capsys.readouterr().out) == found
    assert Plan("fill", "here").jobs == 0
