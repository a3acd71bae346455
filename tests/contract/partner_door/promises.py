"""What a caller of the synthetic partner may rely on: one write of each kind of repetition, look-ups, the ledger.

Who is refused stands in `refusals`, what faults come to in `faults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.contract.partner_door.peer import DOOR, OTHER, Desk, done, new, read
from tests.support.conformance import Check, alone
from tests.support.partner import registration

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import httpx

    from tests.support.conformance import Peer
    from tests.support.partner import Partner

    Asking = Callable[[Partner, str], Coroutine[Any, Any, httpx.Response]]

KNOWN_AFTER: Final = 600.0
WRITES: Final[dict[str, Asking]] = {
    "replace": lambda partner, code: partner.replace(code, 1),
    "append": lambda partner, code: partner.append(code, 1),
    "transfer": lambda partner, code: partner.transfer(code, "CG-1"),
    "notify": lambda partner, code: partner.notify(code, "TB-1"),
}
LOOKUPS: Final[dict[str, Asking]] = {
    "read": lambda partner, code: partner.read(code),
    "find_step": lambda partner, code: partner.find_step(code, 1),
    "find_transfer": lambda partner, code: partner.find_transfer(code, "CG-1"),
}
INSIDE: Final[dict[str, Asking]] = {"register": lambda partner, code: partner.register(code), **WRITES, **LOOKUPS}
APART: Final = "title"


def registered(desk: Desk, **fields: Any) -> str:
    """Register a record and return its code."""
    code = new(desk.peer)
    desk.did(desk.partner.register(code, **fields))
    return code


def registers_once_under_a_key(peer: Peer) -> None:
    """Promise one effect for one key: the same body gets the same answer, another body is refused, no key is too."""
    desk = Desk(peer)
    code, key = new(peer), new(peer, "khoa")
    first = desk.did(desk.partner.register(code, key=key))
    assert first.outcome == ("registered", True)
    assert first.record["idempotency_key"] == key
    again = desk.did(desk.partner.register(code, key=key))
    assert (again.data, again.outcome) == (first.data, ("repeated", False))
    desk.refused(desk.partner.register(code, key=key, amount=1), "KEY_REUSED")
    desk.refused(desk.partner.send("POST", "/records", registration(new(peer))), "KEY_MISSING")
    assert done(peer, "register", code) == 1


def knows_a_code_again(peer: Peer) -> None:
    """Promise that a code that is there, under a new key, is an error or a success with a note, as the dialect says."""
    desk = Desk(peer)
    code = registered(desk)
    asking = desk.partner.register(code, key=new(peer, "khoa"))
    if peer.dialects(DOOR)["exists"] == "error":
        desk.refused(asking, "RECORD_EXISTS")
    else:
        said = desk.did(asking)
        assert (said.outcome, said.data["note"]) == (("existed", False), "exists")
    assert done(peer, "register", code) == 1
    desk.refused(Desk(peer, OTHER).partner.register(code, key=new(peer, "khoa")), "FOREIGN_RECORD")


def may_suspect_a_duplicate(peer: Peer) -> None:
    """Promise that the same content under another code is suspected exactly where the dialect says so."""
    desk, same = Desk(peer), {APART: new(peer, "tieu-de")}
    registered(desk, **same)
    code = new(peer)
    if peer.dialects(DOOR)["suspects_duplicates"]:
        desk.refused(desk.partner.register(code, **same), "SUSPECTED_DUPLICATE")
        # A refusal leaves no key behind: corrected, it comes under the same.
        assert desk.did(desk.partner.register(code, **{APART: code})).outcome == ("registered", True)
    else:
        assert desk.did(desk.partner.register(code, **same)).outcome == ("registered", True)


def replaces_safely(peer: Peer) -> None:
    """Promise that replacing twice changes nothing more, that the last revision stands, and an older one is refused."""
    desk = Desk(peer)
    code = registered(desk)
    for outcome in ("replaced", "same"):
        assert desk.did(desk.partner.replace(code, 2, amount=5)).outcome == (outcome, True)
    desk.refused(desk.partner.replace(code, 1), "OUT_OF_ORDER")
    desk.refused(desk.partner.replace(code, 2, amount=6), "OUT_OF_ORDER")
    found = desk.did(desk.partner.read(code)).data
    assert (found["revision"], found["amount"]) == (2, 5)


def appends_by_lookup(peer: Peer) -> None:
    """Promise that a look-up tells whether a step is there, and what a repeated one does in this dialect."""
    desk = Desk(peer)
    code = registered(desk)
    assert is_there(desk, desk.partner.find_step(code, 1)) is False
    assert desk.did(desk.partner.append(code, 1)).outcome == ("applied", True)
    assert is_there(desk, desk.partner.find_step(code, 1)) is True
    again = desk.did(desk.partner.append(code, 1))
    recognised = peer.dialects(DOOR)["repeated_step"] == "recognised"
    assert again.outcome == (("recognised", False) if recognised else ("applied_again", True))
    assert desk.did(desk.partner.find_step(code, 1)).data["times"] == done(peer, "append", f"{code}:1")
    assert done(peer, "append", f"{code}:1") == (1 if recognised else 2)


def keeps_the_order_of_steps(peer: Peer) -> None:
    """Promise that a step that leaves a gap, and one that comes too late, are taken or refused as the dialect says."""
    desk, order = Desk(peer), peer.dialects(DOOR)["step_order"]
    code = registered(desk)
    gap = desk.said(desk.partner.append(code, 3)).outcome
    assert gap == (("out_of_order", False) if order == "gapless" else ("applied", True))
    if order == "gapless":
        desk.did(desk.partner.append(code, 1))
        assert desk.did(desk.partner.append(code, 2)).outcome == ("applied", True)
    else:
        late = desk.said(desk.partner.append(code, 2)).outcome
        assert late == (("applied", True) if order == "any" else ("out_of_order", False))


def moves_by_its_life_cycle(peer: Peer) -> None:
    """Promise that a record is worked on, finished and then closed, and that nothing else is done to a closed one."""
    desk = Desk(peer)
    code = registered(desk)
    desk.refused(desk.partner.append(code, 1, "done"), "STATE_NOT_ALLOWED")
    desk.did(desk.partner.append(code, 1))
    desk.did(desk.partner.append(code, 2, "done"))
    assert desk.did(desk.partner.read(code)).data["state"] == "done"
    for asking in (desk.partner.append(code, 3), desk.partner.replace(code, 1), desk.partner.transfer(code, "CG-1")):
        desk.refused(asking, "RECORD_CLOSED")


def applies_twice_what_is_sent_twice(peer: Peer) -> None:
    """Promise that a transfer and a notice that are sent twice are done twice: nothing saves a careless caller."""
    desk = Desk(peer)
    code = registered(desk)
    for operation, part in (("transfer", "CG-1"), ("notify", "TB-1")):
        for times, outcome in ((1, "applied"), (2, "applied_again")):
            said = desk.did(WRITES[operation](desk.partner, code))
            assert (said.outcome, said.data["times"]) == ((outcome, True), times)
        assert done(peer, operation, f"{code}:{part}") == 2


def may_not_tell_of_a_transfer(peer: Peer) -> None:
    """Promise that the look-up of a transfer tells never, later or at once, as the dialect says."""
    desk, when = Desk(peer), peer.dialects(DOOR)["transfer_lookup"]
    code = registered(desk)
    desk.did(desk.partner.transfer(code, "CG-1"))
    asked = [is_there(desk, desk.partner.find_transfer(code, transfer)) for transfer in ("CG-1", "CG-2")]
    assert asked == ([True, False] if when == "at_once" else [None, None])
    peer.advance(KNOWN_AFTER + 1)
    asked = [is_there(desk, desk.partner.find_transfer(code, transfer)) for transfer in ("CG-1", "CG-2")]
    assert asked == ([None, None] if when == "never" else [True, False])


def is_there(desk: Desk, asking: Coroutine[Any, Any, httpx.Response]) -> bool | None:
    """Return what a look-up says: there, not there, or that it cannot tell. Not there may be told as an error."""
    response = desk.raw(asking)
    said = read(response, desk.peer, desk.peer.last())
    answer = said.data.get("answer", "not_there")
    if said.word == "RECORD_UNKNOWN":
        assert desk.peer.dialects(DOOR)["absent"] == "error"
    else:
        assert said.word == "ok"
        assert answer != "not_there" or desk.peer.dialects(DOOR)["absent"] == "answer"
    return {"done": True, "not_there": False, "cannot_tell": None}[answer]


def tells_what_is_not_there(peer: Peer) -> None:
    """Promise that a look-up of what nobody registered says so, as answer or as error, and a write is refused."""
    desk = Desk(peer)
    assert is_there(desk, desk.partner.read(new(peer))) is False
    assert desk.peer.last()["outcome"] == "not_there"
    for asking in WRITES.values():
        desk.refused(asking(desk.partner, new(peer)), "RECORD_UNKNOWN")


def notes_lane_and_key(peer: Peer) -> None:
    """Promise that the ledger knows lane, key, agency and attempt of every write, and that a look-up has no lane."""
    desk = Desk(peer)
    code = registered(desk)
    assert desk.did(desk.partner.append(code, 1, lane="lan/1")).record["lane"] == "lan/1"
    record = desk.did(desk.partner.replace(code, 1)).record
    assert (record["lane"], record["key"], record["attempt"]) == (code, f"{code}:1", 1)
    assert record["agency"] == "000.00.01.H99"
    assert desk.did(desk.partner.replace(code, 1)).record["attempt"] == 2
    assert desk.did(desk.partner.read(code)).record["lane"] is None


def owes_callbacks(peer: Peer) -> None:
    """Promise one callback for a registration however often it was sent, and one for each step of an officer."""
    desk = Desk(peer)
    code, key = new(peer), new(peer, "khoa")
    for _ in range(2):
        desk.did(desk.partner.register(code, key=key))
    for verb in ("take_up", "finish"):
        peer.do("record", code, verb)
    owed = [one for one in peer.told("callbacks?limit=10000")["callbacks"] if one["key"] == code]
    assert [one["name"] for one in owed] == ["registered", "progressed", "progressed"]
    assert {one["state"] for one in owed} == {"due"}


def publishes_its_operations(peer: Peer) -> None:
    """Promise that anybody may read which operations there are, that it is synthetic, and that this is no exchange."""
    before = len(peer.sent)
    shown = peer.run(peer.desk.get(peer.mocks.ready[DOOR])).json()
    del peer.sent[before:]
    assert shown["synthetic"] is True
    assert set(shown["operations"]) == {"login", *INSIDE}
    assert peer.told("exchanges?limit=0")["total"] == before


ASKING: Final[tuple[Check, ...]] = (
    *alone(registers_once_under_a_key, knows_a_code_again, may_suspect_a_duplicate, replaces_safely),
    *alone(appends_by_lookup, keeps_the_order_of_steps, moves_by_its_life_cycle),
    *alone(applies_twice_what_is_sent_twice, may_not_tell_of_a_transfer, tells_what_is_not_there),
    *alone(notes_lane_and_key, owes_callbacks, publishes_its_operations),
)
