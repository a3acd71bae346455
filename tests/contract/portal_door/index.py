"""What the portal's mock makes of what it has received: the index, and which dossiers hurt it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.contract.portal_door.peer import DOOR, Desk, new
from tests.contract.portal_door.promises import created
from tests.support.conformance import Check, alone
from tests.support.portal import dossier, step

if TYPE_CHECKING:
    from tests.support.conformance import Peer

MARCH: Final = "from=2026-03-01&to=2026-03-31"
RESULT: Final = {"TenGiayTo": "Giấy", "MaGiayToKetQua": "KQ.G99.000001", "DuongDanTepTinKetQua": "https://a.example/k"}


def index(peer: Peer, query: str = MARCH) -> Any:
    """Return the report."""
    return peer.told(f"portal/score?{query}")


def why(peer: Peer, criterion: str, code: str) -> str | None:
    """Return why a dossier hurts a rate, or `None`."""
    rate = index(peer)["index"][criterion]
    assert rate["percent"] is None or rate["percent"] == round(100 * rate["part"] / rate["whole"], 2)
    return next((one["why"] for one in rate["hurt"] if one["dossier"] == code), None)


def counts_what_came(peer: Peer) -> None:
    """Promise that the sync rate counts dossiers received in the period, against what is expected."""
    desk = Desk(peer)
    before = index(peer)["index"]["1.4"]
    elsewhere = index(peer, f"{MARCH}&agency=H98")["index"]
    created(desk)
    created(desk, NgayTiepNhan="20260401000000")
    created(desk, NgayTiepNhan="")
    after = index(peer)["index"]["1.4"]
    assert (after["part"], after["whole"]) == (before["part"] + 1, before["whole"] + 1)
    short = index(peer, f"{MARCH}&expected={after['whole'] + 5}")["index"]["1.4"]
    assert (short["whole"], short["missing"]) == (after["whole"] + 5, 5)
    assert index(peer, f"{MARCH}&agency=H98")["index"] == elsewhere
    ours = index(peer, f"{MARCH}&agency=H99")["index"]["1.4"]["part"]
    assert ours + elsewhere["1.4"]["part"] == after["part"]


def tells_who_is_late(peer: Peer) -> None:
    """Promise the order of the moments that end a dossier: stated, 9, 10, stopped, a supplement alone, the period."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    graph = dialects["status_graph"] == "graph"
    open_ = created(desk)
    assert "20260331235959" in (why(peer, "2.1", open_) or "")
    assert why(peer, "2.1", created(desk, NgayKetThucXuLy="20260309170000")) is None
    assert why(peer, "2.1", created(desk, NgayKetThucXuLy="20260309170001")) is not None
    for statuses, late in ((("4", "9"), False), (("9",), False), (("4", "8"), False), (("5",), False)):
        code = created(desk)
        days = range(3, 3 + len(statuses))
        for day, status in zip(days, statuses, strict=True):
            desk.did(desk.portal.progress(step(code, day, TrangThai=status)))
        assert (why(peer, "2.1", code) is not None) is late
    if graph and not dialects["progress_moves_status"]:
        return  # for the portal it is still at its beginning, from where nothing leads to 10
    code = created(desk)
    for day, status in ((10, "9"), (11, "10")):
        desk.did(desk.portal.progress(step(code, day, TrangThai=status)))
    assert "20260310090500" in (why(peer, "2.1", code) or "")
    if not graph:
        desk.did(desk.portal.progress(step(open_, 8, TrangThai="10"), step(open_, 9, TrangThai="9")))
        assert why(peer, "2.1", open_) is None


def counts_requests_for_papers(peer: Peer) -> None:
    """Promise that two requests for papers are late, and that a repeated step is one more where it is applied again."""
    desk, way = Desk(peer), peer.dialects(DOOR)["repeated_step"]
    code = created(desk)
    asked = step(code, 3, TrangThai="5")
    desk.did(desk.portal.progress(asked))
    assert why(peer, "2.1", code) is None
    desk.said(desk.portal.progress(asked))
    assert (why(peer, "2.1", code) is not None) is (way == "applied")
    rounds = [{"HoSoBoSungId": 1}, {"HoSoBoSungId": 2}]
    twice = created(desk, NgayKetThucXuLy="20260303090500", DanhSachHoSoBoSung=rounds)
    assert why(peer, "2.1", twice) == "papers were asked for 2 times"


def promises_by_the_procedure(peer: Peer) -> None:
    """Promise that without a promised day the procedure's own days count, and that without both it is left out."""
    desk = Desk(peer)
    ended = {"NgayHenTra": "", "NgayKetThucXuLy": "20260309083000"}
    assert why(peer, "2.1", created(desk, **ended)) is None
    assert why(peer, "2.1", created(desk, MaTTHC="9.999002", **ended)) is not None
    if peer.dialects(DOOR)["unknown_procedure"] == "accepted":
        code = created(desk, MaTTHC="9.999999", **ended)
        assert code in index(peer)["index"]["2.1"]["left_out"]


def rates_what_was_said(peer: Peer) -> None:
    """Promise that channel, payment, result, digitisation, store and VNeID each count as the formula has it."""
    desk = Desk(peer)
    free, fee = [{"TenPhiLePhi": "a", "Gia": "0"}], [{"TenPhiLePhi": "a", "Gia": "20000"}]
    cases: tuple[tuple[str, dict[str, Any], bool], ...] = (
        ("3.3", {"KenhThucHien": "1"}, True),
        ("3.3", {"KenhThucHien": None}, True),
        ("3.3", {}, True),
        ("3.3", {"DanhSachGiayToKetQua": [RESULT]}, False),
        ("3.3", {"MaTTHC": "9.999002"}, False),
        ("3.6", {"DanhSachLePhi": fee}, True),
        ("3.6", {"DanhSachLePhi": fee, "DuocThanhToanTrucTuyen": "2"}, False),
        ("3.6", {"DanhSachLePhi": free, "DuocThanhToanTrucTuyen": "0"}, False),
        ("4.1", {"TrangThaiHoSo": "9"}, True),
        ("4.1", {"TrangThaiHoSo": "9", "DanhSachGiayToKetQua": [RESULT]}, False),
        ("4.1", {}, False),
        ("4.3", {"HoSoCoThanhPhanSoHoa": "0"}, True),
        ("4.3", {"HoSoCoThanhPhanSoHoa": "1"}, False),
        ("4.4", {}, True),
        ("4.4", {"TaiLieuNop": [{"DuocLayTuKhoDMQG": "1"}]}, False),
        ("4.5", {"TaiKhoanDuocXacThucVoiVNeID": "0"}, True),
        ("4.5", {"TaiKhoanDuocXacThucVoiVNeID": "1"}, False),
        ("4.5", {"DSKetNoiCSDL": [{"MaCSDL": "7"}]}, False),
    )
    for criterion, fields, hurts in cases:
        code = created(desk, **fields)
        assert (why(peer, criterion, code) is not None) is hurts, (criterion, fields)


def shows_a_lost_result(peer: Peer) -> None:
    """Promise that a result whose file the portal could not keep hurts as if it had none."""
    desk = Desk(peer)
    code = new(peer)
    peer.mocks.fault("attachments_lost", whom={"door": DOOR, "operation": "create"})
    desk.did(desk.portal.create(dossier(code, TrangThaiHoSo="9", DanhSachGiayToKetQua=[RESULT])))
    assert why(peer, "4.1", code) is not None


SCORING: Final[tuple[Check, ...]] = (
    *alone(counts_what_came, tells_who_is_late, counts_requests_for_papers, promises_by_the_procedure),
    *alone(rates_what_was_said, shows_a_lost_result),
)
