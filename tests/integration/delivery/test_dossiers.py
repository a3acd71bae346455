from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contracts.model import AgencyCode, DossierCode, ProcedureCode, Purpose, Rejected
from gateway.delivery import (
    Accepted,
    DossierRef,
    ForeignDossier,
    KeyReused,
    OtherDossiers,
    Refusal,
    Refused,
    RevisionOlder,
)
from tests.support.deliveries import WORD, bench
from tests.support.stores import AGENCY, OTHER_AGENCY, Place

if TYPE_CHECKING:
    from gateway.delivery import Delivery, Submission
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
    **fields: Any,
) -> Submission:
    """Return a write about a dossier with these codes; the first is the one that its purpose names."""
    given = {"topic": "dossier" if operation == "put" else None, **fields}
    purpose = Purpose(agency=agency, procedure=ProcedureCode("1.000001"), officer="canbo.mau", dossier=codes[0])
    ref = DossierRef(codes=codes, agencies=agencies, revision=revision)
    return one.submission(operation, lane=codes[0].value, purpose=purpose, dossier=ref, **given)


async def handed_in(one: Bench, *codes: DossierCode, **fields: Any) -> Delivery:
    """Have a write about a dossier accepted."""
    done = await one.deliveries.accept(about(one, *codes, **fields))
    assert isinstance(done, Accepted), done
    return done.delivery


async def count(one: Bench, table: str) -> int:
    """Return how many rows a table has."""
    return int(await one.store.engine.read(lambda tx: tx.fetchval(f"SELECT count(*) FROM {table}")))  # noqa: S608 - ours


async def test_every_code_leads_to_one_lane(place: Place) -> None:
    """Under the unit's code, under the portal's, under both: one dossier, one lane, in the order of acceptance."""
    async with bench(place) as one:
        first = await handed_in(one, UNIT, operation="add")
        both = await handed_in(one, PORTAL, UNIT, operation="add")
        last = await handed_in(one, PORTAL, operation="add")
        assert [each.lane for each in (first, both, last)] == [first.lane] * 3
        assert [each.position for each in (first, both, last)] == [1, 2, 3]
        view = await one.deliveries.dossier(PORTAL)
        assert view is not None
        assert (view.codes, view.agency, view.revision) == ((UNIT, PORTAL), AGENCY, None)
        assert view == await one.deliveries.dossier(UNIT)
        await one.running()
        await one.until(last, "settled")
        assert one.toy.order == ["1", "2", "3"]


async def test_codes_of_two_dossiers_are_not_made_one(place: Place) -> None:
    """Each has a lane of its own already, and no order between the two can be made up: refused, and nothing is left."""
    async with bench(place) as one:
        await handed_in(one, UNIT)
        await handed_in(one, PORTAL)
        refused = about(one, THIRD, UNIT, PORTAL, key="k")
        assert await one.deliveries.accept(refused) == OtherDossiers()
        assert await one.deliveries.dossier(THIRD) is None
        assert (await count(one, "delivery"), await count(one, "dossier_code")) == (2, 2)
        again = await one.deliveries.accept(about(one, UNIT, key="k", payload="another"))
        assert isinstance(again, Accepted)  # the key was not used up


async def test_an_older_revision_is_refused(place: Place) -> None:
    """The newest accepted counts, the same once more is allowed, and what has none is not asked."""
    async with bench(place) as one:
        for revision in (5, 6, 6):
            await handed_in(one, UNIT, revision=revision)
        refused = about(one, UNIT, PORTAL, revision=5)
        assert await one.deliveries.accept(refused) == RevisionOlder(6)
        assert await one.deliveries.dossier(PORTAL) is None
        await handed_in(one, UNIT, operation="add")
        view = await one.deliveries.dossier(UNIT)
        assert view is not None
        assert view.revision == 6


async def test_another_agencys_dossier_is_not_there(place: Place) -> None:
    """Its codes look like none, and are not joined; a client that acts for both agencies may go on with it."""
    async with bench(place) as one:
        await handed_in(one, UNIT)
        theirs: dict[str, Any] = {"agency": OTHER_AGENCY, "agencies": frozenset({OTHER_AGENCY})}
        assert await one.deliveries.accept(about(one, UNIT, **theirs)) == ForeignDossier()
        assert await one.deliveries.accept(about(one, PORTAL, UNIT, **theirs)) == ForeignDossier()
        assert await one.deliveries.dossier(PORTAL) is None
        await handed_in(one, PORTAL, **theirs)
        assert await one.deliveries.accept(about(one, PORTAL, UNIT, **theirs)) == ForeignDossier()
        assert await one.deliveries.dossier(UNIT, agencies=[OTHER_AGENCY]) is None
        assert await one.deliveries.dossier(UNIT, agencies=[AGENCY]) is not None
        both = frozenset({AGENCY, OTHER_AGENCY})
        assert await one.deliveries.accept(about(one, UNIT, PORTAL, agencies=both)) == OtherDossiers()
        await handed_in(one, UNIT, agency=OTHER_AGENCY, agencies=both)


async def test_a_repetition_is_answered_before_anything_is_asked(place: Place) -> None:
    """The same key and body is the delivery that it became, although a newer revision has been accepted since."""
    async with bench(place) as one:
        first = await handed_in(one, UNIT, revision=5, key="k", payload="x")
        await handed_in(one, UNIT, revision=6)
        again = await one.deliveries.accept(about(one, UNIT, revision=5, key="k", payload="x"))
        assert isinstance(again, Accepted)
        assert (again.new, again.delivery.id) == (False, first.id)
        other = await one.deliveries.accept(about(one, UNIT, PORTAL, revision=7, key="k", payload="y"))
        assert other == KeyReused(first.id)
        view = await one.deliveries.dossier(UNIT)
        assert view is not None
        assert (view.codes, view.revision) == ((UNIT,), 6)


async def test_a_newer_content_supersedes_whatever_code_it_names(place: Place) -> None:
    """A content under the portal's code takes the place of an unsent one under the unit's."""
    async with bench(place) as one:
        old = await handed_in(one, UNIT)
        new = await handed_in(one, PORTAL, UNIT)
        assert (await one.get(old)).superseded_by == new.id


@pytest.mark.parametrize("turn", range(4))
async def test_two_codes_at_the_same_moment_are_one_lane_or_refused(place: Place, turn: int) -> None:
    """Under one code, under the other, and under both: never two lanes for codes that were said to be one."""
    async with bench(place) as one, bench(place, serving=False) as two:
        asked = [(UNIT,), (PORTAL,), (UNIT, PORTAL), (PORTAL, UNIT)] * 5
        asked = asked[turn:] + asked[:turn]
        done = await asyncio.gather(
            *(
                side.deliveries.accept(about(side, *codes, operation="add"))
                for codes, side in zip(asked, (one, two) * 10, strict=True)
            )
        )
        lanes = {
            codes: {
                each.delivery.lane
                for said, each in zip(asked, done, strict=True)
                if said == codes and isinstance(each, Accepted)
            }
            for codes in asked
        }
        joined = lanes[UNIT, PORTAL] | lanes[PORTAL, UNIT]
        if joined:
            assert all(isinstance(each, Accepted) for each in done)
            assert len(joined | lanes[UNIT,] | lanes[PORTAL,]) == 1
        else:
            assert (len(lanes[UNIT,]), len(lanes[PORTAL,])) == (1, 1)
            assert lanes[UNIT,] != lanes[PORTAL,]
            refused = [each for said, each in zip(asked, done, strict=True) if len(said) == 2]
            assert refused == [OtherDossiers()] * 10
        codes = await one.store.engine.read(lambda tx: tx.fetch("SELECT code, dossier FROM dossier_code"))
        assert len({row[1] for row in codes}) == (1 if joined else 2) == await count(one, "dossier")


async def test_an_older_revision_is_never_accepted_behind_a_newer_one(place: Place) -> None:
    """Many at the same moment from two sides: those accepted grow along the lane, and the newest is among them."""
    async with bench(place) as one, bench(place, serving=False) as two:
        revisions = [5, 6, 3, 9, 1, 8, 2, 7, 4, 10] * 2
        done = await asyncio.gather(
            *(
                side.deliveries.accept(
                    about(
                        side, *((UNIT, PORTAL) if revision % 2 else (PORTAL, UNIT)), revision=revision, operation="add"
                    )
                )
                for revision, side in zip(revisions, (one, two) * 10, strict=True)
            )
        )
        accepted = sorted(
            (each.delivery.position, revision)
            for revision, each in zip(revisions, done, strict=True)
            if isinstance(each, Accepted)
        )
        assert [revision for _, revision in accepted] == sorted(revision for _, revision in accepted)
        assert accepted[-1][1] == 10
        assert all(isinstance(each, Accepted | RevisionOlder) for each in done)


async def test_a_correction_stays_in_its_dossier(place: Place) -> None:
    """It may name another code of the same dossier and make one known; of another dossier it is another request."""
    async with bench(place) as one:
        one.toy.behaviours = [one.toy.fails(Rejected)]
        wrong = await handed_in(one, UNIT, operation="create")
        await one.running()
        await one.until(wrong, "rejected")
        await one.deliveries.stop(5)
        await handed_in(one, THIRD, operation="create")
        for codes, expected in (
            ((THIRD,), Refused(Refusal.OTHER_REQUEST)),
            ((PORTAL,), Refused(Refusal.OTHER_REQUEST)),
            ((UNIT, THIRD), OtherDossiers()),
        ):
            refused = await one.deliveries.correct(wrong.id, about(one, *codes, operation="create"), WORD)
            assert refused == expected
        assert await one.deliveries.dossier(PORTAL) is None
        right = about(one, PORTAL, UNIT, operation="create", key="k")
        done = await one.deliveries.correct(wrong.id, right, WORD)
        assert isinstance(done, Accepted)
        assert (done.delivery.lane, done.delivery.position) == (wrong.lane, wrong.position)
        assert await one.deliveries.correct(wrong.id, right, WORD) == replace(done, new=False)


async def test_a_correction_has_a_revision_like_any_other(place: Place) -> None:
    """An older one is refused; the newest ends what stands behind its place, which would be written over it else."""
    async with bench(place) as one:
        first = await handed_in(one, UNIT, revision=5, topic="first")  # not superseded by what is about another topic
        behind = await handed_in(one, UNIT, revision=6)
        step = await handed_in(one, UNIT, operation="add")
        older = await one.deliveries.correct(first.id, about(one, UNIT, revision=5), WORD)
        assert older == RevisionOlder(6)
        done = await one.deliveries.correct(first.id, about(one, UNIT, revision=7), WORD)
        assert isinstance(done, Accepted)
        assert (await one.get(behind)).superseded_by == done.delivery.id
        await one.running()
        await one.until(step, "settled")
        assert one.toy.order == [str(number) for number in (5, 3)]


async def test_a_write_is_made_for_its_dossier(place: Place) -> None:
    """What the purpose names is one of the codes: else it would be found in the timeline of another dossier."""
    async with bench(place) as one:
        right = about(one, UNIT, PORTAL)
        assert right.dossier is not None
        with pytest.raises(ValueError, match="dossier"):
            replace(right, dossier=replace(right.dossier, codes=(PORTAL,)))
        with pytest.raises(ValueError, match="code"):
            replace(right.dossier, codes=())
