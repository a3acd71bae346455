"""What operations ask of the process itself."""

from __future__ import annotations

from gateway.api.description.words import JSON, plain

HEALTHZ = plain("healthz", "The process answers", JSON, {"status": "ok"})
READYZ = plain("readyz", "Calls are accepted; no partner is asked", JSON, {"status": "ready"}, unready=True)
METRICS = plain(
    "metrics", "Metrics in Prometheus' text format", "text/plain", 'lienthong_breaker_state{system="population"} 0'
)
