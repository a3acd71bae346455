"""The portal's mock decides about anything that comes, with a declared outcome and an answer that can be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contracts.portal
from mocks.asgi import Request
from mocks.doors import UNKNOWN, Site
from mocks.doors.portal.door import PortalDoor
from mocks.doors.portal.fields import CODE, STATUSES, Dossier, Step
from mocks.doors.portal.settings import Dialects
from mocks.world import Citizens, People, Registry, State, Turn, generate
from tests.support.portal import dossier, step
from tools.mock_dialects import values

NOW = datetime(2026, 1, 5, 1, 15, tzinfo=UTC)
DOOR = PortalDoor()
C = "H99.5-260302-0017"
BODIES: dict[str, dict[str, Any]] = {
    "create": {"service": "DongBoHoSoMC", "isUpdating": "False", "data": [dossier(C)]},
    "update": {"service": "DongBoHoSoMC", "isUpdating": "True", "data": [dossier(C)]},
    "progress": {"service": "CapNhatTienDoHoSoMC", "data": [step(C), step(C, 3)]},
    "verdict": {"service": "DongBoTrangThaiHoSo", "type": "2", "data": {"MaHoSo": C, "MaHoSoDonVi": "H-1"}},
    "look_up": {"service": "TraCuuHoSo", "mahoso": C},
    "procedure": {"service": "LayThuTuc", "maTTHC": "9.999001"},
    "procedures": {"service": "LayDanhSachTTHC"},
    "tech_id": {"service": "TraCuuTechID", "provider": "wso2is", "mstorcmnd": "999000000000"},
}
VARIANTS = [
    (name, 1 if value is int else value)
    for name, every in values(Dialects).items()
    for value in every
    if value is not None
]


@cache
def people() -> People:
    return generate(1, 300)


def state() -> State:
    return State({"citizen": Citizens(people()), **{kind.lifecycle.kind: kind for kind in DOOR.kinds}})


def send(began: State, name: str, body: object, **dialects: object) -> tuple[str, str, Any]:
    """Let the door decide about one request; return the operation, the outcome and the answer's content."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request("POST", f"/mapi/{name}", "", (), content, "127.0.0.1")
    turn = Turn(began, NOW.timestamp())
    at = Site(turn, Registry(people(), turn), NOW, Dialects.model_validate(dialects), 1)
    subject = DOOR.recognise(request, at)
    result = DOOR.act(request, subject, at)
    assert subject.operation == UNKNOWN or result.outcome in DOOR.operations[subject.operation]
    assert subject.key == UNKNOWN or not subject.key.isdigit()
    assert result.acted is bool(result.keys) or result.keys is None
    began.apply(turn.changes)
    plain = result.answer.content_type.startswith("text/plain")
    return subject.operation, result.outcome, result.answer.body.decode() if plain else json.loads(result.answer.body)


def logged_in() -> tuple[State, dict[str, str]]:
    began = state()
    _, _, answer = send(began, "login", {"username": "dvc_h99", "password": "bi-mat-mau-1"})
    return began, {"session": answer["session"], "madonvi": "H99.5"}


@pytest.mark.parametrize(("name", "value"), VARIANTS)
def test_every_variant_decides_about_everything(name: str, value: object) -> None:
    """Under each value of each dialect every service, first and repeated, has a declared outcome and an envelope."""
    began, envelope = logged_in()
    for _ in range(2):
        for operation, body in BODIES.items():
            told, _, answer = send(began, "g", {**envelope, **body}, **{name: value})
            assert told == operation
            assert isinstance(answer, str) or "error_code" in answer or "type" in answer


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    operation=st.sampled_from([*BODIES]),
    top=st.dictionaries(st.sampled_from(["madonvi", "service", "isUpdating", "data", "mahoso"]), JSON, max_size=2),
    inner=st.dictionaries(st.sampled_from([*Dossier.model_fields, *Step.model_fields]) | st.text(), JSON, max_size=3),
    batch=st.sampled_from(["whole", "per_item", "until_error"]),
)
def test_whatever_a_field_holds(operation: str, top: dict[str, Any], inner: dict[str, Any], batch: str) -> None:
    """Fields of any kind and value are refused or taken, never an accident."""
    began, envelope = logged_in()
    send(began, "g", {**envelope, **BODIES["create"]})
    body = dict(BODIES[operation])
    if isinstance(body.get("data"), list):
        body["data"] = [*body["data"], {**body["data"][0], **inner}]
    send(began, "g", {**envelope, **body, **top}, batch=batch)


@given(name=st.sampled_from(["login", "g", "x"]), body=st.binary() | JSON.map(lambda one: json.dumps(one).encode()))
def test_whatever_a_body_holds(name: str, body: bytes) -> None:
    """A body of any bytes is refused or taken."""
    send(state(), name, body)


def test_identity_numbers_are_no_codes() -> None:
    """Digits alone cannot come into the ledger as a dossier's code."""
    assert CODE.fullmatch("H99.5-260302-0017")
    assert CODE.fullmatch("000.00.07.H99-260302-0017")
    assert not CODE.fullmatch("999000000001")


def test_reads_the_contract_s_requests() -> None:
    """The requests that the contract shows for its callers are taken as they stand."""
    began, envelope = logged_in()
    for operation in ("create", "update", "progress", "look_up"):
        shown = json.loads(contracts.portal.file(f"examples/{operation}-request.json").read_text("utf-8"))
        told, outcome, answer = send(began, "g", {**shown, **envelope})
        assert (told, int(answer["error_code"])) == (operation, 0), (outcome, answer)


def test_knows_the_contract_s_codes() -> None:
    """The door's own lists of codes are those of the contract's data."""
    shape = Dossier.model_json_schema()["properties"]
    for table, name in (("channel", "KenhThucHien"), ("owner_kind", "LoaiDoiTuong"), ("result_delivery", "HinhThuc")):
        content = json.loads(contracts.portal.file(f"codes/{table}.json").read_text("utf-8"))
        told = shape[name].get("enum") or shape[name]["anyOf"][0]["enum"]
        assert {one["code"] for one in content["codes"]} == {one for one in told if one}
    content = json.loads(contracts.portal.file("codes/status.json").read_text("utf-8"))
    assert tuple(one["code"] for one in content["codes"]) == STATUSES


def test_knows_every_field_of_the_contract() -> None:
    """No field that the contract names is strange to the door, and those that clients always send are needed."""
    fields = json.loads(contracts.portal.file("fields.json").read_text("utf-8"))["fields"]
    for name, model in (("dossier", Dossier), ("step", Step)):
        told = {one["name"]: one for one in fields if one["object"] == name}
        assert set(told) == set(model.model_fields)
        always = {field for field, one in told.items() if one.get("callers") == "always"}
        assert always == {field for field, info in model.model_fields.items() if info.is_required()}


@pytest.mark.parametrize("success_text", ["word", "sentence"])
@pytest.mark.parametrize("named", [False, True])
def test_what_it_says_is_in_the_contract_s_table(success_text: str, *, named: bool) -> None:
    """The texts of success, of "exists", of its opposite and of a lost session are among those that are recognised."""
    texts = json.loads(contracts.portal.file("answers.json").read_text("utf-8"))["texts"]
    meanings = {one["text"].replace("{code}", C.lower()): one["meaning"] for one in texts}
    began, envelope = logged_in()
    for operation, session, meaning in (
        ("update", {}, "not_there"),
        ("create", {}, "success"),
        ("create", {}, "exists"),
        ("update", {}, "success"),
        ("progress", {}, "success"),
        ("progress", {"session": "x"}, "session_refused"),
    ):
        body = {**envelope, **BODIES[operation], **session}
        _, _, answer = send(began, "g", body, success_text=success_text, names_dossier=named)
        assert meanings[answer["message"].lower()] == meaning
