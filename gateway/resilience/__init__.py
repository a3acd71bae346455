"""Resilience: one pipeline per system, made of small parts whose decisions are values.

Per call: deadline, retry. Per attempt: stop switch, breaker permit, rate token, bulkhead slot, credential, audit and
attempt rows, operation. `pipeline.py` shows how the parts fit; each part is tested without the others.
"""

from gateway.resilience.breaker import BreakerState
from gateway.resilience.deadline import Deadline
from gateway.resilience.observer import NullObserver, Observer
from gateway.resilience.outcome import AttemptRecord, Outcome
from gateway.resilience.pipeline import Pipeline
from gateway.resilience.ports import (
    AttemptLog,
    AttemptResult,
    Call,
    CallOutcome,
    Credential,
    Credentials,
    Ending,
    Paused,
    StopSwitch,
    StoreUnavailable,
)
from gateway.resilience.settings import PolicySettings
from gateway.resilience.state import HeldCredential, PipelineState

__all__ = [
    "AttemptLog",
    "AttemptRecord",
    "AttemptResult",
    "BreakerState",
    "Call",
    "CallOutcome",
    "Credential",
    "Credentials",
    "Deadline",
    "Ending",
    "HeldCredential",
    "NullObserver",
    "Observer",
    "Outcome",
    "Paused",
    "Pipeline",
    "PipelineState",
    "PolicySettings",
    "StopSwitch",
    "StoreUnavailable",
]
