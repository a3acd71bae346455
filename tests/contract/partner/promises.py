"""What a caller of the synthetic partner may rely on, through our adapter: what is done, how often, and what is told.

Where a dialect changes a promise on purpose, what is expected is a function of the dialect.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import SecretStr

from contracts.model import Acted, IdentityNumber, Kind, Layer, LookupAnswer, ProcedureCode, WrongField
from contracts.model.partner import LaneName, RecordLookup, StepState
from tests.contract.partner.peer import (
    DOOR,
    INSIDE,
    LOOKUPS,
    OURS,
    THEIRS,
    WRITES,
    applicant,
    do,
    effects,
    forget,
    fresh,
    registered,
    session,
    write_of,
)
from tests.support.conformance import Check, alone, each

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Failure
    from tests.support.conformance import Peer

A_MOMENT: Final = timedelta(minutes=5)
DONE, NOT_THERE, CANNOT_TELL = LookupAnswer


def registers_once_for_each_key(peer: Peer) -> None:
    """Promise that a registration under the same key is one effect and one receipt, however often it is sent."""
    write = write_of("register", fresh(peer), applicant=applicant(peer))
    first, *others = [do(peer, "register", write).receipt for _ in range(3)]
    assert others == [first, first]
    assert effects(peer, write.code) == {("register", ""): 1}


def is_told_of_a_code_that_is_there(peer: Peer) -> None:
    """Promise that a code under another key is the same rejection in every dialect, and no effect."""
    code = registered(peer)
    failure = do(peer, "register", write_of("register", code), key="khoa-khac").refused()
    assert (failure.kind, failure.reason, failure.may_have_acted) == (Kind.REJECTED, "record_exists", Acted.NO)
    assert effects(peer, code) == {("register", ""): 1}


def replaces_with_the_same_state(peer: Peer) -> None:
    """Promise that a whole content, sent twice, leaves what it left the first time; an older one is refused."""
    code = registered(peer)
    write = write_of("replace", code, revision=2)
    receipts = {do(peer, "replace", write).receipt for _ in range(2)}
    assert len(receipts) == 1
    older = do(peer, "replace", write_of("replace", code, revision=1)).refused()
    assert (older.kind, older.reason) == (Kind.REJECTED, "out_of_order")
    record = do(peer, "read", code).looked_up.record
    assert record is not None
    assert (record.title, record.amount, record.revision) == (write.title, write.amount, 2)


def appends_what_can_be_looked_up(peer: Peer) -> None:
    """Promise that the look-up tells a step from none, and that a step once more is told as the dialect has it."""
    code = registered(peer)
    write = write_of("append", code, note="Đã nhận")
    assert do(peer, "find_step", write).found is NOT_THERE
    assert do(peer, "append", write).receipt.state == "processing"
    assert do(peer, "find_step", write).found is DONE
    assert do(peer, "find_step", replace(write, step=2)).found is NOT_THERE
    again = do(peer, "append", write)
    if peer.dialects(DOOR)["repeated_step"] == "recognised":
        failure = again.refused()
        assert (failure.kind, failure.may_have_acted) == (Kind.ALREADY_DONE, Acted.YES)
    else:
        assert again.receipt.state == "processing"
    times = 1 if again.failure else 2
    assert effects(peer, code)["append", "1"] == times


def transfers_what_may_not_be_told(peer: Peer) -> None:
    """Promise that the look-up of a transfer says honestly whether it can tell."""
    code = registered(peer)
    write = write_of("transfer", code)
    way = peer.dialects(DOOR)["transfer_lookup"]
    cannot = CANNOT_TELL if way != "at_once" else None
    before = do(peer, "find_transfer", write).found
    assert before is (cannot or NOT_THERE)
    assert do(peer, "transfer", write).receipt.code == code
    assert do(peer, "find_transfer", write).found is (cannot or DONE)
    if way == "later":
        peer.advance(601)
        assert do(peer, "find_transfer", write).found is DONE


def notifies_each_time(peer: Peer) -> None:
    """Promise that a notice sent twice is two: nothing saves a careless caller, and no look-up is declared."""
    code = registered(peer)
    for _ in range(2):
        assert do(peer, "notify", write_of("notify", code)).receipt.code == code
    assert effects(peer, code)["notify", "TB-1"] == 2


def reads_what_stands_there(peer: Peer) -> None:
    """Promise that a record is read as it was written, its times as moments, and that none is an answer."""
    code = fresh(peer)
    assert do(peer, "read", code).looked_up == RecordLookup(record=None)
    write = write_of("register", code, amount=0)
    receipt = do(peer, "register", write).receipt
    record = do(peer, "read", code).looked_up.record
    assert record is not None
    assert (record.code, record.number, record.state) == (code, receipt.number, receipt.state)
    assert (record.title, record.amount, record.procedure) == (write.title, 0, "9.000001")
    assert (record.revision, record.last_step, record.held_by) == (0, 0, OURS)
    assert record.registered_at is not None
    assert abs(record.registered_at - datetime.fromtimestamp(peer.now(), UTC)) < A_MOMENT
    assert do(peer, "transfer", write_of("transfer", code)).receipt.code == code
    after = do(peer, "read", code).looked_up.record
    assert after is not None
    assert after.held_by == THEIRS


def keeps_the_lane_in_the_ledger(peer: Peer) -> None:
    """Promise that the partner is told the lane that we order by, so that the ledger can be asked about order."""
    code = registered(peer)
    for lane in (None, LaneName("loat/2026")):
        for operation in WRITES:
            told = do(peer, operation, write_of(operation, code if operation != "register" else fresh(peer), lane=lane))
            assert told.record["lane"] in ("loat/2026" if lane else told.record["key"].partition(":")[0], None)
            assert told.record["lane"] is not None


def holds_sessions_side_by_side(peer: Peer) -> None:
    """Promise that a log-in ends no other session, and that one ends when the partner said that it would."""
    first = session(peer)
    second = do(peer, "login").answer
    assert first.fingerprint != second.fingerprint
    assert first.account == second.account
    for one in (first, second):
        assert do(peer, "read", fresh(peer), credential=one).looked_up.record is None
    assert second.expires_at is not None
    peer.advance(second.expires_at.timestamp() - peer.now() + 1)
    failure = do(peer, "read", fresh(peer), credential=second).refused()
    assert (failure.kind, failure.reason, failure.may_have_acted) == (
        Kind.CREDENTIAL_REFUSED,
        "session_expired",
        Acted.NO,
    )


class Refusal(NamedTuple):
    """Something that is refused: which operations, how it is asked for, which failure it is."""

    name: str
    operations: tuple[str, ...]
    kind: Kind
    layer: Layer
    reason: str
    asking: Mapping[str, Any] = {}
    changes: Mapping[str, Any] = {}
    verb: str = ""
    """What the partner's officer does to the record before."""
    there: bool = True
    """Whether the record is there before."""
    unless: Mapping[str, Any] = {}
    """A dialect in which this is not refused."""


ABOUT_A_RECORD: Final = ("replace", "append", "transfer", "notify")
_NO: Final = (Kind.REJECTED, Layer.BUSINESS)
REFUSALS: Final = (
    Refusal(
        "officer",
        WRITES,
        Kind.CALLER_REFUSED,
        Layer.BUSINESS,
        "officer_not_authorised",
        {"officer": "canbo.khong_quyen"},
    ),
    Refusal(
        "procedure",
        WRITES,
        Kind.CALLER_REFUSED,
        Layer.BUSINESS,
        "procedure_not_licensed",
        {"procedure": ProcedureCode("9.999004")},
    ),
    Refusal("foreign record", (*ABOUT_A_RECORD, *LOOKUPS), *_NO, "record_foreign", {"agency": THEIRS}),
    Refusal("foreign code", ("register",), *_NO, "record_foreign", {"agency": THEIRS, "key": "khoa-la"}),
    Refusal("unknown record", ABOUT_A_RECORD, *_NO, "record_unknown", there=False),
    Refusal("closed record", ("replace", "append", "transfer"), *_NO, "record_closed", verb="withdraw"),
    Refusal("state", ("append",), *_NO, "state_not_allowed", changes={"state": StepState.DONE}),
    Refusal(
        "applicant",
        ("register", "replace"),
        Kind.INVALID_REQUEST,
        Layer.BUSINESS,
        "fields_refused",
        changes={"applicant": IdentityNumber("999999999999")},
    ),
)


def is_refused(peer: Peer, refusal: Refusal) -> None:
    """Promise that who may not do something is refused with the right failure, that nothing was done, and said so."""
    for operation in refusal.operations:
        new = operation == "register" and refusal.name != "foreign code"
        code = fresh(peer) if new or not refusal.there else registered(peer)
        if refusal.name == "foreign record" and operation in ("find_step", "find_transfer"):
            done_before = {"find_step": "append", "find_transfer": "transfer"}[operation]
            assert do(peer, done_before, write_of(done_before, code)).receipt
        if refusal.verb:
            peer.do("record", code.value, refusal.verb)
        changes = {} if operation in LOOKUPS else refusal.changes
        told = do(peer, operation, write_of(operation, code, **changes), **refusal.asking)
        _is(told.refused(), refusal.kind, refusal.layer, refusal.reason)
        assert told.record["acted"] is False
        if refusal.reason == "fields_refused":
            assert told.refused().fields == (WrongField("/applicant", "invalid"),)


def is_told_of_a_gap(peer: Peer) -> None:
    """Promise that a step that may not follow is rejected, in the dialects in which it may not."""
    code = registered(peer)
    order = peer.dialects(DOOR)["step_order"]
    third = do(peer, "append", write_of("append", code, step=3))
    assert (third.failure is None) is (order != "gapless")
    second = do(peer, "append", write_of("append", code, step=2))
    for told in (third, second):
        if told.failure is not None:
            _is(told.failure, *_NO, "out_of_order")
    assert (second.failure is None) is (order == "any")


def is_told_of_a_key_that_was_used(peer: Peer) -> None:
    """Promise that another content under a key is not done, and that we do not say that nothing ever was."""
    code = registered(peer)
    failure = do(peer, "register", write_of("register", code, title="Khác")).refused()
    assert (failure.kind, failure.layer, failure.reason) == (Kind.INVALID_REQUEST, Layer.OURS, "key_reused")
    assert failure.may_have_acted is Acted.MAYBE
    assert effects(peer, code) == {("register", ""): 1}


def is_told_of_a_likeness(peer: Peer) -> None:
    """Promise that a suspected duplicate is a rejection, in the dialect that suspects."""
    title = f"Hồ sơ giống nhau {peer.request_id()}"
    registered(peer, title=title)
    told = do(peer, "register", write_of("register", fresh(peer), title=title))
    assert (told.failure is not None) is peer.dialects(DOOR)["suspects_duplicates"]
    if told.failure is not None:
        _is(told.failure, *_NO, "suspected_duplicate")


def is_not_let_in(peer: Peer) -> None:
    """Promise that a token nobody gave, a wrong secret and a locked account are refused credentials, nothing done."""
    code = registered(peer)
    made_up = replace(session(peer), token=SecretStr("tu-bia-ra"))
    for operation in INSIDE:
        told = do(peer, operation, write_of(operation, code), credential=made_up)
        _is(told.refused(), Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, "session_refused")
    for account in ({"secret": "sai"}, {"username": "khong.ai"}):
        _is(do(peer, "login", account=account).refused(), Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, "credential_refused")
    held = session(peer)
    peer.do("account", "thu_xa_mot", "lock")
    _is(do(peer, "login").refused(), Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, "credential_refused")
    _is(do(peer, "read", code, credential=held).refused(), Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, "session_refused")
    peer.do("account", "thu_xa_mot", "unlock")
    forget(peer)
    assert do(peer, "read", code).looked_up.record is not None


def _is(failure: Failure, kind: Kind, layer: Layer, reason: str) -> None:
    assert (failure.kind, failure.layer, failure.reason) == (kind, layer, reason)
    assert failure.may_have_acted is Acted.NO


DOING: Final[tuple[Check, ...]] = (
    *alone(
        registers_once_for_each_key,
        is_told_of_a_code_that_is_there,
        replaces_with_the_same_state,
        appends_what_can_be_looked_up,
        transfers_what_may_not_be_told,
        notifies_each_time,
        reads_what_stands_there,
        keeps_the_lane_in_the_ledger,
        holds_sessions_side_by_side,
    ),
)
REFUSING: Final[tuple[Check, ...]] = (
    *each(is_refused, REFUSALS),
    *alone(
        is_told_of_a_gap,
        is_told_of_a_key_that_was_used,
        is_told_of_a_likeness,
        is_not_let_in,
    ),
)
