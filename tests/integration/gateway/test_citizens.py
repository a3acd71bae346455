from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

import pytest

from contracts.model import Layer, NotSent
from gateway.resilience import books
from gateway.security import Quota, Scope
from tests.support.gateways import QUESTION, answers, running

if TYPE_CHECKING:
    from pathlib import Path


def changed(**citizen: Any) -> dict[str, Any]:
    question = copy.deepcopy(QUESTION)
    question["citizen"].update(citizen)
    return question


async def test_a_match_and_no_match_are_both_answers(tmp_path: Path) -> None:
    """A citizen is verified: yes and no come back as 200, each with its one attempt."""
    async with running(tmp_path, answers("verify-yes.xml"), answers("verify-no.xml")) as run:
        yes = await run.client.post("/v1/citizens/verify", json=QUESTION)
        no = await run.client.post("/v1/citizens/verify", json=QUESTION)
    assert (yes.status_code, yes.json()["matches"]) == (200, True)
    assert (no.status_code, no.json()["matches"]) == (200, False)
    assert [attempt["kind"] for attempt in yes.json()["attempts"]] == [None]


async def test_a_look_up_gives_the_whole_record_and_nobody_is_an_answer(tmp_path: Path) -> None:
    """A record comes back in our own words; an empty collection is an empty list."""
    async with running(tmp_path, answers("lookup-whole-name.xml"), answers("lookup-none-empty-collection.xml")) as run:
        found = await run.client.post("/v1/citizens/lookup", json=QUESTION)
        nobody = await run.client.post("/v1/citizens/lookup", json=QUESTION)
    record = found.json()["citizens"][0]
    assert record["identity_number"] == "999190000017"
    assert record["full_name"] == "TRẦN THỊ MẪU"
    assert record["birth_date"] == "1990-02-28"
    assert nobody.json()["citizens"] == []
    assert found.headers["cache-control"] == "no-store"


async def test_every_wrong_field_is_named_at_once_and_none_is_quoted(tmp_path: Path) -> None:
    """A wrong request names each wrong field by its pointer, repeats no value, and nothing leaves."""
    wrong = changed(identity_number="99919000001X", birth_date="1990-02-30", secret_note="MÃ BÍ MẬT")
    del wrong["purpose"]["procedure"]
    wrong["purpose"]["agency"] = "xã Mẫu"
    async with running(tmp_path) as run:
        answer = await run.client.post("/v1/citizens/verify", json=wrong)
        assert run.partner.seen == []
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    named = {error["pointer"] for error in answer.json()["errors"]}
    assert {"/citizen/identity_number", "/citizen/secret_note", "/purpose/procedure", "/purpose/agency"} <= named
    assert "99919000001X" not in answer.text
    assert "BÍ MẬT" not in answer.text


@pytest.mark.parametrize(
    ("citizen", "reason"),
    [
        ({"birth_date": "1990-02-30"}, "birth_date"),
        ({"birth_date": "0000"}, "birth_date"),
        ({"birth_date": "9999-01-01"}, "birth_future"),
        ({"birth_date": "9999"}, "birth_future"),
        ({"old_card_number": "999000017"}, "one_number"),
        ({"identity_number": None}, "one_number"),
        ({"full_name": "   "}, "too_short"),
        ({"full_name": "\x1c\x1f"}, "too_short"),
        ({"full_name": "A" * 101}, "too_long"),
        ({"full_name": 7}, "text"),
        ({"full_name": None}, "text"),
    ],
)
async def test_a_wrong_value_is_told_in_its_own_words(tmp_path: Path, citizen: dict[str, Any], reason: str) -> None:
    """Each rule of a field has its own reason and sentence."""
    async with running(tmp_path) as run:
        answer = await run.client.post("/v1/citizens/verify", json=changed(**citizen))
    assert answer.status_code == 422
    assert [error["reason"] for error in answer.json()["errors"]] == [reason]
    assert answer.json()["errors"][0]["detail"].endswith(".")


async def test_a_dossier_or_the_reason_for_none_and_not_both(tmp_path: Path) -> None:
    """A call on personal data names a dossier or states `before_dossier`."""
    neither, both, before = copy.deepcopy(QUESTION), copy.deepcopy(QUESTION), copy.deepcopy(QUESTION)
    del neither["purpose"]["dossier"]
    both["purpose"]["reason"] = "before_dossier"
    del before["purpose"]["dossier"]
    before["purpose"]["reason"] = "before_dossier"
    async with running(tmp_path) as run:
        statuses = [
            (await run.client.post("/v1/citizens/verify", json=body)).status_code for body in (neither, both, before)
        ]
    assert statuses == [422, 422, 200]


async def test_only_a_key_with_the_scope_and_the_agency_opens_anything(tmp_path: Path) -> None:
    """No key: 401. Another scope: 403. Another agency: 404. Nothing leaves in any of these cases."""
    foreign = copy.deepcopy(QUESTION)
    foreign["purpose"]["agency"] = "000.00.02.H99"
    async with running(tmp_path, scopes=frozenset({Scope.CITIZENS_VERIFY})) as run:
        none = await run.client.post("/v1/citizens/verify", json=QUESTION, headers={"Authorization": ""})
        wrong = await run.client.post(
            "/v1/citizens/verify", json=QUESTION, headers={"Authorization": run.client.headers["authorization"] + "x"}
        )
        scope = await run.client.post("/v1/citizens/lookup", json=QUESTION)
        agency = await run.client.post("/v1/citizens/verify", json=foreign)
        assert run.partner.seen == []
    assert [answer.status_code for answer in (none, wrong, scope, agency)] == [401, 401, 403, 404]
    assert none.headers["www-authenticate"].startswith("Bearer")
    assert agency.json()["reason"] == "agency_unknown"


async def test_quotas_hold_a_client_and_each_officer(tmp_path: Path) -> None:
    """A used-up quota is 429 with the wait, and counts nobody else's calls."""
    other = copy.deepcopy(QUESTION)
    other["purpose"]["officer"] = "canbo.khac"
    async with running(tmp_path, quota=Quota(per_minute=3), officer_quota=Quota(per_minute=1)) as run:
        statuses = []
        for body in (QUESTION, QUESTION, other, other):
            answer = await run.client.post("/v1/citizens/verify", json=body)
            statuses.append((answer.status_code, answer.json().get("reason")))
            if answer.status_code == 429:
                assert int(answer.headers["retry-after"]) >= 1
    assert statuses == [
        (200, None),
        (429, "quota_officer"),
        (403, "officer_not_mapped"),
        (429, "quota_officer"),
    ]


async def test_the_audit_says_who_asked_for_what_and_what_came_of_it(tmp_path: Path) -> None:
    """Each call leaves one audit row with a pseudonym, and its attempts; the number itself is nowhere in the store."""
    async with running(tmp_path, answers("verify-yes.xml")) as run:
        answer = await run.client.post("/v1/citizens/verify", json=QUESTION)
        entry = await run.gateway.store.audit.call(answer.json()["correlation_id"])
        attempts = await run.gateway.store.audit.attempts(answer.json()["correlation_id"])
    assert entry is not None
    assert (entry.client, entry.agency, entry.officer) == ("motcua", "000.00.01.H99", "canbo.thu01")
    assert (entry.procedure, entry.dossier, entry.operation) == ("9.000001", "H99.129-260105-0001", "verify")
    assert (entry.state, entry.attempts) == ("answered", 1)
    assert len(entry.subject) == 64
    assert [attempt.ordinal for attempt in attempts] == [1]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"999190000017" not in path.read_bytes(), path


async def test_no_audit_row_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store cannot commit, nothing leaves and the caller is told so with 503."""
    monkeypatch.setattr(books, "_PATIENCE", 0.1)  # at the end nobody waits long for this store to come back
    async with running(tmp_path) as run:
        await run.gateway.store.close()
        answer = await run.client.post("/v1/citizens/verify", json=QUESTION)
        assert run.partner.seen == []
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_paused_system_is_asked_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    """The stop switch works over HTTP: paused is 503 and nothing leaves; resumed calls go on."""
    async with running(tmp_path) as run:
        paused = await run.client.post("/v1/systems/population/pause", json={"why": "Bảo trì"})
        refused = await run.client.post("/v1/citizens/verify", json=QUESTION)
        assert run.partner.seen == []
        seen = await run.client.get("/v1/systems/population")
        resumed = await run.client.post("/v1/systems/population/resume")
        answered = await run.client.post("/v1/citizens/verify", json=QUESTION)
    assert paused.json()["state"] == seen.json()["state"] == "paused"
    assert seen.json()["paused"]["by"] == "motcua"
    assert (refused.status_code, refused.json()["kind"], refused.json()["reason"]) == (503, "not_sent", "paused")
    assert resumed.json()["state"] == "up"
    assert answered.status_code == 200


async def test_prefer_wait_is_the_deadline(tmp_path: Path) -> None:
    """`Prefer: wait=1` ends a call on a silent partner after a second, with 504 and both attempts' story."""

    def silent(_request: object, exchange: Any) -> Any:
        raise NotSent("connect_timeout", operation=exchange.operation, layer=Layer.NETWORK)

    async with running(tmp_path, silent) as run:
        loop = asyncio.get_running_loop()
        started = loop.time()
        answer = await run.client.post("/v1/citizens/verify", json=QUESTION, headers={"Prefer": "wait=1"})
        took = loop.time() - started
    assert answer.status_code == 503
    assert took < 5, "without the header it would be ten seconds"
    assert answer.json()["attempts"][0]["reason"] == "connect_timeout"


@pytest.mark.parametrize(
    ("lines", "applied"),
    [
        (("respond-async", "wait=3"), "wait=3"),
        (("wait=0003",), "wait=3"),
        (("wait=9999999999",), "wait=30"),
        (("wait=-1",), None),
        (("await=3",), None),
    ],
)
async def test_a_wait_is_found_wherever_it_stands(tmp_path: Path, lines: tuple[str, ...], applied: str | None) -> None:
    """Preferences may come on several lines (RFC 7240 §2); too long a wait is cut to ours, one that is none ignored."""
    async with running(tmp_path) as run:
        headers = [("Prefer", line) for line in lines]
        answer = await run.client.post("/v1/citizens/verify", json=QUESTION, headers=headers)
    assert answer.headers.get("preference-applied") == applied


async def test_sentences_come_in_the_asked_language(tmp_path: Path) -> None:
    """Vietnamese unless English is asked for."""
    async with running(tmp_path) as run:
        await run.client.post("/v1/systems/population/pause", json={"why": "x"})
        vietnamese = await run.client.post("/v1/citizens/verify", json=QUESTION)
        english = await run.client.post("/v1/citizens/verify", json=QUESTION, headers={"Accept-Language": "en;q=0.8"})
    assert "Cơ sở dữ liệu quốc gia về dân cư" in vietnamese.json()["title"]
    assert "national population database" in english.json()["title"]
