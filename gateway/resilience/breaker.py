"""The breaker: while the partner is down only probes leave, one at a time and at a fixed slow pace.

It weighs what attempts say about the partner and hands out permits. It neither waits nor sends: a probe is the next
real call that comes after the pace allows one. Once closed again it stays on trial for as long as the ramp climbs
(`rate.py`), and opens sooner than usual.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from contracts.model import Failure, Kind, Layer
from gateway.resilience.window import SlidingCount

if TYPE_CHECKING:
    from gateway.resilience.settings import BreakerSettings


class BreakerState(StrEnum):
    """Closed lets everything through, open nothing but a probe now and then, half-open has one on its way."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Sign(StrEnum):
    """What an attempt says about the partner."""

    ALIVE = "alive"
    DOWN = "down"
    NOTHING = "nothing"


SIGNS: dict[Kind, Sign] = {
    Kind.NOT_SENT: Sign.DOWN,  # the network's; our own refusals have the layer `ours` and say nothing
    Kind.INVALID_REQUEST: Sign.NOTHING,  # found before anything is sent
    Kind.CREDENTIAL_REFUSED: Sign.ALIVE,
    Kind.CALLER_REFUSED: Sign.ALIVE,
    Kind.BUSY: Sign.NOTHING,  # neither well nor gone: the shared wait of `rate.py` answers it
    Kind.UNKNOWN_OUTCOME: Sign.DOWN,
    Kind.PLATFORM_FAILED: Sign.DOWN,
    Kind.SYSTEM_FAILED: Sign.DOWN,
    Kind.REJECTED: Sign.ALIVE,
    Kind.ALREADY_DONE: Sign.ALIVE,
    Kind.CONTRACT_BROKEN: Sign.ALIVE,  # it answered; keeping everybody away would not mend its content
}
"""What each kind says about the partner, unless the failure is ours."""


def sign_of(failure: Failure | None) -> Sign:
    """Return what an attempt that ended with `failure` (none: an answer) says about the partner."""
    if failure is None:
        return Sign.ALIVE
    if failure.layer is Layer.OURS:
        return Sign.NOTHING
    return SIGNS[failure.kind]


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one attempt. Valid until the breaker changes; handed back exactly once."""

    era: int
    probe: bool


@dataclass(frozen=True, slots=True)
class NoPermit:
    """Refused. `retry_after` is in seconds; `layer` is where the failures that opened the breaker arose."""

    retry_after: float
    layer: Layer


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """The breaker went from `old` to `new`."""

    old: BreakerState
    new: BreakerState


class Breaker:
    """One breaker for one system in one process. Every method is given the instant; none waits."""

    def __init__(self, settings: BreakerSettings, trial_seconds: float) -> None:
        self._settings = settings
        self._trial_seconds = trial_seconds
        self._state = BreakerState.CLOSED
        self._since = 0.0
        self._era = 0
        self._layer = Layer.SYSTEM
        self._probing = False
        self._next_probe = 0.0
        self._good_probes = 0
        self._trial_until = 0.0
        self._last_alive = 0.0
        self._all = SlidingCount(settings.window_seconds)
        self._down = SlidingCount(settings.window_seconds)
        self._recent: deque[tuple[float, bool]] = deque(maxlen=settings.sample)

    @property
    def state(self) -> BreakerState:
        """The state now."""
        return self._state

    @property
    def since(self) -> float:
        """When the breaker was last opened or closed."""
        return self._since

    @property
    def closed(self) -> bool:
        """Whether everything is let through."""
        return self._state is BreakerState.CLOSED

    def next_probe_in(self, now: float) -> float | None:
        """Return the seconds until a probe may leave, `None` while closed."""
        return None if self.closed else max(0.0, self._next_probe - now)

    def ask(self, now: float) -> Permit | NoPermit:
        """Return a permit, or why there is none."""
        if self.closed:
            return Permit(self._era, probe=False)
        if self._probing or now < self._next_probe:
            return self.refusal(now)
        self._probing = True
        return Permit(self._era, probe=True)

    def refusal(self, now: float) -> NoPermit:
        """Return what a caller without a permit is told."""
        wait = self._next_probe - now
        return NoPermit(wait if wait > 0 else self._settings.probe_seconds, self._layer)

    def valid(self, permit: Permit) -> bool:
        """Return whether a permit given earlier still lets an attempt leave."""
        return permit.era == self._era

    def leaving(self, permit: Permit, now: float) -> BreakerChange | None:
        """Note that the attempt leaves at `now`. The pace of probes counts from here, whatever comes of this one."""
        if not permit.probe or permit.era != self._era:
            return None
        self._next_probe = now + self._settings.probe_seconds
        return self._move(BreakerState.HALF_OPEN)

    def hand_back(self, permit: Permit, sign: Sign, failure: Failure | None, now: float) -> BreakerChange | None:
        """Take a permit back together with what the attempt said about the partner; `NOTHING` if it never left."""
        if permit.era != self._era:
            return None
        if permit.probe:
            self._probing = False
            return self._weigh_probe(sign, failure, now)
        if sign is Sign.NOTHING:
            return None
        down = sign is Sign.DOWN
        self._all.add(now)
        self._recent.append((now, down))
        if not down:
            self._last_alive = now
            return None
        self._down.add(now)
        return self._open(failure, now) if self._is_down(now) else None

    def _weigh_probe(self, sign: Sign, failure: Failure | None, now: float) -> BreakerChange | None:
        if sign is Sign.NOTHING:
            return self._move(BreakerState.OPEN)
        if sign is Sign.DOWN:
            self._good_probes = 0
            self._layer = self._layer if failure is None else failure.layer
            return self._move(BreakerState.OPEN)
        self._good_probes += 1
        if self._good_probes < self._settings.probes_to_close:
            return self._move(BreakerState.OPEN)
        self._begin(now)
        self._trial_until = now + self._trial_seconds
        return self._move(BreakerState.CLOSED)

    def _is_down(self, now: float) -> bool:
        """Weigh shares, and silence: in a hang the answers from before outnumber the few time-outs for long."""
        fewest = self._settings.trial_failures if now < self._trial_until else self._settings.failures
        every, down = self._all.total(now), self._down.total(now)
        if down >= fewest and now - self._last_alive >= self._settings.silence_seconds:
            return True
        if every < self._settings.sample:
            oldest = now - self._settings.sample_age_seconds
            weighed = [was_down for at, was_down in self._recent if at >= oldest]
            every, down = len(weighed), sum(weighed)
        return down >= fewest and down >= self._settings.share * every

    def _open(self, failure: Failure | None, now: float) -> BreakerChange | None:
        self._begin(now)
        self._layer = Layer.SYSTEM if failure is None else failure.layer
        self._next_probe = now + self._settings.probe_seconds
        return self._move(BreakerState.OPEN)

    def _begin(self, now: float) -> None:
        """Start an era: permits and counts of the one before say nothing about this one."""
        self._era += 1
        self._since = now
        self._probing = False
        self._good_probes = 0
        self._last_alive = now
        self._all.clear()
        self._down.clear()
        self._recent.clear()

    def _move(self, new: BreakerState) -> BreakerChange | None:
        if new is self._state:
            return None
        change = BreakerChange(self._state, new)
        self._state = new
        return change
