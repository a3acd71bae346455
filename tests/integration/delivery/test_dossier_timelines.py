from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from contracts.model import AgencyCode, DossierCode, ProcedureCode, Purpose, Rejected
from gateway.delivery import Accepted, Mark, Timeline, Written
from gateway.delivery.accept import accept
from gateway.store import Periods
from gateway.store.postgres.transaction import PostgresTransaction
from tests.support.deliveries import SETTINGS, WORD, bench
from tests.support.dossiers import PORTAL, THIRD, UNIT, about, count, handed_in, view_of
from tests.support.stores import AGENCY, ANSWERED, OTHER_AGENCY, Place, call, outcome

if TYPE_CHECKING:
    from gateway.store.engine import Transaction
    from tests.support.deliveries import Bench

DAY = timedelta(days=1)
PERIODS = Periods(attempts=10 * DAY, bodies=20 * DAY, events=25 * DAY, audit=200 * DAY)


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
