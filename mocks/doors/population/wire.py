"""Records → the bytes of an answer, in every dialect. Pure, and written without the adapter's help.

Names and details are in accented upper case, as in the live sample; a decomposed name stays decomposed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from mocks.asgi import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mocks.doors.population.settings import Dialects
    from mocks.world import Address, Citizen, Kin, Registry

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
BCA = "http://dancuquocgia.bca"
DANCU = "http://www.mic.gov.vn/dancu/1.0"

SEX = {"male": "1", "female": "2"}
MARITAL = {
    "apart": {"unknown": "0", "single": "1", "married": "2", "divorced": "3", "widowed": "4"},
    "together": {"unknown": "0", "single": "1", "married": "2", "divorced": "3", "widowed": "3"},
}
BLOOD = {None: "00", "A": "01", "B": "02", "AB": "03", "O": "04"}
RELATION = {
    "letters": {"head": "CH01", "spouse": "CH02", "child": "CH03", "parent": "CH04"},
    "digits": {"head": "01", "spouse": "02", "child": "03", "parent": "04"},
}
"""Only that the head of a household is CH01 towards himself comes from a sample; the other codes are made up."""
ENCODINGS = {"utf-8": ("utf-8", b""), "utf-8-bom": ("utf-8", b"\xef\xbb\xbf"), "iso-8859-1": ("iso-8859-1", b"")}


class _Writer:
    """Writes elements under one prefix. Content is XML, text is not."""

    def __init__(self, prefix: str, dialects: Dialects) -> None:
        self.prefix = prefix
        self.dialects = dialects

    def element(self, name: str, content: str) -> str:
        return f"<{self.prefix}:{name}>{content}</{self.prefix}:{name}>"

    def text(self, name: str, text: str | None) -> str:
        if text:
            return self.element(name, escape(text))
        return f"<{self.prefix}:{name}/>" if self.dialects.blanks == "empty" else ""

    def record(self, citizen: Citizen, registry: Registry) -> str:
        head = registry.head_of(citizen)
        return self.element(
            "CongDan",
            "".join(
                (
                    self.text("SoDinhDanh", citizen.number),
                    self.text("SoCMND", citizen.card),
                    self._own_name(citizen),
                    self.text("GioiTinh", SEX[citizen.sex]),
                    self._coded("DanToc", "MaDanToc", citizen.ethnicity),
                    self._coded("TonGiao", "MaTonGiao", citizen.religion),
                    self.text("TinhTrangHonNhan", MARITAL[self.dialects.marital_codes][citizen.marital]),
                    self.text("NhomMau", BLOOD[citizen.blood_group]),
                    self._birth(citizen),
                    self.text("QuocTich", citizen.nationality),
                    self._address("NoiDangKyKhaiSinh", citizen.birth_registration),
                    self._address("QueQuan", citizen.hometown),
                    self._address("ThuongTru", citizen.permanent),
                    self._address("NoiOHienTai", citizen.current),
                    self._kin("Cha", citizen.father),
                    self._kin("Me", citizen.mother),
                    self._kin("VoChong", citizen.spouse),
                    self._kin("NguoiDaiDien", citizen.guardian),
                    self.element(
                        "ChuHo",
                        self._relation(citizen)
                        + self.text("SoDinhDanh", head.number)
                        + self.text("SoCMND", head.card)
                        + self._kin_name(head.name),
                    ),
                    self.text("SoSoHoKhau", registry.book_of(citizen)),
                    self.element("MaKiemThu", "1") if self.dialects.unknown_elements else "",
                )
            ),
        )

    def _relation(self, citizen: Citizen) -> str:
        codes = self.dialects.relation_codes
        return "" if codes == "absent" else self.text("QuanHe", RELATION[codes][citizen.relation])

    def _own_name(self, citizen: Citizen) -> str:
        if self.dialects.name == "whole":
            parts = ("", "", citizen.name)
        else:
            parts = (citizen.family_name, citizen.middle_name, citizen.given_name)
        return self._parts(parts)

    def _kin_name(self, name: str) -> str:
        if self.dialects.relatives == "flat":
            return self.text("HoVaTen", name.upper())
        *before, given = name.split()
        return self._parts((" ".join(before[:1]), " ".join(before[1:]), given))

    def _parts(self, parts: tuple[str, str, str]) -> str:
        texts = (self.text(tag, part.upper()) for tag, part in zip(("Ho", "ChuDem", "Ten"), parts, strict=True))
        return self.element("HoVaTen", "".join(texts))

    def _coded(self, name: str, inner: str, code: str) -> str:
        if self.dialects.codes == "flat":
            return self.text(name, code)
        return self.element(name, self.text(inner, code) + self.text("TenGoi", None))

    def _birth(self, citizen: Citizen) -> str:
        birth = citizen.birth
        dated = birth.month is not None
        if self.dialects.dates == "iso":
            content = self.text("NgayThangNam", birth.iso) if dated else self.text("Nam", birth.iso)
        else:
            content = self.text("Nam", f"{birth.year}")
            content += self.text("NgayThangNam", birth.iso.replace("-", "") if dated else None)
        return self.element("NgayThangNamSinh", content)

    def _address(self, name: str, address: Address) -> str:
        old, districts = address.before, self.dialects.districts
        if self.dialects.units == "single":
            single = (old.commune or old.district) if districts == "old_units" else address.commune
            codes = self.text("MaDonViHanhChinh", single)
        elif districts == "old_units":
            codes = self.text("MaTinhThanh", old.province) + self.text("MaQuanHuyen", old.district)
            codes += self.text("MaPhuongXa", old.commune)
        else:
            codes = self.text("MaTinhThanh", address.province)
            if districts != "absent":
                codes += self.text("MaQuanHuyen", old.district if districts == "old" else None)
            codes += self.text("MaPhuongXa", address.commune)
        return self.element(
            name, codes + self.text("ChiTiet", address.detail.upper()) + self.text("QuocGia", address.country)
        )

    def _kin(self, name: str, kin: Kin | None) -> str:
        if kin is None:
            return self.text(name, None)
        return self.element(
            name,
            self._kin_name(kin.name)
            + self.text("QuocTich", "VN")
            + self.text("SoDinhDanh", kin.number)
            + self.text("SoCMND", kin.card),
        )


def lookup(
    citizens: Iterable[Citizen], registry: Registry, dialects: Dialects, request_id: str | None, now: str
) -> Answer:
    """Return the records found; `now` is the ISO time that the collection may carry as an attribute."""
    prefix = _prefix(dialects, request_id)
    writer = _Writer(prefix, dialects)
    records = [writer.record(citizen, registry) for citizen in citizens]
    attributes = (
        f' SoCongDan="{len(records)}" ThoiDiemDuLieu="{now}" id="MAU"' if dialects.collection_attributes else ""
    )
    content = "".join(records) or ("" if dialects.no_match == "no_record" else f"<{prefix}:CongDan/>")
    return _envelope(
        f'<{prefix}:CongdanCollection xmlns:{prefix}="{DANCU}"{attributes}>{content}</{prefix}:CongdanCollection>',
        dialects,
    )


def verification(*, found: bool, dialects: Dialects, request_id: str | None) -> Answer:
    """Return whether anybody matches."""
    prefix = _prefix(dialects, request_id)
    writer = _Writer(prefix, dialects)
    value = {"true": ("false", "true"), "1": ("0", "1")}[dialects.true_as][found]
    extra = writer.element("MaKiemThu", "1") if dialects.unknown_elements else ""
    content = writer.element("TonTai", value) + extra
    return _envelope(f'<{prefix}:KetQuaXacThuc xmlns:{prefix}="{BCA}">{content}</{prefix}:KetQuaXacThuc>', dialects)


def _prefix(dialects: Dialects, request_id: str | None) -> str:
    """Return the payload's prefix; a random one depends on the request id alone, so that it can be had again."""
    if dialects.prefix == "ns1":
        return "ns1"
    return "p" + hashlib.sha256((request_id or "").encode()).hexdigest()[:6]


def _envelope(content: str, dialects: Dialects) -> Answer:
    encoding, mark = ENCODINGS[dialects.encoding]
    body = (
        f'<?xml version="1.0" encoding="{encoding.upper()}"?>\n'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Header xmlns:dan="{BCA}"/>'
        f'<soapenv:Body xmlns:dan="{BCA}">{content}</soapenv:Body></soapenv:Envelope>'
    )
    return Answer(200, mark + body.encode(encoding, "xmlcharrefreplace"), f"text/xml; charset={encoding}")
