"""The tests of a project that is not ours: its own small client of the population door, and what it promises.

Copied into a folder of its own and run there; it knows nothing of this repository but the fixtures.
"""

from __future__ import annotations

import base64
import hashlib
import time
import unicodedata
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lienthong.mocking import Citizen, Clock, DoorAccess, Faults, Ledger, Space, World

ENVELOPE = """\
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:dan="http://dancuquocgia.bca">
<soapenv:Header/><soapenv:Body><dan:TraCuuThongTinCongDan><dan:MaYeuCau>{request}</dan:MaYeuCau>
<dan:MaDVC>9.000001</dan:MaDVC><dan:MaTichHop>037</dan:MaTichHop><dan:MaCanBo>CB_THU_01</dan:MaCanBo>
<dan:SoDinhDanh>{number}</dan:SoDinhDanh><dan:HoVaTen>{name}</dan:HoVaTen>
<dan:NgayThangNamSinh><dan:NgayThangNam>{born:%Y%m%d}</dan:NgayThangNam></dan:NgayThangNamSinh>
</dan:TraCuuThongTinCongDan></soapenv:Body></soapenv:Envelope>"""


class Client:
    """The software under test: it is configured with an address and an account, and asks again once."""

    def __init__(self, door: DoorAccess) -> None:
        self.door = door
        self.asked = 0

    def look_up(self, citizen: Citizen) -> str:
        """Return the record as it comes, asked for at most twice."""
        try:
            return self._ask(citizen)
        except OSError:
            return self._ask(citizen)

    def _ask(self, citizen: Citizen) -> str:
        self.asked += 1
        plain = unicodedata.normalize("NFD", citizen.name.upper().replace("Đ", "D"))
        name = "".join(letter for letter in plain if letter.isascii() and letter != " ")
        body = ENVELOPE.format(
            request=f"MC-{self.asked}", number=citizen.identity_number, name=name, born=citizen.birth.date
        )
        request = urllib.request.Request(self.door.url, body.encode(), self._headers())  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - likewise
            return str(answer.read(), "utf-8")

    def _headers(self) -> dict[str, str]:
        own, account = self.door.credentials, self.door.accounts[0]
        user, stamp = account["username"], str(int(time.time() * 1000))
        digest = hashlib.sha256(f"{own['sv_url']}{user}{stamp}{account['secret']}".encode()).hexdigest()
        return {
            "Content-Type": "text/xml; charset=utf-8",
            "Timestamp": stamp,
            "ApiKey": account["api_key"],
            "X-Road-Client": own["xroad_client"],
            "Authorization": "Basic " + base64.b64encode(f"{user}:{digest}".encode()).decode(),
        }


@pytest.fixture
def client(lienthong_doors: dict[str, DoorAccess]) -> Client:
    return Client(lienthong_doors["population"])


@pytest.fixture
def citizen(lienthong_world: World) -> Citizen:
    return lienthong_world.citizen(fits=lambda one: bool(one.identity_number and one.birth.date and not one.oddities))


def test_a_look_up_finds_the_citizen(client: Client, citizen: Citizen, lienthong_ledger: Ledger) -> None:
    """One question, one record handed out."""
    assert citizen.identity_number in client.look_up(citizen)
    lienthong_ledger.assert_one_effect(operation="lookup", key=citizen.key)


def test_a_lost_answer_is_asked_for_again(
    client: Client, citizen: Citizen, lienthong_faults: Faults, lienthong_ledger: Ledger
) -> None:
    """The caller gets the record although the first answer was lost; the ledger knows that it was given out twice."""
    with lienthong_faults.strike("reset_after", operation="lookup", key=citizen.key) as fault:
        assert citizen.identity_number in client.look_up(citizen)
    (struck,) = fault.struck()
    assert struck.acted
    lienthong_ledger.assert_exchanges(2, key=citizen.key)
    lienthong_ledger.assert_one_at_a_time("key")
    with pytest.raises(AssertionError, match="exactly 1 effects claimed, 2 found"):
        lienthong_ledger.assert_one_effect(key=citizen.key)


@pytest.mark.parametrize("run", range(4))
def test_no_test_sees_another(
    run: int, client: Client, citizen: Citizen, lienthong_space: Space, lienthong_faults: Faults
) -> None:
    """Each test begins with an empty ledger and no fault, whatever the one before has left."""
    assert lienthong_space.health().counts.exchanges == 0, run
    assert lienthong_faults.in_force() == ()
    lienthong_faults.strike("hang", times=100, operation="verify")
    client.look_up(citizen)
    lienthong_space.ledger.assert_exchanges(1)


def test_the_clock_is_the_test_s_own(client: Client, citizen: Citizen, lienthong_clock: Clock) -> None:
    """A caller whose clock is an hour behind the system's is turned away; with the real time it is let in."""
    lienthong_clock.freeze()
    lienthong_clock.advance(3600)
    with pytest.raises(urllib.error.HTTPError):
        client.look_up(citizen)
    lienthong_clock.real()
    assert citizen.identity_number in client.look_up(citizen)


def test_that_fails_on_purpose(client: Client, citizen: Citizen) -> None:
    """What arrived stands beside the failure."""
    client.look_up(citizen)
    raise AssertionError("on purpose")
