"""Writes about dossiers, and what is known of those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.model import AgencyCode, DossierCode, ProcedureCode, Purpose
from gateway.delivery import Accepted, DossierRef
from tests.support.stores import AGENCY

if TYPE_CHECKING:
    from gateway.delivery import Delivery, DossierView, Submission
    from tests.support.deliveries import Bench

UNIT = DossierCode("H99.1-260105-0001")
PORTAL = DossierCode("000.00.01.H99-260105-0001")
THIRD = DossierCode("H99.1-260105-0003")


def about(
    one: Bench,
    *codes: DossierCode,
    operation: str = "put",
    revision: int | None = None,
    agency: AgencyCode = AGENCY,
    agencies: frozenset[AgencyCode] = frozenset({AGENCY}),
    sent_as: DossierCode | None = None,
    **fields: Any,
) -> Submission:
    """Return a write about a dossier with these codes; the first is the one that its purpose names."""
    given = {"topic": "dossier" if operation == "put" else None, **fields}
    purpose = Purpose(agency=agency, procedure=ProcedureCode("1.000001"), officer="canbo.mau", dossier=codes[0])
    ref = DossierRef(codes=codes, agencies=agencies, revision=revision, sent_as=sent_as)
    return one.submission(operation, lane=codes[0].value, purpose=purpose, dossier=ref, **given)


async def handed_in(one: Bench, *codes: DossierCode, **fields: Any) -> Delivery:
    """Have a write about a dossier accepted."""
    done = await one.deliveries.accept(about(one, *codes, **fields))
    assert isinstance(done, Accepted), done
    return done.delivery


async def view_of(one: Bench, code: DossierCode) -> DossierView:
    """Return the dossier of a code."""
    view = await one.deliveries.dossier(code)
    assert view is not None
    return view


async def count(one: Bench, table: str) -> int:
    """Return how many rows a table has."""
    return int(await one.store.engine.read(lambda tx: tx.fetchval(f"SELECT count(*) FROM {table}")))  # noqa: S608 - ours
