"""What every test gets: coroutine tests run on a loop of their own. Only loopback can be reached (pyproject.toml).

What the run leaves behind is searched for people when it ends: see `tests.support.aftermath`.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings

from adapters.transport import secrets
from tests.support.aftermath import (  # noqa: F401 - hooks, found here by name
    pytest_configure,
    pytest_runtest_logreport,
    pytest_runtest_setup,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from tests.support.postgres import database, databases  # noqa: F401 - fixtures, likewise

if TYPE_CHECKING:
    from collections.abc import Generator

_COLLECT_AFTER: Final = (20_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the hash of a secret take one round.

    The tests log in thousands of times, and a fingerprint is slow so that nobody guesses secrets from it; no promise is
    about that, and what differs still differs.
    """
    patch = pytest.MonkeyPatch()
    patch.setattr(secrets, "_ROUNDS", 1)
    session.config.add_cleanup(patch.undo)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector skip thousands of tests and their modules, and come by as seldom as in our servers."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(*_COLLECT_AFTER)


settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long an example takes says how busy the machine is, and nothing else


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests with `asyncio.run`."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    names = inspect.signature(function).parameters
    asyncio.run(function(**{name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}))
    return True
