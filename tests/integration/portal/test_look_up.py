"""What the national portal has, asked for through the gateway: a dossier, none, or why nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.security import Scope
from tests.support.gateways import AGENCY
from tests.support.portal_desk import OTHER, desk

if TYPE_CHECKING:
    from pathlib import Path

    from mocks.app import MockApp

CODE = "H99.5-260302-0017"


async def test_a_dossier_that_is_there_is_told_with_its_label(app: MockApp, tmp_path: Path) -> None:
    """The national code stays as it is, with its name in the caller's language beside it."""
    async with desk(tmp_path, app) as stage:
        await stage.bring(CODE, TrangThaiHoSo="5")
        answer = await stage.look_up(CODE)
        vietnamese = await stage.client.get(answer.request.url, headers={"Accept-Language": "vi"})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["found"], body["dossier"]["code"]) == (True, CODE)
    assert (body["dossier"]["status"], body["dossier"]["status_label"]) == (5, "Supplement requested")
    assert vietnamese.json()["dossier"]["status_label"] == "Yêu cầu bổ sung giấy tờ"
    assert (body["dossier"]["owner_kind"], body["dossier"]["procedure"]) == ("citizen", "9.999001")
    assert (answer.headers["preference-applied"], answer.headers["cache-control"]) == ("wait=20", "no-store")


async def test_a_dossier_that_is_not_there_is_an_answer(app: MockApp, tmp_path: Path) -> None:
    """Nobody has to read a failure to learn that the portal has nothing."""
    async with desk(tmp_path, app) as stage:
        answer = await stage.look_up(CODE)
    assert (answer.status_code, answer.json()["found"], answer.json()["dossier"]) == (200, False, None)


async def test_what_is_told_of_nothing_is_null(app: MockApp, tmp_path: Path) -> None:
    """A portal that tells no more than the code leaves the rest unknown."""
    async with desk(tmp_path, app) as stage:
        await stage.told("dialects", {"portal": {"look_up_shows": "code"}}, "PATCH")
        await stage.bring(CODE)
        told = (await stage.look_up(CODE)).json()["dossier"]
    assert {name for name, value in told.items() if value is not None} == {"code"}


async def test_it_is_noted_for_whom_the_portal_was_asked(app: MockApp, tmp_path: Path) -> None:
    """The audit names agency, officer, procedure and the dossier."""
    async with desk(tmp_path, app) as stage:
        answer = await stage.look_up(CODE)
        entry = await stage.gateway.store.audit.call(answer.json()["correlation_id"])
    assert entry is not None
    assert (str(entry.agency), entry.officer, str(entry.dossier)) == (AGENCY, "canbo.thu01", CODE)
    assert (entry.system, entry.operation) == ("portal", "look_up")


async def test_a_portal_that_fails_is_explained(app: MockApp, tmp_path: Path) -> None:
    """As with every other read: whose it is and what to do, in a problem document."""
    async with desk(tmp_path, app) as stage:
        await stage.fault("busy", until={"count": 9})
        answer = await stage.look_up(CODE, wait=1)
    assert (answer.status_code, answer.json()["kind"], answer.json()["system"]) == (503, "busy", "portal")


async def test_every_wrong_part_of_the_question_is_named(app: MockApp, tmp_path: Path) -> None:
    """The code and each parameter, at once."""
    async with desk(tmp_path, app) as stage:
        answer = await stage.look_up("khong-phai-ma", agency="xã Mẫu", officer="")
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"code", "agency", "officer"}


@pytest.mark.parametrize(("agency", "status"), [(OTHER, 404), (AGENCY, 403)])
async def test_it_takes_the_scope_and_the_agency(app: MockApp, tmp_path: Path, agency: str, status: int) -> None:
    """A key without the scope is refused; an agency that is not the key's does not exist for it."""
    scopes = frozenset(Scope) if agency == OTHER else frozenset({Scope.CITIZENS_LOOKUP})
    async with desk(tmp_path, app, scopes=scopes) as stage:
        answer = await stage.look_up(CODE, agency=agency)
    assert answer.status_code == status
