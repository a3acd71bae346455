"""Keeps the attempt log: in time, and so that a caller that goes away leaves no attempt open.

Opening is waited for, always: no audit row, no call. Closing is waited for while there is time, and is otherwise done
behind the caller's back. What the rows look like is the store's business.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from gateway.resilience.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.resilience.observer import Observer
    from gateway.resilience.ports import AttemptLog, AttemptResult, Call, CallOutcome

_log = structlog.get_logger(__name__)

_PATIENCE = 10
"""Behind the caller's back a write may take this many times longer."""
_PAUSE = 0.5
"""Seconds after which what the store did not take is handed to it again."""


class Books:
    """The attempt log of one pipeline, with its time limits."""

    def __init__(self, log: AttemptLog, observer: Observer, commit_seconds: float, clock: Callable[[], float]) -> None:
        self._log = log
        self._observer = observer
        self._commit_seconds = commit_seconds
        self._clock = clock
        self._pending: set[asyncio.Task[None]] = set()

    async def open_attempt(self, call: Call, ordinal: int, request_id: str) -> None:
        """Commit audit and attempt rows. Raises `StoreUnavailable`, also when it takes too long."""
        try:
            async with asyncio.timeout(self._limit(call)):
                await self._log.open_attempt(call, ordinal, request_id)
        except TimeoutError as error:
            self._observer.log_failed(call.operation, "open_attempt")
            raise StoreUnavailable("the store took too long to commit") from error
        except StoreUnavailable:
            self._observer.log_failed(call.operation, "open_attempt")
            raise

    async def close_attempt(self, call: Call, ordinal: int, result: AttemptResult) -> None:
        """Write what came of an attempt, as far as the caller's time allows."""
        await self._in_time(call, "close_attempt", lambda: self._log.close_attempt(call, ordinal, result))

    async def close_call(self, call: Call, outcome: CallOutcome) -> None:
        """Write what came of a call, as far as the caller's time allows."""
        await self._in_time(call, "close_call", lambda: self._log.close_call(call, outcome))

    def close_attempt_later(self, call: Call, ordinal: int, result: AttemptResult) -> None:
        """Write what came of an attempt, without waiting."""
        self._behind(call, "close_attempt", lambda: self._log.close_attempt(call, ordinal, result))

    def close_call_later(self, call: Call, outcome: CallOutcome) -> None:
        """Write what came of a call, without waiting."""
        self._behind(call, "close_call", lambda: self._log.close_call(call, outcome))

    def close_later(self, call: Call, ordinal: int, result: AttemptResult, outcome: CallOutcome) -> None:
        """Write what came of a call and of its last attempt, without waiting."""

        async def write() -> None:
            await self._log.close_attempt(call, ordinal, result)  # handed in, and written with what follows
            await self._log.close_call(call, outcome)

        self._behind(call, "close_call", write)

    async def drain(self) -> None:
        """Wait for everything that is still being written."""
        while self._pending:
            await asyncio.wait(set(self._pending))

    def _limit(self, call: Call) -> float:
        return min(self._commit_seconds, call.deadline.remaining(self._clock()))

    async def _in_time(self, call: Call, step: str, write: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(self._limit(call)):
                await write()
        except (TimeoutError, asyncio.CancelledError) as error:
            self._behind(call, step, write)
            if isinstance(error, asyncio.CancelledError):
                raise
        except StoreUnavailable:
            self._observer.log_failed(call.operation, step)
        except Exception as error:  # noqa: BLE001 - the answer is there and goes to the caller; the defect is recorded
            self._defect(call, step, error)

    def _behind(self, call: Call, step: str, write: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._patiently(call, step, write))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _patiently(self, call: Call, step: str, write: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(self._commit_seconds * _PATIENCE):
                while True:
                    with suppress(StoreUnavailable):
                        return await write()
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            self._observer.log_failed(call.operation, step)
        except Exception as error:  # noqa: BLE001 - a worker's edge: nobody waits for this task
            self._defect(call, step, error)

    def _defect(self, call: Call, step: str, error: Exception) -> None:
        self._observer.log_failed(call.operation, step)
        _log.error("attempt_log_defect", correlation_id=call.id, step=step, error=type(error).__qualname__)
