"""One exchange with a partner, and the evidence it leaves.

`Exchange` is handed down by whoever makes the attempt; the transport and the adapter note on it what they see. What is
noted never identifies a person, so `Evidence` may be stored, counted and shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from contracts.model.failure import Failure
    from contracts.model.operation import Operation


class Phase(StrEnum):
    """The phases of an exchange, in order."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    SEND = "send"
    FIRST_BYTE = "first_byte"
    READ = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one attempt left behind, free of personal data. Times are seconds; sizes are bytes on the wire."""

    phases: dict[Phase, float]
    address: str | None
    reused: bool | None
    protocol: str | None
    status: int | None
    content_type: str | None
    request_bytes: int | None
    response_bytes: int | None
    unknown_elements: int
    unknown_names: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One attempt at one operation.

    `request_id` is unique to this attempt and is what the partner gets where its contract has room for one
    (at most 40 characters). `timeout` is the time left for the whole exchange, in seconds. `gate` is asked by the
    transport once, just before the first byte leaves, and says why it may not: a connection can take longer to open
    than a stop switch to be pressed.
    The remaining fields are filled while the exchange runs.
    """

    operation: Operation
    request_id: str
    timeout: float
    gate: Callable[[], Failure | None] | None = None

    phases: dict[Phase, float] = field(default_factory=dict)
    address: str | None = None
    reused: bool | None = None
    protocol: str | None = None
    status: int | None = None
    content_type: str | None = None
    request_bytes: int | None = None
    response_bytes: int | None = None
    unknown_elements: int = 0
    unknown_names: tuple[str, ...] = ()
    """Names of the elements that the adapter does not know, each once and only a few: what the partner added."""

    def evidence(self) -> Evidence:
        """Return what has been noted so far."""
        return Evidence(
            phases=dict(self.phases),
            address=self.address,
            reused=self.reused,
            protocol=self.protocol,
            status=self.status,
            content_type=self.content_type,
            request_bytes=self.request_bytes,
            response_bytes=self.response_bytes,
            unknown_elements=self.unknown_elements,
            unknown_names=self.unknown_names,
        )
