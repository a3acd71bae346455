"""What deliveries are spoken of with: what is handed in, what comes back, and what a system has to offer.

Nothing here has behaviour beyond telling one value from another. Payloads and results are bytes: what they mean is
known to whoever gives a `Write`, and nothing here looks into them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias

from contracts.model import FINAL, Acted, DeliveryState, WrongField
from gateway.resilience.ports import C

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from contracts.model import (
        AgencyCode,
        DossierCode,
        Exchange,
        LookupAnswer,
        Operation,
        ProcedureCode,
        Purpose,
    )
    from gateway.delivery.flows import Flow, Trail
    from gateway.delivery.settings import DeliverySettings
    from gateway.resilience import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierRef:
    """The dossier that a write is about. Each of `codes` names it, and all of them lead to one lane.

    `agencies` are those that the client acts for: a dossier of any other does not exist for it. `revision` counts the
    client's whole contents; one that is older than the newest accepted is refused. `sent_as` is the code under which
    the write goes out, `None` if under none.
    """

    codes: tuple[DossierCode, ...]
    agencies: frozenset[AgencyCode]
    revision: int | None = None
    sent_as: DossierCode | None = None

    def __post_init__(self) -> None:
        if not self.codes:
            raise ValueError("a dossier has a code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A write that is to be accepted. `method`, `resource` and `key` are those of the client's request.

    `body` is the canonical form of what the client sent; only a keyed hash of it is kept. `lane` is what the
    operation's declaration says of the request; with a `dossier` it is the dossier's, whatever is said here. `topic` is
    set for a full-state write: what it says all about, in a word that is the same under every code of the dossier.
    """

    client: str
    method: str
    resource: str
    key: str
    body: bytes = field(repr=False)
    operation: Operation
    lane: str
    payload: bytes = field(repr=False)
    purpose: Purpose
    subject: str = field(default="", repr=False)
    topic: str | None = None
    legal_due_at: datetime | None = None
    dossier: DossierRef | None = None

    def __post_init__(self) -> None:
        if self.dossier is not None and self.purpose.dossier not in self.dossier.codes:
            raise ValueError("a write about a dossier is made for that dossier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What the partner said of a failure, verbatim, and the fields that it or the adapter found wrong.

    It may name a person: it is sealed where it is stored, and goes to the caller only.
    """

    text: str | None = field(repr=False)
    fields: tuple[WrongField, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An accepted write as it stands. `number` is the order of acceptance, `lane` counts places inside one lane.

    `kind`, `layer`, `reason`, `code` and `said` are those of the last failure. `why` says what a person is asked for.
    `trail` are the steps that are over, of a write that takes several exchanges. `decided`: a person has said that the
    step in doubt took effect, and it is still to be seen whether anything is left.
    """

    number: int
    id: str
    system: str
    operation: str
    lane: int
    position: int
    client: str
    agency: AgencyCode
    officer: str
    procedure: ProcedureCode
    dossier: DossierCode | None
    accepted_at: datetime
    legal_due_at: datetime | None
    state: DeliveryState
    next_at: datetime | None
    attempts: int
    may_have_acted: Acted
    trail: Trail
    kind: str | None
    layer: str | None
    reason: str | None
    code: str | None
    why: str | None
    decided: bool
    replaces: str | None
    superseded_by: str | None
    settled_at: datetime | None
    result: bytes | None = field(repr=False)
    said: Saying | None = field(repr=False)

    @property
    def final(self) -> bool:
        """Whether nothing happens any more by itself."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class Accepted:
    """The write is ours now. `new` is false if this key had been used for it before."""

    delivery: Delivery
    new: bool


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key was used before, for something else."""

    delivery: str


@dataclass(frozen=True, slots=True)
class BacklogFull:
    """The agency has as many open deliveries as it may have."""

    limit: int


@dataclass(frozen=True, slots=True)
class OtherDossiers:
    """The codes belong to more than one dossier, each with a lane of its own already. Nothing was stored."""


@dataclass(frozen=True, slots=True)
class ForeignDossier:
    """A code belongs to a dossier of an agency that the client does not act for. Nothing was stored."""


@dataclass(frozen=True, slots=True)
class RevisionOlder:
    """A newer content, of revision `last`, has been accepted. Nothing was stored."""

    last: int


@dataclass(frozen=True, slots=True)
class SentAs:
    """The system may have the dossier under this code already: under another it would be a second one there.

    Nothing was stored; it can be handed in again to go out as `code`.
    """

    code: DossierCode


DossierRefusal: TypeAlias = OtherDossiers | ForeignDossier | RevisionOlder | SentAs


@dataclass(frozen=True, slots=True)
class Changed:
    """A person's word was heard, and this is how the delivery stands."""

    delivery: Delivery


class Refusal(StrEnum):
    """Why a person's word cannot be followed."""

    NO_SUCH_DELIVERY = "no_such_delivery"
    FINAL = "final"
    """It has come to its end."""
    NOT_FINAL = "not_final"
    """It goes on by itself; there is nothing to say about it yet."""
    IN_FLIGHT = "in_flight"
    """An attempt is under way, or was when a process died."""
    MAY_HAVE_ACTED = "may_have_acted"
    """The partner may have acted: it has to be resolved with evidence."""
    OVERTAKEN = "overtaken"
    """A newer write of the same lane has taken effect."""
    CORRECTED = "corrected"
    """Another delivery has taken its place."""
    OTHER_REQUEST = "other_request"
    """The correction is another operation, another agency's, or of another lane."""
    BODY_GONE = "body_gone"
    """What was to be sent has been kept long enough and is deleted: it can be handed in again, not replayed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A person's word cannot be followed; nothing was changed."""

    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person says about a delivery: who, why, and on what evidence."""

    by: str
    why: str
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a person has decided about a delivery. `what` is a verb such as `replay` or `resolve.done`."""

    at: datetime
    by: str
    what: str
    why: str
    evidence: str | None


class Resolution(StrEnum):
    """What a person has found out about a delivery of which nobody knew."""

    DONE = "done"
    """It took effect."""
    NOT_DONE = "not_done"
    """It did not, and it is not wanted any more."""
    SEND_AGAIN = "send_again"
    """It did not, and it is to be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be sent, or looked up. `key` stays the same however often it is sent.

    `step` is which exchange of a write that takes several, else the operation's name.
    """

    delivery: str
    step: str
    key: str
    purpose: Purpose
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up found: its answer and, where it gave one, the result that the send would have had."""

    answer: LookupAnswer
    result: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write(Generic[C]):
    """One operation that can be delivered: its declaration, and one exchange for each thing that can be done with it.

    Each makes one exchange with the credential it is given and returns its result, or raises one `Failure`. A write
    that takes several has a `flow`; its result is that of the last exchange that gave one.
    """

    operation: Operation
    send: Callable[[C, Exchange, Order], Awaitable[bytes | None]]
    look_up: Callable[[C, Exchange, Order], Awaitable[Found]] | None = None
    flow: Flow | None = None

    def __post_init__(self) -> None:
        if (self.operation.lookup is None) != (self.look_up is None):
            raise ValueError(f"{self.operation}: declares a look-up and has none, or the other way round")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet(Generic[C]):
    """A system that deliveries go to: its pipeline and its writes by name.

    `fingerprint` tells which credential an agency would be sent with now, `None` if none. `settings` are those of this
    system alone, where it has any.
    """

    pipeline: Pipeline[C]
    writes: Mapping[str, Write[C]]
    fingerprint: Callable[[AgencyCode], str | None]
    settings: DeliverySettings | None = None

    @property
    def system(self) -> str:
        """The system's name."""
        return self.pipeline.system


class Told(Protocol):
    """Told of every change of a delivery's state that this process makes."""

    def __call__(self, delivery: str, state: DeliveryState, /) -> None:
        """Take note that the delivery is in this state now. Must neither block nor raise."""
