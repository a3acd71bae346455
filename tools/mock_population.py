"""A caller of the population door for the coverage table: good requests, and every way to be refused.

Builds its own messages, so that neither the mock's nor the adapter's idea of them is asked.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from mocks.doors.population.settings import ACCOUNTS, PopulationDoorSettings
from tools.mock_bench import NOW, Asked, Bench, Recipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

Person = dict[str, Any]
ELEMENTS: Final = {"lookup": "TraCuuThongTinCongDan", "verify": "XacThucThongTinCongDan"}
CODES: Final = {"lookup": "037", "verify": "003"}
STANDARD: Final = PopulationDoorSettings()
AN_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What is otherwise than in a good request; `None` leaves a header or an element out."""

    outcome: str
    how: str
    fields: Mapping[str, str | None] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    account: Mapping[str, str] = field(default_factory=dict)
    seconds_ago: float = 0.0
    method: str = "POST"
    of: str = ""
    """An oddity that the person asked about has."""
    verb: str = ""
    """What the simulator does to the account before."""
    twice: bool = False
    dialects: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


WAYS: Final = (
    Way(outcome="match", how="Ask about somebody by number, name and birth."),
    Way(
        outcome="no_match", how="Ask with a name that the holder of the number does not have.", fields={"HoVaTen": "X"}
    ),
    Way(outcome="message_refused", how="Leave a required element out.", fields={"MaDVC": None}),
    Way(
        outcome="request_id_used",
        how="Dialect `repeated_request` = `refused`; send one `MaYeuCau` twice.",
        twice=True,
        dialects={"repeated_request": "refused"},
    ),
    Way(outcome="procedure_refused", how="`MaDVC` 9.999004.", fields={"MaDVC": "9.999004"}),
    Way(outcome="officer_refused", how="`MaCanBo` CB_KHONG_QUYEN.", fields={"MaCanBo": "CB_KHONG_QUYEN"}),
    Way(outcome="otp_required", how="`MaCanBo` CB_CAN_OTP.", fields={"MaCanBo": "CB_CAN_OTP"}),
    Way(outcome="otp_wrong", how="`MaCanBo` CB_SAI_OTP.", fields={"MaCanBo": "CB_SAI_OTP"}),
    Way(
        outcome="deceased_refused",
        how="Dialect `deceased` = `refused`; ask about somebody who has died.",
        of="deceased",
        dialects={"deceased": "refused"},
    ),
    Way(
        outcome="minor_refused",
        how="Dialect `minors` = `refused`; ask about a child.",
        of="minor",
        dialects={"minors": "refused"},
    ),
    Way(outcome="client.missing_header", how="No `X-Road-Client`.", headers={"X-Road-Client": None}),
    Way(outcome="client.invalid_http_method", how="`PUT` instead of `POST`.", method="PUT"),
    Way(
        outcome="client.invalid_content_type",
        how="`Content-Type: application/json`.",
        headers={"Content-Type": "application/json"},
    ),
    Way(
        outcome="server.clientproxy.unknown_member",
        how="An `X-Road-Client` that is not registered.",
        headers={"X-Road-Client": "VN-TEST/GOV/000.00.09.H99/nobody"},
    ),
    Way(
        outcome="address_refused",
        how="Setting `allowed_addresses` without your address.",
        settings={"allowed_addresses": ["192.0.2.0/24"]},
    ),
    Way(outcome="no_authorization", how="No `Authorization`.", headers={"Authorization": None}),
    Way(outcome="unknown_account", how="A user name that nobody has.", account={"username": "nobody"}),
    Way(outcome="no_timestamp", how="No `Timestamp`.", headers={"Timestamp": None}),
    Way(outcome="stale_timestamp", how="A `Timestamp` an hour old.", seconds_ago=AN_HOUR),
    Way(outcome="wrong_api_key", how="A wrong `ApiKey`.", headers={"ApiKey": "made-up"}),
    Way(outcome="wrong_hash", how="A password hashed with a wrong secret.", account={"secret": "made-up"}),
    Way(outcome="account_locked", how="Simulator verb `lock` on the account.", verb="lock"),
    Way(outcome="account_revoked", how="Simulator verb `revoke` on the account.", verb="revoke"),
    Way(
        outcome="quota_used_up",
        how="Setting `quota_per_day` = 1; ask twice.",
        twice=True,
        settings={"quota_per_day": 1},
    ),
)


class PopulationCaller:
    """See the module."""

    door = "population"

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the mocks are told for a door with other settings."""
        return {"population": PopulationDoorSettings(**changes)} if changes else {}

    async def well(self, bench: Bench, operation: str) -> Asked:
        """Return a request that is answered well."""
        return await _asked(bench, operation, WAYS[0])

    def recipes(self, operation: str) -> Iterable[Recipe]:
        """Return how each outcome is had."""

        def doing(way: Way) -> Callable[[Bench], Awaitable[Asked]]:
            return lambda bench: _asked(bench, operation, way)

        for way in WAYS:
            yield Recipe(
                outcome=way.outcome, how=way.how, request=doing(way), dialects=way.dialects, settings=way.settings
            )

    async def cause(self, bench: Bench, callback: str) -> None:
        """Do nothing: this door sends nothing by itself."""


async def _asked(bench: Bench, operation: str, way: Way) -> Asked:
    listed = await bench.admin("GET", f"world/citizens?limit=100&oddity={way.of}")
    person = next(one for one in listed["citizens"] if one["identity_number"] and (way.of or not one["oddities"]))
    account = {**ACCOUNTS[0].model_dump(), **way.account}
    if way.verb:
        await bench.admin("POST", f"world/population_account/{account['username']}", {"verb": way.verb})
    asked = Asked(
        method=way.method,
        path=STANDARD.path,
        headers=_headers(account, way),
        body=_envelope(operation, person, way.fields),
    )
    if way.twice:
        await bench.send(asked)
    return asked


def _headers(account: Mapping[str, str], way: Way) -> dict[str, str]:
    stamp = str(int((NOW - way.seconds_ago) * 1000))
    password = hashlib.sha256(f"{STANDARD.sv_url}{account['username']}{stamp}{account['secret']}".encode()).hexdigest()
    headers: dict[str, str | None] = {
        "Host": "mocks.test",
        "Content-Type": "application/xml; charset=utf-8",
        "SOAPAction": '""',
        "Timestamp": stamp,
        "ApiKey": account["api_key"],
        "X-Road-Client": STANDARD.xroad_clients[0],
        "Authorization": "Basic " + base64.b64encode(f"{account['username']}:{password}".encode()).decode(),
        **way.headers,
    }
    return {name: text for name, text in headers.items() if text is not None}


def _envelope(operation: str, person: Person, fields: Mapping[str, str | None]) -> bytes:
    birth = person["birth"]
    day = f"{birth['year']:04}{birth['month']:02}{birth['day']:02}" if birth["month"] else None
    born = f"<d:NgayThangNam>{day}</d:NgayThangNam>" if day else f"<d:Nam>{birth['year']}</d:Nam>"
    content: dict[str, str | None] = {
        "MaYeuCau": "MC-1",
        "MaDVC": "9.000001",
        "MaTichHop": CODES[operation],
        "MaCanBo": "CB_MAU",
        "SoDinhDanh": person["identity_number"],
        "HoVaTen": _plain(person["name"]),
        **fields,
    }
    inner = "".join(f"<d:{name}>{escape(text)}</d:{name}>" for name, text in content.items() if text is not None)
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:d="http://dancuquocgia.bca">'
        f"<e:Header/><e:Body><d:{ELEMENTS[operation]}>{inner}<d:NgayThangNamSinh>{born}</d:NgayThangNamSinh>"
        f"</d:{ELEMENTS[operation]}></e:Body></e:Envelope>"
    ).encode()


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.upper().replace("Đ", "D"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace(" ", "")
