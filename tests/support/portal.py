"""A bare caller of the national portal, which builds its own messages and reads the answers as they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

ACCOUNTS: Final = {
    "dvc_h99": ("000.00.00.H99", "bi-mat-mau-1"),
    "dvc_h99_5": ("H99.5", "bi-mat-mau-2"),
    "dvc_h98": ("000.00.00.H98", "bi-mat-mau-3"),
}
DSTCODE: Final = "VN:GOV:000.00.00.G22:vpcpdvcprovider"
BARE: Final = "/mapi"
BEHIND: Final = ("/XrdAdapter/RestService/forward/mapi", "/VXPAdapter/RestService/forward/mapi")


def dossier(code: str, **fields: object) -> dict[str, object]:
    """Return a dossier; `None` leaves a field out."""
    content = {
        "MaHoSo": code,
        "MaTTHC": "9.999001",
        "TenTTHC": "Thủ tục mẫu có kết quả",
        "MaLinhVuc": "G99-XX01",
        "TenLinhVuc": "Lĩnh vực mẫu",
        "KenhThucHien": "2",
        "ChuHoSo": "NGUYỄN VĂN MẪU",
        "LoaiDoiTuong": "1",
        "Email": "",
        "SoDienThoai": "0000000000",
        "TrichYeuHoSo": "Đề nghị mẫu",
        "NgayTiepNhan": "20260302083000",
        "NgayHenTra": "20260309170000",
        "TrangThaiHoSo": "2",
        "HinhThuc": "0",
        "DonViXuLy": "UBND xã Mẫu",
        "TaiLieuNop": [{"TenTepDinhKem": "don.pdf", "DuongDanTaiTepTin": "https://motcua.example/tep/1"}],
        **fields,
    }
    return {name: value for name, value in content.items() if value is not None}


def step(code: str, day: int = 2, **fields: object) -> dict[str, object]:
    """Return a step of a day in March 2026; `None` leaves a field out."""
    content = {
        "MaHoSo": code,
        "NguoiXuLy": "Trần Thị Mẫu",
        "ThoiDiemXuLy": f"202603{day:02}090500",
        "NoiDungXuLy": "Xử lý",
        "TrangThai": "4",
        **fields,
    }
    return {name: value for name, value in content.items() if value is not None}


@dataclass
class Portal:
    """One account at the portal. Every request has an id of its own; it goes bare unless `place` says otherwise."""

    client: httpx.AsyncClient
    url: str = "http://mocks.example/portal"
    account: str = "dvc_h99"
    agency: str | None = None
    place: str = BARE
    session: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    async def post(self, name: str, body: object, query: str = "") -> httpx.Response:
        """Send one request as it is said; bytes go as they are."""
        sent = {"X-Request-Id": f"YC-{self.account}-{next(self._ids)}", **self.headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(f"{self.url}{self.place}/{name}{query}", content=content, headers=sent)

    async def log_in(self, username: str | None = None, password: str | None = None) -> httpx.Response:
        """Open a session and keep it."""
        secret = ACCOUNTS[self.account][1] if password is None else password
        answer = await self.post("login", {"username": username or self.account, "password": secret})
        if answer.headers["content-type"] == "application/json" and "session" in answer.json():
            self.session = answer.json()["session"]
        return answer

    async def call(self, service: str, **fields: object) -> httpx.Response:
        """Call a service; `None` leaves a field out."""
        agency = self.agency or ACCOUNTS[self.account][0]
        body = {"session": self.session, "madonvi": agency, "service": service, **fields}
        return await self.post("g", {name: value for name, value in body.items() if value is not None})

    async def create(self, *dossiers: object) -> httpx.Response:
        """Send dossiers for the first time."""
        return await self.call("DongBoHoSoMC", isUpdating="False", data=list(dossiers))

    async def update(self, *dossiers: object) -> httpx.Response:
        """Send dossiers again, whole."""
        return await self.call("DongBoHoSoMC", isUpdating="True", data=list(dossiers))

    async def progress(self, *steps: object) -> httpx.Response:
        """Send steps."""
        return await self.call("CapNhatTienDoHoSoMC", data=list(steps))

    async def verdict(self, code: str, own: str = "H99-1", **fields: object) -> httpx.Response:
        """Say what becomes of a dossier that the portal made."""
        data = {
            "MaHoSo": code,
            "MaHoSoDonVi": own,
            "NoiDung": "",
            "NgayXuLy": "20260302101500",
            "TrangThai": "2",
            **fields,
        }
        return await self.call("DongBoTrangThaiHoSo", type="2", data=data)

    async def look_up(self, code: str) -> httpx.Response:
        """Look a dossier up."""
        return await self.call("TraCuuHoSo", mahoso=code)

    async def procedure(self, code: str = "9.999001") -> httpx.Response:
        """Ask for a procedure."""
        return await self.call("LayThuTuc", maTTHC=code)

    async def procedures(self) -> httpx.Response:
        """Ask for all procedures."""
        return await self.call("LayDanhSachTTHC")

    async def tech_id(self, number: str) -> httpx.Response:
        """Ask for the portal's own id of somebody."""
        return await self.call("TraCuuTechID", provider="wso2is", mstorcmnd=number)


def lines(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the list that `result` is or holds."""
    result = content["result"]
    found: list[dict[str, Any]] = result if isinstance(result, list) else result["data"]
    return found
