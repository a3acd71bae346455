"""A caller of the national portal for the coverage table: good requests, and every way to get each outcome."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mocks.doors.portal.query import ADAPTERS, BATCHES, SYNCS, WRITES
from mocks.doors.portal.settings import ACCOUNTS, PortalDoorSettings
from tools.mock_bench import Asked, Bench, Recipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

STANDARD: Final = PortalDoorSettings()
UNIT: Final = "H99.5"
CODE: Final = "H99.5-260302-0017"
DRAFT: Final = "G22.2-260701-0001"
"""A dossier that a citizen may hand in on the portal, for the same unit."""
DOSSIER: Final[Mapping[str, Any]] = {
    "MaHoSo": CODE,
    "MaTTHC": "9.999001",
    "TenTTHC": "Thủ tục mẫu có kết quả",
    "MaLinhVuc": "G99-XX01",
    "TenLinhVuc": "Lĩnh vực mẫu",
    "LoaiDoiTuong": "1",
    "Email": "",
    "SoDienThoai": "",
    "TrichYeuHoSo": "Mẫu",
    "NgayTiepNhan": "20260302083000",
    "NgayHenTra": "20260309170000",
    "TrangThaiHoSo": "2",
    "HinhThuc": "0",
    "DonViXuLy": "UBND xã Mẫu",
    "TaiLieuNop": [{"TenTepDinhKem": "don.pdf", "DuongDanTaiTepTin": "https://motcua.example/f/1"}],
}
STEP: Final[Mapping[str, Any]] = {
    "MaHoSo": CODE,
    "NguoiXuLy": "Cán bộ Mẫu",
    "ThoiDiemXuLy": "20260302090500",
    "NoiDungXuLy": "Tiếp nhận",
    "TrangThai": "4",
}
VERDICT: Final[Mapping[str, Any]] = {
    "MaHoSo": DRAFT,
    "MaHoSoDonVi": CODE,
    "NoiDung": "",
    "NgayXuLy": "20260302101500",
    "TrangThai": "2",
}
ITEMS: Final = {"create": DOSSIER, "update": DOSSIER, "progress": STEP, "verdict": VERDICT}
SERVICES: Final[Mapping[str, Mapping[str, Any]]] = {
    "create": {"service": "DongBoHoSoMC", "isUpdating": "False"},
    "update": {"service": "DongBoHoSoMC", "isUpdating": "True"},
    "progress": {"service": "CapNhatTienDoHoSoMC"},
    "verdict": {"service": "DongBoTrangThaiHoSo", "type": "2"},
    "look_up": {"service": "TraCuuHoSo", "mahoso": CODE},
    "procedure": {"service": "LayThuTuc", "maTTHC": "9.999001"},
    "procedures": {"service": "LayDanhSachTTHC"},
    "tech_id": {"service": "TraCuuTechID", "provider": "wso2is", "mstorcmnd": "999000000000"},
}
NEEDS_DOSSIER: Final = ("update", "progress", "look_up")
LONG: Final = "x" * 2000
EXPIRED_SECONDS: Final = STANDARD.dialects.session_seconds + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What is done before, and what is otherwise than in a good request."""

    outcome: str
    how: str
    there: bool | None = None
    """Whether the dossier is there before; `None`: as the operation needs it."""
    before: tuple[str, ...] = ()
    """Operations that are done first, as they stand in a good request."""
    body: Mapping[str, Any] = field(default_factory=dict)
    item: Mapping[str, Any] = field(default_factory=dict)
    more: tuple[Mapping[str, Any], ...] = ()
    """What is otherwise in further items of the same message."""
    raw: bytes | None = None
    path: str = "/mapi/g"
    account: int = 1
    known: bool = False
    """Whether a citizen of the world is asked about."""
    wait: float = 0.0
    fault: str | None = None
    dialects: Mapping[str, Any] = field(default_factory=dict)


def ways(operation: str) -> Iterable[Way]:
    """Return how each outcome of an operation is had."""
    yield from OWN[operation]
    yield Way(
        outcome="destination_unknown",
        how="Behind `/XrdAdapter/RestService/forward` without `dstcode`.",
        path=f"{ADAPTERS[0]}/mapi/{'login' if operation == 'login' else 'g'}",
    )
    if operation == "login":
        return
    yield Way(outcome="session_unknown", how="A session that nobody was given.", body={"session": "made-up"})
    yield Way(outcome="session_expired", how="A session older than ten minutes.", wait=EXPIRED_SECONDS)
    yield Way(outcome="agency_refused", how="The `madonvi` of another province.", body={"madonvi": "H98.1"})
    yield Way(outcome="wrong_fields", how="No `madonvi`.", body={"madonvi": None})
    if operation in WRITES:
        yield Way(
            outcome="unknown_fields",
            how="Dialect `unknown_fields` = `refused`; a field that is in no list.",
            item={"TruongLa": "x"},
            dialects={"unknown_fields": "refused"},
        )
    if operation in BATCHES:
        yield from _of_batches(operation)
    if operation in SYNCS:
        yield from _of_syncs()


def _of_batches(operation: str) -> Iterable[Way]:
    yield Way(
        outcome="partly",
        how="Dialect `batch` = `per_item`; two items, the second of them without `MaHoSo`.",
        more=({"MaHoSo": None},),
        dialects={"batch": "per_item"},
    )
    yield Way(outcome="item_failed", how="Fault `item_failed`: the portal fails at the last item.", fault="item_failed")
    yield Way(
        outcome="status_not_allowed",
        how="Dialect `status_11` = `refused`; status 11.",
        item={"TrangThai" if operation == "progress" else "TrangThaiHoSo": "11"},
        dialects={"status_11": "refused"},
    )
    yield Way(
        outcome="text_too_long",
        how="Dialect `long_text` = `refused`; a text of 2,000 characters.",
        item={"NguoiXuLy" if operation == "progress" else "TrichYeuHoSo": LONG},
        dialects={"long_text": "refused"},
    )


def _of_syncs() -> Iterable[Way]:
    yield Way(
        outcome="procedure_refused",
        how="Dialect `unknown_procedure` = `refused`; a procedure that is not in the catalogue.",
        item={"MaTTHC": "9.999999"},
        dialects={"unknown_procedure": "refused"},
    )
    yield Way(outcome="note_too_long", how="`GhiChu` of 2,000 characters.", item={"GhiChu": LONG})
    yield Way(outcome="subject_blank", how="An empty `TrichYeuHoSo`.", item={"TrichYeuHoSo": ""})
    yield Way(
        outcome="files_unreachable",
        how="Dialect `private_files` = `refused`; a file at an address of a private network.",
        item={"TaiLieuNop": [{"DuongDanTaiTepTin": "http://10.0.0.1/f/1"}]},
        dialects={"private_files": "refused"},
    )


OWN: Final[Mapping[str, tuple[Way, ...]]] = {
    "login": (
        Way(outcome="logged_in", how="Account and password."),
        Way(outcome="not_understood", how="A body that is no JSON.", raw=b"{"),
        Way(outcome="wrong_fields", how="A body without `password`.", body={"password": None}),
        Way(outcome="account_refused", how="A wrong password.", body={"password": "made-up"}),
    ),
    "create": (
        Way(outcome="created", how="A dossier that the portal does not have."),
        Way(outcome="dossier_exists", how="A dossier that the portal has.", there=True),
    ),
    "update": (
        Way(outcome="updated", how="Another content.", item={"TrangThaiHoSo": "4"}),
        Way(outcome="same", how="The same content."),
        Way(
            outcome="created",
            how="Dialect `update_absent` = `created`; a dossier that the portal does not have.",
            there=False,
            dialects={"update_absent": "created"},
        ),
        Way(outcome="dossier_unknown", how="A dossier that the portal does not have.", there=False),
        Way(
            outcome="foreign_dossier",
            how="A dossier of another province.",
            account=2,
            body={"madonvi": "000.00.00.H98"},
        ),
    ),
    "progress": (
        Way(outcome="applied", how="A step that the portal does not have."),
        Way(outcome="applied_again", how="The very same step: it is applied twice.", before=("progress",)),
        Way(
            outcome="recognised",
            how="Dialect `repeated_step` = `recognised`; the very same step.",
            before=("progress",),
            dialects={"repeated_step": "recognised"},
        ),
        Way(
            outcome="step_repeated",
            how="Dialect `repeated_step` = `refused`; the very same step.",
            before=("progress",),
            dialects={"repeated_step": "refused"},
        ),
        Way(outcome="step_text_blank", how="An empty `NoiDungXuLy`.", item={"NoiDungXuLy": ""}),
        Way(
            outcome="out_of_order",
            how="Dialect `step_order` = `rising`; a step of before the last one.",
            before=("progress",),
            item={"ThoiDiemXuLy": "20260301090500"},
            dialects={"step_order": "rising"},
        ),
        Way(
            outcome="too_many_steps",
            how="Dialect `most_steps` = 1; two steps.",
            more=({"ThoiDiemXuLy": "20260303090500"},),
            dialects={"most_steps": 1},
        ),
        Way(outcome="dossier_unknown", how="A step of a dossier that the portal does not have.", there=False),
        Way(
            outcome="foreign_dossier",
            how="A step of a dossier of another province.",
            account=2,
            body={"madonvi": "000.00.00.H98"},
        ),
    ),
    "verdict": (
        Way(outcome="noted", how="A dossier that a citizen has handed in on the portal."),
        Way(
            outcome="dossier_unknown", how="A dossier that nobody has handed in.", item={"MaHoSo": "G22.2-260701-0002"}
        ),
        Way(
            outcome="foreign_dossier",
            how="A dossier that was handed in for another province.",
            account=2,
            body={"madonvi": "000.00.00.H98"},
        ),
    ),
    "look_up": (
        Way(outcome="found", how="A dossier that the portal has."),
        Way(outcome="not_there", how="A dossier that it does not have: an empty `result`.", there=False),
    ),
    "procedure": (
        Way(outcome="found", how="A procedure of the catalogue."),
        Way(outcome="not_there", how="Another procedure.", body={"maTTHC": "9.999999"}),
    ),
    "procedures": (Way(outcome="found", how="The catalogue."),),
    "tech_id": (
        Way(outcome="found", how="The number or old card of a citizen who has an account.", known=True),
        Way(outcome="not_there", how="A number of nobody who has one."),
    ),
}


class PortalCaller:
    """See the module."""

    door = "portal"

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the mocks are told for a door with other settings."""
        return {"portal": PortalDoorSettings(**changes)} if changes else {}

    async def well(self, bench: Bench, operation: str) -> Asked:
        """Log in, do what has to be there before, and return a request that is answered well."""
        return await _asked(bench, operation, OWN[operation][0])

    def recipes(self, operation: str) -> Iterable[Recipe]:
        """Return how each outcome is had."""

        def doing(way: Way) -> Callable[[Bench], Awaitable[Asked]]:
            return lambda bench: _asked(bench, operation, way)

        for way in ways(operation):
            yield Recipe(outcome=way.outcome, how=way.how, request=doing(way), dialects=way.dialects)

    async def cause(self, bench: Bench, callback: str) -> None:
        """Do nothing: this portal sends nothing by itself."""
        del bench, callback


async def _asked(bench: Bench, operation: str, way: Way) -> Asked:
    if operation == "login":
        account = ACCOUNTS[way.account]
        return _request({"username": account.username, "password": account.secret}, way, "/mapi/login")
    owner = await _session(bench, 1)
    if (operation in NEEDS_DOSSIER) if way.there is None else way.there:
        await bench.send(_request(_body("create", owner, Way(outcome="", how="")), None))
    if operation == "verdict":
        await bench.admin("POST", f"world/dossier/{DRAFT}", {"verb": "submit"})
    for before in way.before:
        await bench.send(_request(_body(before, owner, Way(outcome="", how="")), None))
    session = owner if way.account == 1 else await _session(bench, way.account)
    if way.wait:
        await bench.admin("POST", "clock", {"advance_seconds": way.wait})
    if way.fault is not None:
        whom = {"door": "portal", "operation": operation}
        await bench.admin("POST", "faults", {"what": way.fault, "until": {"count": 1}, "for": whom})
    body = _body(operation, session, way)
    if way.known:
        citizen = next(one for one in bench.app.default.people.citizens if one.number)
        body["mstorcmnd"] = citizen.number
    return _request(body, way)


async def _session(bench: Bench, place: int) -> str:
    account = ACCOUNTS[place]
    body = {"username": account.username, "password": account.secret}
    reply = await bench.send(_request(body, None, "/mapi/login"))
    session: str = json.loads(reply.body)["session"]
    return session


def _body(operation: str, session: str, way: Way) -> dict[str, Any]:
    body: dict[str, Any] = {"session": session, "madonvi": UNIT, **SERVICES[operation], **way.body}
    if operation in WRITES:
        usual = ITEMS[operation]
        items = [_without_none({**usual, **changes}) for changes in (way.item, *way.more)]
        body["data"] = items if operation in BATCHES else items[0]
    return _without_none(body)


def _without_none(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}


def _request(body: Mapping[str, Any], way: Way | None, path: str = "/mapi/g") -> Asked:
    headers = {"Host": "mocks.test", "Content-Type": "application/json", "X-Request-Id": "YC-1"}
    if way is not None:
        path = way.path if way.path != "/mapi/g" else path
        body = _without_none({**body, **way.body})
    content = way.raw if way is not None and way.raw is not None else json.dumps(dict(body)).encode()
    return Asked(path=path, headers=headers, body=content)
