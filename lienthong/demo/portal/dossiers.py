"""The demo's dossiers: who handed in what where, from reception to result, as one-stop software would say it.

Made up from a seed, so that a run can be repeated: ten communes of one province, owners from the mocks' world (whose
numbers begin with 999), one month. Nothing here knows how the gateway or the portal writes any of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from contracts import VIETNAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.demo.people import Person

FILES = "https://tep.tinhmau.example/hoso"
"""Below it the portal fetches files."""
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
"""The month that the index is asked for."""
RECEIVED, PROCESSING, PROCESSED, RETURNED = 2, 4, 9, 10
OFFICER = "canbo.demo"
REGISTER = "7"
"""The population database, among those that a dossier says it has consulted."""
_NAMES = ("Một", "Hai", "Ba", "Bốn", "Năm", "Sáu", "Bảy", "Tám", "Chín", "Mười")
_DAYS_OF_RECEPTION = 18
_DAYS_ALLOWED = 5
_ONLINE, _DIGITISED, _KNOWN, _IN_TIME = 0.85, 0.9, 0.9, 0.95
"""Shares of a good month that is not a perfect one."""


@dataclass(frozen=True, slots=True)
class Commune:
    """One commune: its agency code and its name."""

    agency: str
    name: str


COMMUNES = tuple(Commune(f"H99.{number}", f"UBND xã Mẫu {name}") for number, name in enumerate(_NAMES, 11))


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure of the made-up catalogue, and whether it ends with a paper."""

    code: str
    name: str
    paper: bool


PROCEDURES = (
    Procedure("9.999001", "Thủ tục mẫu có kết quả", paper=True),
    Procedure("9.999002", "Thủ tục mẫu không có kết quả giấy", paper=False),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the work: when, to which status, in which words."""

    at: datetime
    status: int
    content: str

    @property
    def said(self) -> dict[str, Any]:
        """The step as the API takes it."""
        return {
            "officer": "Cán bộ Mẫu",
            "officer_title": "Công chức chuyên môn",
            "at": self.at.isoformat(),
            "content": self.content,
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One dossier from reception to result."""

    code: str
    commune: Commune
    procedure: Procedure
    owner: str = field(repr=False)
    number: str = field(repr=False)
    received_at: datetime
    due_at: datetime
    steps: tuple[Step, ...]
    online: bool
    digitised: bool
    known: bool
    """Whether the owner's account was verified with VNeID."""

    @property
    def finished_at(self) -> datetime:
        """When the work on it ended."""
        return self.steps[-1].at

    @property
    def late(self) -> bool:
        """Whether the result came after it had been promised."""
        return self.finished_at > self.due_at

    @property
    def purpose(self) -> dict[str, str]:
        """Why it is written about."""
        return {
            "agency": self.commune.agency,
            "procedure": self.procedure.code,
            "officer": OFFICER,
            "dossier": self.code,
        }

    def reception(self) -> dict[str, Any]:
        """Return the dossier as it is when it has been received."""
        return {
            "procedure": self.procedure.code,
            "procedure_name": self.procedure.name,
            "field_code": "G99-XX01",
            "field_name": "Lĩnh vực mẫu",
            "owner_kind": "citizen",
            "subject": f"Đề nghị giải quyết {self.procedure.name.lower()}",
            "received_at": self.received_at.isoformat(),
            "due_at": self.due_at.isoformat(),
            "submitted_at": (self.received_at - timedelta(hours=1)).isoformat(),
            "status": RECEIVED,
            "result_delivery": "direct",
            "processing_unit": self.commune.name,
            "owner": self.owner,
            "owner_numbers": [self.number],
            "channel": "online" if self.online else "in_person",
            "filed_with": "local_system",
            "digitised": self.digitised,
            "vneid_verified": self.known,
            "databases": [REGISTER] if self.known else [],
            "documents": [
                {
                    "id": "1",
                    "file_name": "don.pdf",
                    "address": f"{FILES}/{self.code}/don.pdf",
                    "digitised": self.digitised,
                }
            ],
        }

    def result(self) -> dict[str, Any]:
        """Return the dossier as it is when its result has been handed out."""
        result = {
            "name": "Giấy tờ mẫu",
            "id": "1",
            "address": f"{FILES}/{self.code}/ketqua.pdf",
            "result_code": "KQ.G99.000001",
        }
        return {
            **self.reception(),
            "status": RETURNED,
            "finished_at": self.finished_at.isoformat(),
            "returned_at": (self.finished_at + timedelta(hours=1)).isoformat(),
            "return_note": "Trả tại bộ phận một cửa",
            "results": [result] if self.procedure.paper else [],
        }

    def progress(self) -> list[dict[str, Any]]:
        """Return the steps between the two."""
        return [step.said for step in self.steps]


def made(owners: Sequence[Person], count: int, seed: int) -> list[Case]:
    """Return so many dossiers, one commune after the other in turn."""
    random = Random(f"dossiers {seed}")  # noqa: S311 - draws that repeat, not secrets
    able = [person for person in owners if person.number and not person.oddities]
    numbers: dict[tuple[str, date], int] = {}
    cases = []
    for place in range(count):
        commune = COMMUNES[place % len(COMMUNES)]
        day = FIRST + timedelta(days=1 + random.randrange(_DAYS_OF_RECEPTION))
        numbers[commune.agency, day] = numbers.get((commune.agency, day), 0) + 1
        code = f"{commune.agency}-{day:%y%m%d}-{numbers[commune.agency, day]:04}"
        cases.append(_made(code, commune, day, random.choice(able), random))
    return cases


def _made(code: str, commune: Commune, day: date, owner: Person, random: Random) -> Case:
    received = datetime(day.year, day.month, day.day, 8, tzinfo=VIETNAM) + timedelta(minutes=random.randrange(180))
    due = received + timedelta(days=_DAYS_ALLOWED)
    finished = due + timedelta(hours=random.randint(-30, -4) if random.random() < _IN_TIME else random.randint(4, 30))
    half = received + (finished - received) / 2
    steps = (
        Step(received + timedelta(minutes=35), PROCESSING, "Chuyển bộ phận chuyên môn"),
        Step(half.replace(microsecond=0), PROCESSING, "Thẩm định hồ sơ, trình lãnh đạo ký"),
        Step(finished, PROCESSED, "Đã có kết quả"),
    )
    assert owner.number is not None  # noqa: S101 - others were left out
    return Case(
        code=code,
        commune=commune,
        procedure=PROCEDURES[0 if random.random() < 0.7 else 1],  # noqa: PLR2004 - most of them end with a paper
        owner=owner.name,
        number=owner.number,
        received_at=received,
        due_at=due,
        steps=steps,
        online=random.random() < _ONLINE,
        digitised=random.random() < _DIGITISED,
        known=random.random() < _KNOWN,
    )
