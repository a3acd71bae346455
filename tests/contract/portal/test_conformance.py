"""The national portal, through our adapter and its flow, keeps one set of promises however the mock speaks.

Both forms of the contract, in process and over sockets. The session is held here, as the gateway would hold it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from adapters.portal import Portal, PortalSettings
from adapters.portal.flow import Ending, Finished, Outcome, ending, part, progress, sync
from adapters.portal.wire.record import Records
from adapters.portal.wire.shapes import DIGIT, SPELT
from contracts.model import Acted, AgencyCode, DossierCode, Exchange, Failure, Kind, ProcedureCode, Purpose
from contracts.model.dossier import DossierStatus
from mocks.doors.portal.door import PortalDoor
from mocks.doors.portal.settings import Dialects
from mocks.faults import EVERYWHERE, NATURE, Stage
from tests.support.conformance import PATIENCE, Peer, extremes, one_at_a_time
from tests.support.hosting import in_process, over_sockets
from tests.support.portal_adapter import BASE, FULL, PLAIN, REFUSED, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contracts.model.dossier import Dossier

DOOR: Final = "portal"
AGENCY: Final = AgencyCode("000.00.00.H99")
PURPOSE: Final = Purpose(agency=AGENCY, procedure=ProcedureCode("9.999001"), officer="canbo.mau", dossier=None)
NUMBERS: Final = {"session_seconds": 60_000, "most_steps": 11}
FORMS: Final = ("G1", "G1w")
RECORDS: Final = {"G1": Records(SPELT), "G1w": Records(DIGIT)}
ENOUGH: Final = 8
SLOW: Final = {"hang", "stall", "drip", "latency", "acts_late", "clock_skew", "maintenance", "old_districts"}
QUICK: Final = sorted(
    (str(what), operation)
    for what in EVERYWHERE | {*PortalDoor().plays}
    for operation in ("create", "progress")
    if NATURE[what].stage is not Stage.CALLBACK and operation in PortalDoor().plays.get(what, (operation,))
    if str(what) not in SLOW
)
"""Faults that a write can be struck by and that take no time."""
EXPECTED: Final = {
    "html_ok": {Kind.UNKNOWN_OUTCOME},
    "bad_gateway": {Kind.UNKNOWN_OUTCOME},
    "ack_lost": {Kind.UNKNOWN_OUTCOME},
    "reset_after": {Kind.UNKNOWN_OUTCOME},
    "truncated": {Kind.UNKNOWN_OUTCOME},
    "busy": {Kind.BUSY},
    "platform_near_fault": {Kind.PLATFORM_FAILED, Kind.NOT_SENT},
    "platform_far_fault": {Kind.PLATFORM_FAILED},
    "system_fault": {Kind.SYSTEM_FAILED},
    "error_in_success": {Kind.CONTRACT_BROKEN, Kind.SYSTEM_FAILED, Kind.REJECTED},
    "session_expired": {Kind.CREDENTIAL_REFUSED},
}
"""What some of them come to, whatever the dialect."""


class Desk:
    """Somebody at the portal through our adapter."""

    def __init__(self, peer: Peer, form: str, **changes: Any) -> None:
        self.peer, self.form = peer, form
        account = peer.mocks.ready["credentials"][DOOR]["accounts"][0]
        values = {
            "endpoint": peer.mocks.ready[DOOR],
            "plain_http": True,
            "variant": form,
            "account": {"username": account["username"], "secret": account["secret"]},
            "attachment_bases": [BASE],
        }
        self.settings = PortalSettings.model_validate(values | changes)
        self.portal = Portal(self.settings, peer.transport)
        self.session: Any = None

    def code(self) -> DossierCode:
        """Return a code that nothing has had."""
        return DossierCode(f"H99.5-260302-{next(self.peer.ids):05}")

    def do(self, operation: str, about: Any = None) -> Any:
        """Do one operation; raise its failure, which may not deny what the ledger says was done."""
        if self.session is None and operation != "login":
            self.session = self.do("login")
        run = Exchange(operation=getattr(self.portal.operations, operation), request_id="MC-1", timeout=PATIENCE)
        before = len(self.peer.sent)
        if operation == "login":
            return self.peer.run(self.portal.login(self.portal.account(AGENCY), run))
        try:
            return self.peer.run(getattr(self.portal, operation)(about, PURPOSE, self.session, run))
        except Failure as failure:
            denied = failure.may_have_acted is Acted.NO and len(self.peer.sent) > before
            if denied and self.peer.last()["acted"]:
                pytest.fail(f"said that nothing was done, and it was: {failure}")
            raise

    def tried(self, operation: str, about: Any) -> Failure | None:
        """Do one operation and return its failure, if it was one."""
        try:
            self.do(operation, about)
        except Failure as failure:
            return failure
        return None

    def synced(self, dossier: Dossier, *, known: bool = False) -> list[str]:
        """Bring a dossier's state up as the flow says, and return what was called."""
        outcomes: list[Outcome] = []
        while not isinstance(then := sync(outcomes, known=known), Finished):
            assert len(outcomes) < ENOUGH
            outcomes.append(Outcome(then, ending(self.tried(then.call, dossier))))
            assert outcomes[-1].ending is not Ending.OTHER
        assert not then.contradiction
        return [one.step.call for one in outcomes]

    def refused(self, operation: str, about: Any) -> Failure:
        """Return the failure of something that has to fail."""
        failure = self.tried(operation, about)
        assert failure is not None
        return failure

    def kept(self, code: DossierCode) -> Any:
        """Return a dossier as the portal has it, read back by our own table."""
        content = self.peer.told(f"world/dossier/{code}")["fields"]["content"]
        return RECORDS[self.form].read_dossier(json.loads(json.dumps(content)))

    def done(self, operation: str, code: DossierCode) -> dict[str, int]:
        """Return how often each effect of an operation was had on a dossier, by its key."""
        counts = self.peer.told("effects?limit=0")["counts"]
        own = [one for one in counts if one["operation"] == operation and one["key"].startswith(str(code))]
        return {one["key"]: one["count"] for one in own}


def goes_up_whole(desk: Desk) -> None:
    """Promise that a dossier is there as it was told, also one of which everything is known."""
    for dossier in (PLAIN, FULL, REFUSED):
        told = replace(dossier, code=desk.code())
        assert desk.synced(told) == ["create"]
        assert desk.kept(told.code) == told


def is_updated_where_it_exists(desk: Desk) -> None:
    """Promise that what exists is updated: the portal has what was told last, and one dossier."""
    first = replace(PLAIN, code=desk.code())
    later = replace(FULL, code=first.code, status=DossierStatus.PROCESSING)
    assert (desk.synced(first), desk.synced(later)) == (["create"], ["create", "update"])
    last = replace(first, status=DossierStatus.PROCESSING)
    assert desk.synced(last, known=True) == ["update"]
    assert desk.kept(first.code) == last
    assert desk.done("create", first.code) == {str(first.code): 1}


def is_created_where_it_is_not_there(desk: Desk) -> None:
    """Promise that what is believed to be there, and is not, is created, one way or the other."""
    told = replace(FULL, code=desk.code())
    updates = desk.peer.dialects(DOOR)["update_absent"] == "created"
    assert desk.synced(told, known=True) == (["update"] if updates else ["update", "create"])
    assert desk.kept(told.code) == told


def is_found(desk: Desk) -> None:
    """Promise that a look-up tells whether it is there; none is an answer."""
    told = replace(PLAIN, code=desk.code())
    assert desk.do("look_up", told.code).record is None
    desk.synced(told)
    record = desk.do("look_up", told.code).record
    assert record.code == told.code
    assert record.status in ("2", None)


def goes_up_in_parts(desk: Desk) -> None:
    """Promise that twelve steps are two requests, and each step is there once."""
    code = desk.code()
    desk.synced(replace(PLAIN, code=code))
    steps = tuple(
        replace(STEPS.steps[0], at=STEPS.steps[0].at.replace(hour=number + 9), content=f"Bước {number}")
        for number in range(12)
    )
    whole, outcomes = replace(STEPS, code=code, steps=steps), list[Outcome]()
    while not isinstance(then := progress(outcomes, 12, desk.settings.steps_per_request), Finished):
        desk.do(then.call, part(whole, then))
        outcomes.append(Outcome(then, Ending.DONE))
    assert [one.step.name for one in outcomes] == ["progress/0-10", "progress/10-12"]
    assert [*desk.done("progress", code).values()] == [1] * 12


def needs_a_dossier_first(desk: Desk) -> None:
    """Promise that progress of what is not there is a rejection, where the portal refuses it."""
    failure = desk.tried("progress", replace(STEPS, code=desk.code()))
    if desk.peer.dialects(DOOR)["step_without_dossier"] == "refused":
        assert failure is not None
        assert (failure.kind, failure.reason) == (Kind.REJECTED, "dossier_unknown")
    else:
        assert failure is None


def is_never_a_success_unsaid(desk: Desk) -> None:
    """Promise that no fault makes a success of what was not done, except a portal that says so of what it ignored."""
    for what, operation in QUICK:
        code = desk.code()
        if operation == "progress":
            desk.synced(replace(PLAIN, code=code))
        else:
            desk.do("look_up", code)
        fault = desk.peer.mocks.fault(what, whom={"door": DOOR, "operation": operation})
        write = replace(PLAIN, code=code) if operation == "create" else replace(STEPS, code=code)
        failure = desk.tried(operation, write)
        told, acted = failure is None, bool(desk.done(operation, code))
        assert acted or not told or what == "ignored", (what, operation)
        kinds = EXPECTED.get(what)
        assert kinds is None or (failure is not None and failure.kind in kinds), (what, operation, failure)
        desk.peer.mocks.admin("DELETE", f"faults?id={fault['id']}")
        desk.session = None


def renews_an_ended_session(desk: Desk) -> None:
    """Promise that an ended session is a refused credential that did nothing; a new log-in goes on."""
    if desk.form == "G1w":
        return
    told = replace(PLAIN, code=desk.code())
    desk.do("look_up", told.code)
    desk.session = replace(desk.session, token=type(desk.session.token)("s-khong-co"))
    failure = desk.refused("create", told)
    assert (failure.kind, failure.may_have_acted) == (Kind.CREDENTIAL_REFUSED, Acted.NO)
    desk.session = None
    assert desk.synced(told) == ["create"]


def refuses_a_wrong_account(desk: Desk) -> None:
    """Promise that a log-in with another secret is a refused account."""
    if desk.form == "G1w":
        return
    account = {"username": desk.settings.account.username, "secret": "khong-dung"} if desk.settings.account else None
    with pytest.raises(Failure) as caught:
        Desk(desk.peer, desk.form, account=account).do("login")
    assert caught.value.kind is Kind.CREDENTIAL_REFUSED


PROMISES: Final = (
    goes_up_whole,
    is_updated_where_it_exists,
    is_created_where_it_is_not_there,
    is_found,
    goes_up_in_parts,
    needs_a_dossier_first,
    renews_an_ended_session,
    refuses_a_wrong_account,
)
"""What the portal does is the same in each dialect, but for what a dialect changes on purpose."""
SEVERAL: Final[Sequence[Mapping[str, Any]]] = (*one_at_a_time(Dialects, NUMBERS), *extremes(Dialects, NUMBERS))


def spoken(changes: Mapping[str, Any]) -> str:
    """Return the name of a case."""
    return "-".join(f"{name}={value}" for name, value in changes.items()) if len(changes) == 1 else "mixed"


@pytest.fixture(scope="module")
def mounted() -> Iterator[Peer]:
    """Return a peer of mocks in this process."""
    with in_process() as peer:
        yield peer


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("promise", [*PROMISES, is_never_a_success_unsaid], ids=lambda one: str(one.__name__))
def test_in_process(mounted: Peer, form: str, promise: Any) -> None:
    """Mounted in process, each promise is kept in each form."""
    mounted.speak(DOOR, Dialects().model_dump())
    promise(Desk(mounted, form))


@pytest.mark.parametrize("changes", SEVERAL, ids=spoken)
def test_in_every_dialect(mounted: Peer, changes: Mapping[str, Any]) -> None:
    """Every promise is kept in every dialect, in both forms; in mixtures also under every fault."""
    mounted.speak(DOOR, Dialects().model_dump() | changes)
    for form in FORMS:
        for promise in (*PROMISES, *((is_never_a_success_unsaid,) if len(changes) > 1 else ())):
            promise(Desk(mounted, form))


@pytest.mark.parametrize("prefix", ["bare", "xrd", "vxp"])
def test_over_sockets(prefix: str) -> None:
    """As a process, over the real carrier and by each path, a dossier and its progress go up."""
    with over_sockets() as peer:
        desk = Desk(peer, "G1", path_form=prefix, dstcode_in="query" if prefix == "vxp" else "header")
        for promise in (goes_up_whole, is_updated_where_it_exists, goes_up_in_parts):
            promise(desk)
