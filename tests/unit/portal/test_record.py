"""What goes up can be read back from the wire text: nothing lost, nothing changed, nothing made up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.portal.wire.record import Records
from adapters.portal.wire.shapes import DIGIT, SPELT, Several, Shape, Unreadable
from contracts import portal
from contracts.model.dossier import Document, Dossier, DossierProgress, DossierStatus, Result
from tests.support.portal_adapter import DOSSIERS, EXAMPLES, FULL, PLAIN, PROGRESS, STEPS, content

FORMS = {"G1": (Records(SPELT), "requests"), "G1w": (Records(DIGIT), "requests-g1w")}
FIELDS = json.loads(portal.file("fields.json").read_text(encoding="utf-8"))["fields"]


def schema(file: str, name: str) -> dict[str, Any]:
    """Return the schema of one object."""
    found = json.loads(portal.file(f"{file}.schema.json").read_text(encoding="utf-8"))
    return {"$defs": found["$defs"], "$ref": f"#/$defs/{name}"}


CHECKS = {
    (form, name): jsonschema.Draft202012Validator(schema(file, name))
    for form, (_, file) in FORMS.items()
    for name in ("dossier", "step")
}


def carried(value: Any) -> Any:
    """Return a JSON value as it comes out at the other end of the wire."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode())


@pytest.mark.parametrize("form", FORMS)
@given(dossier=DOSSIERS)
def test_a_dossier_comes_back_unchanged(form: str, dossier: Dossier) -> None:
    """Every field of it, from the bytes alone; and it fits the schema of what we send."""
    records, _ = FORMS[form]
    written = carried(records.dossier(dossier))
    assert records.read_dossier(written) == dossier
    assert not list(CHECKS[form, "dossier"].iter_errors(written))


@pytest.mark.parametrize("form", FORMS)
@given(progress=PROGRESS)
def test_progress_comes_back_unchanged(form: str, progress: DossierProgress) -> None:
    """Every step, in its order."""
    records, _ = FORMS[form]
    written = carried(records.steps(progress))
    assert records.read_steps(written) == progress
    assert all(CHECKS[form, "step"].is_valid(step) for step in written)


@settings(max_examples=30)
@given(DOSSIERS, DOSSIERS)
def test_two_dossiers_are_never_written_alike(one: Dossier, other: Dossier) -> None:
    """What differs, differs on the wire."""
    records, _ = FORMS["G1"]
    assert (records.dossier(one) == records.dossier(other)) is (one == other)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_written_so(name: str) -> None:
    """Letter by letter what the contract shows."""
    records, _ = FORMS["G1"]
    value, shown = EXAMPLES[name], content(name)["data"]
    if isinstance(value, DossierProgress):
        assert records.steps(value) == shown
        assert records.read_steps(shown) == value
    else:
        assert [records.dossier(value)] == shown
        assert records.read_dossier(shown[0]) == value


def names(value: Any) -> set[tuple[str, str]]:
    """Return the names of all members, with the object that they stand in."""
    inside = {
        "TaiLieuNop": "document",
        "DanhSachGiayToBoSung": "document",
        "DanhSachLePhi": "fee",
        "DanhSachLePhiBoSung": "fee",
        "DanhSachTepDinhKemKhac": "paper",
        "DanhSachHoSoBoSung": "supplement",
        "DanhSachGiayToKetQua": "result",
        "DinhDanhCHS": "number",
        "DSKetNoiCSDL": "database",
    }

    def walk(one: dict[str, Any], place: str) -> set[tuple[str, str]]:
        found = {(place, name) for name in one}
        for name, part in one.items():
            for item in part if isinstance(part, list) else []:
                found |= walk(item, inside[name])
        return found

    return walk(value, "dossier")


def test_every_field_of_the_contract_is_written() -> None:
    """A dossier of which everything is known has every member of the table, and no other."""
    records, _ = FORMS["G1"]
    everything = records.dossier(replace(FULL, refused_at=FULL.received_at))
    ours = names(everything) | {("step", name) for name in records.steps(STEPS)[0]}
    assert ours == {(row["object"], row["name"]) for row in FIELDS}


def test_the_table_gives_each_field_our_name() -> None:
    """A reader of the contract finds the field in the model, and in no other place."""
    records, _ = FORMS["G1"]
    told = {(row["object"], row["name"]): row["ours"] for row in FIELDS}

    def walk(shape: Shape[Any], place: str) -> None:
        for member in shape.members:
            row = next(row for row in FIELDS if (row["object"], row["name"]) == (place, member.name))
            assert told.pop((place, member.name)) == member.ours
            assert member.newer is (row["sent"] == "when_known")
            inner = row["type"].removeprefix("list of ")
            if isinstance(member.codec, Several) and member.codec.shape is not None and (inner, "_") not in seen:
                seen.add((inner, "_"))
                walk(member.codec.shape, inner)

    seen: set[tuple[str, str]] = set()
    walk(records._dossier, "dossier")
    assert {place for place, _ in told} == {"number", "database", "step"}


def test_what_is_newer_is_left_out_where_it_is_not_known() -> None:
    """What callers of 2020 send is always there, empty or not; the rest only where there is something to say."""
    records, _ = FORMS["G1"]
    old = {row["name"] for row in FIELDS if row["object"] == "dossier" and row["sent"] != "when_known"}
    assert records.dossier(PLAIN).keys() == old


def test_what_is_newer_is_told_by_our_names() -> None:
    """So that whoever sends it knows which field has no room, in a dossier and in each part of it."""
    records, _ = FORMS["G1"]
    kinds = {"dossier": Dossier, "document": Document, "result": Result}
    assert records.newer == {(kinds[row["object"]], row["ours"]) for row in FIELDS if row["sent"] == "when_known"}


@pytest.mark.parametrize("status", DossierStatus)
def test_a_status_is_written_as_its_number(status: DossierStatus) -> None:
    """1 to 11; none turns into another."""
    records, _ = FORMS["G1"]
    dossier = carried(records.dossier(PLAIN)) | {"TrangThaiHoSo": str(status.value)}
    assert records.read_dossier(dossier).status is status
    assert records.dossier(records.read_dossier(dossier))["TrangThaiHoSo"] == str(status.value)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"TrangThaiHoSo": "12"}, "/TrangThaiHoSo"),
        ({"TrangThaiHoSo": "04"}, "/TrangThaiHoSo"),
        ({"TrangThaiHoSo": 4}, "/TrangThaiHoSo"),
        ({"TrangThaiHoSo": ""}, "/TrangThaiHoSo"),
        ({"KenhThucHien": "4"}, "/KenhThucHien"),
        ({"LoaiDoiTuong": "0"}, "/LoaiDoiTuong"),
        ({"NgayTiepNhan": ""}, "/NgayTiepNhan"),
        ({"NgayTiepNhan": "20260302083060"}, "/NgayTiepNhan"),
        ({"NgayTiepNhan": "2026-03-02 08:30"}, "/NgayTiepNhan"),
        ({"HoSoCoThanhPhanSoHoa": True}, "/HoSoCoThanhPhanSoHoa"),
        ({"MaHoSo": "1"}, "/MaHoSo"),
        ({"DinhDanhCHS": [{"LoaiDinhDanh": "2", "SoDinhDanh": "999190000017"}]}, "/DinhDanhCHS/0/SoDinhDanh"),
        ({"DinhDanhCHS": [{"LoaiDinhDanh": "3", "SoDinhDanh": "999000001"}]}, "/DinhDanhCHS/0/LoaiDinhDanh"),
        ({"TaiLieuNop": [{}]}, "/TaiLieuNop/0/TepDinhKemId"),
        ({"TaiLieuNop": {}}, "/TaiLieuNop"),
        ({"Tien": "1"}, "/Tien"),
    ],
)
def test_what_we_do_not_write_is_not_read(changes: dict[str, Any], wrong: str) -> None:
    """Reading is as strict as writing; the member is named."""
    records, _ = FORMS["G1"]
    with pytest.raises(Unreadable) as caught:
        records.read_dossier(carried(records.dossier(PLAIN)) | changes)
    assert wrong in [one.path for one in caught.value.fields]


@pytest.mark.parametrize("raw", [[], [{}], {}, "x", [{**content("progress-request")["data"][0], "MaHoSo": "1"}]])
def test_steps_of_nothing_are_not_read(raw: Any) -> None:
    """There is at least one, and it is about a dossier."""
    with pytest.raises(Unreadable):
        FORMS["G1"][0].read_steps(raw)


def test_steps_of_two_dossiers_are_not_read() -> None:
    """A write is about one."""
    first, second = content("progress-request")["data"]
    with pytest.raises(Unreadable):
        FORMS["G1"][0].read_steps([first, second | {"MaHoSo": "H99.5-260302-0018"}])


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_the_clock_has_24_hours(hour: int, minute: int, second: int) -> None:
    """An afternoon is no morning."""
    text = f"20260302{hour:02}{minute:02}{second:02}"
    dossier = FORMS["G1"][0].read_dossier(carried(FORMS["G1"][0].dossier(PLAIN)) | {"NgayTiepNhan": text})
    assert (dossier.received_at.hour, dossier.received_at.minute, dossier.received_at.second) == (hour, minute, second)
    assert FORMS["G1"][0].dossier(dossier)["NgayTiepNhan"] == text
