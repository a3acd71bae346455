"""What a fault does to the connection itself: reset it, or close it with the answer half sent.

`Protocol` hands uvicorn's transport down in the ASGI scope. Mounted in process there is no connection; then the caller
gets a `ConnectionResetError`, which is what a socket would have made of it.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import MutableMapping

    from mocks.asgi import Receive, Scope, Send

EXTENSION = "mocks.transport"
LINGER_ZERO = struct.pack("ii", 1, 0)


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, its transport shown to the application."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}


def while_there(scope: Scope, send: Send) -> Send:
    """Return a `send` to which a caller who has just left is no error, as it is to uvloop."""
    extension = scope.get("extensions", {}).get(EXTENSION)
    if extension is None:
        return send
    transport: asyncio.Transport = extension["transport"]

    async def sending(message: MutableMapping[str, Any]) -> None:
        try:
            await send(message)
        except RuntimeError:
            if not transport.is_closing():
                raise

    return sending


async def reset(scope: Scope, receive: Receive) -> None:
    """Drop the connection with RST instead of FIN. Raises `ConnectionResetError` in process."""
    transport = _transport(scope)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    transport.abort()
    await until_gone(receive)


async def close(scope: Scope, receive: Receive) -> None:
    """Close the connection in order, after what was already written. Raises `ConnectionResetError` in process."""
    _transport(scope).close()
    await until_gone(receive)


async def until_gone(receive: Receive) -> None:
    """Return once the connection is down, so that the server does not miss an answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(scope: Scope) -> asyncio.Transport:
    extension = scope.get("extensions", {}).get(EXTENSION)
    if extension is None:
        raise ConnectionResetError("the connection was cut by a fault")
    transport: asyncio.Transport = extension["transport"]
    return transport
