from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from contracts.model import Rejected
from gateway.delivery import Accepted, ForeignDossier, KeyReused, OtherDossiers, Refusal, Refused, RevisionOlder, SentAs
from gateway.delivery.accept import accept, claim_key
from gateway.store.postgres.transaction import PostgresTransaction
from gateway.store.tables.deliveries import outlook
from tests.support.deliveries import SETTINGS, WORD, bench
from tests.support.dossiers import PORTAL, THIRD, UNIT, about, count, handed_in, view_of
from tests.support.stores import AGENCY, OTHER_AGENCY, Place

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
"""How many locks others wait for that this connection holds."""


async def test_every_code_leads_to_one_lane(place: Place) -> None:
    """Under the unit's code, under the portal's, under both: one dossier, one lane, in the order of acceptance."""
    async with bench(place) as one:
        first = await handed_in(one, UNIT, operation="add")
        both = await handed_in(one, PORTAL, UNIT, operation="add")
        last = await handed_in(one, PORTAL, operation="add")
        assert [each.lane for each in (first, both, last)] == [first.lane] * 3
        assert [each.position for each in (first, both, last)] == [1, 2, 3]
        view = await view_of(one, PORTAL)
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
        view = await view_of(one, UNIT)
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
        view = await view_of(one, UNIT)
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


async def test_what_may_be_at_a_system_goes_out_under_one_code(place: Place) -> None:
    """While it is on its way or there, another code is refused with the one that counts; once it is not, it may."""
    async with bench(place) as one:
        first = await handed_in(one, UNIT, sent_as=UNIT)
        other = about(one, PORTAL, UNIT, sent_as=PORTAL)
        assert await one.deliveries.accept(other) == SentAs(UNIT)
        assert await one.deliveries.dossier(PORTAL) is None
        await handed_in(one, UNIT, PORTAL, sent_as=UNIT)
        assert (await view_of(one, PORTAL)).sent_as == UNIT
        assert (await one.get(first)).state == "superseded"
        one.toy.behaviours = [one.toy.fails(Rejected)]
        last = await handed_in(one, UNIT, sent_as=UNIT)
        await one.running()
        await one.until(last, "rejected")
        corrected = about(one, UNIT, PORTAL, sent_as=PORTAL)
        assert isinstance(await one.deliveries.correct(last.id, corrected, WORD), Accepted)
        assert (await view_of(one, UNIT)).sent_as == PORTAL
        await one.until(await handed_in(one, UNIT, sent_as=PORTAL), "settled")
        assert await one.deliveries.accept(about(one, UNIT, sent_as=UNIT)) == SentAs(PORTAL)


async def test_two_codes_to_go_out_under_at_the_same_moment_are_one_or_the_other(place: Place) -> None:
    """Whoever comes second is told the first one's."""
    async with bench(place) as one, bench(place, serving=False) as two:
        asked = [UNIT, PORTAL] * 6
        done = await asyncio.gather(
            *(
                side.deliveries.accept(about(side, UNIT, PORTAL, sent_as=code, operation="add"))
                for code, side in zip(asked, (one, one, two, two) * 3, strict=True)
            )
        )
        counts = (await view_of(one, UNIT)).sent_as
        assert counts is not None
        for code, each in zip(asked, done, strict=True):
            assert isinstance(each, Accepted) if code == counts else each == SentAs(counts)


async def test_an_older_revision_is_never_accepted_behind_a_newer_one(place: Place) -> None:
    """Many at the same moment, under two codes: those accepted grow along the lane, and the newest is among them."""
    async with bench(place) as one, bench(place, serving=False) as two:
        await handed_in(one, UNIT, PORTAL)
        asked = [(revision, code) for revision in (5, 6, 3, 9, 1, 8, 2, 7, 4, 10) for code in (UNIT, PORTAL)]
        done = await asyncio.gather(
            *(
                side.deliveries.accept(about(side, code, revision=revision, operation="add"))
                for (revision, code), side in zip(asked, (one, one, two, two) * 5, strict=True)
            )
        )
        accepted = sorted(
            (each.delivery.position, revision)
            for (revision, _), each in zip(asked, done, strict=True)
            if isinstance(each, Accepted)
        )
        assert [revision for _, revision in accepted] == sorted(revision for _, revision in accepted)
        assert accepted[-1][1] == 10
        assert all(isinstance(each, Accepted | RevisionOlder) for each in done)


async def test_a_revision_is_compared_under_the_lock_of_the_dossier(postgres: Place) -> None:
    """While revision 6 is not committed, 5 under the other code waits, and is then refused."""
    async with bench(postgres) as one:
        await handed_in(one, UNIT, PORTAL)
        connection = await asyncpg.connect(postgres.dsn)
        try:
            held = connection.transaction()
            await held.start()
            entry = one.deliveries._entry(about(one, UNIT, revision=6))
            await accept(entry, SETTINGS, PostgresTransaction(connection))
            older = asyncio.create_task(one.deliveries.accept(about(one, PORTAL, revision=5)))
            await handed_in(one, THIRD, revision=1)
            for _ in range(1000):
                if older.done() or await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    break
                await asyncio.sleep(0.01)
            await held.commit()
        finally:
            await connection.close()
        assert await older == RevisionOlder(6)


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


async def test_a_correction_takes_its_key_before_anything_else(postgres: Place) -> None:
    """As any write does: one under the same key that has taken it, and goes on to the dossier, finds that free."""
    async with bench(postgres) as one:
        wrong = await handed_in(one, UNIT, operation="create")
        again = about(one, UNIT, operation="create", key="k")
        connection = await asyncpg.connect(postgres.dsn)
        try:
            held = connection.transaction()
            await held.start()
            tx = PostgresTransaction(connection)
            assert await claim_key(one.deliveries._entry(again), await outlook("H99", "toy", tx), SETTINGS, tx) is None
            correction = asyncio.create_task(one.deliveries.correct(wrong.id, again, WORD))
            async with asyncio.timeout(10):
                while not await connection.fetchval(WAITING):
                    await asyncio.sleep(0.01)
            for table in ("dossier_code", "dossier", "lane", "delivery"):
                assert await connection.fetch(f"SELECT 1 FROM {table} FOR UPDATE NOWAIT")  # noqa: S608 - ours
            await held.rollback()
        finally:
            await connection.close()
        assert isinstance(await correction, Accepted)


async def test_a_write_is_made_for_its_dossier(place: Place) -> None:
    """What the purpose names is one of the codes: else it would be found in the timeline of another dossier."""
    async with bench(place) as one:
        right = about(one, UNIT, PORTAL)
        assert right.dossier is not None
        with pytest.raises(ValueError, match="dossier"):
            replace(right, dossier=replace(right.dossier, codes=(PORTAL,)))
        with pytest.raises(ValueError, match="code"):
            replace(right.dossier, codes=())
