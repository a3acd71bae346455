"""Values and answers for the tests of the portal's adapter. Nobody in them exists: every number starts with 999."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.portal import Credential, Portal, PortalSettings
from adapters.transport import Request, Response
from contracts import VIETNAM, portal
from contracts.model import (
    AgencyCode,
    DossierCode,
    Exchange,
    Failure,
    IdentityNumber,
    OldCardNumber,
    ProcedureCode,
    Purpose,
)
from contracts.model.dossier import (
    Channel,
    Document,
    Dossier,
    DossierProgress,
    DossierStatus,
    Fee,
    FeeCollection,
    FeeKind,
    FilingPlace,
    OnlinePayment,
    OwnerKind,
    Paper,
    ProgressStep,
    Result,
    ResultDelivery,
    Reuse,
    Supplement,
)

if TYPE_CHECKING:
    from contracts.model import Operation

AGENCY = AgencyCode("H99.5")
OTHER = AgencyCode("000.00.02.H99")
PURPOSE = Purpose(agency=AGENCY, procedure=ProcedureCode("9.999001"), officer="canbo.mau", dossier=None)
CODE = DossierCode("H99.5-260302-0017")
BASE = "https://motcua.example/tep"
SESSION = Credential(token=SecretStr("s-7f31"), account="0123456789ab")


def at(day: int, hour: int = 0, minute: int = 0, month: int = 3) -> datetime:
    """Return a moment of 2026 by the clocks of Vietnam."""
    return datetime(2026, month, day, hour, minute, tzinfo=VIETNAM)


DOCUMENT = Document(id="11", file_name="Đơn đề nghị.pdf", address=f"{BASE}/11", component_code="000.00.00.H99-KQ000001")
FEE = Fee(name="Lệ phí mẫu", code="LP.1", collected=FeeCollection.AT_RECEPTION, amount=20_000, kind=FeeKind.ORDINARY)
PLAIN = Dossier(
    code=CODE,
    procedure=ProcedureCode("9.999001"),
    procedure_name="Thủ tục mẫu",
    field_code="G99-XX01",
    field_name="Lĩnh vực mẫu",
    owner="NGUYỄN VĂN MẪU",
    owner_kind=OwnerKind.CITIZEN,
    phone="0000000000",
    subject="Đề nghị cấp giấy tờ mẫu",
    received_at=at(2, 8, 30),
    due_at=at(9, 17),
    status=DossierStatus.RECEIVED,
    result_delivery=ResultDelivery.DIRECT,
    processing_unit="UBND xã Mẫu",
    documents=(DOCUMENT,),
)
FULL = replace(
    PLAIN,
    receipt_number="BN-17",
    owner_account="tech-0001",
    other_information="Nộp thay cho con",
    email="a@example.test",
    fax="0000000001",
    status=DossierStatus.RESULT_RETURNED,
    returned_at=at(9, 10),
    return_note="Trả tại bộ phận một cửa",
    result_delivery=ResultDelivery.POST,
    finished_at=at(6, 16),
    note="Dòng một\nDòng hai",
    documents=(
        replace(
            DOCUMENT,
            digitised=True,
            reuse=Reuse.RESULT,
            from_national_store=False,
            replacing_result="KQ.G99.000001",
        ),
    ),
    fees=(FEE,),
    other_papers=(Paper(name="Ảnh chân dung", count=2, kind=1),),
    supplements=(
        Supplement(
            id=1,
            requested_by="Trần Thị Mẫu",
            content="Bổ sung bản sao",
            requested_at=at(3, 9),
            received_by="Trần Thị Mẫu",
            reception_note="Đã nhận đủ",
            received_at=at(4, 8),
            supplied=True,
            documents=(replace(DOCUMENT, id="12", file_name="Bản sao.pdf", address=f"{BASE}/12"),),
            fees=(replace(FEE, collected=FeeCollection.AT_SUPPLEMENT, amount=0),),
            due_before=at(6, 17),
            due_after=at(9, 17),
        ),
    ),
    results=(Result(name="Giấy tờ mẫu", id="21", address=f"{BASE}/21", result_code="KQ.G99.000002"),),
    channel=Channel.ONLINE,
    owner_paper="999190000017",
    filed_with=FilingPlace.LOCAL_SYSTEM,
    digitised=True,
    vneid_verified=True,
    online_payment=OnlinePayment.NATIONAL_PORTAL,
    owner_numbers=(IdentityNumber("999190000017"), OldCardNumber("999000001")),
    submitted_at=at(1, 20, 15),
    databases=("7",),
)
REFUSED = replace(
    PLAIN,
    status=DossierStatus.NOT_RECEIVED,
    due_at=None,
    channel=Channel.IN_PERSON,
    digitised=False,
    vneid_verified=False,
    online_payment=OnlinePayment.NONE,
    refused_at=at(2, 9),
)
STEPS = DossierProgress(
    code=CODE,
    steps=(
        ProgressStep(
            officer="Trần Thị Mẫu",
            officer_title="Chuyên viên",
            at=at(2, 8, 30),
            department="Bộ phận một cửa",
            content="Tiếp nhận hồ sơ",
            status=DossierStatus.RECEIVED,
            started_at=at(2, 8, 30),
            due_at=at(2, 17),
        ),
        ProgressStep(officer="Lê Văn Mẫu", at=at(2, 14, 5), content="Đang thẩm định", status=DossierStatus.PROCESSING),
    ),
)
EXAMPLES = {
    "create-request": PLAIN,
    "create-request-full": FULL,
    "update-request": FULL,
    "update-request-refused": REFUSED,
    "progress-request": STEPS,
}
"""What the examples of requests say."""
ABOUT: dict[str, Any] = {"create": PLAIN, "update": PLAIN, "progress": STEPS, "look_up": CODE}
"""What each operation is given, if nothing else is said."""
WRITES = ("create", "update", "progress")


def settings(**changes: Any) -> PortalSettings:
    """Return settings that talk to nobody."""
    values: dict[str, Any] = {
        "endpoint": "https://adapter.example",
        "account": {"username": "H99.5", "secret": "khong-phai-that"},
        "attachment_bases": [BASE],
    }
    return PortalSettings(**(values | changes))


DECLARED = Portal(settings(), None).operations  # type: ignore[arg-type] - nothing is sent


def example(name: str) -> bytes:
    """Return an example message of the contract."""
    return portal.file(f"examples/{name}").read_bytes()


def content(name: str) -> Any:
    """Return what an example holds."""
    return json.loads(example(f"{name}.json"))


def exchange(operation: Operation = DECLARED.look_up) -> Exchange:
    """Return an exchange that has not begun."""
    return Exchange(operation=operation, request_id="MC-1", timeout=10.0)


def answer(content: object, status: int = 200, **headers: str) -> Response:
    """Return an answer; bytes go as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Response(status, content=body, headers={"content-type": "application/json; charset=utf-8", **headers})


@dataclass
class Peer:
    """Stands where a transport does: remembers what was sent and gives one answer."""

    response: Response | Failure
    sent: list[Request] = field(default_factory=list)

    async def send(self, request: Request, exchange: Exchange) -> Response:
        """Return the answer, or raise what stands for it."""
        self.sent.append(request)
        if isinstance(self.response, Failure):
            raise self.response
        exchange.status = self.response.status_code
        return self.response


async def done(
    system: Portal,
    operation: str,
    *,
    about: Any = None,
    purpose: Purpose = PURPOSE,
    session: Credential = SESSION,
    run: Exchange | None = None,
) -> Any:
    """Run one operation by its name, about the dossier of the examples or with another write."""
    run = exchange(getattr(system.operations, operation)) if run is None else run
    if operation == "login":
        return await system.login(system.account(AGENCY), run)
    return await getattr(system, operation)(ABOUT[operation] if about is None else about, purpose, session, run)


WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t\"\\'<>&"), min_size=1, max_size=40
).filter(str.strip)
FIRST, LAST = datetime(1981, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - an offset is put to them
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(VIETNAM) | OFFSETS).map(lambda one: one.replace(microsecond=0))
FLAGS = st.booleans()
NUMBERS = st.from_regex(r"999[0-9]{9}", fullmatch=True).map(IdentityNumber) | st.from_regex(
    r"999[0-9]{6}", fullmatch=True
).map(OldCardNumber)
DOCUMENTS = st.builds(
    Document,
    id=WORDS,
    file_name=WORDS,
    address=st.from_regex(r"https://motcua\.example/tep/[a-z0-9]{1,9}", fullmatch=True),
    deleted=FLAGS,
    component_code=st.none() | WORDS,
    digitised=st.none() | FLAGS,
    reuse=st.none() | st.sampled_from(Reuse),
    from_national_store=st.none() | FLAGS,
    replacing_result=st.none() | WORDS,
)
FEES = st.builds(
    Fee,
    name=WORDS,
    code=st.none() | WORDS,
    collected=st.sampled_from(FeeCollection),
    amount=st.integers(0, 10**15 - 1),
    kind=st.sampled_from(FeeKind),
)
WHOLE = st.integers(0, 2**31 - 1)


def several(one: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Return up to two of a kind."""
    return st.lists(one, max_size=2).map(tuple)


SUPPLEMENTS = st.builds(
    Supplement,
    id=WHOLE,
    supplied=FLAGS,
    requested_by=st.none() | WORDS,
    content=st.none() | WORDS,
    requested_at=st.none() | MOMENTS,
    received_by=st.none() | WORDS,
    reception_note=st.none() | WORDS,
    received_at=st.none() | MOMENTS,
    documents=several(DOCUMENTS),
    fees=several(FEES),
    due_before=st.none() | MOMENTS,
    due_after=st.none() | MOMENTS,
)
RESULTS = st.builds(
    Result,
    name=WORDS,
    component_code=st.none() | WORDS,
    id=st.none() | WORDS,
    address=st.none() | WORDS,
    result_code=st.none() | WORDS,
)
CODES = st.from_regex(r"H99\.[0-9]{1,3}-(260302-[0-9]{4,7}|20260302-[0-9]{7})", fullmatch=True).map(DossierCode)
OPTIONAL = ("receipt_number", "owner", "owner_account", "owner_paper", "other_information", "email", "fax", "phone")
OPTIONAL += ("return_note", "note")
TIMES = ("due_at", "returned_at", "finished_at", "submitted_at", "refused_at")
DOSSIERS = st.builds(
    Dossier,
    code=CODES,
    procedure=st.from_regex(r"9\.[0-9]{6}", fullmatch=True).map(ProcedureCode),
    procedure_name=WORDS,
    field_code=WORDS,
    field_name=WORDS,
    owner_kind=st.sampled_from(OwnerKind),
    subject=WORDS,
    received_at=MOMENTS,
    status=st.sampled_from(DossierStatus),
    result_delivery=st.sampled_from(ResultDelivery),
    processing_unit=WORDS,
    owner_numbers=several(NUMBERS),
    documents=several(DOCUMENTS),
    fees=several(FEES),
    other_papers=several(st.builds(Paper, name=WORDS, count=WHOLE, kind=WHOLE)),
    supplements=several(SUPPLEMENTS),
    results=several(RESULTS),
    channel=st.none() | st.sampled_from(Channel),
    filed_with=st.none() | st.sampled_from(FilingPlace),
    digitised=st.none() | FLAGS,
    vneid_verified=st.none() | FLAGS,
    online_payment=st.none() | st.sampled_from(OnlinePayment),
    databases=several(WORDS),
    **dict.fromkeys(OPTIONAL, st.none() | WORDS),
    **dict.fromkeys(TIMES, st.none() | MOMENTS),
)
PROGRESS = st.builds(
    DossierProgress,
    code=CODES,
    steps=st.lists(
        st.builds(
            ProgressStep,
            officer=WORDS,
            at=MOMENTS,
            content=WORDS,
            status=st.sampled_from(DossierStatus),
            officer_title=st.none() | WORDS,
            department=st.none() | WORDS,
            started_at=st.none() | MOMENTS,
            due_at=st.none() | MOMENTS,
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
)
