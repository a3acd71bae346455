from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import profile, report
from benchmarks.figures import Figure, Results, Step, Stretch
from benchmarks.load import Load, Request
from benchmarks.wire import Question, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(profile.__file__).parent.parent
LIBRARY = "/venv/lib/python3.11/site-packages"


def _stretch(calls: int, cpu: float, exchanges: int | None = None, refused: int = 0) -> Stretch:
    load = Load(calls=calls, seconds=2.0, refused=refused, broken=0, p50=0.001, p99=0.009)
    return Stretch(load, cpu, calls if exchanges is None else exchanges, 1 << 20)


def _figure(name: str, stretches: Iterable[Stretch]) -> Figure:
    return Figure(name, name, 1, list(stretches))


def test_figure_sums_its_stretches() -> None:
    """CPU per call is all CPU over all calls, so a short stretch weighs less than a long one."""
    figure = _figure("gateway", [_stretch(100, 0.1), _stretch(300, 0.6, exchanges=330, refused=3)])
    assert figure.cpu_per_call == pytest.approx(0.7 / 400)
    assert figure.rate == pytest.approx(100)
    assert figure.exchanges_per_call == pytest.approx(430 / 400)
    assert figure.wrong == 3
    assert figure.spread == pytest.approx((0.002 - 0.001) / 0.0015)


def test_profile_charges_the_innermost_room_of_ours() -> None:
    """A library's time belongs to the room that called it, and each thread's samples share that thread's own CPU."""
    main = "thread (7): MainThread;serve (lienthong/serve.py:1)"
    store = f"commit ({ROOT}/gateway/store/writer.py:5)"
    raw = "\n".join(
        (
            f"{main};verify ({ROOT}/gateway/api/citizens.py:3);dump ({LIBRARY}/pydantic/main.py:9) 30",
            f"{main};verify ({ROOT}/gateway/api/citizens.py:3) 10",
            f"{main};handle ({LIBRARY}/uvicorn/server.py:3) 60",
            f"thread (8): writer;{store} 500",
        )
    )
    found, samples = profile.shares(raw, {7: 1.0, 8: 0.25})
    assert samples == 600
    by_room = {share.room: share for share in found}
    assert by_room["gateway/api"].seconds == pytest.approx(0.4)
    ((library, seconds),) = by_room["gateway/api"].libraries
    assert library == "pydantic"
    assert seconds == pytest.approx(0.3)
    assert by_room["uvicorn"].seconds == pytest.approx(0.6)
    assert by_room["gateway/store"].seconds == pytest.approx(0.25)


def test_report_replaces_only_what_stands_between_the_markers(tmp_path: Path) -> None:
    """What a person wrote around the generated part stays, however often the run is repeated."""
    results = Results(machine=[("processor", "one")], seconds=3)
    names = ("straight", "bare", "gateway")
    results.upstreams = [("upstream", [_figure(name, [_stretch(100, 0.1 * i)]) for i, name in enumerate(names, 1)])]
    results.steps = [Step("audit", 0.001, "commits")]
    document = tmp_path / "benchmarks.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(document, report.render(results))
    first = document.read_text()
    report.write(document, report.render(results))
    assert document.read_text() == first
    assert first.startswith("before\n")
    assert first.endswith("\nafter\n")
    assert "old" not in first
    assert "1.50 × the CPU per call" in first
    assert "| audit | 1,000 | 33% | commits |" in first


def test_report_refuses_a_page_without_markers(tmp_path: Path) -> None:
    """A page that somebody has rewritten is not overwritten."""
    document = tmp_path / "benchmarks.md"
    document.write_text("nothing")
    with pytest.raises(ValueError, match="markers"):
        report.write(document, "figures")
    assert document.read_text() == "nothing"


def test_request_file_is_private(tmp_path: Path) -> None:
    """The file with the client's key can be read by this user alone."""
    path = Request({"Authorization": "Bearer x"}, "{}").save(tmp_path / "request")
    assert path.stat().st_mode & 0o077 == 0
    assert path.read_text() == "Authorization: Bearer x\n\n{}"


def test_single_request_has_its_number_in_header_and_body() -> None:
    """What is asked once before the load is a request of the load, not one with the mark still in it."""
    headers, body = Request({"Idempotency-Key": "a-{{n}}", "Accept": "b"}, '{"code": "c-{{n}}"}').once()
    assert headers == {"Idempotency-Key": "a-00000000", "Accept": "b"}
    assert body == b'{"code": "c-00000000"}'


def test_question_is_escaped() -> None:
    """The bare route sends well-formed XML, and names as the service wants them."""
    assert plain("Đặng Thị Mẫu") == "DANGTHIMAU"
    assert "<dan:MaCanBo>a&amp;b</dan:MaCanBo>" in Question().soap("x", "a&b")
