"""The adapter under the gateway's pipeline: sessions are opened, shared and renewed, and every exchange has its row."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adapters.partner import Partner, PartnerSettings
from contracts.model import AgencyCode, Kind, LookupAnswer, ProcedureCode, Purpose
from contracts.model.partner import Progress, Receipt, RecordCode, Registration, StepState
from gateway.resilience import Call, Deadline, NullObserver, Pipeline, PolicySettings
from gateway.resilience.sessions import Sessions
from tests.support.hosting import in_process
from tests.support.pipelines import Log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from adapters.partner import Account, Credential
    from contracts.model import Exchange, Operation
    from tests.support.conformance import Peer

OURS, NEIGHBOUR, FOREIGN = (AgencyCode(code) for code in ("000.00.01.H99", "000.00.02.H99", "000.00.01.H98"))


class NeverPaused:
    """A stop switch that nobody presses."""

    def check(self, _system: str) -> None:
        """Return that everything may leave."""
        return


class Office:
    """The adapter with its pipeline, at mocks in this process."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        accounts = {one["username"]: one for one in peer.mocks.ready["credentials"]["partner"]["accounts"]}
        first, third = (
            {"username": name, "secret": accounts[name]["secret"]} for name in ("thu_xa_mot", "thu_tinh_khac")
        )
        settings = {"endpoint": peer.mocks.ready["partner"], "plain_http": True, "account": first}
        self.adapter = Partner(
            PartnerSettings.model_validate({**settings, "accounts": {FOREIGN.value: third}}), peer.transport
        )
        self.log = Log()
        self.calls = 0
        peer.run(self._open())

    async def _open(self) -> None:
        policy, switch = PolicySettings(), NeverPaused()
        self.sessions: Sessions[Account, Credential] = Sessions(
            self.adapter,
            self.adapter.operations.login,
            policy,
            log=self.log,
            switch=switch,
            observer=NullObserver(),
            now=lambda: datetime.fromtimestamp(self.peer.now(), UTC),
        )
        self.pipeline: Pipeline[Credential] = Pipeline(
            "partner", policy, credentials=self.sessions, log=self.log, switch=switch
        )

    def run(
        self, operation: Operation, doing: Callable[[Credential, Exchange], Awaitable[Any]], agency: AgencyCode = OURS
    ) -> Any:
        """Do one call through the pipeline and return what it came to."""
        self.calls += 1
        call = Call(
            id=f"call-{self.calls}",
            operation=operation,
            client="mot-cua",
            purpose=purpose(agency),
            subject="",
            deadline=Deadline.after(10, self.peer.loop.time()),
        )
        return self.peer.run(self.pipeline.run(call, doing))

    def register(self, code: RecordCode, agency: AgencyCode = OURS) -> Any:
        """Register a record."""
        write = Registration(code=code, title=f"Hồ sơ {code}")

        def doing(credential: Credential, exchange: Exchange) -> Awaitable[Receipt]:
            return self.adapter.register(write, purpose(agency), f"khoa-{code}", credential, exchange)

        return self.run(self.adapter.operations.register, doing, agency)

    def close(self) -> None:
        """Wait for what was left behind."""
        self.peer.run(self.sessions.aclose())
        self.peer.run(self.pipeline.aclose())

    def operations(self) -> list[str]:
        """Return what reached the partner, in order."""
        return [one["operation"] for one in self.peer.exchanges()]


def purpose(agency: AgencyCode) -> Purpose:
    """Return the purpose of a call."""
    return Purpose(agency=agency, procedure=ProcedureCode("9.000001"), officer="canbo.mau", dossier=None)


@contextmanager
def office() -> Iterator[Office]:
    """Open an office; in the end the rows of attempts and the ledger have the same exchanges, and nothing is open."""
    with in_process() as peer:
        office = Office(peer)
        yield office
        office.close()
        assert {row.request_id for row in office.log.rows.values()} == {one["request_id"] for one in peer.exchanges()}
        assert len(office.log.rows) == len(peer.exchanges())
        assert office.log.open_rows == []


def test_one_session_serves_every_agency_of_an_account() -> None:
    """Opened at the first call, kept while it counts, one for each account."""
    with office() as one:
        for number, agency in enumerate((OURS, OURS, NEIGHBOUR, FOREIGN)):
            assert isinstance(one.register(RecordCode(f"H-{number}"), agency).value, Receipt)
        assert one.operations() == ["login", *["register"] * 3, "login", "register"]


def test_a_session_that_the_partner_ends_is_opened_anew_and_the_write_is_done_once() -> None:
    """The refused attempt is repeated under the same key with a new session; the caller does not notice."""
    with office() as one:
        one.register(RecordCode("H-1"))
        one.peer.mocks.fault("session_expired", whom={"door": "partner", "operation": "register"})
        assert isinstance(one.register(RecordCode("H-2")).value, Receipt)
        assert one.operations() == ["login", "register", "register", "login", "register"]
        counts = one.peer.told("effects?limit=0")["counts"]
        assert {row["key"]: row["count"] for row in counts if row["operation"] == "register"} == {"H-1": 1, "H-2": 1}


def test_a_session_that_will_end_is_opened_anew_before_it_does() -> None:
    """By the partner's own date; no call is spent on it."""
    with office() as one:
        one.register(RecordCode("H-1"))
        one.peer.advance(29.5 * 60)
        one.register(RecordCode("H-2"))
        assert one.operations() == ["login", "register", "login", "register"]


def test_a_locked_account_costs_one_log_in() -> None:
    """Then the agency is held, and nothing of it leaves."""
    with office() as one:
        one.peer.do("account", "thu_xa_mot", "lock")
        assert [one.register(RecordCode("H-1")).failure.kind for _ in range(3)] == [
            Kind.CREDENTIAL_REFUSED,
            Kind.NOT_SENT,
            Kind.NOT_SENT,
        ]
        assert isinstance(one.register(RecordCode("H-2"), FOREIGN).value, Receipt)
        assert one.operations() == ["login", "login", "register"]


def test_a_lost_log_in_leaves_the_write_unsent() -> None:
    """Its own row says that nobody knows; the call is told that nothing was sent."""
    with office() as one:
        one.peer.mocks.fault("reset_after", whom={"door": "partner", "operation": "login"})
        failure = one.register(RecordCode("H-1")).failure
        assert (failure.kind, failure.reason) == (Kind.NOT_SENT, "session_not_opened")
        kinds = [row.result.kind for row in one.log.rows.values() if row.result is not None]
        assert kinds == [Kind.UNKNOWN_OUTCOME]
        assert isinstance(one.register(RecordCode("H-1")).value, Receipt)


def test_a_look_up_is_given_the_write_and_answers_one_of_three() -> None:
    """As the engine of durable delivery calls it."""
    step = Progress(code=RecordCode("H-1"), step=1, state=StepState.PROCESSING)
    with office() as one:
        one.register(step.code)
        lookup = one.adapter.operations.append.lookup
        assert lookup is not None

        def look(credential: Credential, exchange: Exchange) -> Awaitable[LookupAnswer]:
            return one.adapter.find_step(step, credential, exchange)

        def send(credential: Credential, exchange: Exchange) -> Awaitable[Receipt]:
            return one.adapter.append(step, purpose(OURS), credential, exchange)

        assert one.run(lookup, look).value is LookupAnswer.NOT_THERE
        assert isinstance(one.run(one.adapter.operations.append, send).value, Receipt)
        assert one.run(lookup, look).value is LookupAnswer.DONE
