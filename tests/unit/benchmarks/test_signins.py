"""What the part about sign-ins makes of what it has measured, and that its load tells right from wrong."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.errors import BenchError
from benchmarks.signins import report
from benchmarks.signins.figures import Found, SignIns, Stretch, together
from benchmarks.signins.load import Plan, Run
from benchmarks.signins.ways import Came, Straight, Through
from benchmarks.signins.wire import Answer, Server

if TYPE_CHECKING:
    from pathlib import Path

WELL = Found(done=6000, took=60.1, p50=0.020, p99=0.080, worst=0.2, cpu=3.0)
TOLD = {
    "leaving": False,
    "key": "k",
    "back": "https://motcua.example/dang-nhap",
    "agency": "000.00.01.H99",
    "door": "http://127.0.0.1:1/vneid",
    "callback": "http://127.0.0.1:2/sign-ins/callback",
    "username": "u",
    "secret": "s",
}


def _result(promise: Found = WELL, *, gateway: float = 0.005) -> SignIns:
    cpu = {"gateway": gateway, "mock": 0.0025, "load": 0.0005}
    fast = Found(done=1500, took=10.0, p50=0.1, p99=0.2, worst=0.3)
    straight = Found(done=4500, took=10.0, p50=0.03, p99=0.06, worst=0.1)
    return SignIns(
        stretches=[
            Stretch("promise", "100 a second", promise, cpu),
            Stretch("fast", "16 at once", fast, cpu),
            Stretch("straight", "the mock alone", straight, {"mock": 0.002, "load": 0.0002}),
        ],
        counted=["SQLite: all even"],
        cores=2,
    )


def test_the_promise_is_kept_only_in_time_and_without_one_failure() -> None:
    """Late, one failed, or something that does not come out even: each alone misses it."""
    assert report.aim(_result())[2:] == ("99.8/s, 0 failed, p99 80 ms", "kept")
    assert report.aim(_result(replace(WELL, took=62.0)))[3] == "**missed**"
    assert report.aim(_result(replace(WELL, failed=1)))[3] == "**missed**"
    odd = _result()
    odd.wrong.append("one gave somebody else")
    assert report.aim(odd)[3] == "**missed**"


def test_what_limits_is_said_by_how_busy_the_cores_were(tmp_path: Path) -> None:
    """150 a second at 8 ms are 1.2 of 2 cores; at 12 ms 1.8, and they limit. Written twice, it is there once."""
    page = tmp_path / "benchmarks.md"
    page.write_text("# What a call costs\n")
    for _ in range(2):
        report.write(page, _result())
    written = page.read_text()
    assert written.count(report.HEADING) == written.count(report.BEGIN) == written.count(report.END) == 1
    assert "1.2 of 2 cores are busy, 0.75 of them with the gateway" in written
    assert "450, 3.0 × as many" in written
    assert "What limits it are the cores: 1.8 of 2 are busy" in report.render(_result(gateway=0.009))


def test_rounds_become_one_stretch() -> None:
    """A long round weighs more in rate and CPU than a short one; what failed in either is there."""
    short = Found(done=100, took=1.0, p50=0.1, p99=0.3, worst=0.4, failed=1, why=["no"])
    long = Found(done=300, took=4.0, p50=0.2, p99=0.5, worst=0.6)
    one = together("fast", "16 at once", [(short, {"mock": 0.004}), (long, {"mock": 0.002})])
    assert one.found.rate == pytest.approx(80)
    assert one.cpu == {"mock": pytest.approx(0.0025)}
    assert (one.found.failed, one.found.why, one.found.worst) == (1, ["no"], 0.6)
    assert (one.found.p50, one.found.p99) == (pytest.approx(0.15), pytest.approx(0.4))


async def test_sign_ins_begin_when_they_are_due() -> None:
    """Each begins when it is due, whatever became of those before; one that goes wrong is told and not counted."""
    clock = asyncio.get_running_loop().time
    begun: list[float] = []

    class Way:
        async def sign_in(self) -> Came:
            begun.append(clock())
            if len(begun) == 2:
                raise BenchError("no")
            return Came(str(len(begun)), "999")

    plan = Plan(way="", gateway=0, door=0, told={}, output="", seconds=0.1, rate=50)
    run = Run(Way(), plan)
    await run.evenly()
    assert (len(begun), len(run.came), run.why) == (5, 4, ["BenchError: no"])
    assert begun[-1] - begun[0] >= 0.07


class _Canned(Server):
    def __init__(self, *answers: Answer) -> None:
        super().__init__(1)
        self._answers = iter(answers)

    async def _sent(self, content: bytes) -> Answer:
        assert content
        return next(self._answers)


def _to(address: str, status: int = 303) -> Answer:
    return Answer(status, f"HTTP/1.1 {status} X\r\nLocation: {address}\r\nSet-Cookie: a=b; Path=/".encode(), b"")


def _json(status: int = 200, **content: Any) -> Answer:
    return Answer(status, b"", json.dumps(content).encode())


async def test_whatever_is_not_a_sign_in_fails() -> None:
    """A page in place of a way on, another sign-in's way back, too low a level: none of them counts as done."""
    made = _json(201, id="i", start_url="http://127.0.0.1:2/sign-ins/i")
    start, at_door = _to("http://127.0.0.1:1/vneid/x"), _to("http://127.0.0.1:2/sign-ins/callback?code=s.1.x&state=t")
    back = _to("https://motcua.example/dang-nhap?sign_in=i&code=c")
    claimed = _json(outcome="signed_in", account={"identity_number": "999"})

    async def through(*answers: Answer) -> Came:
        return await Through(_Canned(*answers), _Canned(at_door), TOLD).sign_in()

    assert await through(made, start, back, claimed) == Came("s", "999")
    page = Answer(502, b"", "<title>Không thành công</title>".encode())
    for answers, why in (
        ((made, page), "start: 502 Không thành công"),
        ((made, start, _to("https://motcua.example/dang-nhap?sign_in=other&code=c")), "callback: sent to"),
        ((made, start, back, _json(outcome="level_too_low")), "claim: level_too_low"),
    ):
        with pytest.raises(BenchError, match=why):
            await through(*answers)
    with pytest.raises(BenchError, match="another's state"):
        await Straight(_Canned(at_door), TOLD).sign_in()


async def test_the_wire_keeps_its_connections_and_tells_when_one_ends() -> None:
    """Answers in pieces come whole, one connection serves one request after another, and the end of one is told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET /good"):
            for piece in (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 4\r\n\r\nab", b"cd"):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        server = Server(listening.sockets[0].getsockname()[1])
        for _ in range(2):
            answer = await server.get("/good")
            assert (answer.status, answer.body) == (200, b"abcd")
        assert server.opened == 1
        with pytest.raises(BenchError, match="ended"):
            await server.get("/bad")
        server.close()
