"""Reading an answer: every field, every variant, and long tables of what must be refused."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from adapters.population import Population
from adapters.population.wire import explain, read_lookup, read_verification
from contracts.model import (
    Acted,
    Address,
    BirthDate,
    Citizen,
    CitizenQuery,
    Coded,
    ContractBroken,
    IdentityNumber,
    Kind,
    Layer,
    OldCardNumber,
    PersonName,
    Relative,
    Sex,
)
from tests.support.population import (
    BY_OLD_CARD,
    MINIMAL,
    QUERY,
    RECORD,
    SERVICE,
    YEAR_ONLY,
    Tree,
    answer,
    changed,
    collection,
    envelope,
    example,
)


def citizens(message: bytes, query: CitizenQuery = QUERY) -> tuple[Citizen, ...]:
    """Return what is read from a message."""
    return read_lookup(answer(message), Population.LOOKUP, query).value.citizens


def one(message: bytes, query: CitizenQuery = QUERY) -> Citizen:
    """Return the only record of a message."""
    (citizen,) = citizens(message, query)
    return citizen


def broken(message: bytes, query: CitizenQuery = QUERY) -> ContractBroken:
    """Return the failure of a message that breaks the contract."""
    with pytest.raises(ContractBroken) as caught:
        read_lookup(answer(message), Population.LOOKUP, query)
    failure = caught.value
    assert (failure.kind, failure.layer, failure.may_have_acted) == (Kind.CONTRACT_BROKEN, Layer.SYSTEM, Acted.MAYBE)
    return failure


def wrong(message: bytes) -> dict[str, str]:
    """Return path inside the first record → reason."""
    fields = broken(message).fields
    assert len({field.path for field in fields}) == len(fields)
    return {field.path.removeprefix("CongdanCollection/CongDan[1]/"): field.reason for field in fields}


def test_every_field_of_a_full_record_is_read() -> None:
    """The round trip of the richest example, field by field."""
    citizen = one(example("lookup-full-flat-relatives.xml"))
    father = Relative(name=PersonName("TRẦN VĂN GỐC"), identity_number=IdentityNumber("999060000011"), nationality="VN")
    assert citizen == Citizen(
        identity_number=IdentityNumber("999190000017"),
        old_card_number=OldCardNumber("999000017"),
        name=PersonName("TRẦN THỊ MẪU"),
        birth=BirthDate(1990, 2, 28),
        sex=Sex.FEMALE,
        ethnicity=Coded("12", "Ê-đê"),
        religion=Coded("03", "Tin Lành"),
        marital_status=Coded("2", "Đã kết hôn"),
        blood_group=Coded("04", "O"),
        nationality="VN",
        birth_registration=Address(province="64", district="623", commune="99998", detail="XÃ MẪU CŨ", country="VN"),
        hometown=Address(province="52", district="540", commune="99997", detail="THÔN GỐC", country="VN"),
        permanent_residence=Address(province="52", commune="99999", detail="THÔN MẪU", country="VN"),
        current_residence=Address(province="79", commune="99996", detail="SỐ 1 ĐƯỜNG MẪU", country="VN"),
        father=father,
        mother=Relative(name=PersonName("LÊ THỊ GỐC"), old_card_number=OldCardNumber("999000011"), nationality="VN"),
        spouse=Relative(
            name=PersonName("NGUYỄN VĂN THỬ"), identity_number=IdentityNumber("999088000016"), nationality="VN"
        ),
        representative=father,
        household_head=Relative(
            name=PersonName("NGUYỄN VĂN THỬ"),
            identity_number=IdentityNumber("999088000016"),
            relationship=Coded("CH02"),
        ),
        household_book="999000123",
    )


def test_the_standards_structured_shapes_are_read_like_the_flat_ones() -> None:
    """QCVN 109's codes in elements, ISO date, single area code and structured names of relatives."""
    citizen = one(example("lookup-structured-relatives.xml"))
    assert citizen.ethnicity == Coded("12", "Ê-đê")
    assert citizen.religion == Coded("99", "Khác")
    assert citizen.birth == BirthDate(1990, 2, 28)
    assert citizen.permanent_residence == Address(commune="99999", detail="THÔN MẪU", country="VN")
    assert citizen.father is not None
    assert citizen.father.name == PersonName("TRẦN VĂN GỐC")
    assert citizen.mother is not None
    assert citizen.mother.identity_number == IdentityNumber("999163000012")


def test_a_minimal_record_leaves_everything_else_none() -> None:
    """What the partner left out is None: nothing is made up."""
    citizen = one(collection(MINIMAL))
    told = {name for name in Citizen.__dataclass_fields__ if getattr(citizen, name) is not None}
    assert told == {"identity_number", "name", "birth"}


@pytest.mark.parametrize(
    ("name", "query", "expected"),
    [
        ("lookup-whole-name.xml", QUERY, PersonName("TRẦN THỊ MẪU")),
        ("lookup-default-namespace.xml", QUERY, PersonName("TRẦN THỊ MẪU")),
        ("lookup-old-district.xml", QUERY, PersonName("TRẦN THỊ MẪU")),
        ("lookup-year-only.xml", YEAR_ONLY, PersonName("LÊ THỊ MẪU")),
        ("lookup-extra-elements.xml", QUERY, PersonName("TRẦN THỊ MẪU")),
    ],
)
def test_a_name_is_read_from_wherever_it_stands(name: str, query: CitizenQuery, expected: PersonName) -> None:
    """Whole in `Ten`, or split over the three."""
    assert one(example(name), query).name == expected


@pytest.mark.parametrize(
    "name",
    [
        [("Ho", "TRẦN"), ("ChuDem", "THỊ"), ("Ten", "MẪU")],
        [("Ten", "MẪU"), ("ChuDem", "THỊ"), ("Ho", "TRẦN")],
        [("Ho", "TRẦN THỊ"), ("ChuDem", ""), ("Ten", "MẪU")],
        [("Ho", ""), ("ChuDem", ""), ("Ten", " TRẦN  THỊ MẪU ")],
        [("Ho", "TRẦN THỊ MẪU"), ("Ten", "")],
        "TRẦN THỊ MẪU",
        " TRẦN THỊ\n MẪU ",
        unicodedata.normalize("NFD", "TRẦN THỊ MẪU"),
    ],
)
def test_every_form_of_a_name_is_the_same_name(name: Any) -> None:
    """Split in any way and order, flat, composed or decomposed."""
    assert one(collection(changed(MINIMAL, "HoVaTen", name))).name == PersonName("TRẦN THỊ MẪU")


@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        ([("NgayThangNam", "19900228")], BirthDate(1990, 2, 28)),
        ([("NgayThangNam", "1990-02-28")], BirthDate(1990, 2, 28)),
        ([("Nam", "1990"), ("NgayThangNam", "19900228")], BirthDate(1990, 2, 28)),
        ([("NgayThangNam", " 19900228 "), ("Nam", "")], BirthDate(1990, 2, 28)),
        ([("Nam", "1945"), ("NgayThangNam", "")], BirthDate(1945)),
        ([("Nam", "1945")], BirthDate(1945)),
        ([("NgayThangNam", "20000229")], BirthDate(2000, 2, 29)),
    ],
)
def test_a_birth_is_read_in_each_form(birth: Tree, expected: BirthDate) -> None:
    """Both date forms, a year beside the day, a year alone, a leap day."""
    assert one(collection(changed(MINIMAL, "NgayThangNamSinh", birth))).birth == expected


@pytest.mark.parametrize(("code", "sex"), [("1", Sex.MALE), ("2", Sex.FEMALE), ("", None), (" 2 ", Sex.FEMALE)])
def test_a_known_sex_is_read(code: str, sex: Sex | None) -> None:
    """The two codes that are known; an empty one says nothing."""
    assert one(collection(changed(MINIMAL, "GioiTinh", code))).sex is sex


@pytest.mark.parametrize("code", ["0", "3", "9", "02", "Nữ", "X"])
def test_an_unknown_sex_is_kept_and_not_guessed(code: str) -> None:
    """No meaning is made of an unknown code, and it is not lost."""
    reading = read_lookup(answer(collection(changed(MINIMAL, "GioiTinh", code))), Population.LOOKUP, QUERY)
    assert reading.value.citizens[0].sex is None
    assert [(u.path, u.content) for u in reading.value.unread] == [("CongdanCollection/CongDan[1]/GioiTinh", code)]
    assert reading.unknown == ()


@pytest.mark.parametrize(
    ("element", "field", "code", "label"),
    [
        ("DanToc", "ethnicity", "01", "Kinh"),
        ("DanToc", "ethnicity", "54", "Rơ-măm"),
        ("DanToc", "ethnicity", "99", None),
        ("TonGiao", "religion", "00", "Không"),
        ("TonGiao", "religion", "07", None),
        ("TinhTrangHonNhan", "marital_status", "1", "Chưa kết hôn"),
        ("TinhTrangHonNhan", "marital_status", "7", None),
        ("NhomMau", "blood_group", "03", "AB"),
        ("NhomMau", "blood_group", "A+", None),
    ],
)
def test_codes_get_their_label_and_unknown_ones_are_kept(
    element: str, field: str, code: str, label: str | None
) -> None:
    """A code that the table does not know stays a code."""
    assert getattr(one(collection(changed(MINIMAL, element, code))), field) == Coded(code, label)


def test_a_code_beside_a_name_takes_the_name_only_where_the_table_is_silent() -> None:
    """The table's label wins; the partner's stands in for an unknown code; a name without a code is kept aside."""
    known = changed(MINIMAL, "DanToc", [("MaDanToc", "01"), ("TenGoi", "khác")])
    assert one(collection(known)).ethnicity == Coded("01", "Kinh")
    unknown = changed(MINIMAL, "TonGiao", [("MaTonGiao", "77"), ("TenGoi", "Đạo Mẫu")])
    assert one(collection(unknown)).religion == Coded("77", "Đạo Mẫu")
    nameless = changed(MINIMAL, "TonGiao", [("TenGoi", "Đạo Mẫu")])
    reading = read_lookup(answer(collection(nameless)), Population.LOOKUP, QUERY)
    assert reading.value.citizens[0].religion is None
    assert [unread.content for unread in reading.value.unread] == ["Đạo Mẫu"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ([("MaTinhThanh", "52"), ("MaPhuongXa", "99999")], Address(province="52", commune="99999")),
        ([("MaTinhThanh", "64"), ("MaQuanHuyen", "623")], Address(province="64", district="623")),
        ([("MaTinhThanh", "52"), ("MaQuanHuyen", "")], Address(province="52")),
        ([("MaDonViHanhChinh", "52")], Address(province="52")),
        ([("MaDonViHanhChinh", "623")], Address(district="623")),
        ([("MaDonViHanhChinh", "99999")], Address(commune="99999")),
        ([("MaDonViHanhChinh", "99999"), ("MaPhuongXa", "99998")], Address(commune="99998")),
        ([("ChiTiet", "MẪU")], Address(detail="MẪU")),
        ([("QuocGia", "US")], Address(country="US")),
        ([("MaTinhThanh", ""), ("ChiTiet", " ")], None),
        ("", None),
    ],
)
@pytest.mark.parametrize("element", ["NoiDangKyKhaiSinh", "QueQuan", "ThuongTru", "NoiOHienTai"])
def test_an_address_is_read_in_each_form(element: str, place: Any, expected: Address | None) -> None:
    """Before and after 2025, in parts or as one code whose length says its level."""
    fields = {
        "NoiDangKyKhaiSinh": "birth_registration",
        "QueQuan": "hometown",
        "ThuongTru": "permanent_residence",
        "NoiOHienTai": "current_residence",
    }
    assert getattr(one(collection(changed(MINIMAL, element, place))), fields[element]) == expected


@pytest.mark.parametrize("element", ["Cha", "Me", "VoChong", "NguoiDaiDien", "ChuHo"])
@pytest.mark.parametrize("value", ["", [("HoVaTen", ""), ("SoDinhDanh", "")], [("HoVaTen", [("Ten", "")])]])
def test_a_relative_of_whom_nothing_is_told_is_none(element: str, value: Any) -> None:
    """An empty skeleton is nobody."""
    citizen = one(collection(changed(MINIMAL, element, value)))
    assert (citizen.father, citizen.mother, citizen.spouse) == (None, None, None)
    assert (citizen.representative, citizen.household_head) == (None, None)


@pytest.mark.parametrize(
    "message",
    [
        example("lookup-none-empty-collection.xml"),
        example("lookup-none-empty-citizen.xml"),
        collection([]),
        collection([("SoDinhDanh", ""), ("HoVaTen", [("Ho", " "), ("Ten", "")])]),
        collection([], []),
        envelope(f'<a:CongdanCollection xmlns:a="{RECORD}" SoCongDan="0">\n</a:CongdanCollection>'),
    ],
)
def test_nobody_is_an_answer(message: bytes) -> None:
    """No match is an empty look-up and never a failure."""
    assert citizens(message) == ()


def test_two_records_are_two() -> None:
    """A number shared by clerical error gives every record, in order."""
    first, second = citizens(example("lookup-two-records.xml"))
    assert first.old_card_number is None
    assert second.old_card_number == OldCardNumber("999000018")


def test_an_empty_record_beside_a_full_one_is_not_counted() -> None:
    """Only records with content are records; places are counted by element."""
    assert len(citizens(collection([], MINIMAL))) == 1


# ── what must be refused ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_missing_field_is_named() -> None:
    """All at once, each by its path."""
    assert wrong(example("lookup-broken-missing-fields.xml")) == {
        "SoDinhDanh": "required",
        "HoVaTen": "required",
        "NgayThangNamSinh": "required",
    }


def test_every_wrong_type_is_named() -> None:
    """All at once, each by its path."""
    assert wrong(example("lookup-broken-wrong-types.xml")) == {
        "SoDinhDanh": "pattern",
        "SoCMND": "pattern",
        "NgayThangNamSinh/Nam": "pattern",
        "NgayThangNamSinh/NgayThangNam": "birth_date",
        "ThuongTru/MaTinhThanh": "pattern",
    }


@pytest.mark.parametrize(
    ("path", "value", "where", "reason"),
    [
        ("SoDinhDanh", None, "SoDinhDanh", "required"),
        ("SoDinhDanh", "", "SoDinhDanh", "required"),
        ("SoDinhDanh", "99919000001", "SoDinhDanh", "pattern"),
        ("SoDinhDanh", "9991900000170", "SoDinhDanh", "pattern"),
        ("SoDinhDanh", "99919000001O", "SoDinhDanh", "pattern"),
        ("SoDinhDanh", "999 190 000 017", "SoDinhDanh", "pattern"),
        ("SoDinhDanh", "٩٩٩١٩٠٠٠٠٠١٧", "SoDinhDanh", "pattern"),
        ("SoDinhDanh", [("So", "999190000017")], "SoDinhDanh", "invalid"),
        ("SoCMND", "99900001", "SoCMND", "pattern"),
        ("SoCMND", "999190000017", "SoCMND", "pattern"),
        ("HoVaTen", None, "HoVaTen", "required"),
        ("HoVaTen", "", "HoVaTen", "required"),
        ("HoVaTen", [("Ho", ""), ("ChuDem", " "), ("Ten", "")], "HoVaTen", "required"),
        ("HoVaTen/Ten", [("Chu", "MẪU")], "HoVaTen/Ten", "invalid"),
        ("NgayThangNamSinh", None, "NgayThangNamSinh", "required"),
        ("NgayThangNamSinh", "", "NgayThangNamSinh", "required"),
        ("NgayThangNamSinh", "19900228", "NgayThangNamSinh", "invalid"),
        ("NgayThangNamSinh", [("NgayThangNam", "")], "NgayThangNamSinh", "required"),
        ("NgayThangNamSinh/NgayThangNam", "19900230", "NgayThangNamSinh/NgayThangNam", "birth_date"),
        ("NgayThangNamSinh/NgayThangNam", "19900001", "NgayThangNamSinh/NgayThangNam", "birth_date"),
        ("NgayThangNamSinh/NgayThangNam", "19010229", "NgayThangNamSinh/NgayThangNam", "birth_date"),
        ("NgayThangNamSinh/NgayThangNam", "00000101", "NgayThangNamSinh/NgayThangNam", "birth_date"),
        ("NgayThangNamSinh/NgayThangNam", "28/02/1990", "NgayThangNamSinh/NgayThangNam", "pattern"),
        ("NgayThangNamSinh/NgayThangNam", "1990-0228", "NgayThangNamSinh/NgayThangNam", "pattern"),
        ("NgayThangNamSinh/NgayThangNam", "1990", "NgayThangNamSinh/NgayThangNam", "pattern"),
        ("NgayThangNamSinh/NgayThangNam", "1990-02-28T00:00:00", "NgayThangNamSinh/NgayThangNam", "pattern"),
        ("NgayThangNamSinh/Nam", "90", "NgayThangNamSinh/Nam", "pattern"),
        ("NgayThangNamSinh/Nam", "1991", "NgayThangNamSinh/Nam", "contradicts"),
        ("GioiTinh", [("Ma", "2")], "GioiTinh", "invalid"),
        ("DanToc", [("MaDanToc", [("x", "01")])], "DanToc/MaDanToc", "invalid"),
        ("QuocTich", [("Ma", "VN")], "QuocTich", "invalid"),
        ("ThuongTru", "THÔN MẪU", "ThuongTru", "invalid"),
        ("ThuongTru/MaTinhThanh", "Gia Lai", "ThuongTru/MaTinhThanh", "pattern"),
        ("QueQuan/MaPhuongXa", "123456", "QueQuan/MaPhuongXa", "pattern"),
        ("NoiOHienTai/MaDonViHanhChinh", "-1", "NoiOHienTai/MaDonViHanhChinh", "pattern"),
        ("Cha", "TRẦN VĂN GỐC", "Cha", "invalid"),
        ("Cha/SoDinhDanh", "0", "Cha/SoDinhDanh", "pattern"),
        ("Me/SoCMND", "khong", "Me/SoCMND", "pattern"),
        ("ChuHo/QuanHe", [("Ma", "CH01")], "ChuHo/QuanHe", "invalid"),
    ],
)
def test_what_breaks_the_contract_is_named_by_its_path(path: str, value: Any, where: str, reason: str) -> None:
    """One wrong field refuses the whole record."""
    assert wrong(collection(changed(MINIMAL, path, value))).get(where) == reason


@pytest.mark.parametrize(
    "element", ["SoDinhDanh", "HoVaTen", "NgayThangNamSinh", "GioiTinh", "ThuongTru", "Cha", "SoSoHoKhau"]
)
def test_an_element_that_stands_twice_is_refused(element: str) -> None:
    """Nobody can say which of the two counts, not even where they agree."""
    tree = changed(MINIMAL, element, dict(MINIMAL).get(element, ""))
    assert wrong(collection([*tree, (element, dict(tree)[element])]))[element] == "repeated"


def test_the_wrong_record_is_named_by_its_place() -> None:
    """The second of three is CongDan[2]."""
    failure = broken(collection(MINIMAL, changed(MINIMAL, "SoCMND", "x"), MINIMAL))
    assert [field.path for field in failure.fields] == ["CongdanCollection/CongDan[2]/SoCMND"]


def test_one_wrong_record_refuses_the_others_too() -> None:
    """Half an answer is no answer: nothing is handed on."""
    broken(collection(MINIMAL, changed(MINIMAL, "HoVaTen", None)))


def test_a_record_about_another_number_is_refused() -> None:
    """The answer to somebody else's question never reaches the caller."""
    failure = broken(collection(changed(MINIMAL, "SoDinhDanh", "999190000024")))
    assert failure.reason == "answer_about_another"
    assert [(f.path, f.reason) for f in failure.fields] == [
        ("CongdanCollection/CongDan[1]/SoDinhDanh", "not_asked_for")
    ]


def test_a_record_found_by_its_old_card_may_have_a_number() -> None:
    """Who asks by the old card learns the number; a person may have had several old cards."""
    record = changed(MINIMAL, "SoCMND", "999000099")
    assert one(collection(record), BY_OLD_CARD).identity_number == IdentityNumber("999190000017")


def test_a_record_with_only_the_old_card_is_read() -> None:
    """One of the two numbers is enough."""
    record = changed(changed(MINIMAL, "SoDinhDanh", ""), "SoCMND", "999000017")
    assert one(collection(record), BY_OLD_CARD).identity_number is None


@pytest.mark.parametrize(
    "body",
    [
        f'<KetQuaXacThuc xmlns="{SERVICE}"><TonTai>true</TonTai></KetQuaXacThuc>',
        f'<CongDan xmlns="{RECORD}"/>',
        '<CongdanCollection xmlns="urn:other"/>',
        f'<congdancollection xmlns="{RECORD}"/>',
        f'<TraCuuThongTinCongDan xmlns="{SERVICE}"/>',
    ],
)
def test_an_element_that_does_not_answer_is_refused(body: str) -> None:
    """The answer of another operation, or of another make, is not read."""
    assert broken(envelope(body)).reason == "answer_element_unexpected"


def test_a_known_name_in_a_foreign_namespace_is_not_the_field() -> None:
    """A local name alone does not make an element ours."""
    foreign = '<x:SoDinhDanh xmlns:x="urn:other">999190000017</x:SoDinhDanh>'
    body = collection(MINIMAL).replace(b"<SoDinhDanh>999190000017</SoDinhDanh>", foreign.encode())
    assert wrong(body)["SoDinhDanh"] == "required"


@pytest.mark.parametrize("namespace", [RECORD, SERVICE, ""])
def test_each_namespace_of_the_service_is_read(namespace: str) -> None:
    """Whether elements are qualified, and by which of the two, is unknown: all are read alike."""
    assert one(collection(MINIMAL).replace(RECORD.encode(), namespace.encode())) == one(collection(MINIMAL))


def test_the_schema_adds_what_the_reader_had_no_reason_to_judge() -> None:
    """Once an answer is refused, every further field that the schema refuses is named as well."""
    body = collection(changed(MINIMAL, "HoVaTen", None)).replace(
        b"<CongdanCollection ", b'<CongdanCollection ThoiDiemDuLieu="hom nay" '
    )
    fields = {field.path: field.reason for field in broken(body).fields}
    assert fields == {"CongdanCollection/CongDan[1]/HoVaTen": "required", "CongdanCollection": "pattern"}


def test_no_value_of_a_broken_answer_is_told() -> None:
    """Paths and reasons only: the failure can be logged, shown and counted."""
    secret = "999190000017x"
    record = changed(changed(MINIMAL, "SoDinhDanh", secret), "SoCMND", "BÍ MẬT")
    failure = broken(collection(record))
    told = f"{failure} {failure!r} {failure.note} {failure.partner_text} {failure.fields!r}"
    assert "999190" not in told
    assert "BÍ MẬT" not in told
    assert "MẪU" not in told


def test_a_flood_of_wrong_fields_is_cut() -> None:
    """Thousands of wrong records cost bounded time and give a bounded list."""
    failure = broken(collection(*[changed(MINIMAL, "SoDinhDanh", "x")] * 3000))
    assert len(failure.fields) == 50


def test_a_huge_answer_with_one_wrong_field_is_refused_without_the_slow_validator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The explanation is never worth seconds of a busy process."""

    def never(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(explain, "_schema", never)
    failure = broken(collection(*[MINIMAL] * 3000, changed(MINIMAL, "SoDinhDanh", "x")))
    assert [field.path for field in failure.fields] == ["CongdanCollection/CongDan[3001]/SoDinhDanh"]


# ── unknown elements ────────────────────────────────────────────────────────────────────────────────────────────────


def test_unknown_elements_are_kept_and_named() -> None:
    """At every level, with path and content; the record is read as if they were not there."""
    reading = read_lookup(answer(example("lookup-extra-elements.xml")), Population.LOOKUP, QUERY)
    assert sorted(reading.unknown) == ["TenGoiKhac", "TenPhuongXa", "ThongTinMoi"]
    kept = {unread.path: unread.content for unread in reading.value.unread}
    assert kept["CongdanCollection/CongDan[1]/TenGoiKhac"] == "MẪU BÉ"
    assert kept["CongdanCollection/CongDan[1]/ThuongTru/TenPhuongXa"] == "XÃ MẪU"
    assert "<moi:A>1</moi:A>" in kept["CongdanCollection/ThongTinMoi"]
    assert "MẪU BÉ" not in repr(reading)


# ── yes and no ──────────────────────────────────────────────────────────────────────────────────────────────────────


def result(inner: str, root: str = "KetQuaXacThuc") -> bytes:
    """Return the answer of a verification."""
    return envelope(f'<d:{root} xmlns:d="{SERVICE}">{inner}</d:{root}>')


@pytest.mark.parametrize(
    ("text", "matches"), [("true", True), ("1", True), ("false", False), ("0", False), (" true\n", True)]
)
def test_each_form_of_a_boolean_is_read(text: str, matches: bool) -> None:  # noqa: FBT001 - the expected value
    """The four forms of xs:boolean."""
    message = result(f"<d:TonTai>{text}</d:TonTai>")
    assert read_verification(answer(message), Population.VERIFY).value.matches is matches


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("", "required"),
        ("<d:TonTai/>", "required"),
        ("<d:TonTai> </d:TonTai>", "required"),
        ("<d:TonTai>True</d:TonTai>", "pattern"),
        ("<d:TonTai>có</d:TonTai>", "pattern"),
        ("<d:TonTai>2</d:TonTai>", "pattern"),
        ("<d:TonTai><d:x>true</d:x></d:TonTai>", "invalid"),
        ("<d:TonTai>true</d:TonTai><d:TonTai>false</d:TonTai>", "repeated"),
        ("<d:TonTai>true</d:TonTai><d:TonTai>true</d:TonTai>", "repeated"),
        ('<x:TonTai xmlns:x="urn:other">true</x:TonTai>', "required"),
    ],
)
def test_what_is_neither_yes_nor_no_is_refused(inner: str, reason: str) -> None:
    """Nothing becomes a yes or a no by accident."""
    with pytest.raises(ContractBroken) as caught:
        read_verification(answer(result(inner)), Population.VERIFY)
    assert [(f.path, f.reason) for f in caught.value.fields] == [("KetQuaXacThuc/TonTai", reason)]


def test_text_beside_the_answer_is_refused() -> None:
    """A sentence in place of elements is not an answer."""
    with pytest.raises(ContractBroken):
        read_verification(answer(result("true")), Population.VERIFY)


def test_more_than_the_answer_is_kept() -> None:
    """A newer element beside the answer does not change it."""
    reading = read_verification(answer(result("<d:MaLoi>0</d:MaLoi><d:TonTai>false</d:TonTai>")), Population.VERIFY)
    assert reading.value.matches is False
    assert reading.unknown == ("MaLoi",)


@pytest.mark.parametrize("root", ["KetQuaXacThucResponse", "TonTai", "XacThucThongTinCongDan"])
def test_another_element_does_not_answer_a_verification(root: str) -> None:
    """Variant B's answer and anything else are not variant A's."""
    with pytest.raises(ContractBroken) as caught:
        read_verification(answer(result("<d:TonTai>true</d:TonTai>", root)), Population.VERIFY)
    assert caught.value.reason == "answer_element_unexpected"
