"""What every test gets: coroutine tests run on a loop of their own, and only loopback can be reached."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest
from pytest_socket import disable_socket, socket_allow_hosts

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests with `asyncio.run`."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    names = inspect.signature(function).parameters
    asyncio.run(function(**{name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}))
    return True


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    from pytest_socket import enable_socket  # noqa: PLC0415 - undone only after the test

    enable_socket()
