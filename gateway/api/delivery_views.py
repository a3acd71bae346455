"""Deliveries in the outer vocabulary, and why a person's word about one cannot be followed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from contracts import texts
from contracts.model import DeliveryState, Effect, Failure, Kind, Layer, Operation, Repeat
from gateway.api.problems import Refused, wrong_fields_view
from gateway.api.schemas.deliveries import (
    DeliveryAttemptV1,
    DeliveryDetailV1,
    DeliveryFailureV1,
    DeliveryV1,
    RulingV1,
)
from gateway.delivery import DONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contracts.texts import Language
    from gateway.delivery import Delivery, Ruling
    from gateway.delivery import Refused as NotHeard
    from gateway.store import AttemptEntry

_FAILURES = {one.kind: one for one in Failure.__subclasses__()}


def delivery_view(delivery: Delivery, language: Language) -> DeliveryV1:
    """Return a delivery as callers see it."""
    return DeliveryV1.model_validate(_fields(delivery, language))


def detail_view(
    delivery: Delivery, attempts: Sequence[AttemptEntry], rulings: Sequence[Ruling], language: Language
) -> DeliveryDetailV1:
    """Return a delivery with everything that was tried and decided."""
    tried = tuple(_attempt(one) for one in attempts)
    decided = tuple(
        RulingV1(at=one.at, by=one.by, what=one.what, why=one.why, evidence=one.evidence) for one in rulings
    )
    return DeliveryDetailV1.model_validate({**_fields(delivery, language), "tried": tried, "decided": decided})


def next_step(delivery: Delivery, language: Language) -> str | None:
    """Return what has to be done about a delivery now; `None` if nothing."""
    return _next(delivery, _failure(delivery), language)


def refused(not_heard: NotHeard) -> Refused:
    """Return the refusal that a caller is told."""
    return Refused(f"delivery_{not_heard.refusal}")


def _fields(one: Delivery, language: Language) -> dict[str, object]:
    failure = _failure(one)
    return {
        "id": one.id,
        "system": one.system,
        "operation": one.operation,
        "state": one.state.value,
        "final": one.final,
        "summary": _summary(one, language),
        "next": _next(one, failure, language),
        "agency": one.agency.value,
        "officer": one.officer,
        "procedure": one.procedure.value,
        "dossier": None if one.dossier is None else one.dossier.value,
        "accepted_at": one.accepted_at,
        "legal_due_at": one.legal_due_at,
        "next_attempt_at": one.next_at,
        "settled_at": one.settled_at,
        "attempts": one.attempts,
        "may_have_acted": one.may_have_acted.value,
        "steps": [{"name": turn.step, "ending": turn.ending} for turn in one.trail],
        "failure": None if failure is None else _told(failure, language),
        "asks": one.why,
        "replaces": one.replaces,
        "superseded_by": one.superseded_by,
        "result": None if one.result is None else json.loads(one.result),
    }


def _failure(one: Delivery) -> Failure | None:
    """Return the last failure. Of its operation only the name counts here."""
    if one.kind is None or one.reason is None or one.layer is None:
        return None
    text, fields = (None, ()) if one.said is None else (one.said.text, one.said.fields)
    operation = Operation(system=one.system, name=one.operation, effect=Effect.READ, repeat=Repeat.SAFE)
    return _FAILURES[Kind(one.kind)](
        one.reason, operation=operation, layer=Layer(one.layer), code=one.code, partner_text=text, fields=fields
    )


def _told(failure: Failure, language: Language) -> DeliveryFailureV1:
    return DeliveryFailureV1(
        kind=failure.kind,
        layer=failure.layer,
        reason=failure.reason,
        code=failure.code,
        party=texts.party(language, failure),
        summary=texts.sentence(language, failure),
        text=failure.partner_text,
        errors=wrong_fields_view(language, failure.fields),
    )


def _summary(one: Delivery, language: Language) -> str:
    key = f"delivery.{one.state}.what"
    if one.state is DeliveryState.NEEDS_PERSON:
        key = f"delivery.{one.state}.{one.why}.what"
        if key not in texts.catalogue(language):
            key = f"delivery.{one.state}.other.what"
    elif one.decided:
        key = "delivery.decided.what"
    elif one.state is DeliveryState.WAITING and any(turn.ending == DONE for turn in one.trail):
        key = "delivery.partly_done.what"
    said = texts.text(language, key, system=texts.system_name(language, one.system))
    return said[:1].upper() + said[1:]


def _next(one: Delivery, failure: Failure | None, language: Language) -> str | None:
    if one.state is DeliveryState.REJECTED and failure is not None:
        return texts.next_step(language, failure)
    key = f"delivery.{one.state}.next"
    if one.state is DeliveryState.NEEDS_PERSON:
        key = f"delivery.{one.state}.{one.why}.next"
        if key not in texts.catalogue(language):
            key = f"delivery.{one.state}.other.next"
    if key not in texts.catalogue(language):
        return None
    return texts.text(language, key, system=texts.system_name(language, one.system))


def _attempt(one: AttemptEntry) -> DeliveryAttemptV1:
    return DeliveryAttemptV1.model_validate(
        {
            "ordinal": one.ordinal,
            "purpose": one.purpose,
            "step": one.step,
            "request_id": one.request_id,
            "at": one.opened_at,
            "seconds": one.seconds,
            "state": one.state.value,
            "kind": one.kind,
            "layer": one.layer,
            "reason": one.reason,
            "may_have_acted": one.may_have_acted,
        }
    )
