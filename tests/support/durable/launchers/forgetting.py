"""The command `lienthong` that is killed between two parts of one write, which it remembers in the database or alone.

With `CHAOS_TRAIL=memory` it keeps to itself which parts are done. Either way the first process that is about to begin a
second part is killed; the file that `CHAOS_DEAD` names says that this has happened. Requests show their ids. Run as a
script by `tests/chaos`.
"""

from __future__ import annotations

import os
import runpy
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.delivery import flows, steps

if TYPE_CHECKING:
    from contracts.model import DeliveryState
    from gateway.delivery.settings import DeliverySettings
    from gateway.delivery.steps import Course, Job, Outcome, Take
    from gateway.store.engine import Transaction

begin, conclude, take = steps.begin, steps.conclude, steps.take
dead = Path(os.environ["CHAOS_DEAD"])
trails: dict[str, str] = {}
TRACING = str(Path(__file__).with_name("tracing.py"))


async def begin_if_alive(job: Job, course: Course, settings: DeliverySettings, tx: Transaction) -> None:
    """Die the first time that something was done before."""
    if flows.read(job.row.trail) and not dead.exists():
        dead.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    await begin(job, course, settings, tx)


async def conclude_silently(
    job: Job, outcome: Outcome, settings: DeliverySettings, tx: Transaction
) -> DeliveryState | None:
    """Write down what came of it, but for the part that is done."""
    if outcome.trail is not None:
        trails[job.row.id] = outcome.trail
    return await conclude(job, replace(outcome, trail=None), settings, tx)


async def take_and_remember(tx: Transaction, **how: Any) -> Take:
    """Take lanes, and add what this process knows to be done."""
    found = await take(tx, **how)
    jobs = (replace(job, row=replace(job.row, trail=trails.get(job.row.id, ""))) for job in found.jobs)
    return replace(found, jobs=tuple(jobs))


steps.begin = begin_if_alive
if os.environ["CHAOS_TRAIL"] == "memory":
    steps.conclude, steps.take = conclude_silently, take_and_remember
runpy.run_path(TRACING, run_name="__main__")
