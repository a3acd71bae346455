"""A partner made of bare sockets, for behaviour that no HTTP server would show.

Each connection is served by a function in a thread of its own; what the functions read is kept, so that a test can
count what really arrived. Helps with sockets only: it knows nothing of the code under test.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Self

Handler = Callable[["Link"], None]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_PATIENCE = 10.0


class Link:
    """One accepted connection, as its handler sees it."""

    def __init__(self, peer: RawPeer, sock: socket.socket) -> None:
        self.peer = peer
        self.sock = sock
        sock.settimeout(_PATIENCE)

    def wait_for_bytes(self) -> bool:
        """Wait until something, or the end, can be read; take nothing. False when the test is over."""
        while not self.peer.over.is_set():
            if select.select([self.sock], [], [], 0.02)[0]:
                return True
        return False

    def request(self) -> bytes:
        """Read one whole request and keep it. Empty when the client has closed."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not self.wait_for_bytes():
                return b""
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            body += piece
        self.peer.requests.append(head + b"\r\n\r\n" + body)
        return head + b"\r\n\r\n" + body

    def read(self, size: int) -> bytes:
        """Read exactly `size` bytes."""
        data = b""
        while len(data) < size:
            data += self.sock.recv(size - len(data))
        return data

    def send(self, data: bytes) -> None:
        """Send all of `data`; a client that has gone is not an error here."""
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def reset(self) -> None:
        """End the connection with RST, whatever is still on its way."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        """End the connection in the ordinary way."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.sock.close()

    def hang(self) -> None:
        """Do nothing until the test is over."""
        self.peer.over.wait(_PATIENCE)

    def warm_up(self, exchanges: int) -> None:
        """Answer some exchanges as any server would, so that what follows happens on a reused connection."""
        for _ in range(exchanges):
            if self.request():
                self.send(OK)


class RawPeer:
    """Listens on a free loopback port; the first connection goes to the first handler, and so on, the last repeats."""

    def __init__(
        self, *handlers: Handler, tls: ssl.SSLContext | None = None, receive_buffer: int | None = None
    ) -> None:
        self._handlers = handlers
        self._tls = tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = 0
        self.over = threading.Event()
        self.failures: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(16)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where a client finds this peer."""
        scheme = "http" if self._tls is None else "https"
        host = "127.0.0.1" if self._tls is None else "localhost"
        return f"{scheme}://{host}:{self.port}/service"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(_PATIENCE)
        self._listener.close()
        if self.failures:
            raise self.failures[0]

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            if not select.select([self._listener], [], [], 0.02)[0]:
                continue
            sock, _ = self._listener.accept()
            handler = self._handlers[min(self.connections, len(self._handlers) - 1)]
            self.connections += 1
            self._start(self._serve, handler, sock)

    def _serve(self, handler: Handler, sock: socket.socket) -> None:
        try:
            if self._tls is not None:
                sock.settimeout(_PATIENCE)
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                _shake_hands(sock)
            handler(Link(self, sock))
        except (OSError, ssl.SSLError):
            pass  # the client went away, or refused us: what it makes of that is what the test looks at
        except BaseException as error:  # noqa: BLE001 - shown to the test at the end
            self.failures.append(error)
        finally:
            sock.close()
            self.ended += 1


def _shake_hands(sock: ssl.SSLSocket) -> None:
    try:
        sock.do_handshake()
    except ssl.SSLError:
        # Close gently: a reset could overtake the alert that says what was wrong.
        raw = socket.socket(fileno=sock.detach())
        with raw, contextlib.suppress(OSError):
            raw.settimeout(_PATIENCE)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(65536):
                pass
        raise


def serve(link: Link) -> None:
    """Answer every request with `ok` until the client closes."""
    while link.request():
        link.send(OK)


def answering(data: bytes, *, warm: int = 0) -> Handler:
    """Return a handler that answers one request with exactly `data` and closes."""

    def handler(link: Link) -> None:
        link.warm_up(warm)
        if link.request():
            link.send(data)
            link.close()

    return handler
