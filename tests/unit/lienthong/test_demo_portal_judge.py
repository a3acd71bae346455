from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contracts.texts import Language, catalogue
from lienthong.demo.people import Person
from lienthong.demo.portal.dossiers import made
from lienthong.demo.portal.judge import RATES, There, Verdict, compare, deserved, once, rates, step_key, wire_time
from lienthong.demo.portal.show import DIFFERENCES

if TYPE_CHECKING:
    from collections.abc import Callable

OWNER = Person(id=1, key="k", number="999100000001", card=None, name="Trần Thị Mẫu", birth="1990", oddities=frozenset())
CASES = made([OWNER], 12, seed=1)
FIRST = CASES[0]
STEP = step_key(FIRST, FIRST.steps[0])


def books() -> dict[str, Any]:
    """Return what the portal's admin API tells when everything is as it has to be."""
    dossiers, steps = [], []
    for case in CASES:
        content = {
            "MaTTHC": case.procedure.code,
            "TrangThaiHoSo": "10",
            "ChuHoSo": case.owner,
            "DonViXuLy": case.commune.name,
            "NgayTiepNhan": wire_time(case.received_at),
            "NgayHenTra": wire_time(case.due_at),
            "NgayKetThucXuLy": wire_time(case.finished_at),
            "DanhSachGiayToKetQua": [{"DuongDanTepTinKetQua": one["address"]} for one in case.result()["results"]],
        }
        dossiers.append({"id": case.code, "fields": {"content": content}})
        for step in case.steps:
            said = {"ThoiDiemXuLy": wire_time(step.at), "TrangThai": str(step.status)}
            steps.append({"fields": {"dossier": case.code, "content": said, "times": 1}})
    counts = [{"operation": "create", "key": case.code, "count": 1} for case in CASES]
    counts += [{"operation": "update", "key": case.code, "count": 2} for case in CASES]
    return {"dossiers": dossiers, "steps": steps, "counts": counts}


def judged(spoil: Callable[[dict[str, Any]], object] = lambda _: None, waiting: int = 0) -> Verdict:
    given = books()
    spoil(given)
    return compare(CASES, There.read(given["dossiers"], given["steps"], given["counts"]), waiting)


def spoilt(field: str, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda given: given["dossiers"][0]["fields"]["content"].__setitem__(field, value)


def test_the_verdict_holds_where_everything_is_there_once() -> None:
    """Each dossier once with its last content, each step once, nobody waiting; updates may be many."""
    verdict = judged()
    assert verdict.holds
    assert (verdict.dossiers, verdict.there, verdict.steps, verdict.applied) == (12, 12, 36, 36)


@pytest.mark.parametrize(
    ("spoil", "name", "codes"),
    [
        (lambda given: given["dossiers"].pop(0), "lost", (FIRST.code,)),
        (lambda given: given["counts"][0].update(count=2), "twice", (FIRST.code,)),
        (spoilt("TrangThaiHoSo", "2"), "changed", (FIRST.code,)),
        (spoilt("ChuHoSo", "Lê Văn Mẫu"), "changed", (FIRST.code,)),
        (spoilt("NgayKetThucXuLy", ""), "changed", (FIRST.code,)),
        (
            spoilt("DanhSachGiayToKetQua", [{"DuongDanTepTinKetQua": "https://khac.example/1"}]),
            "changed",
            (FIRST.code,),
        ),
        (lambda given: given["dossiers"].append({"id": "H99.5-1", "fields": {"content": {}}}), "strange", ("H99.5-1",)),
        (lambda given: given["steps"].pop(0), "missing", (STEP,)),
        (lambda given: given["steps"][0]["fields"].update(times=2), "repeated", (STEP,)),
        (lambda given: given["steps"].append(given["steps"][0]), "repeated", (STEP,)),
    ],
)
def test_each_difference_is_seen_and_named(
    spoil: Callable[[dict[str, Any]], object], name: str, codes: tuple[str, ...]
) -> None:
    """One thing out of place is enough, it is told which, and nothing else is blamed."""
    verdict = judged(spoil)
    assert not verdict.holds
    assert {other: getattr(verdict, other) for other in DIFFERENCES if getattr(verdict, other)} == {name: codes}
    assert f"cli.demo.portal.wrong.{name}" in catalogue(Language.VI)


def test_a_step_that_nobody_handed_in_is_strange() -> None:
    """A step under another moment is one that is missing and one too many."""
    verdict = judged(lambda given: given["steps"][0]["fields"]["content"].update(ThoiDiemXuLy="20260301000000"))
    assert (verdict.missing, verdict.strange) == ((STEP,), (f"{FIRST.code}:20260301000000-4",))


def test_a_write_that_still_waits_for_a_person_is_no_end() -> None:
    """All there, and one question open: the verdict does not hold."""
    assert not judged(waiting=1).holds


def test_the_rates_that_the_work_deserves_are_counted_one_by_one() -> None:
    """Each criterion follows its own trait of a dossier, and the portal's report is read the same way."""
    plain = replace(FIRST, online=True, digitised=True, known=True, due_at=FIRST.finished_at)
    assert deserved([plain, plain]) == dict.fromkeys(RATES, (2, 2))
    late = replace(plain, due_at=plain.received_at)
    assert deserved([plain, late])["2.1"] == (1, 2)
    others = {"3.3": replace(plain, online=False), "4.3": replace(plain, digitised=False)}
    for name, other in {**others, "4.5": replace(plain, known=False)}.items():
        assert {one: rate for one, rate in deserved([plain, other]).items() if rate != (2, 2)} == {name: (1, 2)}
    report = {"index": {name: {"part": 1, "whole": 2, "percent": 50.0} for name in (*RATES, "3.6")}}
    assert rates(report) == dict.fromkeys(RATES, (1, 2))


def test_sent_once_counts_nothing_on_a_dossier_that_is_not_there() -> None:
    """What follows a creation that did not arrive would have been refused."""
    two = CASES[:2]
    everything = {(case.code, write) for case in two for write in ("reception", "progress", "result")}
    assert once(two, everything) == replace(once(two, everything), dossiers=2, steps=6, results=2)
    without = once(two, everything - {(FIRST.code, "reception")})
    assert (without.dossiers, without.steps, without.results) == (1, 3, 1)
    no_steps = once(two, everything - {(FIRST.code, "progress")})
    assert (no_steps.dossiers, no_steps.steps, no_steps.results) == (2, 3, 2)
