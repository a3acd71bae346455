from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr

import lienthong.mocking
from lienthong import home
from lienthong.mocking import (
    Calendar,
    Citizen,
    Claim,
    DoorAccess,
    Fault,
    Nobody,
    Refused,
    Space,
    Unreachable,
    Unreadable,
    Until,
    When,
    Whom,
)
from lienthong.mocking.line import Line, admin_of

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "Nguyễn Văn Thử"
NUMBER = "999088000016"


def space(answer: Callable[[httpx.Request], httpx.Response]) -> Space:
    return Space(Line(httpx.Client(transport=httpx.MockTransport(answer)), "http://mocks.test/__mock__/", "mine"))


def saying(content: object, status: int = 200) -> Space:
    return space(lambda _: httpx.Response(status, json=content))


def citizen(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "key": f"key{number}",
        "identity_number": NUMBER,
        "old_card_number": None,
        "account": "5b0f6e0c-0000-4000-8000-000000000001",
        "name": NAME,
        "name_parts": {"family": "Nguyễn", "middle": "Văn", "given": "Thử"},
        "sex": "male",
        "birth": {"year": 1988, "month": 2, "day": 29},
        "household": 1,
        "household_head": 1,
        "relation_to_head": "head",
        "deceased_on": None,
        "oddities": [],
        "religion": "01",
        **more,
    }


def exchange(seq: int, **more: Any) -> dict[str, Any]:
    return {
        "seq": seq,
        "began": seq,
        "ended": seq + 1,
        "at": "2026-02-16T00:30:00.000+00:00",
        "wall": 1.0,
        "door": "population",
        "operation": "lookup",
        "request_id": "MC-1",
        "repeated_id": False,
        "idempotency_key": None,
        "agency": "000.00.01.H99",
        "key": "key1",
        "lane": None,
        "attempt": 1,
        "faults": ["hang"],
        "fault_ids": [3],
        "outcome": None,
        "acted": False,
        "status": None,
        "wait_asked": None,
        "answer": None,
        **more,
    }


@pytest.mark.parametrize(
    ("address", "admin"),
    [
        ("http://127.0.0.1:9100", "http://127.0.0.1:9100/__mock__/"),
        ("http://127.0.0.1:9100/", "http://127.0.0.1:9100/__mock__/"),
        ("http://127.0.0.1:9100/__mock__", "http://127.0.0.1:9100/__mock__/"),
        ("http://127.0.0.1:9100/__mock__/", "http://127.0.0.1:9100/__mock__/"),
        ("https://mocks.example/under/__mock__", "https://mocks.example/under/__mock__/"),
    ],
)
def test_a_server_is_named_by_either_of_its_addresses(address: str, admin: str) -> None:
    """The base address leads to the admin API, and the admin API's own to itself."""
    assert admin_of(address) == admin


def test_a_question_carries_its_namespace_and_the_key() -> None:
    """Both are headers; the key is presented as a bearer token."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"faults": []})

    line = Line.to("http://mocks.test", namespace="mine", key=SecretStr("an-open-secret"))
    with httpx.Client(transport=httpx.MockTransport(answer), headers=line._http.headers) as http:
        Space(Line(http, line.admin, line.namespace)).faults.in_force()
    line.close()
    (request,) = seen
    assert request.url == "http://mocks.test/__mock__/faults"
    assert request.headers["X-Mock-Namespace"] == "mine"
    assert request.headers["Authorization"] == "Bearer an-open-secret"


def test_a_refusal_keeps_the_mocks_own_words() -> None:
    """The sentence and every wrong place are in the error."""
    wrong = [{"path": "until/count", "problem": "too small"}, {"path": "", "problem": "too much"}]
    with pytest.raises(Refused) as caught:
        saying({"error": "not understood", "wrong": wrong}, 422).faults.strike("hang")
    assert caught.value.status == 422
    assert caught.value.sentence == "not understood; until/count: too small; (whole): too much"


@pytest.mark.parametrize("status", [404, 500])
def test_a_refusal_of_something_else_is_told_too(status: int) -> None:
    """A server that is no mock may say no without a sentence of ours."""
    with pytest.raises(Refused):
        space(lambda _: httpx.Response(status, text="<html>no</html>")).clock.read()


@pytest.mark.parametrize(
    "response",
    [httpx.Response(200, text="<html>"), httpx.Response(200, json=[]), httpx.Response(200, json={"now": "yesterday"})],
    ids=["html", "list", "other"],
)
def test_an_answer_of_something_else_is_no_answer(response: httpx.Response) -> None:
    """What is no JSON object, or lacks what is needed, is told as such and never believed."""
    with pytest.raises(Unreadable):
        space(lambda _: response).clock.read()


def test_nobody_there_is_told_with_the_address() -> None:
    """An address where nothing listens ends in one error of ours."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Unreachable, match=r"http://mocks\.test/__mock__/"):
        space(refuse).health()


def test_a_broken_journal_is_an_answer_of_health() -> None:
    """503 with a body that says so is how a mock is, not a failure to ask."""
    counts = {"exchanges": 0, "effects": 0, "faults": 0}
    world = {"seed": 1, "citizens": 300, "households": 90}
    said = {"namespace": "x", "world": world, "doors": {}, "credentials": {}, "counts": counts, "journal_bytes": 0}
    health = saying({"status": "broken", "journal": "broken", **said}, 503).health()
    assert (health.status, health.seed, health.citizens) == ("broken", 1, 300)


def test_a_fault_is_said_in_the_mocks_own_json() -> None:
    """Every part under its name in the grammar; what is not stated is not said."""
    fault = Fault(
        what="maintenance",
        until=Until(seconds=60, at=datetime(2026, 2, 17, tzinfo=UTC)),
        when=When(share=0.5, calendar=Calendar(begins=time(23), ends=time(5), days=("sat",))),
        whom=Whom(door="population", key="key1"),
        details={"retry_after": 5},
        salt="other",
    )
    assert fault.said() == {
        "what": "maintenance",
        "until": {"seconds": 60, "at": "2026-02-17T00:00:00Z"},
        "when": {"share": 0.5, "calendar": {"from": "23:00:00", "to": "05:00:00", "days": ["sat"]}},
        "for": {"door": "population", "key": "key1"},
        "with": {"retry_after": 5},
        "salt": "other",
    }
    assert Fault(what="hang").said() == {"what": "hang", "until": {"count": 1}}
    assert Fault(what="hang", whom=Whom(), when=When()).said() == {"what": "hang", "until": {"count": 1}}


def test_a_fault_ends_with_its_block_even_if_it_is_over() -> None:
    """The block ends what it began; that the mock has forgotten it already is no failure, other refusals are."""
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, request.url.query.decode()))
        if request.method == "POST":
            return httpx.Response(201, json={"id": 7, "strikes": 0, "where": "transport", "what": "hang"})
        return httpx.Response(404 if len(asked) == 2 else 403, json={"error": "no"})

    with space(answer).faults.strike("hang"):
        assert asked == [("POST", "")]
    assert asked[1:] == [("DELETE", "id=7")]
    with pytest.raises(Refused):
        space(answer).faults.clear(7)


def test_a_citizen_shows_no_name_and_no_number() -> None:
    """A failing assertion prints what a test holds; a person is shown by their key alone."""
    found = Citizen.read(citizen())
    assert found.identity_number == NUMBER
    assert found.details == {"religion": "01"}
    for shown in (repr(found), str(found), f"{[found]}"):
        assert "key1" in shown
        assert NUMBER not in shown
        assert "Thử" not in shown
    assert found.plain()["religion"] == "01"
    assert json.dumps(found.plain())


def test_everybody_is_read_page_by_page() -> None:
    """Citizens come in pages; a limit is kept, and nobody is asked for twice."""
    asked: list[tuple[int, int]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        asked.append((offset, limit))
        page = [citizen(one) for one in range(offset, min(offset + limit, 1201))]
        return httpx.Response(200, json={"total": 1201, "citizens": page})

    world = space(answer).world
    assert [one.id for one in world.citizens()] == list(range(1201))
    assert asked == [(0, 500), (500, 500), (1000, 500)]
    assert [one.id for one in world.citizens(offset=3, limit=2)] == [3, 4]
    assert world.citizen(fits=lambda one: one.id == 1100).id == 1100
    with pytest.raises(Nobody):
        world.citizen(fits=lambda one: one.id < 0)


def test_the_ledger_is_read_to_its_end() -> None:
    """Pages go on where the last one ended; what narrows the question is sent with each."""
    asked: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params)
        since = int(request.url.params["since"])
        return httpx.Response(200, json={"total": 2, "exchanges": [exchange(since + 1)] if since < 2 else []})

    found = space(answer).ledger.exchanges(key="key1", fault="hang")
    assert [one.seq for one in found] == [1, 2]
    assert [params["since"] for params in asked] == ["0", "1", "2"]
    assert {params["key"] for params in asked} == {"key1"}
    assert str(found[0]) == (
        "#1 07:30:00 population/lookup key key1, attempt 1, undecided, did not act, no answer, struck by hang"
    )


def test_callbacks_are_read_to_the_last() -> None:
    """All pages, each callback with what became of it."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        fields = {"door": "partner", "name": "progressed", "key": "H1", "due": 1.5, "tries": 2, "left": 0}
        made = {"id": f"c{offset}", "state": "sent", **fields, "status": 200, "faults": ["callback_late"], "body": "{}"}
        return httpx.Response(200, json={"targets": {}, "total": 2, "callbacks": [made] if offset < 2 else []})

    found = space(answer).callbacks.all(door="partner", state="sent")
    assert [(one.id, one.tries, one.faults) for one in found] == [
        ("c0", 2, ("callback_late",)),
        ("c1", 2, ("callback_late",)),
    ]


def test_a_claim_that_does_not_hold_fails_with_the_evidence() -> None:
    """The error says what was claimed and shows what contradicts it, so that nobody has to look it up."""
    evidence = {"exchanges": [exchange(4)], "effects": [], "left_out": 2}
    verdict = {"claim": {"claim": "effects"}, "holds": False, "sentence": "1 claimed, 3 found", "evidence": evidence}
    with pytest.raises(AssertionError) as caught:
        saying({"holds": False, "verdicts": [verdict]}).ledger.assert_one_effect(key="key1")
    assert str(caught.value).splitlines() == [
        "1 claimed, 3 found",
        "  #4 07:30:00 population/lookup key key1, attempt 1, undecided, did not act, no answer, struck by hang",
        "  … and 2 more",
    ]


def test_a_claim_says_only_what_was_given() -> None:
    """Parts that are not given are not sent: the mock refuses what a claim does not know."""
    said: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        said.extend(json.loads(request.content))
        verdict = {"claim": {}, "holds": True, "sentence": "so it is", "evidence": {}}
        return httpx.Response(200, json={"holds": True, "verdicts": [verdict]})

    ledger = space(answer).ledger
    ledger.assert_effects(2, keys=["key1"], door="partner")
    ledger.assert_effects(at_most=1, keys="every")
    ledger.assert_exchanges(at_least=1, agency="000.00.01.H99")
    ledger.assert_effects_in_order(["a", "b"], by="operation", others=True)
    ledger.assert_one_at_a_time("key")
    ledger.assert_waited(tolerance_seconds=0.1)
    ledger.assert_none_after(datetime(2026, 2, 16, tzinfo=UTC))
    ledger.assert_only_known(request_ids=["MC-1"])
    ledger.check(Claim(claim="waited", scope="door"))
    assert said == [
        {"claim": "effects", "exactly": 2, "keys": ["key1"], "door": "partner"},
        {"claim": "effects", "at_most": 1, "keys": "every"},
        {"claim": "exchanges", "at_least": 1, "agency": "000.00.01.H99"},
        {"claim": "effects_in_order", "order": ["a", "b"], "by": "operation", "others": True},
        {"claim": "one_at_a_time", "scope": "key"},
        {"claim": "waited", "scope": "key", "tolerance_seconds": 0.1},
        {"claim": "none_after", "instant": "2026-02-16T00:00:00+00:00"},
        {"claim": "only_known", "request_ids": ["MC-1"]},
        {"claim": "waited", "scope": "door"},
    ]


def test_every_login_of_a_door_leads_into_the_namespace() -> None:
    """However deep a door's credentials lie, each `username` names the namespace; nothing else changes."""
    accounts = [{"username": "thu_xa_mot", "secret": "s"}, {"username": "thu_xa_hai", "secret": "t"}]
    door = DoorAccess("population", "http://mocks.test/population", {"sv_url": "u", "accounts": accounts})
    inside = door.within("mine")
    assert [one["username"] for one in inside.accounts] == ["thu_xa_mot+mine", "thu_xa_hai+mine"]
    assert [one["secret"] for one in inside.accounts] == ["s", "t"]
    assert inside.credentials["sv_url"] == "u"
    assert door.accounts[0]["username"] == "thu_xa_mot"


def test_the_public_list_is_what_is_there() -> None:
    """Every class that the package offers is on its list, and nothing is on the list that it has not."""
    offered = {name for name, thing in vars(lienthong.mocking).items() if isinstance(thing, type)}
    assert offered | {"DEFAULT", "attached", "serving"} == set(lienthong.mocking.__all__)


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("lienthong.mocking", ("mocks", "contracts", "adapters", "gateway", "typer")),
        ("lienthong.pytest_plugin", ("mocks", "contracts", "adapters", "gateway", "httpx", "pydantic")),
    ],
)
def test_nothing_is_imported_that_a_project_may_have_of_its_own(module: str, absent: tuple[str, ...]) -> None:
    """The client needs none of our other packages, and the plugin nothing but pytest until a fixture is asked for."""
    code = f"import pytest, sys; import {module}; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-P", "-c", code],
        env=home.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert set(done.stdout.split()) & set(absent) == set()
