"""What a caller may rely on who comes through a provincial platform's wrapper: the same portal, without a session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from tests.contract.portal_door.peer import DOOR, Desk, done, kept, new
from tests.contract.portal_door.promises import created, is_there, submitted
from tests.support.conformance import Check, alone
from tests.support.portal import dossier, lines, step

if TYPE_CHECKING:
    import httpx

    from tests.contract.portal_door.peer import Asking
    from tests.support.conformance import Peer

HERE, THERE = "/api/SynsTTHCC", "/KetNoiMotCuaQuocGia"


class Wrapped(Desk):
    """Somebody who asks the wrapper, without ever logging in."""

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer, log_in=False)

    async def send(self, method: str, path: str, body: object = None, **query: str) -> httpx.Response:
        """Send one request as it is said."""
        url = f"{self.portal.url}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"X-Request-Id": f"YC-wrapped-{next(self.peer.ids)}"}
        content = None if body is None else json.dumps(body).encode()
        return await self.peer.desk.request(method, url, content=content, headers=headers)

    def sync(self, *dossiers: object, updating: str = "False") -> Asking:
        """Send dossiers to the one address."""
        query = {"MaDinhDanhDV": "000.00.00.H99", "isUpdating": updating}
        return self.send("POST", f"{HERE}/DongBoHoSoMC", list(dossiers), **query)

    def found(self, asking: Asking) -> list[dict[str, Any]]:
        """Return what a look-up holds, as the dialect wraps it."""
        content = self.raw(asking).json()
        match self.peer.dialects(DOOR)["wrapper_reads"]:
            case "message":
                assert list(content) == ["message"]
                content = json.loads(content["message"])
            case "text":
                content = json.loads(content)
        assert int(content["error_code"]) == 0
        return lines(content)


def goes_through_the_wrapper(peer: Peer) -> None:
    """Promise that create, update and progress do the same through the wrapper, and count under the same keys."""
    desk, code = Wrapped(peer), new(peer)
    assert desk.did(desk.sync(dossier(code))).outcome == ("created", True)
    desk.refused(desk.sync(dossier(code)), "dossier_exists")
    assert desk.did(desk.sync(dossier(code, TrangThaiHoSo="4"), updating="True")).outcome == ("updated", True)
    steps = [step(code, 3, TrangThai="9")]
    said = desk.did(desk.send("POST", f"{HERE}/CapNhatTienDoHoSoMC", steps, MaDinhDanhDV="000.00.00.H99"))
    assert (said.record["operation"], said.record["agency"], said.record["lane"]) == ("progress", "000.00.00.H99", code)
    assert [done(peer, operation, code) for operation in ("create", "update")] == [1, 1]
    assert done(peer, "progress", f"{code}:20260303090500-9") == 1
    assert is_there(Desk(peer), code) is True


def has_separate_addresses(peer: Peer) -> None:
    """Promise the addresses without query, and that what came one way is there the other way."""
    desk = Wrapped(peer)
    code = new(peer)
    assert desk.did(desk.send("POST", f"{HERE}/ThemMoi", [dossier(code)])).outcome == ("created", True)
    assert kept(peer, code)["agency"] == "000.00.00.H99"
    code = created(Desk(peer))
    assert desk.did(desk.send("POST", f"{HERE}/CapNhat", [dossier(code)])).outcome == ("same", True)
    verdict = {"MaHoSo": submitted(peer), "MaHoSoDonVi": "H99-8", "NoiDung": "", "NgayXuLy": "20260302101500"}
    said = desk.did(desk.send("POST", f"{THERE}/DongBoTrangThaiHoSoKM", {**verdict, "TrangThai": "2"}))
    assert said.outcome == ("noted", True)


def wraps_what_is_read(peer: Peer) -> None:
    """Promise that look-ups come as text inside `message`, as one text or as they are, as the dialect says."""
    desk = Wrapped(peer)
    code = created(Desk(peer))
    assert [one["MaHoSo"] for one in desk.found(desk.send("GET", f"{THERE}/TraCuuHoSo", mahoso=code))] == [code]
    assert desk.found(desk.send("GET", f"{THERE}/TraCuuHoSo", mahoso=new(peer))) == []
    (one,) = desk.found(desk.send("GET", f"{THERE}/LayThuTuc", maTTHC="9.999001"))
    assert one["MATTHC"] == "9.999001"
    assert len(desk.found(desk.send("GET", f"{THERE}/LayDanhSachTTHC"))) == 2


def refuses_through_the_wrapper(peer: Peer) -> None:
    """Promise that what is no bare list, a wrong query, a wrong field and a wrong address are refused there too."""
    desk, code = Wrapped(peer), new(peer)
    desk.refused(desk.send("POST", f"{HERE}/ThemMoi", {"data": [dossier(code)]}), "not_understood")
    desk.refused(desk.send("POST", f"{HERE}/ThemMoi", []), "wrong_fields")
    desk.refused(desk.sync(dossier(code), updating="1"), "wrong_fields")
    desk.refused(desk.sync(dossier(code, MaTTHC=None)), "wrong_fields")
    desk.refused(desk.send("GET", f"{THERE}/TraCuuHoSo"), "wrong_fields")
    desk.refused(desk.send("GET", f"{HERE}/DongBoHoSoMC"), "no_such_address")
    desk.refused(desk.send("POST", f"{THERE}/KhongCo", {}), "no_such_address")
    query = {"MaDinhDanhDV": "H98.1", "isUpdating": "False"}
    asking = desk.send("POST", f"{HERE}/DongBoHoSoMC", [dossier(code)], **query)
    if peer.dialects(DOOR)["agency"] == "any":
        desk.did(asking)
    else:
        desk.refused(asking, "agency_refused")
    peer.do("portal_account", "dvc_h99", "lock")
    desk.refused(desk.sync(dossier(new(peer))), "account_refused")
    peer.do("portal_account", "dvc_h99", "unlock")


def is_disturbed_there_too(peer: Peer) -> None:
    """Promise that a fault strikes an operation whichever way it comes."""
    desk, code = Wrapped(peer), new(peer)
    peer.mocks.fault("ignored", whom={"door": DOOR, "operation": "create"})
    assert desk.did(desk.sync(dossier(code))).outcome == (None, False)
    assert is_there(Desk(peer), code) is False
    peer.mocks.fault("success_as_text", whom={"door": DOOR, "operation": "create"})
    assert desk.raw(desk.sync(dossier(code))).headers["content-type"].startswith("text/plain")
    assert is_there(Desk(peer), code) is True


WRAPPED: Final[tuple[Check, ...]] = (
    *alone(goes_through_the_wrapper, has_separate_addresses, wraps_what_is_read, refuses_through_the_wrapper),
    *alone(is_disturbed_there_too),
)
