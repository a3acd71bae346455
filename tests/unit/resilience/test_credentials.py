from __future__ import annotations

import asyncio

import pytest

from contracts.model import AgencyCode, CredentialRefused, Kind, Layer, NotSent, Rejected, UnknownOutcome
from tests.support.pipelines import AGENCY, OTHER_AGENCY, Bench, Key, Partner, failure_of, offered, policy
from tests.support.virtualtime import now, virtual

OLD, FRESH, THIRD = Key(f"{AGENCY}/1"), Key(f"{AGENCY}/2"), Key(f"{AGENCY}/3")


def refusing(*refused: Key) -> Partner:
    """Return a partner that refuses these credentials."""

    def behave(_now: float, key: Key) -> object:
        return failure_of(CredentialRefused, "credential_refused", Layer.SYSTEM) if key in refused else "found"

    return Partner(behave)


@virtual
async def test_a_refused_credential_is_renewed_and_the_call_succeeds() -> None:
    """The caller does not notice that a token had run out."""
    bench = Bench(partner=refusing(OLD))
    bench.keys.fresh[AGENCY] = FRESH
    outcome = await bench.run()
    assert outcome.value == "found"
    assert bench.partner.fingerprints == [OLD.fingerprint, FRESH.fingerprint]
    assert bench.keys.renewals == [AGENCY]
    assert bench.watcher.holds == []
    await bench.settle()


@virtual
async def test_what_another_process_saw_refused_is_not_sent_at_all() -> None:
    """It is renewed first, and the source is told which one it was; what is not in use here changes nothing."""
    bench = Bench(partner=refusing(OLD))
    bench.pipeline.refuse(AGENCY, "another")
    bench.pipeline.refuse(AGENCY, OLD.fingerprint)
    bench.keys.fresh[AGENCY] = FRESH
    assert (await bench.run()).value == "found"
    bench.pipeline.refuse(AGENCY, OLD.fingerprint)
    assert (await bench.run()).value == "found"
    assert bench.partner.fingerprints == [FRESH.fingerprint] * 2
    assert (bench.keys.refused, bench.watcher.holds) == ([OLD.fingerprint], [])
    await bench.settle()


@virtual
async def test_what_another_process_saw_refused_and_is_all_there_is_is_tried() -> None:
    """It may be accepted again since then."""
    bench = Bench()
    bench.pipeline.refuse(AGENCY, OLD.fingerprint)
    assert (await bench.run()).value == "found"
    assert bench.partner.fingerprints == [OLD.fingerprint]
    await bench.settle()


@virtual
async def test_what_another_process_saw_refused_counts_for_no_refusal_here() -> None:
    """Whatever is refused here first is renewed once before the agency is held."""
    bench = Bench(partner=refusing(OLD, FRESH))
    bench.pipeline.refuse(AGENCY, OLD.fingerprint)
    bench.keys.fresh[AGENCY] = FRESH
    call = asyncio.create_task(bench.run())
    await asyncio.sleep(0.01)  # the partner has it, and answers later
    bench.keys.fresh[AGENCY] = THIRD
    assert (await call).value == "found"
    assert bench.partner.fingerprints == [FRESH.fingerprint, THIRD.fingerprint]
    assert bench.watcher.holds == []
    await bench.settle()


@virtual
async def test_many_callers_cause_one_renewal() -> None:
    """Thirty calls that are refused together wait for the same renewal."""
    bench = Bench(policy(budget={"floor": 100}), refusing(OLD))
    bench.keys.fresh[AGENCY] = FRESH
    bench.keys.renewal_seconds = 0.5
    outcomes = await asyncio.gather(*(bench.run() for _ in range(30)))
    assert [outcome.failure for outcome in outcomes] == [None] * 30
    assert bench.keys.renewals == [AGENCY]
    await bench.settle()


@virtual
async def test_what_was_refused_is_not_sent_again() -> None:
    """A renewal that brings the same credential holds the agency after a single exchange: accounts get locked."""
    bench = Bench(partner=refusing(OLD))
    outcome = await bench.run()
    assert outcome.failure is not None
    assert outcome.failure.kind is Kind.CREDENTIAL_REFUSED
    assert len(bench.partner.arrivals) == 1
    assert bench.watcher.holds == [(AGENCY, True)]
    await bench.settle()


@virtual
async def test_a_hold_is_for_one_agency() -> None:
    """Others go on while a held agency is told so at once, and nothing of it leaves."""
    bench = Bench(partner=refusing(OLD, FRESH))
    bench.keys.fresh[AGENCY] = FRESH
    await bench.run()
    assert bench.partner.fingerprints == [OLD.fingerprint, FRESH.fingerprint]
    held, free = await asyncio.gather(bench.run(agency=AGENCY), bench.run(agency=OTHER_AGENCY))
    assert isinstance(held.failure, NotSent)
    assert held.failure.reason == "credential_held"
    assert held.failure.retry_after == pytest.approx(300, abs=1)
    assert held.attempts == ()
    assert free.value == "found"
    assert [(one.agency, one.fingerprint) for one in bench.pipeline.state().held] == [(AGENCY, FRESH.fingerprint)]
    await bench.settle()


@virtual
async def test_under_load_a_hold_costs_a_few_exchanges_and_no_other_agency() -> None:
    """Five hundred calls of ten agencies, one of them refused: it stops after what was under way."""
    agencies = [AgencyCode(f"000.00.{number:02}.H99") for number in range(10)]
    bench = Bench(
        policy(rate={"per_second": 10_000, "burst": 1000}, bulkhead={"room": 1000}, budget={"floor": 1000}),
        Partner(
            lambda _now, key: (
                failure_of(CredentialRefused, "credential_refused", Layer.SYSTEM)
                if key.fingerprint.startswith(str(agencies[0]))
                else "found"
            )
        ),
    )
    bench.keys.fresh[agencies[0]] = Key(f"{agencies[0]}/2")
    outcomes = await asyncio.gather(*(bench.run(agency=agencies[number % 10]) for number in range(500)))
    failed = {number % 10 for number, outcome in enumerate(outcomes) if outcome.failure is not None}
    assert failed == {0}
    assert sum(one.startswith(str(agencies[0])) for one in bench.partner.fingerprints) <= 2 * 32
    assert bench.watcher.holds == [(agencies[0], True)]
    await bench.settle()


@virtual
async def test_a_hold_ends_when_the_credential_changes() -> None:
    """A new secret in the configuration is used at once."""
    bench = Bench(partner=refusing(OLD))
    await bench.run()
    bench.keys.current[AGENCY] = FRESH
    assert (await bench.run()).value == "found"
    assert bench.watcher.holds == [(AGENCY, True), (AGENCY, False)]


@virtual
async def test_a_hold_ends_when_a_person_resumes_it() -> None:
    """The partner unlocked the account; nobody waits for the period."""
    bench = Bench(partner=refusing(OLD))
    await bench.run()
    bench.partner.behave = lambda _now, _key: "found"
    assert bench.pipeline.resume(AGENCY)
    assert not bench.pipeline.resume(AGENCY)
    assert (await bench.run()).value == "found"


@virtual
async def test_after_the_period_one_attempt_decides() -> None:
    """A hundred callers wait for the end of the hold: one leaves; refused, the hold begins again, else it ends."""
    bench = Bench(partner=refusing(OLD))
    await bench.run()
    await asyncio.sleep(301)
    again = await asyncio.gather(*(bench.run() for _ in range(100)))
    assert len(bench.partner.arrivals) == 2
    assert {outcome.failure.reason for outcome in again if outcome.failure} == {"credential_refused", "credential_held"}
    assert bench.pipeline.state().held[0].seconds == pytest.approx(300, abs=1)
    bench.partner.behave = lambda _now, _key: "found"
    await asyncio.sleep(301)
    assert (await bench.run()).value == "found"
    assert bench.pipeline.state().held == ()
    assert bench.watcher.holds == [(AGENCY, True), (AGENCY, False)]


@virtual
async def test_the_attempt_after_the_period_frees_its_place_when_it_says_nothing() -> None:
    """Cancelled or lost on the way, the deciding attempt is simply made by the next caller."""
    bench = Bench(partner=refusing(OLD))
    await bench.run()
    await asyncio.sleep(301)
    bench.partner.seconds = 5
    gone = asyncio.create_task(bench.run())
    await asyncio.sleep(1)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    bench.partner.seconds = 0.02
    bench.partner.behave = lambda _now, _key: failure_of(UnknownOutcome)
    await bench.run()
    bench.partner.behave = lambda _now, _key: "found"
    assert (await bench.run()).value == "found"
    await bench.settle()


@virtual
async def test_a_business_error_proves_the_credential_good() -> None:
    """What only an accepted credential can be answered with clears the case, and the next expiry is renewed again."""
    bench = Bench(partner=refusing(OLD))
    bench.keys.fresh[AGENCY] = FRESH
    await bench.run()
    bench.partner.behave = lambda _now, _key: failure_of(Rejected, "rejected", Layer.BUSINESS)
    await bench.run()
    bench.partner.behave = refusing(OLD, FRESH).behave
    bench.keys.fresh[AGENCY] = THIRD
    assert (await bench.run()).value == "found"
    assert bench.watcher.holds == []


@virtual
async def test_a_renewal_is_bounded_by_the_deadline() -> None:
    """A log-in that hangs ends with the caller's time and leaves no slot taken."""
    bench = Bench(policy(credentials={"renew_seconds": 60}), refusing(OLD))
    bench.keys.fresh[AGENCY] = FRESH
    bench.keys.renewal_seconds = 1000
    outcome = await bench.run(3)
    assert now() == pytest.approx(3, abs=0.1)
    assert outcome.failure is not None
    assert outcome.failure.reason == "credential_refused"
    await bench.settle()


@virtual
async def test_a_renewal_that_is_refused_holds_the_agency() -> None:
    """Where the log-in itself says no, nothing more is tried."""
    bench = Bench(partner=refusing(OLD))
    bench.keys.fresh[AGENCY] = failure_of(CredentialRefused, "credential_refused", Layer.SYSTEM)
    await bench.run()
    assert bench.watcher.holds == [(AGENCY, True)]
    assert len(bench.partner.arrivals) == 1


@virtual
async def test_a_caller_that_goes_away_does_not_stop_the_renewal_of_others() -> None:
    """The one who happened to start the renewal leaves; those who wait for it get it all the same."""
    bench = Bench(partner=refusing(OLD))
    bench.keys.fresh[AGENCY] = FRESH
    bench.keys.renewal_seconds = 1
    calls = [asyncio.create_task(bench.run()) for _ in range(10)]
    await asyncio.sleep(0.5)
    calls[0].cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert [outcome.value for outcome in outcomes[1:] if not isinstance(outcome, BaseException)] == ["found"] * 9
    assert bench.keys.renewals == [AGENCY]
    await bench.settle()


@virtual
async def test_a_late_refusal_of_the_old_credential_does_not_end_the_hold_of_the_new() -> None:
    """An attempt that left with the old one and ends after the hold began changes nothing."""
    bench = Bench()
    bench.keys.fresh[AGENCY] = FRESH
    slow = refusing(OLD)
    slow.seconds = 2
    late = asyncio.create_task(bench.run(operation=slow))
    await bench.run(operation=refusing(OLD, FRESH))
    assert bench.pipeline.state().held[0].fingerprint == FRESH.fingerprint
    await late
    assert bench.pipeline.state().held[0].fingerprint == FRESH.fingerprint
    outcome = await bench.run()
    assert outcome.failure is not None
    assert outcome.failure.reason == "credential_held"


@virtual
async def test_resends_after_a_renewal_come_out_of_the_retry_budget() -> None:
    """A partner that refuses everybody cannot double the traffic."""
    bench = Bench(policy(rate={"per_second": 1000, "burst": 100}))
    number = iter(range(100_000))

    def behave(_now: float, _key: Key) -> object:
        bench.keys.fresh[AGENCY] = Key(f"{AGENCY}/{next(number) + 10}")
        return failure_of(CredentialRefused, "credential_refused", Layer.SYSTEM)

    bench.partner.behave = behave
    await offered(bench, 50, 20)
    assert len(bench.partner.arrivals) <= 1.1 * 1000 + 10
    await bench.settle()
