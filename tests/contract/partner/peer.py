"""How a peer does something at the synthetic partner through our adapter, and what the ledger then says of it.

The session is held here, as the gateway would hold it: one for each account, opened anew when it is about to end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from adapters.partner import Credential, Partner, PartnerSettings
from contracts.model import Acted, AgencyCode, Exchange, Failure, IdentityNumber, ProcedureCode, Purpose
from contracts.model.partner import (
    Handover,
    Notice,
    Progress,
    Receipt,
    RecordCode,
    RecordLookup,
    Registration,
    Replacement,
    StepState,
)
from tests.support.conformance import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import LookupAnswer
    from tests.support.conformance import Peer

DOOR: Final = "partner"
WRITES: Final = ("register", "replace", "append", "transfer", "notify")
LOOKUPS: Final = ("read", "find_step", "find_transfer")
INSIDE: Final = (*WRITES, *LOOKUPS)
OPERATIONS: Final = ("login", *INSIDE)
OURS: Final = AgencyCode("000.00.01.H99")
THEIRS: Final = AgencyCode("000.00.02.H99")
PURPOSE: Final = Purpose(agency=OURS, procedure=ProcedureCode("9.000001"), officer="canbo.mau", dossier=None)
SPARE_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the caller was told, and what the ledger says happened."""

    answer: Any = None
    failure: Failure | None = None
    record: Mapping[str, Any]

    @property
    def receipt(self) -> Receipt:
        """The receipt of a write that was done."""
        assert isinstance(self.answer, Receipt), self.failure
        return self.answer

    @property
    def looked_up(self) -> RecordLookup:
        """What a look at a record gave."""
        assert isinstance(self.answer, RecordLookup), self.failure
        return self.answer

    @property
    def found(self) -> LookupAnswer:
        """The answer of a look-up."""
        assert self.failure is None, self.failure
        answer: LookupAnswer = self.answer
        return answer

    def refused(self) -> Failure:
        """Return the failure; there has to be one."""
        assert self.failure is not None, self.answer
        return self.failure


def fresh(peer: Peer, what: str = "HS") -> RecordCode:
    """Return a code that nothing has had."""
    return RecordCode(f"{what}-{peer.request_id()}")


def write_of(operation: str, code: RecordCode, **changes: Any) -> Any:
    """Return what an operation is given: the first write of its kind about a record."""
    title = f"Hồ sơ {code}"
    given = {
        "register": Registration(code=code, title=title, amount=20_000),
        "replace": Replacement(code=code, revision=1, title=f"{title}, bản mới", amount=30_000),
        "append": Progress(code=code, step=1, state=StepState.PROCESSING),
        "transfer": Handover(code=code, transfer=RecordCode("CG-1"), to=THEIRS),
        "notify": Notice(code=code, notice=RecordCode("TB-1"), text="Mời đến nhận kết quả"),
    }
    known = {"find_step": "append", "find_transfer": "transfer"}.get(operation, operation)
    return code if operation in ("read", "login") else replace(given[known], **changes)


def do(
    peer: Peer,
    operation: str,
    about: Any = None,
    *,
    agency: AgencyCode = OURS,
    key: str | None = None,
    credential: Credential | None = None,
    account: Mapping[str, str] | None = None,
    timeout: float = PATIENCE,
    **purpose: Any,
) -> Told:
    """Do one operation through the adapter; `account` and `purpose` say what differs from what is right.

    Whatever the failure, it may not deny what the ledger says was done.
    """
    adapter = _adapter(peer, account or {})
    shown = None if operation == "login" else credential or session(peer, agency)
    run = Exchange(operation=getattr(adapter.operations, operation), request_id=peer.request_id(), timeout=timeout)
    for_whom = replace(PURPOSE, agency=agency, **purpose)
    if shown is None:
        doing = adapter.login(adapter.account(agency), run)
    elif operation in LOOKUPS:
        doing = getattr(adapter, operation)(about, shown, run)
    else:
        keyed = [key or f"khoa-{about.code}"] if operation == "register" else []
        doing = getattr(adapter, operation)(about, for_whom, *keyed, shown, run)
    try:
        answer = peer.run(doing)
    except Failure as failure:
        return _honest(Told(failure=failure, record=_recorded(peer, run)))
    return _honest(Told(answer=answer, record=_recorded(peer, run)))


def session(peer: Peer, agency: AgencyCode = OURS) -> Credential:
    """Return a session of an agency's account, a new one where it is about to end."""
    held: Credential | None = peer.adapters.get(f"session {agency}")
    spare = datetime.fromtimestamp(peer.now() + SPARE_SECONDS, UTC)
    if held is None or held.expires_at is None or held.expires_at < spare:
        answer = do(peer, "login", agency=agency).answer
        assert isinstance(answer, Credential)
        peer.adapters[f"session {agency}"] = held = answer
    return held


def forget(peer: Peer) -> None:
    """Let go of the sessions: the next call opens one."""
    for name in [name for name in peer.adapters if name.startswith("session ")]:
        del peer.adapters[name]


def registered(peer: Peer, **changes: Any) -> RecordCode:
    """Return the code of a new record."""
    code = fresh(peer)
    assert do(peer, "register", write_of("register", code, **changes)).receipt.code == code
    return code


def effects(peer: Peer, code: RecordCode) -> dict[tuple[str, str], int]:
    """Return how often each operation had an effect on a record: by operation, and what tells it apart."""
    counts = peer.told("effects?limit=0")["counts"]
    own = [one for one in counts if one["key"].partition(":")[0] == code.value]
    return {(one["operation"], one["key"].partition(":")[2]): one["count"] for one in own}


def applicant(peer: Peer) -> IdentityNumber:
    """Return the number of somebody in the world."""
    return IdentityNumber(next(one["identity_number"] for one in peer.people if one["identity_number"]))


def _honest(told: Told) -> Told:
    assert told.failure is None or told.failure.operation.name == told.record["operation"]
    denied = told.failure is not None and told.failure.may_have_acted is Acted.NO
    assert not (denied and told.record["acted"]), f"said that nothing was done, and it was: {told.failure}"
    assert told.failure is not None or told.record["acted"] or told.record["outcome"] == "repeated", (
        "an answer without an act"
    )
    return told


def _adapter(peer: Peer, account: Mapping[str, str]) -> Partner:
    known = f"adapter {sorted(account.items())}"
    if known not in peer.adapters:
        accounts = {
            one["agency"]: {"username": one["username"], "secret": one["secret"], **account}
            for one in peer.mocks.ready["credentials"][DOOR]["accounts"]
        }
        settings = PartnerSettings.model_validate(
            {"endpoint": peer.mocks.ready[DOOR], "plain_http": True, "accounts": accounts}
        )
        peer.adapters[known] = Partner(settings, peer.transport)
    adapter: Partner = peer.adapters[known]
    return adapter


def _recorded(peer: Peer, run: Exchange) -> dict[str, Any]:
    """Return the ledger's record of the exchange."""
    record = peer.last()
    assert (record["request_id"], record["operation"]) == (run.request_id, run.operation.name)
    assert record["door"] == DOOR
    return record
