"""The one failure tree. What decides the kind is what the caller may safely do next, not the HTTP status.

    Failure
    ├── NotSent             nothing left us: DNS, connect, TLS, breaker, pause, local limit
    ├── InvalidRequest      ours breaks the schema or a rule; every wrong field is named
    ├── CredentialRefused   our token, certificate, signature or account
    ├── CallerRefused       officer not mapped, procedure not licensed, purpose, OTP
    ├── Busy                asked to come back later; the wait is shared by all callers
    ├── UnknownOutcome      sent, and no answer that can be recognised as the partner's
    ├── PlatformFailed      the exchange platform, on the side near to us or far from us
    ├── SystemFailed        the partner's own server error
    ├── Rejected            a business error in a recognised envelope
    ├── AlreadyDone         a duplicate: "already received"
    └── ContractBroken      the envelope is recognised, its content is wrong

An adapter raises exactly one of them for each exchange that did not give a result. Foreign exceptions become one of
them in `adapters.transport`, and nowhere else. "No match" is an answer, not a failure.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - what is stored is read back by the types of its fields
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from contracts.model.operation import Operation


class Kind(StrEnum):
    """What a failure means for whoever has to act next."""

    NOT_SENT = "not_sent"
    INVALID_REQUEST = "invalid_request"
    CREDENTIAL_REFUSED = "credential_refused"
    CALLER_REFUSED = "caller_refused"
    BUSY = "busy"
    UNKNOWN_OUTCOME = "unknown_outcome"
    PLATFORM_FAILED = "platform_failed"
    SYSTEM_FAILED = "system_failed"
    REJECTED = "rejected"
    ALREADY_DONE = "already_done"
    CONTRACT_BROKEN = "contract_broken"


class Layer(StrEnum):
    """Where on the way the failure arose, and thereby whose it is."""

    OURS = "ours"
    NETWORK = "network"
    PLATFORM_NEAR = "platform_near"
    PLATFORM_FAR = "platform_far"
    SYSTEM = "system"
    BUSINESS = "business"


class Acted(StrEnum):
    """Whether the partner may have acted on the request."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class WrongField:
    """One wrong field. `path` is a JSON pointer into what the caller sent, or an element path of a partner's answer.

    `reason` is a key of the catalogue's `field` table and `values` fill its placeholders; the offending value itself
    is never among them.
    """

    path: str
    reason: str
    values: Mapping[str, str | int] = field(default_factory=dict)


class Failure(Exception):
    """One exchange, or one call, did not give a result.

    `reason` is a stable slug; the catalogue in `contracts.texts` has a sentence for each. `code` and `partner_text` are
    the partner's own, verbatim. The text may name a person: it goes to the caller and never to a log or a metric.
    `note` is one English fact for an engineer, free of personal data. `retry_after` is in seconds.
    """

    kind: ClassVar[Kind]
    default_acted: ClassVar[Acted]

    def __init__(
        self,
        reason: str,
        *,
        operation: Operation,
        layer: Layer,
        may_have_acted: Acted | None = None,
        code: str | None = None,
        partner_text: str | None = None,
        note: str | None = None,
        retry_after: float | None = None,
        fields: tuple[WrongField, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.operation = operation
        self.layer = layer
        self.may_have_acted = self.default_acted if may_have_acted is None else may_have_acted
        self.code = code
        self.partner_text = partner_text
        self.note = note
        self.retry_after = retry_after
        self.fields = fields

    def __str__(self) -> str:
        return f"{self.operation}: {self.kind} at {self.layer}: {self.reason} (may have acted: {self.may_have_acted})"


class NotSent(Failure):
    """Nothing left us: DNS, connect, TLS, breaker open, paused, local limit."""

    kind = Kind.NOT_SENT
    default_acted = Acted.NO


class InvalidRequest(Failure):
    """Our request fails the schema or a rule; `fields` names every wrong one."""

    kind = Kind.INVALID_REQUEST
    default_acted = Acted.NO


class CredentialRefused(Failure):
    """The partner refuses our token, certificate, signature or account."""

    kind = Kind.CREDENTIAL_REFUSED
    default_acted = Acted.NO


class CallerRefused(Failure):
    """The person or purpose is refused: officer not mapped, procedure not licensed, OTP."""

    kind = Kind.CALLER_REFUSED
    default_acted = Acted.NO


class Busy(Failure):
    """The partner asks to come back later: 429, 503 with a wait, quota."""

    kind = Kind.BUSY
    default_acted = Acted.NO


class UnknownOutcome(Failure):
    """Sent, but no answer that can be recognised as the partner's: nobody knows whether it acted."""

    kind = Kind.UNKNOWN_OUTCOME
    default_acted = Acted.MAYBE


class PlatformFailed(Failure):
    """The exchange platform failed, on the side near to us or far from us."""

    kind = Kind.PLATFORM_FAILED
    default_acted = Acted.MAYBE


class SystemFailed(Failure):
    """The partner's own server error."""

    kind = Kind.SYSTEM_FAILED
    default_acted = Acted.MAYBE


class Rejected(Failure):
    """A business error in a recognised envelope, whatever the HTTP status."""

    kind = Kind.REJECTED
    default_acted = Acted.NO


class AlreadyDone(Failure):
    """The partner says that it has received this before."""

    kind = Kind.ALREADY_DONE
    default_acted = Acted.YES


class ContractBroken(Failure):
    """The envelope is recognised, its content is wrong: schema, checksum, signature."""

    kind = Kind.CONTRACT_BROKEN
    default_acted = Acted.MAYBE
