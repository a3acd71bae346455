"""The index of Decision 766 as it comes out of what the portal has received: each rate, and which dossiers hurt it.

Follows the formula text of 2026; where that leaves something open, LIMITS.md says how it is read here. Moments are
compared as texts of the form `yyyyMMddHHmmss`, in the time of Vietnam.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from mocks.doors.portal import wire
from mocks.doors.portal.credentials import province
from mocks.doors.portal.kinds import DOSSIER, DRAFT, PORTAL, STEP, SYNCED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mocks.doors.portal.settings import PortalDoorSettings, Procedure
    from mocks.world import Resource, Turn

ONLINE = "2"
PAID = ("1", "2")
DONE, HANDED_OUT, SUPPLEMENT = "9", "10", "5"
STOPPED = ("8", "3", "7", "11")
UNIT_SAYS = ("progress", "verdict", "return")
ARRIVED = ("create", "update")


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Vietnam, both included."""

    first: date
    last: date

    @property
    def begins(self) -> str:
        """The first moment."""
        return f"{self.first:%Y%m%d}000000"

    @property
    def ends(self) -> str:
        """The last moment."""
        return f"{self.last:%Y%m%d}235959"

    def has(self, moment: str) -> bool:
        """Say whether a moment lies inside."""
        return self.begins <= moment <= self.ends


@dataclass(frozen=True, slots=True)
class Known:
    """One dossier as the index sees it."""

    code: str
    state: str
    fields: Mapping[str, Any]
    procedure: Procedure | None

    @property
    def content(self) -> Mapping[str, Any]:
        """All fields as received."""
        found: Mapping[str, Any] = self.fields["content"]
        return found

    def said(self, name: str) -> str:
        """Return a field as a text; nothing said is nothing."""
        value = self.content.get(name)
        return "" if value is None else str(value)

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        """Return a list of the dossier."""
        return list(self.content.get(name) or ())

    def moments(self, statuses: Iterable[str]) -> list[str]:
        """Return when it came to one of these: as its unit says, or where it does not, when that arrived here."""
        wanted = frozenset(statuses)
        history = self.fields.get("history", ())
        told = [moment for moment, status, by in history if status in wanted and by in UNIT_SAYS]
        return told or [moment for moment, status, by in history if status in wanted and by in ARRIVED][:1]

    @property
    def supplements(self) -> int:
        """How often papers were asked for."""
        return max(len(self.moments((SUPPLEMENT,))), len(self.rows("DanhSachHoSoBoSung")))

    def ended(self, period: Period) -> str:
        """Return the moment that counts as its end: 9, 10, stopped or refused, a supplement alone, the period's end."""
        if self.said("NgayKetThucXuLy"):
            return self.said("NgayKetThucXuLy")
        for stated, statuses in (("", (DONE,)), ("NgayTra", (HANDED_OUT,)), ("NgayTuChoi", STOPPED)):
            moments = self.moments(statuses)
            if stated and self.said(stated):
                return self.said(stated)
            if moments:
                return max(moments)
        return max(self.moments((SUPPLEMENT,)), default=period.ends)

    @property
    def due(self) -> str:
        """When the result was promised, or what the procedure allows; empty where neither is known."""
        if self.said("NgayHenTra"):
            return self.said("NgayHenTra")
        if self.procedure is None:
            return ""
        last = wire.moment(self.said("NgayTiepNhan")) + timedelta(days=self.procedure.days)
        return last.strftime(wire.TIME)

    @property
    def paper(self) -> bool:
        """Whether it ends with a paper: as the catalogue says, or because there is one."""
        return self.procedure.paper_result if self.procedure else bool(self.rows("DanhSachGiayToKetQua"))

    @property
    def result_linked(self) -> bool:
        """Whether some result has an address that the portal could fetch."""
        return any(self._linked(place, row) for place, row in enumerate(self.rows("DanhSachGiayToKetQua")))

    @property
    def result_coded(self) -> bool:
        """Whether some result has such an address and a code."""
        rows = enumerate(self.rows("DanhSachGiayToKetQua"))
        return any(self._linked(place, row) and row.get("MaGiayToKetQua") for place, row in rows)

    def _linked(self, place: int, row: Mapping[str, Any]) -> bool:
        lost = f"DanhSachGiayToKetQua/{place}" in self.fields.get("lost_files", ())
        return bool(row.get("DuongDanTepTinKetQua")) and not lost


Why = str | None
"""Why a dossier hurts; `None` if it does not."""


def report(
    world: Turn, settings: PortalDoorSettings, period: Period, agency: str | None = None, expected: int = 0
) -> dict[str, Any]:
    """Return counts and rates of a period; `expected` is what another system counts, where it is known."""
    known = [one for one in _known(world, settings) if agency in (None, one.fields["agency"], _province(one))]
    members = [one for one in known if one.state == SYNCED and period.has(one.said("NgayTiepNhan"))]
    steps = {one.id: one for one in world.all(STEP)}
    return {
        "period": {"from": period.first.isoformat(), "to": period.last.isoformat()},
        "agency": agency,
        "counts": _counts(known, members, steps.values()),
        "index": {
            "1.4": _sync(known, members, period, expected),
            "2.1": _rate("on time", members, lambda one: _late(one, period), lambda one: bool(one.due)),
            "3.3": _rate("online", members, _not_online),
            "3.6": _rate("paid online", members, _not_paid, _costs),
            "4.1": _rate("result as a file", members, _no_file, _has_result),
            "4.3": _rate("digitised", members, _not_digitised),
            "4.4": _rate("from the personal store", members, _not_reused),
            "4.5": _rate("known by VNeID", members, lambda one: _not_known(one, settings)),
        },
    }


def _known(world: Turn, settings: PortalDoorSettings) -> Iterable[Known]:
    catalogue = {procedure.code: procedure for procedure in settings.procedures}
    for one in world.all(DOSSIER):
        if one.state != DRAFT:
            yield Known(one.id, one.state, one.fields, catalogue.get(one.fields["content"].get("MaTTHC", "")))


def _province(one: Known) -> str:
    return province(one.fields["agency"])


def _counts(known: list[Known], members: list[Known], steps: Iterable[Resource]) -> dict[str, Any]:
    codes = {one.code for one in known}
    times = [one.fields["times"] for one in steps if one.fields["dossier"] in codes]
    return {
        "dossiers": len(known),
        "in_period": len(members),
        "without_reception": sum(one.state == SYNCED and not one.said("NgayTiepNhan") for one in known),
        **{name: sum(one.fields.get(name, 0) for one in known) for name in ("creates", "updates", "verdicts")},
        "steps": sum(times),
        "repeated_steps": sum(times) - len(times),
        "lost_files": sum(len(one.fields.get("lost_files", ())) for one in known),
        "strange_fields": sorted({name for one in known for name in one.fields.get("strange", ())}),
    }


def _sync(known: list[Known], members: list[Known], period: Period, expected: int) -> dict[str, Any]:
    """Return the rate of dossiers that came: those made on the portal count once their unit has answered."""
    made_here = [
        one for one in known if one.fields["origin"] == PORTAL and one.state != SYNCED and period.has(_submitted(one))
    ]
    silent = [one for one in made_here if not one.fields.get("verdicts")]
    came, there = len(members) + len(made_here) - len(silent), len(members) + len(made_here)
    wanted = max(expected, there)
    hurt = [{"dossier": one.code, "why": "its unit has not answered"} for one in silent]
    return {"name": "synced", **_share(came, wanted), "missing": wanted - there, "hurt": hurt}


def _submitted(one: Known) -> str:
    return next((moment for moment, _, by in one.fields.get("history", ()) if by == "submit"), "")


def _rate(
    name: str, members: list[Known], why: Callable[[Known], Why], counts: Callable[[Known], bool] = lambda _: True
) -> dict[str, Any]:
    counted = [one for one in members if counts(one)]
    hurt = [{"dossier": one.code, "why": said} for one in counted if (said := why(one)) is not None]
    left_out = [one.code for one in members if not counts(one)]
    return {"name": name, **_share(len(counted) - len(hurt), len(counted)), "left_out": left_out, "hurt": hurt}


def _share(part: int, whole: int) -> dict[str, Any]:
    return {"part": part, "whole": whole, "percent": round(100 * part / whole, 2) if whole else None}


def _late(one: Known, period: Period) -> Why:
    if one.supplements > 1:
        return f"papers were asked for {one.supplements} times"
    end = one.ended(period)
    return f"ended {end}, promised {one.due}" if end > one.due else None


def _not_online(one: Known) -> Why:
    if one.said("KenhThucHien") != ONLINE:
        return "not filed online"
    return "no result with code and file" if one.paper and not one.result_coded else None


def _costs(one: Known) -> bool:
    return any(str(row.get("Gia") or "0").strip("0. ") for row in one.rows("DanhSachLePhi"))


def _not_paid(one: Known) -> Why:
    return None if one.said("DuocThanhToanTrucTuyen") in PAID else "not paid online"


def _has_result(one: Known) -> bool:
    return one.paper and one.fields["status"] in (DONE, HANDED_OUT)


def _no_file(one: Known) -> Why:
    return None if one.result_linked else "no result file that can be fetched"


def _not_digitised(one: Known) -> Why:
    on_portal = one.fields["origin"] == PORTAL and any(
        str(row.get("DuocSoHoa")) == "1" for row in one.rows("TaiLieuNop")
    )
    return None if on_portal or one.said("HoSoCoThanhPhanSoHoa") == "1" else "no digitised component"


def _not_reused(one: Known) -> Why:
    reused = any(str(row.get("DuocLayTuKhoDMQG")) == "1" for row in one.rows("TaiLieuNop"))
    return None if reused else "no document from the personal store"


def _not_known(one: Known, settings: PortalDoorSettings) -> Why:
    consulted = any(row.get("MaCSDL") == settings.population_database for row in one.rows("DSKetNoiCSDL"))
    return None if consulted or one.said("TaiKhoanDuocXacThucVoiVNeID") == "1" else "neither VNeID nor the register"
