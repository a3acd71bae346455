"""Between rows and values: what a delivery's row says, as the policy and the gateway's callers see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from contracts.model import Acted, AgencyCode, DeliveryState, DossierCode, ProcedureCode, Purpose
from gateway.delivery import flows
from gateway.delivery.policy import History
from gateway.delivery.values import Delivery, Saying
from gateway.security.sealing import Place
from gateway.store.tables.instant import MICROS
from gateway.store.times import from_micros, maybe_moment

if TYPE_CHECKING:
    from contracts.model import Failure
    from gateway.security.sealing import Seal
    from gateway.store.engine import Value
    from gateway.store.tables.deliveries import DeliveryRow

DECIDED: Final = "decided"
"""Stands where else stands what a person is asked for: one has answered, and nobody has gone on from there yet."""
_SAYING = TypeAdapter(Saying)


def place(column: str, delivery: str) -> Place:
    """Return where a sealed value of a delivery stands."""
    return Place("delivery", column, delivery)


def micros(seconds: float) -> int:
    """Return a duration as the store counts it."""
    return int(seconds * MICROS)


def view(row: DeliveryRow, seal: Seal) -> Delivery:
    """Return what callers see of a row, with its result opened."""
    return Delivery(
        number=row.number,
        id=row.id,
        system=row.system,
        operation=row.operation,
        lane=row.lane,
        position=row.position,
        client=row.client,
        agency=AgencyCode(row.agency),
        officer=row.officer,
        procedure=ProcedureCode(row.procedure),
        dossier=None if row.dossier is None else DossierCode(row.dossier),
        accepted_at=from_micros(row.accepted_at),
        legal_due_at=maybe_moment(row.legal_due_at),
        state=DeliveryState(row.state),
        next_at=maybe_moment(row.next_at),
        attempts=row.attempts,
        may_have_acted=acted(row),
        trail=flows.read(row.trail),
        kind=row.kind,
        layer=row.layer,
        reason=row.reason,
        code=row.code,
        why=row.why if row.state == DeliveryState.NEEDS_PERSON else None,
        decided=row.state == DeliveryState.WAITING and row.why == DECIDED,
        replaces=row.replaces,
        superseded_by=row.superseded_by,
        settled_at=maybe_moment(row.settled_at),
        result=None if row.result is None else seal.open(row.result, place("result", row.id)),
        said=None if row.said is None else _SAYING.validate_json(seal.open(row.said, place("said", row.id))),
    )


def purpose(row: DeliveryRow) -> Purpose:
    """Return why the write was asked for, and by whom."""
    return Purpose(
        agency=AgencyCode(row.agency),
        procedure=ProcedureCode(row.procedure),
        officer=row.officer,
        dossier=None if row.dossier is None else DossierCode(row.dossier),
    )


def said(failure: Failure, delivery: str, seal: Seal) -> bytes | None:
    """Return what is to be kept, sealed, of what the partner said of a failure; `None` if that was nothing."""
    if not failure.partner_text and not failure.fields:
        return None
    saying = Saying(text=failure.partner_text, fields=failure.fields)
    return seal.seal(_SAYING.dump_json(saying), place("said", delivery))


def acted(row: DeliveryRow) -> Acted:
    """Return whether anything of a delivery may have taken effect: the step that stands next, or one before it."""
    turns = flows.read(row.trail)
    if any(turn.ending == flows.DONE for turn in turns):
        return Acted.YES
    known = Acted(row.may_have_acted)
    return Acted.MAYBE if turns and known is Acted.NO else known


def history(row: DeliveryRow, reached: int) -> History:
    """Return what the policy has to know of a row; `reached` is the system's reachable time in all."""
    return History(
        acted=Acted(row.may_have_acted),
        tries=row.tries,
        absent=row.absent,
        unclear=row.unclear,
        said_done=bool(row.said_done),
        credential_refused=bool(row.credential_refused),
        used=max(0, reached - row.reach_mark) / MICROS,
    )


def columns(known: History) -> dict[str, Value]:
    """Return the columns that hold what the policy has to know."""
    return {
        "may_have_acted": known.acted.value,
        "tries": known.tries,
        "absent": known.absent,
        "unclear": known.unclear,
        "said_done": int(known.said_done),
        "credential_refused": int(known.credential_refused),
    }
