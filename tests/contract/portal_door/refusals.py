"""Whom and what the portal's mock refuses, and how: sessions, agencies, messages, contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.contract.portal_door.peer import DOOR, OTHER, Desk, new
from tests.contract.portal_door.promises import INSIDE, created, is_there, submitted
from tests.support.conformance import Check, alone, each
from tests.support.portal import dossier, step

if TYPE_CHECKING:
    from tests.support.conformance import Peer

LONG: Final = "x" * 2000


def opens_a_session(peer: Peer) -> None:
    """Promise a session for account and password, and nothing for a wrong one, an unknown one, a locked one."""
    desk = Desk(peer, log_in=False)
    assert desk.log_in().outcome == ("logged_in", True)
    desk.refused(desk.portal.log_in(password="made-up"), "account_refused")
    desk.refused(desk.portal.log_in(username="nobody"), "account_refused")
    peer.do("portal_account", "dvc_h99", "lock")
    desk.refused(desk.portal.log_in(), "account_refused")
    desk.refused(desk.portal.procedures(), "session_unknown")
    peer.do("portal_account", "dvc_h99", "unlock")
    desk.log_in()


def lets_in_by_the_session(peer: Peer, operation: str) -> None:
    """Promise that no service is had without a session, with a made-up one, or with one that has run out."""
    desk = Desk(peer)
    code = created(desk)
    asking, session = INSIDE[operation], desk.portal.session
    for wrong in (None, "made-up"):
        desk.portal.session = wrong
        desk.refused(asking(desk.portal, code), "session_unknown")
    desk.portal.session = session
    peer.advance(peer.dialects(DOOR)["session_seconds"] + 1)
    desk.refused(asking(desk.portal, code), "session_expired")
    desk.log_in()
    assert is_there(desk, code) is True


def keeps_sessions_side_by_side(peer: Peer) -> None:
    """Promise that an account has several sessions, or that a new one ends the others, as the dialect says."""
    first, other = Desk(peer), Desk(peer, OTHER)
    Desk(peer)
    asking = first.portal.procedures()
    if peer.dialects(DOOR)["single_session"]:
        first.refused(asking, "session_expired")
    else:
        first.did(asking)
    other.did(other.portal.procedures())


def keeps_agencies_apart(peer: Peer) -> None:
    """Promise for which agencies an account may speak, and whether it may touch another province's dossiers."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    code = created(desk)
    for agency, near in (("H99.5", True), ("000.00.01.H99", True), ("H98.1", False)):
        desk.portal.agency = agency
        if dialects["agency"] == "any" or (near and dialects["agency"] == "province"):
            desk.did(desk.portal.procedures())
        else:
            desk.refused(desk.portal.procedures(), "agency_refused")
    other = Desk(peer, OTHER)
    for asking in (other.portal.update(dossier(code)), other.portal.progress(step(code))):
        if dialects["foreign_dossier"] == "refused":
            other.refused(asking, "foreign_dossier")
        else:
            other.did(asking)


def names_every_mistake(peer: Peer) -> None:
    """Promise that all that is wrong with a dossier is told at once, by path and not by value."""
    desk = Desk(peer)
    wrong: dict[str, Any] = {"MaTTHC": None, "NgayTiepNhan": "2026-03-02", "TrangThaiHoSo": 2, "HinhThuc": "bí mật"}
    said = desk.refused(desk.portal.create(dossier(new(peer), **wrong)), "wrong_fields")
    told = said.content["message"].partition(": ")[2].split(", ")
    assert {one.partition("/0/")[2] for one in told} == {*wrong}
    assert "bí mật" not in said.response.text
    for moment in ("20260230090500", "202603020905", "20260302 90500", "２０２６０３０２０９０５００"):
        desk.refused(desk.portal.progress(step(new(peer), ThoiDiemXuLy=moment)), "wrong_fields")
    for code in ("999000000001", "", "H99 1"):
        desk.refused(desk.portal.create(dossier(code)), "wrong_fields")
        assert peer.last()["key"] == "unknown"


def is_strict_about_the_envelope(peer: Peer) -> None:
    """Promise that the envelope has to be as clients send it, and that unknown services and addresses are told."""
    desk = Desk(peer)
    one = dossier(new(peer))
    for value in (None, "true", True, "1"):
        desk.refused(desk.portal.call("DongBoHoSoMC", isUpdating=value, data=[one]), "wrong_fields")
    for data in (None, [], {}, "x"):
        desk.refused(desk.portal.call("CapNhatTienDoHoSoMC", data=data), "wrong_fields")
    desk.refused(desk.portal.call("DongBoTrangThaiHoSo", data={}), "wrong_fields")
    desk.refused(desk.portal.call("TraCuuHoSo"), "wrong_fields")
    desk.refused(desk.portal.call("KhongCo"), "no_such_service")
    desk.refused(desk.portal.call("LayDanhMucDanToc"), "not_modelled")
    for body in (b"", b"{", b"[]", b'"x"'):
        desk.refused(desk.portal.post("g", body), "not_understood")
    desk.refused(desk.portal.post("x", {}), "no_such_address")
    desk.portal.agency = "-"
    desk.refused(desk.portal.procedures(), "wrong_fields")


def looks_at_contents(peer: Peer) -> None:
    """Promise what becomes of long notes, long and empty texts and unknown procedures, as the dialects say."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    code = created(desk)
    word = "system_failed" if dialects["long_note"] == "http_500" else None
    cases = (
        ({"GhiChu": LONG}, "note_too_long", dialects["long_note"] != "accepted", word),
        ({"TrichYeuHoSo": LONG}, "text_too_long", dialects["long_text"] == "refused", None),
        ({"TrichYeuHoSo": " "}, "subject_blank", dialects["blank_subject"] == "refused", None),
        ({"MaTTHC": "9.999999"}, "procedure_refused", dialects["unknown_procedure"] == "refused", None),
    )
    for fields, outcome, refused, said in cases:
        for asking in (desk.portal.create(dossier(new(peer), **fields)), desk.portal.update(dossier(code, **fields))):
            if refused:
                desk.refused(asking, outcome, said)
            else:
                desk.did(asking)
    desk.did(desk.portal.create(dossier(new(peer), GhiChu=LONG[1:], TrichYeuHoSo=LONG[:1000])))


def looks_at_texts_of_steps(peer: Peer) -> None:
    """Promise what becomes of a step without text and of a long officer's name, as the dialects say."""
    desk, dialects = Desk(peer), peer.dialects(DOOR)
    code = created(desk)
    for text in ("", " "):
        asking = desk.portal.progress(step(code, NoiDungXuLy=text))
        if dialects["blank_step_text"] == "accepted":
            desk.did(asking)
        else:
            failing = "system_failed" if dialects["blank_step_text"] == "http_500" else None
            desk.refused(asking, "step_text_blank", failing)
    long = desk.portal.progress(step(code, 3, NguoiXuLy=LONG))
    if dialects["long_text"] == "refused":
        desk.refused(long, "text_too_long")
        return
    desk.did(long)
    found = peer.told(f"world/progress_step/{code}:20260303090500-4")["fields"]["content"]["NguoiXuLy"]
    assert len(found) == (50 if dialects["long_text"] == "cut" else len(LONG))


def refuses_strange_verdicts(peer: Peer) -> None:
    """Promise that a verdict has a table of statuses of its own."""
    desk = Desk(peer)
    code = submitted(peer)
    desk.refused(desk.portal.verdict(code, TrangThai="4"), "wrong_fields")
    desk.did(desk.portal.verdict(code, TrangThai="11"))


REFUSING: Final[tuple[Check, ...]] = (
    *alone(opens_a_session, keeps_sessions_side_by_side, keeps_agencies_apart),
    *each(lets_in_by_the_session, INSIDE),
    *alone(names_every_mistake, is_strict_about_the_envelope, looks_at_contents, looks_at_texts_of_steps),
    *alone(refuses_strange_verdicts),
)
