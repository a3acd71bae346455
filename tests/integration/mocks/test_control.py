"""The admin API, over loopback and mounted in process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mocks.app import MockApp
from tests.support.mocks import Mocks, envelope

if TYPE_CHECKING:
    from tests.support.mocks import Person


def test_the_root_says_what_there_is(mocks: Mocks) -> None:
    """The address on the ready line leads to every resource, and to what a fault may be told."""
    index = mocks.admin("GET", "").json()
    for resource in index["resources"]:
        method, _, path = resource.partition(" /__mock__/")
        assert method != "GET" or mocks.admin("GET", path.format(kind="citizen", id="0")).status_code == 200
    assert set(index["fault"]["properties"]) >= {"what", "until", "when", "for", "with"}
    assert "late" in index["fault"]["$defs"]["Details"]["properties"]["seconds"]["description"]


def test_health(mocks: Mocks) -> None:
    """Health says which world is there and where the doors are."""
    health = mocks.admin("GET", "health").json()
    assert health["status"] == "ok"
    assert health["world"]["citizens"] == 400
    assert health["doors"] == {"population": "/population", "partner": "/partner"}


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
        {"what": "busy", "until": {"count": 1}, "for": {"door": "portal"}},
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
        ("GET", "world/citizens?oddity=green", None, 422),
        ("PATCH", "dialects", {"population": {"prefix": "ns2"}}, 422),
        ("PATCH", "dialects", {"population": {"accent": "northern"}}, 422),
        ("PATCH", "dialects", {"portal": {}}, 422),
        ("PATCH", "dialects", {"population": 1}, 422),
        ("POST", "clock", {}, 422),
        ("POST", "clock", {"advance_seconds": True}, 422),
        ("DELETE", "faults?id=x", None, 404),
    ],
)
def test_mistakes_are_told(mocks: Mocks, method: str, path: str, content: Any, status: int) -> None:
    """Every mistake has its status and a sentence."""
    answer = mocks.admin(method, path, content)
    assert answer.status_code == status
    assert answer.json()["error"]


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


async def test_a_huge_body_is_refused() -> None:
    """A body beyond a mebibyte is not read."""
    async with caller(MockApp(citizens=300), "127.0.0.1") as client:
        assert (await client.post("/population", content=b"x" * (1 << 20) + b"x")).status_code == 413
