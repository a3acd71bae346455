"""Accepting a write, whichever system it is for: the same key, answer and waiting everywhere.

The status speaks of acceptance: 202 while the delivery is open, 200 once it is final, also when it was rejected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from starlette.responses import Response

from contracts import VIETNAM
from contracts.model import DeliveryState
from gateway.api import access, bodies, preferences
from gateway.api.delivery_views import delivery_view, refused
from gateway.api.problems import Refused
from gateway.api.schemas.deliveries import WriteV1
from gateway.delivery import (
    Accepted,
    BacklogFull,
    Delivery,
    ForeignDossier,
    KeyReused,
    OtherDossiers,
    RevisionOlder,
    SentAs,
    Submission,
    Word,
)
from gateway.delivery import Refused as NotHeard
from gateway.resilience import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from contracts.model import DossierCode, WrongField
    from gateway.delivery import DossierRef, DossierRefusal
    from gateway.runtime import Gateway
    from gateway.security import Identity, Scope
    from gateway.systems import Draft

W = TypeVar("W", bound=WriteV1)

_KEY = re.compile(r"[!-~]{1,200}")
_SOON, _LATE = 1, 300
"""Seconds: the least and the longest wait that a caller is advised."""
_BACKLOG_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing(Generic[W]):
    """One admitted write: parsed, allowed and counted, but not yet stored."""

    gateway: Gateway
    request: Request
    identity: Identity
    key: str
    body: W

    @classmethod
    async def read(
        cls,
        request: Request,
        scope: Scope,
        schema: type[W],
        *,
        context: object = None,
        wrong: tuple[WrongField, ...] = (),
    ) -> Self:
        """Return the write in `request`; `context` and `wrong` are as for its body. Raises `Refused`."""
        gateway: Gateway = request.app.state.gateway
        identity = access.identify(gateway, request, scope)
        keys = request.headers.getlist("idempotency-key")
        if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
            raise Refused("idempotency_key")
        body = await bodies.read(request, schema, context=context, wrong=wrong)
        access.admit(gateway, identity, scope, body.purpose.agency, body.purpose.officer)
        return cls(gateway=gateway, request=request, identity=identity, key=keys[0], body=body)

    async def deliver(self, draft: Draft) -> Response:
        """Store it, wait for its end as long as the caller wants, and answer. Raises `Refused`."""
        return await self._answered(self._taken(await self._handed_in(self.submission(draft))))

    async def deliver_dossier(self, draft: Callable[[DossierCode], Draft], ref: DossierRef) -> Response:
        """Do the same with a write about a dossier: it goes out as `ref` says, or as the dossier did before."""
        assert ref.sent_as is not None  # noqa: S101 - what goes out, goes out under a code
        done = await self._handed_in(self.submission(draft(ref.sent_as), ref))
        if isinstance(done, SentAs):
            done = await self._handed_in(self.submission(draft(done.code), replace(ref, sent_as=done.code)))
        return await self._answered(self._taken(done))

    async def repeated(self, submission: Submission) -> Response | None:
        """Answer what was handed in before under the same key; `None` if nothing was. Raises `Refused`."""
        found = await self.gateway.deliveries.repeated(submission)
        if isinstance(found, KeyReused):
            raise Refused("key_reused")
        return None if found is None else await self._answered(found)

    def submission(self, draft: Draft, dossier: DossierRef | None = None) -> Submission:
        """Return the write as it is handed to deliveries."""
        subjects, person = self.gateway.subjects, draft.person
        return Submission(
            client=self.identity.client.name,
            method=self.request.method,
            resource=self.request.url.path,
            key=self.key,
            body=self.body.model_dump_json().encode(),
            operation=draft.operation,
            lane=draft.lane,
            payload=draft.payload,
            purpose=self.body.purpose.to_model(),
            subject="" if person is None else subjects.subject(person),
            topic=draft.topic,
            legal_due_at=self.body.legal_due_at,
            dossier=dossier,
        )

    async def _answered(self, accepted: Accepted) -> Response:
        delivery, wanted = accepted.delivery, preferences.wait(self.request.headers)
        headers = {"Cache-Control": "no-store", "Location": f"/v1/deliveries/{delivery.id}"}
        if wanted is not None:
            wait = min(float(wanted), self.gateway.settings.server.max_wait_seconds)
            until = self.gateway.monotonic() + wait
            delivery = await self._awaited(delivery, wait)
            if _at_rest(delivery) or self.gateway.monotonic() >= until:  # else it was cut short: we stop, or the store
                headers["Preference-Applied"] = f"wait={wait:g}"
        if not delivery.final:
            headers["Retry-After"] = str(_worth_looking(delivery, datetime.now(VIETNAM)))
        view = delivery_view(delivery, preferences.language(self.request.headers))
        status = 200 if delivery.final else 202
        return Response(view.model_dump_json(), status_code=status, media_type="application/json", headers=headers)

    async def _awaited(self, delivery: Delivery, seconds: float) -> Delivery:
        """Return how it stands after waiting. It is ours already: a store that goes away now unsays nothing."""
        try:
            return await self.gateway.deliveries.wait(delivery.id, seconds) or delivery
        except StoreUnavailable:
            return delivery

    def _taken(self, done: Accepted | KeyReused | BacklogFull | DossierRefusal | NotHeard) -> Accepted:
        """Return what was accepted. Raises `Refused`."""
        match done:
            case Accepted():
                return done
            case KeyReused():
                raise Refused("key_reused")
            case BacklogFull():
                raise Refused("backlog_full", retry_after=_BACKLOG_SECONDS)
            case ForeignDossier():
                raise Refused("no_such_dossier")
            case OtherDossiers() | SentAs():  # two codes at once as that under which it goes out
                raise Refused("dossier_codes_differ")
            case RevisionOlder():
                raise Refused("revision_older")
            case NotHeard():
                raise refused(done)

    async def _handed_in(
        self, submission: Submission
    ) -> Accepted | KeyReused | BacklogFull | DossierRefusal | NotHeard:
        corrects, deliveries = self.body.corrects, self.gateway.deliveries
        if corrects is None:
            return await deliveries.accept(submission)
        old = await deliveries.get(corrects.delivery)
        if old is None or not self.identity.acts_for(old.agency):
            raise Refused("delivery_unknown")
        word = Word(by=access.person(self.identity, self.body.purpose.officer), why=corrects.why)
        return await deliveries.correct(corrects.delivery, submission, word)


def _at_rest(delivery: Delivery) -> bool:
    """Return whether nothing more happens to it by itself."""
    return delivery.final or delivery.state is DeliveryState.NEEDS_PERSON


def _worth_looking(delivery: Delivery, now: datetime) -> int:
    """Return after how many seconds something may have changed."""
    if _at_rest(delivery):  # a person takes their time
        return _LATE
    if delivery.next_at is None:
        return _SOON
    return max(_SOON, min(_LATE, round((delivery.next_at - now).total_seconds())))
