"""Dossiers, as deliveries know them: which one a write belongs to by its codes, and what has been done about one.

Each write about a dossier is in the one lane of that dossier, whichever code it names. Codes of two dossiers are never
made one: each may have something under way, and no order between the two lanes can be made up afterwards.
"""

from __future__ import annotations

import heapq
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from contracts.model import AgencyCode, DossierCode
from gateway.delivery import rows
from gateway.delivery.values import ForeignDossier, OtherDossiers, RevisionOlder, SentAs
from gateway.store.tables import audit, deliveries, dossiers
from gateway.store.times import from_micros

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from gateway.delivery.values import Delivery, DossierRef, DossierRefusal
    from gateway.security.sealing import Seal
    from gateway.store import AuditEntry
    from gateway.store.engine import Engine, Transaction
    from gateway.store.tables.deliveries import DeliveryRow

MOST = 100
"""Steps in one page of a timeline."""
_MARK = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierView:
    """A dossier of which something was handed in here. `codes` are in the order in which they became known.

    `agency` is that of whoever handed it in first. `revision` is the newest accepted, `None` if none was ever told.
    `sent_as` is the code under which it goes out. `known` names the systems that know it: something about it was
    settled there, or the whole of it is on its way.
    """

    id: str
    codes: tuple[DossierCode, ...]
    agency: AgencyCode
    revision: int | None
    made_at: datetime
    sent_as: DossierCode | None
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a dossier's timeline, behind which to go on."""

    deliveries: int = 0
    calls: int = 0

    def __str__(self) -> str:
        return f"{self.deliveries}.{self.calls}"

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Return the place that `str` made a text of. Raises `ValueError`."""
        found = _MARK.fullmatch(text)
        if found is None:
            raise ValueError("not a place in a timeline")
        return cls(int(found[1]), int(found[2]))


START = Mark()


@dataclass(frozen=True, slots=True)
class Written:
    """A delivery about the dossier. `payload` is what was handed in; `None` once it is not kept any more."""

    delivery: Delivery
    payload: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that named the dossier: something was read, and nothing changed."""

    call: AuditEntry


TimelineStep: TypeAlias = Written | Asked


@dataclass(frozen=True, slots=True)
class Timeline:
    """Steps from the oldest on, and the place behind them; `more`: there are others behind it."""

    steps: tuple[TimelineStep, ...]
    place: Mark
    more: bool


async def place(ref: DossierRef, system: str, agency: AgencyCode, new: str, tx: Transaction) -> str | DossierRefusal:
    """Return the dossier of a write, which is its lane's name. It is made, as `new`, if no code of it is known.

    Its codes and the dossier stay locked; what is refused has to be undone.
    """
    found = {await dossiers.claim(code, new, tx) for code in sorted({code.value for code in ref.codes})}
    there = found - {new}
    mine = {one.value for one in ref.agencies}
    sent_as = None if ref.sent_as is None else ref.sent_as.value
    if not there:
        await dossiers.insert(new, agency.value, ref.revision, sent_as, tx)
        return new
    if len(there) > 1:
        return OtherDossiers() if await dossiers.agencies(there, tx) <= mine else ForeignDossier()
    (one,) = there
    if new in found:
        await dossiers.join(new, one, tx)
    row = await dossiers.revise(one, ref.revision, tx)
    if row.agency not in mine:
        return ForeignDossier()
    if ref.revision is not None and row.revision is not None and row.revision > ref.revision:
        return RevisionOlder(row.revision)
    if sent_as is not None and row.sent_as != sent_as:
        if row.sent_as is not None and await deliveries.may_be_at(system, await dossiers.codes(one, tx), tx):
            return SentAs(DossierCode(row.sent_as))
        await dossiers.send_as(one, sent_as, tx)
    return one


async def find(code: DossierCode, agencies: Collection[AgencyCode] | None, engine: Engine) -> DossierView | None:
    """Return the dossier that a code belongs to, if it is of these agencies."""

    async def query(tx: Transaction) -> DossierView | None:
        row = await dossiers.find(code.value, tx)
        if row is None or (agencies is not None and AgencyCode(row.agency) not in agencies):
            return None
        codes = await dossiers.codes(row.id, tx)
        return DossierView(
            id=row.id,
            codes=tuple(map(DossierCode, codes)),
            agency=AgencyCode(row.agency),
            revision=row.revision,
            made_at=from_micros(row.made_at),
            sent_as=None if row.sent_as is None else DossierCode(row.sent_as),
            known=frozenset(await deliveries.systems_knowing(codes, tx)),
        )

    return await engine.read(query)


async def content(
    dossier: str, system: str, agencies: Collection[AgencyCode] | None, engine: Engine, seal: Seal
) -> Written | None:
    """Return the delivery that says all about the dossier and comes last in its lane; none that was taken back."""

    async def query(tx: Transaction) -> DeliveryRow | None:
        codes, theirs = await dossiers.codes(dossier, tx), _values(agencies)
        return await deliveries.newest_content(codes, system, theirs, tx) if _any(codes, theirs) else None

    row = await engine.read(query)
    return None if row is None else _written(row, seal)


async def standing(
    dossier: str, agencies: Collection[AgencyCode] | None, engine: Engine, seal: Seal
) -> Delivery | None:
    """Return the oldest delivery about the dossier that stands in its lane: what comes next waits for it."""

    async def query(tx: Transaction) -> DeliveryRow | None:
        codes, theirs = await dossiers.codes(dossier, tx), _values(agencies)
        return await deliveries.oldest_standing(codes, theirs, tx) if _any(codes, theirs) else None

    row = await engine.read(query)
    return None if row is None else rows.view(row, seal)


async def timeline(  # noqa: PLR0917 - what is asked for, and of what
    dossier: str, agencies: Collection[AgencyCode] | None, after: Mark, limit: int, engine: Engine, seal: Seal
) -> Timeline:
    """Return up to `limit` steps behind a place."""
    limit = min(limit, MOST)

    async def query(tx: Transaction) -> tuple[list[DeliveryRow], list[AuditEntry]]:
        codes, theirs = await dossiers.codes(dossier, tx), _values(agencies)
        if not _any(codes, theirs):
            return [], []
        return (
            await deliveries.of_dossier(codes, after.deliveries, limit + 1, theirs, tx),
            await audit.of_dossier(codes, after.calls, limit + 1, theirs, tx),
        )

    writes, calls = await engine.read(query)
    both: tuple[Iterator[TimelineStep], Iterator[TimelineStep]] = (
        (_written(row, seal) for row in writes),
        map(Asked, calls),
    )
    steps = list(heapq.merge(*both, key=_when))
    shown = steps[:limit]
    return Timeline(tuple(shown), _behind(shown, after), more=len(steps) > limit)


def _when(step: TimelineStep) -> datetime:
    return step.delivery.accepted_at if isinstance(step, Written) else step.call.asked_at


def _behind(steps: list[TimelineStep], after: Mark) -> Mark:
    writes = [step.delivery.number for step in steps if isinstance(step, Written)]
    calls = [step.call.number for step in steps if isinstance(step, Asked)]
    return Mark(max(writes, default=after.deliveries), max(calls, default=after.calls))


def _written(row: DeliveryRow, seal: Seal) -> Written:
    payload = None if row.payload is None else seal.open(row.payload, rows.place("payload", row.id))
    return Written(rows.view(row, seal), payload)


def _values(agencies: Collection[AgencyCode] | None) -> list[str] | None:
    return None if agencies is None else [agency.value for agency in agencies]


def _any(codes: list[str], agencies: list[str] | None) -> bool:
    """Return whether there can be anything: the dossier is there, and somebody's steps are asked for."""
    return bool(codes) and (agencies is None or bool(agencies))
