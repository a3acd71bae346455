"""Which library should carry our requests? CPU of one process per exchange, on loopback, without TLS.

    python -m benchmarks.carriers [--exchanges 3000] [--parallel 16]

Every contender posts the same SOAP-sized body to the same static server (another process) and ends with the same thing:
an `httpx.Response` whose body is read. What is not installed is skipped; pyqwest is measured where it happens to be.
A few seconds in all. Trust ratios, not microseconds. Decision: docs/decisions/0003-carrier.md.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp
import httpx
import uvloop

from adapters.transport import Carrier, TransportSettings
from contracts.model import Effect, Exchange, Operation, Repeat

REQUEST: Final = b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'>" + b"x" * 1100 + b"</e:Envelope>"
ANSWER: Final = b"<e:Envelope>" + b"y" * 2900 + b"</e:Envelope>"
HEADERS: Final = {
    "Content-Type": "application/xml; charset=utf-8",
    "Authorization": "Basic " + "z" * 120,
    "Timestamp": "1767575280000",
    "X-Road-Client": "VN-TEST/GOV/000.00.01.H99/one-stop",
    "SOAPAction": "",
}
OPERATION: Final = Operation(system="bench", name="post", effect=Effect.READ, repeat=Repeat.SAFE)
ROUNDS: Final = 5

Call = Callable[[], Awaitable[httpx.Response]]


class _Static(asyncio.Protocol):
    """Answers every request with the same bytes as soon as its head and body have come."""

    def __init__(self) -> None:
        self.pending = b""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {len(ANSWER)}\r\n\r\n"
        self.answer = head.encode() + ANSWER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Answer when a request is complete; contenders may write head and body apart."""
        self.pending += data
        if self.pending.endswith(b"</e:Envelope>") or self.pending.endswith(b"\r\n0\r\n\r\n"):
            self.pending = b""
            self.transport.write(self.answer)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Static, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _request(url: str) -> httpx.Request:
    return httpx.Request("POST", url, headers=HEADERS, content=REQUEST)


async def _carrier(url: str, stack: AsyncExitStack) -> Call:
    carrier = await stack.enter_async_context(Carrier(TransportSettings()))

    async def call() -> httpx.Response:
        return await carrier.send(_request(url), Exchange(operation=OPERATION, request_id="r", timeout=10))

    return call


async def _aiohttp(url: str, stack: AsyncExitStack, traces: list[aiohttp.TraceConfig] | None = None) -> Call:
    session = await stack.enter_async_context(
        aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), trace_configs=traces)
    )

    async def call() -> httpx.Response:
        request = _request(url)
        async with session.post(url, data=request.content, headers=HEADERS) as answer:
            body = await answer.read()
            return httpx.Response(answer.status, headers=list(answer.raw_headers), content=body, request=request)

    return call


async def _traced(url: str, stack: AsyncExitStack) -> Call:
    async def note(*_: object) -> None:
        time.monotonic()

    trace = aiohttp.TraceConfig()
    for signal in (
        trace.on_connection_queued_start,
        trace.on_connection_create_start,
        trace.on_connection_reuseconn,
        trace.on_dns_resolvehost_end,
        trace.on_request_headers_sent,
        trace.on_request_chunk_sent,
        trace.on_request_end,
        trace.on_response_chunk_received,
    ):
        signal.append(note)
    return await _aiohttp(url, stack, [trace])


async def _httpcore(url: str, stack: AsyncExitStack) -> Call:
    transport = await stack.enter_async_context(httpx.AsyncHTTPTransport(trust_env=False))

    async def call() -> httpx.Response:
        response = await transport.handle_async_request(_request(url))
        response.request = _request(url)
        await response.aread()
        await response.aclose()
        return response

    return call


async def _client(url: str, stack: AsyncExitStack) -> Call:
    client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))

    async def call() -> httpx.Response:
        return await client.post(url, headers=HEADERS, content=REQUEST)

    return call


async def _pyqwest(url: str, stack: AsyncExitStack) -> Call:
    pyqwest = importlib.import_module("pyqwest")  # never a dependency of ours
    transport = await stack.enter_async_context(pyqwest.HTTPTransport())
    client = pyqwest.Client(transport)

    async def call() -> httpx.Response:
        request = _request(url)
        answer = await client.post(url, headers=HEADERS, content=REQUEST)
        headers = [(name, value) for name, value in answer.headers.items() if name != "content-length"]
        return httpx.Response(answer.status, headers=headers, content=bytes(answer.content), request=request)

    return call


CONTENDERS: Final[dict[str, tuple[Callable[[str, AsyncExitStack], Awaitable[Call]], str]]] = {
    "our carrier (phases, limits, once only)": (_carrier, "aiohttp"),
    "aiohttp session, bare": (_aiohttp, "aiohttp"),
    "aiohttp session with TraceConfig": (_traced, "aiohttp"),
    "httpx's own transport, called directly": (_httpcore, "httpcore"),
    "httpx client as usual": (_client, "httpcore"),
    "pyqwest client": (_pyqwest, "pyqwest"),
}


async def _round(call: Call, exchanges: int, parallel: int) -> tuple[float, float]:
    left = exchanges

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            response = await call()
            if response.status_code != httpx.codes.OK or len(response.content) != len(ANSWER):
                raise RuntimeError("a contender brought back another answer")

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(parallel)))
    return (time.process_time() - cpu) / exchanges * 1e6, exchanges / (time.perf_counter() - wall)


async def _measure(url: str, exchanges: int, parallel: int) -> dict[str, list[tuple[float, float]]]:
    figures: dict[str, list[tuple[float, float]]] = {}
    async with AsyncExitStack() as stack:
        calls = {
            name: await make(url, stack)
            for name, (make, library) in CONTENDERS.items()
            if importlib.util.find_spec(library) is not None
        }
        for call in calls.values():
            await _round(call, max(200, exchanges // 10), parallel)
        for _ in range(ROUNDS):  # in turns, so that a busy neighbour hits them all
            for name, call in calls.items():
                figures.setdefault(name, []).append(await _round(call, exchanges // ROUNDS, parallel))
    return figures


def main() -> None:
    """Start the server, measure every contender that is installed, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchanges", type=int, default=3000)
    parser.add_argument("--parallel", type=int, default=16)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(_serve())
        return
    command = [sys.executable, "-m", "benchmarks.carriers", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - ourselves
        try:
            port = int(server.stdout.readline()) if server.stdout else 0
            url = f"http://127.0.0.1:{port}/service"
            figures = uvloop.run(_measure(url, options.exchanges, options.parallel))
        finally:
            server.terminate()
    lines = ["| carrier | CPU µs per exchange | exchanges/s |", "|---|---|---|"]
    for name, rounds in figures.items():
        cpu, rate = (statistics.median(values) for values in zip(*rounds, strict=True))
        lines.append(f"| {name} | {cpu:.0f} | {rate:,.0f} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
