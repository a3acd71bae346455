"""A dossier's timeline in the outer vocabulary: each step with a sentence that can be read out to a citizen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts import texts
from contracts.model.dossier import Dossier, DossierProgress
from gateway.api.delivery_views import next_step
from gateway.api.schemas.dossiers import DossierV1
from gateway.api.schemas.portal import label
from gateway.api.schemas.timeline import Absence, AbsenceV1, StandingV1, StepV1, TimelineV1, ToldStepV1
from gateway.delivery import Asked, Written
from gateway.store import CallState
from gateway.systems.portal import SYSTEM, handed_in

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.texts import Language
    from gateway.delivery import Delivery, DossierView, Timeline


def timeline_view(
    dossier: DossierView, content: Written | None, standing: Delivery | None, page: Timeline, language: Language
) -> TimelineV1:
    """Return a dossier with one page of its steps."""
    whole = None if content is None else _handed_in(content)
    last = whole if isinstance(whole, Dossier) else None
    deciding = standing or (None if content is None else content.delivery)
    return TimelineV1(
        codes=tuple(map(str, dossier.codes)),
        agency=dossier.agency.value,
        revision=dossier.revision,
        dossier=None if last is None else DossierV1.of(last),
        dossier_absent=_absent("nothing_accepted" if content is None else "body_deleted", language)
        if last is None
        else None,
        status=None if last is None else last.status.value,
        status_label=None if last is None else label(last.status, language),
        standing=None if deciding is None else _standing(deciding, language),
        steps=tuple(_step(step, language) for step in page.steps),
        next_cursor=str(page.place) if page.more else None,
    )


def _absent(reason: Absence, language: Language) -> AbsenceV1:
    return AbsenceV1(reason=reason, sentence=texts.text(language, f"timeline.absent.{reason}"))


def _standing(one: Delivery, language: Language) -> StandingV1:
    return StandingV1(
        delivery=one.id, state=one.state.value, sentence=_said(one, language), next=next_step(one, language)
    )


def _step(step: Written | Asked, language: Language) -> StepV1:
    return _written(step, language) if isinstance(step, Written) else _asked(step, language)


def _written(step: Written, language: Language) -> StepV1:
    one, handed = step.delivery, _handed_in(step)
    steps = handed.steps if isinstance(handed, DossierProgress) else ()
    status = handed.status if isinstance(handed, Dossier) else steps[-1].status if steps else None
    return StepV1(
        at=one.accepted_at,
        system=one.system,
        operation=one.operation,
        delivery=one.id,
        correlation_id=None,
        agency=one.agency.value,
        officer=one.officer,
        state=one.state.value,
        final=one.final,
        ended_at=one.settled_at,
        sentence=_said(one, language),
        next=next_step(one, language),
        status=None if status is None else status.value,
        status_label=None if status is None else label(status, language),
        progress=tuple(ToldStepV1.of(each, status_label=label(each.status, language)) for each in steps) or None,
    )


def _asked(step: Asked, language: Language) -> StepV1:
    call = step.call
    return StepV1(
        at=call.asked_at,
        system=call.system,
        operation=call.operation,
        delivery=None,
        correlation_id=call.call_id,
        agency=call.agency,
        officer=call.officer,
        state=call.state.value,
        final=call.state is not CallState.OPEN,
        ended_at=call.finished_at,
        sentence=_sentence(language, "read", call.system, call.operation, call.state.value, call.asked_at),
        next=None,
        status=None,
        status_label=None,
        progress=None,
    )


def _handed_in(step: Written) -> Dossier | DossierProgress | None:
    """Return what was handed in for the portal, as far as it is still kept."""
    if step.payload is None or step.delivery.system != SYSTEM:
        return None
    return handed_in(step.delivery.operation, step.payload)


def _said(one: Delivery, language: Language) -> str:
    when = one.settled_at or one.accepted_at
    state = "decided" if one.decided else one.state.value
    return _sentence(language, "write", one.system, one.operation, state, when)


def _sentence(  # noqa: PLR0917 - what a sentence is made of
    language: Language, otherwise: str, system: str, operation: str, state: str, when: datetime
) -> str:
    """Return what happened, by the sentence of this operation; where it has none, by that of its sort."""
    key = f"timeline.{system}.{operation}.{state}"
    if key not in texts.catalogue(language):
        key = f"timeline.{otherwise}.{state}"
    said = texts.text(language, key, system=texts.system_name(language, system), when=texts.moment(language, when))
    return said[:1].upper() + said[1:]
