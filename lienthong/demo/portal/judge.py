"""What was handed in beside what the portal has: pure, so that each verdict can be seen to fail.

The portal's side is the mock's: its world tells what is there, its ledger what was done and how often. Wire names stand
here because that side speaks them; how the gateway writes a dossier is not looked at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from contracts import VIETNAM
from lienthong.demo.portal.dossiers import RETURNED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from lienthong.demo.portal.dossiers import Case, Step

CREATE = "create"
Rates: TypeAlias = dict[str, tuple[int, int]]
"""Part and whole of each criterion of the index."""
RATES = ("1.4", "2.1", "3.3", "4.3", "4.5")
"""The criteria of the index that the demo's dossiers are about."""


@dataclass(frozen=True, slots=True)
class There:
    """What the portal has: contents by code, how often each was created, how often each step was applied."""

    contents: Mapping[str, Mapping[str, Any]]
    created: Mapping[str, int]
    steps: Mapping[str, int]

    @classmethod
    def read(
        cls, dossiers: Iterable[Mapping[str, Any]], steps: Iterable[Mapping[str, Any]], counts: Iterable[dict[str, Any]]
    ) -> There:
        """Return it from the admin API's resources and counts of effects."""
        times: Counter[str] = Counter()
        for step in steps:
            content = step["fields"]["content"]
            times[_key(step["fields"]["dossier"], content["ThoiDiemXuLy"], content["TrangThai"])] += step["fields"].get(
                "times", 1
            )
        created = {one["key"]: one["count"] for one in counts if one["operation"] == CREATE}
        return cls({one["id"]: one["fields"]["content"] for one in dossiers}, created, times)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the two differ, code by code and step by step; nothing in any of them is as it has to be."""

    dossiers: int
    there: int
    steps: int
    applied: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    changed: tuple[str, ...]
    """Dossiers whose last content is not the one handed in last."""
    strange: tuple[str, ...]
    """Dossiers and steps that nobody handed in."""
    missing: tuple[str, ...]
    repeated: tuple[str, ...]
    waiting: int
    """Writes that still wait for a person."""

    @property
    def holds(self) -> bool:
        """Whether everything is there, once and unchanged, and nobody is waited for."""
        wrong = (self.lost, self.twice, self.changed, self.strange, self.missing, self.repeated)
        return not any(wrong) and self.waiting == 0


def compare(cases: Collection[Case], there: There, waiting: int) -> Verdict:
    """Return the verdict on dossiers that have been carried to their results."""
    codes = {case.code for case in cases}
    steps = {step_key(case, step) for case in cases for step in case.steps}
    return Verdict(
        dossiers=len(codes),
        there=len(codes & there.contents.keys()),
        steps=len(steps),
        applied=sum(there.steps.values()),
        lost=_sorted(codes - there.contents.keys()),
        twice=_sorted(code for code in codes if there.created.get(code, 0) > 1),
        changed=_sorted(
            case.code for case in cases if case.code in there.contents and not _same(case, there.contents[case.code])
        ),
        strange=_sorted((there.contents.keys() - codes) | (there.steps.keys() - steps)),
        missing=_sorted(steps - there.steps.keys()),
        repeated=_sorted(step for step in steps if there.steps.get(step, 0) > 1),
        waiting=waiting,
    )


def deserved(cases: Collection[Case]) -> Rates:
    """Return the rates that these dossiers deserve once all of them are there: part and whole of each criterion."""
    whole = len(cases)
    parts = {
        "1.4": whole,
        "2.1": sum(not case.late for case in cases),
        "3.3": sum(case.online for case in cases),
        "4.3": sum(case.digitised for case in cases),
        "4.5": sum(case.known for case in cases),
    }
    return {name: (part, whole) for name, part in parts.items()}


def rates(report: Mapping[str, Any]) -> Rates:
    """Return the same of the portal's report."""
    return {name: (report["index"][name]["part"], report["index"][name]["whole"]) for name in RATES}


@dataclass(frozen=True, slots=True)
class Once:
    """What would be there if everything had been sent one time, at the moment at which it was handed in."""

    dossiers: int
    steps: int
    results: int


def once(cases: Collection[Case], reached: Collection[tuple[str, str]]) -> Once:
    """Count it. `reached` are code and write (`reception`, `progress`, `result`) of each first send that took effect.

    What follows on a dossier that is not there would have been refused, and does not count.
    """
    known = [case for case in cases if (case.code, "reception") in reached]
    return Once(
        dossiers=len(known),
        steps=sum(len(case.steps) for case in known if (case.code, "progress") in reached),
        results=sum((case.code, "result") in reached for case in known),
    )


def step_key(case: Case, step: Step) -> str:
    """Return what stands for a step in the portal's ledger and faults."""
    return _key(case.code, wire_time(step.at), str(step.status))


def wire_time(moment: datetime) -> str:
    """Return a moment as the portal writes it."""
    return f"{moment.astimezone(VIETNAM):%Y%m%d%H%M%S}"


def _same(case: Case, content: Mapping[str, Any]) -> bool:
    expected = {
        "MaTTHC": case.procedure.code,
        "TrangThaiHoSo": str(RETURNED),
        "ChuHoSo": case.owner,
        "DonViXuLy": case.commune.name,
        "NgayTiepNhan": wire_time(case.received_at),
        "NgayHenTra": wire_time(case.due_at),
        "NgayKetThucXuLy": wire_time(case.finished_at),
    }
    papers = [row.get("DuongDanTepTinKetQua") for row in content.get("DanhSachGiayToKetQua") or ()]
    wanted = [result["address"] for result in case.result()["results"]]
    return papers == wanted and all(content.get(name) == value for name, value in expected.items())


def _key(code: str, moment: str, status: str) -> str:
    """Return a step's key as the mock's ledger has it."""
    return f"{code}:{moment}-{status}"


def _sorted(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(found))
