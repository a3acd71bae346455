"""What a worker writes, step by step: each is one transaction, and none changes anything once the lease is lost.

Take lanes, begin an attempt before anything leaves, write down what came of it, put a lane back untouched. A lane's
row is locked first in every step, by a statement that asks for the lease's fence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contracts.model import AfterRejection, DeliveryState
from gateway.delivery import policy
from gateway.delivery.policy import Action
from gateway.delivery.rows import columns, micros
from gateway.store.tables import attempts, deliveries, events, holds, instant, lanes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.model import Failure, Operation
    from gateway.delivery.policy import Next, Verdict
    from gateway.delivery.settings import DeliverySettings
    from gateway.resilience import AttemptResult
    from gateway.store.engine import Transaction, Value
    from gateway.store.tables.deliveries import DeliveryRow
    from gateway.store.tables.lanes import Lease

_TOLD = frozenset(
    {
        DeliveryState.UNKNOWN,
        DeliveryState.HELD,
        DeliveryState.NEEDS_PERSON,
        DeliveryState.SETTLED,
        DeliveryState.REJECTED,
    }
)
"""States of which the feed tells; how often something was tried again is nobody's business."""


@dataclass(frozen=True, slots=True)
class Job:
    """A lane that we own, with what stands at its head, as of `present`."""

    lease: Lease
    row: DeliveryRow
    present: int


@dataclass(frozen=True, slots=True)
class Take:
    """What came of asking for work: jobs, and lanes that are ready beyond those that were asked for."""

    jobs: tuple[Job, ...]
    rest: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One attempt as it is written down. `ordinal` counts all attempts at the delivery, `step` is as the row has it."""

    ordinal: int
    request_id: str
    action: Action
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a job: what happens next, and what is written down of it.

    `course` is the attempt that was begun, `None` if there was none, and `ended` what came of it. `said` is what the
    partner said of `failure`, sealed. `trail` is that from now on, as it is stored, `None` if it stays. `quiet` is how
    long from now the partner may still act on it (seconds). `accepted`: the partner let our credential pass.
    `fingerprint` is that of our account now, `refused` that of the credential that was refused last.
    `operation` is `None` where this release does not know it.
    """

    verdict: Verdict
    operation: Operation | None
    failure: Failure | None = None
    course: Course | None = None
    ended: AttemptResult | None = None
    result: bytes | None = None
    said: bytes | None = None
    trail: str | None = None
    quiet: float = 0.0
    accepted: bool = False
    fingerprint: str | None = None
    refused: str | None = None


async def take(
    tx: Transaction, *, system: str, owner: str, known: Sequence[int], room: int, settings: DeliverySettings
) -> Take:
    """Take up to `room` lanes: of those `known` to be ready, or of a new scan if there are none."""
    present = await instant.now(tx)
    ready = list(known) or await lanes.scan(system, settings.scan, tx)
    wanted, rest = ready[:room], ready[room:]
    if not wanted:
        return Take((), ())
    leases = await lanes.take(wanted, owner, micros(settings.lease_seconds), present, tx)
    found = await deliveries.heads([lease.lane for lease in leases], tx) if leases else {}
    jobs = []
    for lease in leases:
        row = found.get(lease.lane)
        if row is None:
            await lanes.advance(lease.lane, present, micros(settings.ageing_seconds), tx)
        elif lease.held and not await holds.may_probe(system, lease.agency, micros(settings.hold_seconds), tx):
            await put_back(Job(lease, row, present), None, None, 0.0, tx)
        else:
            jobs.append(Job(lease, row, present))
    return Take(tuple(jobs), tuple(rest))


class NotOurs(Exception):
    """The lane is not ours any more, or what stands in it may not be attempted now. Nothing was written."""


async def begin(job: Job, course: Course, settings: DeliverySettings, tx: Transaction) -> None:
    """Renew the lease and write the attempt's row, before anything leaves. Raises `NotOurs`."""
    state = DeliveryState.SENDING if course.action is Action.SEND else DeliveryState.UNKNOWN
    if job.lease.before is not None:
        await attempts.interrupt(job.row.id, tx)
    until, begun, _ = await tx.together(
        lanes.renewed(job.lease, micros(settings.lease_seconds)),
        deliveries.begun(job.row.id, course.ordinal, state, course.step),
        attempts.begun(job.row.id, course.ordinal, course.request_id, course.action, course.step),
    )
    if until is None or begun is None:
        raise NotOurs(job.row.id)


async def put_back(job: Job, course: Course | None, ended: AttemptResult | None, wait: float, tx: Transaction) -> bool:
    """Give the lane back as it was: whatever was begun did not leave."""
    if not await lanes.put_back(job.lease, micros(wait), tx):
        return False
    if course is not None:
        state = DeliveryState.UNKNOWN if course.action is Action.LOOK_UP else job.row.state
        await deliveries.change(job.row.id, {"state": state}, tx)
        if ended is not None:
            statement, values = attempts.ended(job.row.id, course.ordinal, ended, await instant.now(tx))
            await tx.execute(statement, *values)
    if job.lease.before is not None:  # whoever comes next does not see any more that a worker was lost here
        await attempts.interrupt(job.row.id, tx)
    return True


async def conclude(job: Job, outcome: Outcome, settings: DeliverySettings, tx: Transaction) -> DeliveryState | None:
    """Write down what came of a job and give its lane back. `None`: the lease was lost, and nothing was changed."""
    then, row, lease = outcome.verdict.next, job.row, job.lease
    state = _state(then)
    changes: dict[str, Value] = {"state": state, **columns(outcome.verdict.history), **_words(outcome)}
    given_back = await _give_back(job, outcome, changes, tx)
    if given_back is None:
        return None
    more, present = given_back
    written = [deliveries.changed(row.id, changes)]
    if "settled_at" in changes:
        written.append(deliveries.counted(row.agency, row.system, lanes.shard(row.lane), -1))
    if outcome.course is not None and outcome.ended is not None:
        written.append(attempts.ended(row.id, outcome.course.ordinal, outcome.ended, present))
    if state in _TOLD and state != row.state:
        written.append(events.written(present, row.id, row.agency, row.system, state))
    if more:
        ageing = micros(settings.ageing_seconds)
        written.append(lanes.advanced(lease.lane, present, ageing, without=row.position))
    await tx.together(*written)
    if lease.before is not None and (outcome.course is None or outcome.ended is None):
        await attempts.interrupt(row.id, tx)
    if isinstance(then, policy.Hold):
        await holds.hold(row.system, row.agency, outcome.fingerprint, micros(settings.hold_seconds), tx)
    elif lease.held and outcome.accepted:
        await holds.release(row.system, row.agency, outcome.fingerprint, tx)
    return state


async def _give_back(job: Job, outcome: Outcome, changes: dict[str, Value], tx: Transaction) -> tuple[bool, int] | None:
    """End the lease, and add to `changes` what depends on when that was. Returns as `lanes.leave` does."""
    then = outcome.verdict.next
    blocking = isinstance(then, policy.Reject) and _waits(outcome.operation)
    if isinstance(then, policy.Settle | policy.Reject):
        changes |= {"next_at": None, "standing": int(blocking)}
        if blocking:
            stayed = await lanes.stay(job.lease, 0, _state(then), micros(outcome.quiet), tx)
            left = None if stayed is None else (False, stayed[1])
        else:
            left = await lanes.leave(job.lease, tx)
        if left is not None:
            changes["settled_at"] = left[1]
        return left
    parked = _state(then) if isinstance(then, policy.Person) else None
    stayed = await lanes.stay(job.lease, micros(_wait(then)), parked, micros(outcome.quiet), tx)
    if stayed is None:
        return None
    changes["next_at"] = stayed[0]
    return False, stayed[1]


def _waits(operation: Operation | None) -> bool:
    return operation is not None and operation.after_rejection is AfterRejection.WAIT


def _state(then: Next) -> DeliveryState:
    match then:
        case policy.Settle():
            return DeliveryState.SETTLED
        case policy.Reject():
            return DeliveryState.REJECTED
        case policy.Wait():
            return DeliveryState.WAITING
        case policy.LookUp():
            return DeliveryState.UNKNOWN
        case policy.Hold():
            return DeliveryState.HELD
        case policy.Person():
            return DeliveryState.NEEDS_PERSON


def _wait(then: Next) -> float:
    return then.seconds if isinstance(then, policy.Wait | policy.LookUp) else 0.0


def _words(outcome: Outcome) -> dict[str, Value]:
    failure, then = outcome.failure, outcome.verdict.next
    words: dict[str, Value] = {"why": then.why if isinstance(then, policy.Person) else None}
    if failure is not None:
        words |= {"kind": failure.kind, "layer": failure.layer, "reason": failure.reason, "code": failure.code}
        words["said"] = outcome.said
    if outcome.result is not None:
        words["result"] = outcome.result
    if outcome.trail is not None:
        words["trail"] = outcome.trail
    renewing = outcome.verdict.history.credential_refused and not isinstance(then, policy.Hold)
    words["refused"] = outcome.refused if renewing else None  # after a hold the same one is tried
    return words
