"""Where a dossier is: each step across systems in a sentence that can be read out, and what to do where it stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from contracts import VIETNAM
from contracts.model import DeliveryState
from contracts.model.dossier import DossierStatus
from contracts.texts import Language, catalogue
from gateway.store import CallState
from tests.support.gateways import AGENCY
from tests.support.portal_adapter import FULL, PLAIN, STEPS
from tests.support.portal_desk import body, desk, steps

if TYPE_CHECKING:
    from pathlib import Path

    from mocks.app import MockApp
    from tests.support.portal_desk import Desk

CODE = "H99.5-260302-0017"
WHEN = "{0:%H}:{0:%M} ngày {0:%d}/{0:%m}/{0:%Y}"


async def in_vietnamese(stage: Desk) -> Any:
    """Return the timeline as a clerk reads it."""
    answer = await stage.client.get(f"/v1/dossiers/{CODE}", headers={"Accept-Language": "vi"})
    assert answer.status_code == 200
    return answer.json()


async def test_a_dossiers_way_is_told_in_sentences(app: MockApp, tmp_path: Path) -> None:
    """From the look-up to the result: what, when, by whom, with the status that was told and its official name."""
    supplement = replace(FULL, status=DossierStatus.SUPPLEMENT_REQUESTED)
    async with desk(tmp_path, app) as stage:
        await stage.look_up(CODE)
        await stage.put(CODE, body(PLAIN))
        await stage.progress(CODE, steps(STEPS))
        await stage.put(CODE, body(supplement), revision=2)
        told = await in_vietnamese(stage)
    first, second, third, last = told["steps"]
    moments = [WHEN.format(datetime.fromisoformat(one["ended_at"]).astimezone(VIETNAM)) for one in told["steps"][1:]]
    assert first["sentence"].startswith("Hồ sơ đã được tra cứu trên Cổng Dịch vụ công quốc gia lúc ")
    assert second["sentence"] == f"Hồ sơ đã được gửi lên Cổng Dịch vụ công quốc gia lúc {moments[0]}."
    assert third["sentence"] == f"Tiến độ xử lý đã được cập nhật lên Cổng Dịch vụ công quốc gia lúc {moments[1]}."
    assert [one["status"] for one in told["steps"]] == [None, 2, 4, 5]
    assert last["status_label"] == told["status_label"] == "Yêu cầu bổ sung giấy tờ"
    assert [one["status_label"] for one in third["progress"]] == ["Được tiếp nhận", "Đang xử lý"]
    assert {one["officer"] for one in told["steps"]} == {"canbo.thu01"}
    assert (told["agency"], told["revision"], told["status"]) == (AGENCY, 2, 5)
    assert told["dossier"] == body(supplement)
    assert (told["standing"]["delivery"], told["standing"]["next"]) == (last["delivery"], None)


async def test_what_has_to_be_done_stands_beside_what_stands(app: MockApp, tmp_path: Path) -> None:
    """A step that needs a person is what the dossier stands at, whatever waits behind it."""
    async with desk(tmp_path, app) as stage:
        await stage.put(CODE, body(PLAIN))
        await stage.fault("ack_lost", **{"for": {"operation": "progress"}, "with": {"seconds": 1}})
        lost = await stage.progress(CODE, steps(STEPS))
        await stage.put(CODE, body(FULL), wait=None)
        told = await in_vietnamese(stage)
    assert lost.json()["state"] == "needs_person"
    assert (told["standing"]["delivery"], told["standing"]["state"]) == (lost.json()["id"], "needs_person")
    assert "đang chờ người có trách nhiệm quyết định" in told["standing"]["sentence"]
    assert "không được tự ý gửi lại" in told["standing"]["next"]
    assert told["steps"][-1]["sentence"].startswith("Hồ sơ đã được tiếp nhận lúc ")
    assert told["dossier"]["status"] == 10  # accepted, although it has not left yet


async def test_a_refusal_says_what_to_do(app: MockApp, tmp_path: Path) -> None:
    """With the words of its reason, and the content that was refused is still shown."""
    known = {"answers": [{"meaning": "rejected", "text": "Thủ tục hành chính chưa được công bố"}]}
    async with desk(tmp_path, app, adapter=known) as stage:
        await stage.told("dialects", {"portal": {"unknown_procedure": "refused"}}, "PATCH")
        refused = await stage.put(CODE, {**body(PLAIN), "procedure": "8.888888"})
        told = await in_vietnamese(stage)
    assert refused.json()["state"] == "rejected", refused.text
    assert told["standing"]["sentence"].startswith("Cổng Dịch vụ công quốc gia không chấp nhận nội dung hồ sơ")
    assert told["standing"]["next"]
    assert told["dossier"]["procedure"] == "8.888888"


async def test_a_content_that_is_kept_no_more_is_said_to_be_gone(app: MockApp, tmp_path: Path) -> None:
    """The steps stay with their sentences; what was handed in is not made up."""
    async with desk(tmp_path, app) as stage:
        await stage.put(CODE, body(PLAIN))
        await stage.progress(CODE, steps(STEPS))
        gone = "UPDATE delivery SET payload = NULL, result = NULL, said = NULL"
        await stage.gateway.store.engine.write(lambda tx: tx.execute(gone))
        told = await in_vietnamese(stage)
    assert (told["dossier"], told["status"], told["dossier_absent"]["reason"]) == (None, None, "body_deleted")
    assert "hết thời hạn lưu" in told["dossier_absent"]["sentence"]
    assert [(one["status"], one["progress"]) for one in told["steps"]] == [(None, None)] * 2
    assert all(one["sentence"] for one in told["steps"])


async def test_a_long_way_comes_in_pages(app: MockApp, tmp_path: Path) -> None:
    """Each step once, the oldest first; a place that nobody gave out is refused."""
    async with desk(tmp_path, app) as stage:
        for _ in range(3):
            await stage.look_up(CODE)
            await stage.put(CODE, body(PLAIN))
        whole, cursor, seen = await stage.follow(CODE), None, []
        while True:
            page = await stage.follow(CODE, limit=2, **({} if cursor is None else {"cursor": cursor}))
            seen += page["steps"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        wrong = await stage.client.get(f"/v1/dossiers/{CODE}", params={"cursor": "x", "limit": "viele"})
    assert seen == whole["steps"]
    assert len(seen) == 6
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"cursor", "limit"}


async def test_nobody_is_named_but_in_what_was_handed_in(app: MockApp, tmp_path: Path) -> None:
    """Steps tell of systems and states; the owner stands in the content alone."""
    async with desk(tmp_path, app) as stage:
        await stage.put(CODE, body(FULL))
        await stage.look_up(CODE)
        told = await stage.follow(CODE)
    assert "MẪU" in str(told.pop("dossier"))
    assert "MẪU" not in str(told)
    assert "999190000017" not in str(told)


@pytest.mark.parametrize("code", ["H99.5-260302-9999", "khong-phai-ma"])
async def test_a_dossier_that_nobody_handed_in_is_not_there(app: MockApp, tmp_path: Path, code: str) -> None:
    """404, as for one of another agency."""
    async with desk(tmp_path, app) as stage:
        answer = await stage.client.get(f"/v1/dossiers/{code}")
    assert (answer.status_code, answer.json()["reason"]) == (404, "no_such_dossier")


@pytest.mark.parametrize("language", Language)
def test_every_state_has_its_sentence(language: Language) -> None:
    """Whatever a delivery or a question can come to, at any system, somebody can read it out."""
    texts = catalogue(language)
    wanted = {f"timeline.write.{state}" for state in DeliveryState}
    wanted |= {f"timeline.read.{state}" for state in CallState if state is not CallState.ACCEPTED}
    wanted |= {f"timeline.portal.{name}.{state}" for name in ("sync_dossier", "progress") for state in DeliveryState}
    wanted |= {f"timeline.{sort}.decided" for sort in ("write", "portal.sync_dossier", "portal.progress")}
    assert wanted <= texts.keys()
    for key in wanted:
        assert texts[key].endswith(".")


@pytest.mark.parametrize(("language", "words"), [(Language.VI, "chưa gửi"), (Language.EN, "sent to {system}")])
def test_no_sentence_denies_what_may_have_been_sent(language: Language, words: str) -> None:
    """What waits may have been sent already and sent again, and so may have been what another took the place of."""
    texts = catalogue(language)
    assert not any(words in texts[f"timeline.portal.sync_dossier.{state}"] for state in ("waiting", "superseded"))
