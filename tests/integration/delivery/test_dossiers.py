from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from contracts.model import AgencyCode, DossierCode, ProcedureCode, Purpose, Rejected
from gateway.delivery import (
    Accepted,
    DossierRef,
    ForeignDossier,
    KeyReused,
    Mark,
    OtherDossiers,
    Refusal,
    Refused,
    RevisionOlder,
    SentAs,
    Timeline,
    Written,
)
from gateway.delivery.accept import accept
from gateway.store import Periods
from gateway.store.postgres.transaction import PostgresTransaction
from gateway.store.tables import audit, deliveries, dossiers
from tests.support.deliveries import SETTINGS, WORD, bench
from tests.support.stores import AGENCY, ANSWERED, OTHER_AGENCY, Place, call, outcome

if TYPE_CHECKING:
    from gateway.delivery import Delivery, DossierView, Submission
    from gateway.delivery.accept import Entry
    from gateway.store.engine import Transaction
    from tests.support.deliveries import Bench

DAY = timedelta(days=1)
PERIODS = Periods(attempts=10 * DAY, bodies=20 * DAY, events=25 * DAY, audit=200 * DAY)
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


async def test_a_write_without_a_dossier_costs_what_it_cost(place: Place) -> None:
    """It asks for nothing about dossiers; one about a dossier asks once for each code and once for the dossier."""
    async with bench(place) as one:
        await handed_in(one, UNIT, PORTAL)
        asked = []
        for submission in (one.submission("add"), about(one, UNIT, PORTAL, operation="add")):
            entry = one.deliveries._entry(submission)

            async def listen(tx: Transaction, entry: Entry = entry) -> list[str]:
                listening: Any = _Listening(tx)
                await accept(entry, SETTINGS, listening)
                return [str(statement) for statement, _ in listening.asked]

            asked.append(await one.store.engine.write(listen))
        without, about_one = asked
        assert not [statement for statement in without if "dossier_code" in statement or "UPDATE dossier" in statement]
        assert len(about_one) == len(without) + 3


async def test_a_write_is_made_for_its_dossier(place: Place) -> None:
    """What the purpose names is one of the codes: else it would be found in the timeline of another dossier."""
    async with bench(place) as one:
        right = about(one, UNIT, PORTAL)
        assert right.dossier is not None
        with pytest.raises(ValueError, match="dossier"):
            replace(right, dossier=replace(right.dossier, codes=(PORTAL,)))
        with pytest.raises(ValueError, match="code"):
            replace(right.dossier, codes=())


async def asked(one: Bench, name: str, code: DossierCode, agency: AgencyCode = AGENCY) -> None:
    """Have a call about a dossier read something."""
    about_it = replace(call(name, agency=agency), purpose=replace(call().purpose, agency=agency, dossier=code))
    await one.store.attempts.open_attempt(about_it, 1, f"request-{name}")
    await one.store.attempts.close_attempt(about_it, 1, ANSWERED)
    await one.store.attempts.close_call(about_it, outcome())


def told(timeline: Timeline) -> list[str]:
    """Return what each step is: what was handed in, or the call."""
    return [
        (step.payload or b"gone").decode() if isinstance(step, Written) else step.call.call_id
        for step in timeline.steps
    ]


async def test_a_timeline_has_what_every_system_did_under_any_code(place: Place) -> None:
    """Writes and reads, the oldest first; writes of no dossier and of others are not in it, nor another agency's."""
    async with bench(place) as one:
        await handed_in(one, UNIT, operation="add", payload="under the unit's code")
        await asked(one, "read", UNIT)
        purpose = Purpose(agency=AGENCY, procedure=ProcedureCode("1.000001"), officer="canbo.mau", dossier=PORTAL)
        await one.accept("tell", lane="elsewhere", purpose=purpose, payload="before the codes were one")
        await asked(one, "theirs", UNIT, OTHER_AGENCY)
        await handed_in(one, UNIT, PORTAL, operation="add", payload="under both")
        await asked(one, "read by the portal's code", PORTAL)
        await asked(one, "of another", THIRD)
        await one.accept("tell", payload="of none")
        view = await view_of(one, PORTAL)
        ours = [
            "under the unit's code",
            "read",
            "before the codes were one",
            "under both",
            "read by the portal's code",
        ]
        timeline = await one.deliveries.timeline(view.id, agencies=[AGENCY])
        assert (told(timeline), timeline.more) == (ours, False)
        assert "theirs" in told(await one.deliveries.timeline(view.id))
        assert await one.deliveries.timeline(view.id, agencies=[]) == Timeline((), Mark(), more=False)
        seen, after, more = [], Mark(), True
        while more:
            page = await one.deliveries.timeline(view.id, agencies=[AGENCY], after=after, limit=2)
            seen += told(page)
            assert len(page.steps) <= 2
            after, more = Mark.parse(str(page.place)), page.more
        assert seen == ours
        assert (await one.deliveries.timeline(view.id, agencies=[AGENCY], after=after)).steps == ()


async def test_a_timeline_has_results_and_says_when_a_body_is_gone(place: Place) -> None:
    """What the partner gave is opened with it; what is not kept any more is `None`, and the step stays."""
    async with bench(place) as one:
        delivery = await handed_in(one, UNIT, payload="x")
        view = await view_of(one, UNIT)
        assert view.known == {"toy"}  # its whole is on its way
        assert await one.deliveries.content(view.id, "portal") is None
        await one.running()
        await one.until(delivery, "settled")
        (step,) = (await one.deliveries.timeline(view.id)).steps
        assert isinstance(step, Written)
        assert (step.payload, step.delivery.result, step.delivery.state) == (b"x", b"done x", "settled")
        assert await one.deliveries.content(view.id, "toy") == step
        await one.move(40 * DAY)
        await one.store.retention.run(PERIODS, by="admin")
        (bare,) = (await one.deliveries.timeline(view.id)).steps
        assert isinstance(bare, Written)
        assert (bare.payload, bare.delivery.result) == (None, None)
        assert await one.deliveries.content(view.id, "toy", agencies=[OTHER_AGENCY]) is None


async def test_the_content_is_what_is_there_in_the_end(place: Place) -> None:
    """Neither what is put in front of a later one, nor what made room for one that was then taken back."""
    async with bench(place) as one:
        first, last = await handed_in(one, UNIT, topic="first"), await handed_in(one, UNIT, topic="last")
        view = await view_of(one, UNIT)
        corrected = about(one, UNIT, topic="first")
        assert isinstance(await one.deliveries.correct(first.id, corrected, WORD), Accepted)
        shown = await one.deliveries.content(view.id, "toy")
        assert shown is not None
        assert shown.delivery.id == last.id
        newer = await handed_in(one, UNIT, topic="last")
        await one.deliveries.cancel(newer.id, WORD)
        shown = await one.deliveries.content(view.id, "toy")
        assert shown is not None
        assert shown.delivery.replaces == first.id  # what stood behind it was superseded by what was taken back


async def test_a_dossier_is_known_where_it_stands_or_took_effect(place: Place) -> None:
    """Neither what was taken back, nor what was rejected and let go of, nor a step of which nobody knows the whole."""
    async with bench(place) as one:

        async def known() -> frozenset[str]:
            return (await view_of(one, UNIT)).known

        step = await handed_in(one, UNIT, operation="add")
        assert await known() == frozenset()
        whole = await handed_in(one, UNIT)
        assert await known() == {"toy"}
        await one.deliveries.cancel(whole.id, WORD)
        assert await known() == frozenset()
        newer = await handed_in(one, UNIT)
        assert await one.deliveries.content((await view_of(one, UNIT)).id, "toy") == Written(newer, b"3")
        one.toy.behaviours = [one.toy.fails(Rejected), one.toy.fails(Rejected)]
        await one.running()
        await one.until(newer, "rejected")
        assert await known() == frozenset()
        await handed_in(one, UNIT, operation="add")
        await one.until(step, "rejected")
        await one.until(await handed_in(one, UNIT, operation="add"), "settled")
        assert await known() == {"toy"}


async def test_a_dossier_goes_when_nothing_is_left_of_it(place: Place) -> None:
    """With its codes, after its last delivery and the last call about it; its codes then make a new one."""
    async with bench(place) as one:
        await one.running()
        await one.until(await handed_in(one, UNIT, PORTAL, revision=9), "settled")
        old = await view_of(one, UNIT)
        await one.move(150 * DAY)
        await asked(one, "late", PORTAL)
        late = 150 * 86_400 * 1_000_000
        await one.store.engine.write(
            lambda tx: tx.execute("UPDATE audit SET asked_at = asked_at + $1 WHERE call = 'late'", late)
        )
        await one.move(60 * DAY)
        assert (await one.store.retention.run(PERIODS, by="admin")).deliveries == 1
        assert await view_of(one, PORTAL) == replace(old, known=frozenset())
        assert told(await one.deliveries.timeline(old.id)) == ["late"]
        await one.move(150 * DAY)
        await one.store.retention.run(PERIODS, by="admin")
        assert (await count(one, "dossier"), await count(one, "dossier_code")) == (0, 0)
        await handed_in(one, UNIT, revision=1)
        assert (await view_of(one, UNIT)).id != old.id


async def test_dossiers_go_however_many_stay(place: Place) -> None:
    """Those that stay are passed by, and the next ones looked at: no more than so many at a time."""
    async with bench(place) as one:
        await handed_in(one, UNIT)

        async def make(tx: Transaction) -> None:
            for number in range(250):
                await tx.execute(
                    "INSERT INTO dossier (id, agency, made_at) VALUES ($1, 'H99', $2)", f"d-{number:03}", 9
                )
                await tx.execute("INSERT INTO dossier_code VALUES ($1, $2, 9)", f"C-{number}", f"d-{number:03}")
            await tx.execute("UPDATE delivery SET dossier = 'C-7'")

        await one.store.engine.write(make)
        await one.move(201 * DAY)
        await one.store.retention.run(PERIODS, by="admin")
        left = await one.store.engine.read(lambda tx: tx.fetch("SELECT dossier FROM dossier_code"))
        assert [row[0] for row in left] == ["d-007"]
        assert await count(one, "dossier") == 1


async def test_a_dossier_about_which_something_comes_at_that_moment_stays(postgres: Place) -> None:
    """Retention finds that nothing is left of a dossier while a write about it is being accepted: it is passed over."""
    async with bench(postgres) as one:
        await handed_in(one, UNIT)
        old = await view_of(one, UNIT)
        await one.store.engine.write(lambda tx: tx.execute("DELETE FROM delivery"))
        await one.move(201 * DAY)
        connection = await asyncpg.connect(postgres.dsn)
        try:
            held = connection.transaction()
            await held.start()
            entry = one.deliveries._entry(about(one, UNIT, PORTAL))
            await accept(entry, SETTINGS, PostgresTransaction(connection))
            await one.store.retention.run(PERIODS, by="admin")
            await held.commit()
        finally:
            await connection.close()
        assert (await view_of(one, PORTAL)).id == (await view_of(one, UNIT)).id == old.id
        await one.deliveries.cancel(entry.id, WORD)
        assert len((await one.deliveries.timeline(old.id)).steps) == 1


class _Listening:
    """Passes on what is asked, and takes note of it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.passing_over = tx.passing_over
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        def ask(statement: Any, /, *values: Any) -> Any:
            self.asked.append((statement, values))
            return getattr(self._tx, name)(statement, *values)

        return ask


@pytest.mark.parametrize(
    ("work", "indexes"),
    [
        (partial(deliveries.of_dossier, [UNIT.value, "d"], 0, 9, ["a", "b"]), ["delivery_about"]),
        (partial(deliveries.newest_content, [UNIT.value, "d"], "portal", None), ["delivery_about"]),
        (partial(deliveries.systems_knowing, [UNIT.value, "d"]), ["delivery_about"]),
        (partial(audit.of_dossier, [UNIT.value, "d"], 0, 9, ["a"]), ["audit_about"]),
        (partial(dossiers.codes, "d"), ["dossier_code_of"]),
        (partial(dossiers.prune, 2**60, None, 9), ["dossier_made", "delivery_about audit_about dossier_code_of"]),
    ],
)
async def test_what_is_about_a_dossier_is_found_without_reading_everything(
    place: Place, work: Any, indexes: list[str]
) -> None:
    """Each question has indexes that fit, on both engines; no table that grows is read from end to end."""
    async with bench(place) as one:
        await handed_in(one, UNIT)

        async def listen(tx: Transaction) -> list[tuple[str, tuple[Any, ...]]]:
            listening = _Listening(tx)
            await work(listening)
            return listening.asked

        asked = await one.store.engine.read(listen)
        for (statement, values), wanted in zip(asked, indexes, strict=True):
            found = await _plan(one, place, statement, values)
            assert {index for index in wanted.split() if index in found} == set(wanted.split()), found
            assert "Seq Scan" not in found
            assert not [line for line in found.splitlines() if line.startswith("SCAN") and "INDEX" not in line], found


async def _plan(one: Bench, place: Place, statement: str, values: tuple[Any, ...]) -> str:
    if place.dsn is None:
        plan = await one.store.engine.read(lambda tx: tx.fetch(f"EXPLAIN QUERY PLAN {statement}", *values))
        return "\n".join(str(row[3]) for row in plan)
    connection = await asyncpg.connect(place.dsn)
    await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
    found = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement}", *values))
    await connection.close()
    return found
