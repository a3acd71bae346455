"""The command `lienthong` that is killed between an exchange and the writing down of it, with rows before or after.

With `CHAOS_ROWS=after` an attempt's row is written when the exchange is over, together with what came of it. Either way
the first process that has an exchange of `CHAOS_DIES_AT` behind it is killed before it can write; the file that
`CHAOS_DEAD` names says that this has happened. Run as a script by `tests/chaos`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.delivery import steps
from gateway.delivery.rows import micros
from gateway.store.tables import lanes
from lienthong.cli import main

if TYPE_CHECKING:
    from contracts.model import DeliveryState
    from gateway.delivery.settings import DeliverySettings
    from gateway.delivery.steps import Course, Job, Outcome
    from gateway.store.engine import Transaction

begin, conclude = steps.begin, steps.conclude
dead = Path(os.environ["CHAOS_DEAD"])
after = os.environ["CHAOS_ROWS"] == "after"


async def begin_later(job: Job, course: Course, settings: DeliverySettings, tx: Transaction) -> None:
    """Renew the lease, and write nothing of the attempt."""
    del course
    statement, values = lanes.renewed(job.lease, micros(settings.lease_seconds))
    if await tx.fetchrow(statement, *values) is None:
        raise steps.NotOurs(job.row.id)


async def conclude_if_alive(
    job: Job, outcome: Outcome, settings: DeliverySettings, tx: Transaction
) -> DeliveryState | None:
    """Die the first time; later write what came of it, after the attempt's row where that was left out."""
    if outcome.course is not None:
        if job.row.operation == os.environ["CHAOS_DIES_AT"] and not dead.exists():
            dead.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if after:
            await begin(job, outcome.course, settings, tx)
    return await conclude(job, outcome, settings, tx)


steps.conclude = conclude_if_alive
if after:
    steps.begin = begin_later
sys.exit(main())
