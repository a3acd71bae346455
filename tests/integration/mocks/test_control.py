"""The admin API, over loopback and mounted in process."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mocks.app import MockApp
from tests.support.mocks import ROOT, Mocks, envelope

if TYPE_CHECKING:
    from tests.support.mocks import Person


def test_the_root_says_what_there_is(mocks: Mocks) -> None:
    """The address on the ready line leads to every resource, in a line each, and to what a fault may be told."""
    index = mocks.admin("GET", "").json()
    for resource, does in index["resources"].items():
        method, _, path = resource.partition(" /__mock__/")
        assert method != "GET" or mocks.admin("GET", path.format(kind="citizen", id="0")).status_code == 200
        assert does.endswith(".")
    assert "exactly" in index["claim"]["$defs"]["Effects"]["properties"]
    assert set(index["fault"]["properties"]) >= {"what", "until", "when", "for", "with"}
    assert "late" in index["fault"]["$defs"]["Details"]["properties"]["seconds"]["description"]


def test_who_mistakes_the_path_is_shown_the_way(mocks: Mocks) -> None:
    """The root answers without its last slash too; where no door is, the answer names those there are."""
    admin = mocks.ready["admin"].rstrip("/")
    assert mocks.client.get(admin).json() == mocks.admin("GET", "").json()
    lost = mocks.client.get(f"{admin}s")
    assert lost.status_code == 404
    for place in ("/population", "/partner", "/portal", "/__mock__/"):
        assert place in lost.text


def test_every_resource_is_in_the_readme(mocks: Mocks) -> None:
    """What the admin API offers and what its README says it offers are the same."""
    readme = (ROOT / "mocks" / "control" / "README.md").read_text("utf-8")
    said = set(re.findall(r"^\| `([A-Z]+ [^`]+)`", readme, re.MULTILINE))
    assert said == {one.replace("/__mock__/", "") for one in mocks.admin("GET", "").json()["resources"]}


def test_health(mocks: Mocks) -> None:
    """Health says which world is there, where the doors are, how full everything is and how the journal does."""
    mocks.fault("busy", until={"count": 2})
    mocks.call("verify", mocks.people(limit=1)[0])
    health = mocks.admin("GET", "health").json()
    assert health["status"] == "ok"
    assert health["world"]["citizens"] == 400
    assert health["counts"] == health["namespaces"]["default"] == {"exchanges": 1, "effects": 0, "faults": 1}
    assert (health["journal"], health["records_requests"]) == ("ok", False)
    assert health["journal_bytes"] == Path(mocks.ready["journal"]).stat().st_size > 100
    assert health["doors"] == {
        "population": "/population",
        "partner": "/partner",
        "portal": "/portal",
        "vneid": "/vneid",
    }


def test_reset(mocks: Mocks) -> None:
    """A reset ends every fault, empties the ledger, and returns to real time and to the default dialects."""
    person = mocks.people(limit=1)[0]
    before = mocks.admin("GET", "dialects").json()
    mocks.fault("latency", until={"seconds": 60}, details={"seconds": 0})
    mocks.speak(prefix="random")
    mocks.call("verify", person)
    mocks.admin("POST", "clock", {"advance_seconds": 1000})
    assert mocks.admin("POST", "reset").json()["status"] == "reset"
    assert mocks.admin("GET", "faults").json() == {"faults": []}
    assert mocks.admin("GET", "exchanges").json() == {"total": 0, "exchanges": []}
    assert mocks.admin("GET", "dialects").json() == before
    assert mocks.admin("GET", "clock").json()["offset_seconds"] == 0
    mocks.call("verify", person)
    assert mocks.exchanges()[0]["attempt"] == 1


def test_faults_are_shown_and_ended(mocks: Mocks) -> None:
    """A fault is shown as it was set, with its strikes; it is ended by its id or with all others."""
    one = mocks.fault("busy", when={"share": 0.5}, until={"count": 3}, details={"retry_after": 2}, salt="a")
    other = mocks.fault("hang", whom={"operation": "verify"}, until={"seconds": 30})
    assert one == {
        "id": one["id"],
        "strikes": 0,
        "where": "platform_near",
        "what": "busy",
        "when": {"share": 0.5},
        "until": {"count": 3},
        "with": {"retry_after": 2},
        "salt": "a",
    }
    assert mocks.admin("GET", "faults").json() == {"faults": [one, other]}
    assert mocks.admin("DELETE", f"faults?id={one['id']}").status_code == 200
    assert mocks.admin("DELETE", f"faults?id={one['id']}").status_code == 404
    assert mocks.admin("GET", "faults").json() == {"faults": [other]}
    assert mocks.admin("DELETE", "faults").status_code == 200
    assert mocks.admin("GET", "faults").json() == {"faults": []}


def test_a_fault_for_a_person_shows_no_number(mocks: Mocks) -> None:
    """A fault set for a number is kept and shown under the number's key."""
    person = mocks.people(limit=1)[0]
    fault = mocks.fault("busy", whom={"identity": person["identity_number"]})
    assert fault["for"] == {"key": person["key"]}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"what": "busy"},
        {"what": "busy", "until": {}},
        {"what": "busy", "until": {"count": 0}},
        {"what": "meteor", "until": {"count": 1}},
        {"what": "busy", "until": {"count": 1}, "for": {"operation": "delete"}},
        {"what": "busy", "until": {"count": 1}, "for": {"door": "nowhere"}},
        {"what": "busy", "until": {"count": 1}, "with": {"status": 99}},
        {"what": "busy", "until": {"count": 1}, "colour": "red"},
        [],
        "busy",
    ],
)
def test_wrong_faults_are_refused(mocks: Mocks, content: Any) -> None:
    """A fault that is not understood is refused with a reason, and none is set."""
    answer = mocks.admin("POST", "faults", content)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert mocks.admin("GET", "faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "nothing", None, 404),
        ("DELETE", "health", None, 405),
        ("GET", "exchanges?limit=many", None, 422),
        ("GET", "exchanges?since=-1", None, 422),
        ("GET", "exchanges?door=nowhere", None, 422),
        ("GET", "effects?operation=lokup", None, 422),
        ("GET", "exchanges?fault=meteor", None, 422),
        ("POST", "ledger/check", {"claim": "effects", "exactly": 0, "operation": "lokup"}, 422),
        ("POST", "ledger/check", [{"claim": "exchanges", "exactly": 0, "fault": "meteor"}], 422),
        ("POST", "ledger/check", {"claim": "waited", "door": "population", "operation": "register"}, 422),
        ("GET", "world/citizens?oddity=green", None, 422),
        ("PATCH", "dialects", {"population": {"prefix": "ns2"}}, 422),
        ("PATCH", "dialects", {"population": {"accent": "northern"}}, 422),
        ("PATCH", "dialects", {"nowhere": {}}, 422),
        ("PATCH", "dialects", {"population": 1}, 422),
        ("POST", "clock", {}, 422),
        ("POST", "clock", {"advance_seconds": True}, 422),
        ("DELETE", "faults?id=x", None, 422),
        ("DELETE", "faults?ID=1", None, 422),
        ("DELETE", "faults?id=99", None, 404),
        ("POST", "reset", {"seed": "3"}, 422),
        ("POST", "reset", {"citizens": 299}, 422),
        ("POST", "reset", {"citizens": 10**9}, 422),
        ("POST", "reset", {"colour": "red"}, 422),
        ("POST", "reset?seed=3", None, 422),
        ("DELETE", "namespaces", None, 422),
        ("DELETE", "namespaces?name=nobody", None, 404),
        ("GET", "exchanges?agancy=H99", None, 422),
        ("GET", "effects?request_id=r", None, 422),
        ("POST", "ledger/check", [], 422),
        ("POST", "ledger/check", {"claim": "luck"}, 422),
        ("POST", "ledger/check", None, 422),
        ("GET", "world/resources?kind=house", None, 422),
        ("GET", "world/resources?kind=citizen&state=asleep", None, 422),
        ("GET", "world/house/1", None, 404),
        ("GET", "world/citizen/999999", None, 404),
        ("POST", "world/citizen/1", {"verb": "resurrect"}, 409),
        ("POST", "world/citizen/1", {"fields": 1}, 422),
    ],
)
def test_mistakes_are_told(mocks: Mocks, method: str, path: str, content: Any, status: int) -> None:
    """Every mistake has its status and a sentence."""
    answer = mocks.admin(method, path, content)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "content", "wrong"),
    [
        ("GET", "exchanges?since=-1&limit=many&colour=red", None, {"since", "limit", "colour"}),
        ("POST", "reset", {"seed": 1.5, "citizens": True, "name": "x"}, {"seed", "citizens", "name"}),
        ("POST", "world/citizen/1", {"verb": 1, "fields": [], "id": 2}, {"verb", "fields", "id"}),
        ("POST", "faults", {"what": "meteor", "until": {"count": 0}, "x": 1}, {"what", "until/count", "x"}),
        (
            "POST",
            "ledger/check",
            [{"claim": "effects", "exactly": 1}, {"claim": "waited", "scope": 1, "x": 1}],
            {"1/waited/scope", "1/waited/x"},
        ),
    ],
)
def test_every_wrong_field_is_named(mocks: Mocks, method: str, path: str, content: Any, wrong: set[str]) -> None:
    """A mistake names all the fields that are wrong, not just the first one, and says what is wrong with each."""
    answer = mocks.admin(method, path, content)
    assert (answer.status_code, answer.json()["error"]) == (422, "not understood")
    assert {one["path"] for one in answer.json()["wrong"]} == wrong
    assert all(one["problem"] for one in answer.json()["wrong"])


def test_a_path_leads_to_its_methods(mocks: Mocks) -> None:
    """Whoever uses a wrong method is told the right ones; whoever asks for nothing known is shown the list."""
    assert "GET, POST" in mocks.admin("DELETE", "clock").json()["error"]
    assert "/__mock__/" in mocks.admin("GET", "weather").json()["error"]


def test_no_json_is_told(mocks: Mocks) -> None:
    """A body that is no JSON is a mistake, not an accident."""
    answer = mocks.client.post(mocks.ready["admin"] + "faults", content=b"\xff{")
    assert (answer.status_code, answer.json()["error"]) == (422, "the body is no JSON")


def test_the_world_is_paged_and_filtered(mocks: Mocks) -> None:
    """Citizens come in pages, the same each time, and can be asked for by what is odd about them."""
    whole = mocks.people(limit=400)
    assert [person["id"] for person in whole] == list(range(400))
    assert mocks.people(limit=3, offset=5) == whole[5:8]
    leap = mocks.people(oddity="leap_day")
    assert leap
    assert all((person["birth"]["month"], person["birth"]["day"]) == (2, 29) for person in leap)


def test_exchanges_are_paged(mocks: Mocks) -> None:
    """Exchanges are read on from a number, so that a reader misses none."""
    person = mocks.people(limit=1)[0]
    for _ in range(3):
        mocks.call("verify", person)
    seen = mocks.admin("GET", "exchanges?limit=2").json()
    assert (seen["total"], [one["seq"] for one in seen["exchanges"]]) == (3, [1, 2])
    assert [one["seq"] for one in mocks.admin("GET", "exchanges?since=2").json()["exchanges"]] == [3]


def test_exchanges_and_effects_are_narrowed(mocks: Mocks) -> None:
    """The ledger's lists are narrowed by what an exchange belongs to, and read on in the same way."""
    people = [person for person in mocks.people(limit=50) if person["identity_number"]][:3]
    mocks.fault("busy", whom={"operation": "lookup"})
    for operation in ("lookup", "verify"):
        for person in people:
            mocks.call(operation, person)
    key = people[1]["key"]

    def seen(query: str, what: str = "exchanges") -> list[int]:
        return [one["seq"] for one in mocks.admin("GET", f"{what}?{query}").json()[what]]

    assert seen("operation=verify") == [4, 5, 6]
    assert seen(f"key={key}") == [2, 5]
    assert seen(f"key={key}&operation=lookup&door=population") == [2]
    assert seen("fault=busy") == [1]
    assert seen("agency=000.00.01.H99&limit=2") == [1, 2]
    assert seen("agency=000.00.01.H99&limit=2&since=2") == [3, 4]
    assert seen("agency=000.00.02.H99") == []
    assert seen(f"request_id={mocks.exchanges()[2]['request_id']}") == [3]
    assert seen("lane=none") == []
    assert seen(f"key={key}", "effects") == [1, 4]
    assert seen("agency=000.00.01.H99&since=3", "effects") == [4, 5]
    assert seen("fault=busy", "effects") == []


def test_claims_are_checked_over_http(mocks: Mocks) -> None:
    """A claim gets a verdict with its evidence; of several, each gets its own, and one sentence sums them up."""
    person, other = [one for one in mocks.people(limit=50) if one["identity_number"]][:2]
    for _ in range(2):
        mocks.call("verify", person)
    claim = {"claim": "effects", "door": "population", "key": person["key"], "exactly": 2}
    answer = mocks.admin("POST", "ledger/check", claim).json()
    assert answer["holds"] is True
    (verdict,) = answer["verdicts"]
    assert verdict["claim"].items() >= claim.items()
    assert [one["key"] for one in verdict["evidence"]["effects"]] == [person["key"]] * 2
    assert verdict["evidence"]["left_out"] == 0
    several = [claim, {"claim": "only_known", "keys": [other["key"]]}, {"claim": "one_at_a_time", "scope": "key"}]
    answer = mocks.admin("POST", "ledger/check", several).json()
    assert (answer["holds"], [one["holds"] for one in answer["verdicts"]]) == (False, [True, False, True])
    shown = answer["verdicts"][1]["evidence"]["exchanges"]
    assert shown == mocks.exchanges()


def test_a_claim_sees_its_own_namespace(mocks: Mocks) -> None:
    """A claim is about the ledger of the namespace that the call names."""
    mocks.call("verify", mocks.people(limit=1)[0])
    claim = {"claim": "exchanges", "exactly": 0}
    url = mocks.ready["admin"] + "ledger/check"
    headers = {mocks.ready["namespace_header"]: "elsewhere"}
    assert mocks.client.post(url, json=claim, headers=headers).json()["holds"]
    assert not mocks.client.post(url, json=claim).json()["holds"]


def test_a_refused_reset_changes_nothing(mocks: Mocks) -> None:
    """A reset to a world that cannot be leaves world, faults and ledger as they were."""
    person = mocks.people(limit=1)[0]
    mocks.fault("hang", until={"count": 5}, whom={"operation": "lookup"})
    mocks.call("verify", person)
    for wrong in ({"citizens": 3}, {"seed": "x"}, {"seed": 5, "citizens": -1}, {"size": 5}, [1]):
        assert mocks.admin("POST", "reset", wrong).status_code == 422
    assert mocks.people(limit=1)[0] == person
    assert len(mocks.exchanges()) == len(mocks.admin("GET", "faults").json()["faults"]) == 1


def test_a_namespace_begins_with_another_world(mocks: Mocks) -> None:
    """A reset may state another seed and size for its namespace; the others keep theirs, and it can be gone back on."""
    before = mocks.people(limit=2)
    headers = {mocks.ready["namespace_header"]: "other-world"}
    url = mocks.ready["admin"]
    answer = mocks.client.post(url + "reset", json={"seed": 77, "citizens": 300}, headers=headers)
    assert answer.json() == {"status": "reset", "seed": 77, "citizens": 300}
    there = mocks.client.get(url + "world/citizens?limit=2", headers=headers).json()
    assert there["total"] == 300
    assert there["citizens"] != before
    assert mocks.people(limit=2) == before
    listed = {one["name"]: one for one in mocks.admin("GET", "namespaces").json()["namespaces"]}
    assert (listed["other-world"]["seed"], listed["other-world"]["citizens"]) == (77, 300)
    mocks.client.post(url + "reset", json={"seed": 1, "citizens": 400}, headers=headers)
    assert mocks.client.get(url + "world/citizens?limit=2", headers=headers).json()["citizens"] == before
    assert mocks.admin("DELETE", "namespaces?name=other-world").json() == {"status": "removed"}


def test_a_resource_says_what_can_be_done_with_it(mocks: Mocks) -> None:
    """A resource shows the verbs that its state allows, and its kind how many of it are in which state."""
    alive = mocks.admin("GET", "world/citizen/2").json()
    assert (alive["state"], "record_death" in alive["can"]) == ("registered", True)
    dead = mocks.admin("POST", "world/citizen/2", {"verb": "record_death"}).json()
    assert (dead["state"], "record_death" in dead["can"]) == ("deceased", False)
    assert mocks.admin("GET", "world/citizen/2").json() == dead
    kinds = mocks.admin("GET", "world/kinds").json()
    assert kinds["citizen"]["written"] == {"deceased": 1}
    assert kinds["citizen"]["verbs"]["record_death"]["to"] == "deceased"
    assert mocks.admin("GET", "world/resources?kind=citizen&state=deceased").json()["resources"] == [dead]
    assert mocks.admin("GET", "world/resources?kind=citizen&state=registered").json() == {"total": 0, "resources": []}


def caller(app: MockApp, address: str) -> httpx.AsyncClient:
    """Return a client of the app mounted in process, as if from this address."""
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://mocks.example")


@pytest.mark.parametrize(
    ("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403), ("no address", 403)]
)
async def test_only_this_machine_may_control(address: str, status: int) -> None:
    """The admin API answers on loopback alone; a forwarded address changes nothing."""
    async with caller(MockApp(citizens=300), address) as client:
        answer = await client.get("/__mock__/health", headers={"X-Forwarded-For": "127.0.0.1"})
        assert answer.status_code == status
        assert (await client.get("/population", params={"wsdl": ""})).status_code == 500
        assert (await client.get("/population?wsdl")).status_code == 200
        assert (await client.get("/elsewhere")).status_code == 404


async def test_mounted_in_process() -> None:
    """The same application answers in process; a fault of the connection is the caller's connection error."""
    app = MockApp(citizens=300)
    async with caller(app, "127.0.0.1") as client:
        person: Person = (await client.get("/__mock__/world/citizens?limit=1")).json()["citizens"][0]
        door = app.doors[0].settings  # type: ignore[attr-defined]
        ready = {
            "credentials": {
                "population": {
                    "sv_url": door.sv_url,
                    "xroad_client": door.xroad_clients[0],
                    "accounts": [account.model_dump() for account in door.accounts],
                }
            }
        }
        headers = Mocks(ready, client=None).headers()  # type: ignore[arg-type]
        answer = await client.post("/population", headers=headers, content=envelope("verify", person))
        assert (answer.status_code, ">true<" in answer.text) == (200, True)
        await client.post("/__mock__/faults", json={"what": "reset_before", "until": {"count": 1}})
        with pytest.raises(ConnectionResetError):
            await client.post("/population", headers=headers, content=envelope("verify", person))


async def test_with_a_key_loopback_presents_it_too() -> None:
    """With a key the admin API answers whoever presents it, from anywhere, and nobody else; the doors stay open."""
    for address in ("127.0.0.1", "192.0.2.7"):
        async with caller(MockApp(citizens=300, admin_key="khoa-mau"), address) as client:
            assert (await client.get("/__mock__/health")).status_code == 401
            assert (await client.post("/__mock__/reset", content=b"x" * 2_000_000)).status_code == 401
            headers = {"Authorization": "Bearer khoa-mau"}
            assert (await client.get("/__mock__/health", headers=headers)).status_code == 200
            assert (await client.get("/population?wsdl")).status_code == 200


async def test_a_huge_body_is_refused() -> None:
    """A body beyond a mebibyte is not read."""
    async with caller(MockApp(citizens=300), "127.0.0.1") as client:
        assert (await client.post("/population", content=b"x" * (1 << 20) + b"x")).status_code == 413
