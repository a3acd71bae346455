"""The one question of a run in its two forms: SOAP as the population database reads it, and the gateway's JSON.

Written by hand and as cheap as it gets, for the load and for the bare route; nothing here is shared with the adapter.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:dan="http://dancuquocgia.bca">'
    "<soapenv:Header/><soapenv:Body><dan:{element}>"
    "<dan:MaYeuCau>{request_id}</dan:MaYeuCau><dan:MaDVC>{procedure}</dan:MaDVC><dan:MaTichHop>{code}</dan:MaTichHop>"
    "<dan:MaCanBo>{officer}</dan:MaCanBo><dan:SoDinhDanh>{number}</dan:SoDinhDanh><dan:HoVaTen>{name}</dan:HoVaTen>"
    "<dan:NgayThangNamSinh><dan:NgayThangNam>{birth}</dan:NgayThangNam></dan:NgayThangNamSinh>"
    "</dan:{element}></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True)
class Operation:
    """What is asked: the element in the SOAP body, and its `MaTichHop`."""

    element: str
    code: str


VERIFY = Operation("XacThucThongTinCongDan", "003")
LOOKUP = Operation("TraCuuThongTinCongDan", "037")


@dataclass(frozen=True)
class Credential:
    """How a caller shows the population database who it is, and as which officer."""

    user: str = "bench"
    secret: str = field(default="bench", repr=False)
    sv_url: str = "http://population.example/"
    xroad_client: str = "VN-TEST/GOV/000.00.01.H99/one-stop"
    api_key: str = field(default="bench", repr=False)
    officer: str = "CB_THU_01"

    @classmethod
    def of_mock(cls, ready: Mapping[str, Any]) -> Self:
        """Return the first credential that the mocks' ready line offers for the population door."""
        door = ready["credentials"]["population"]
        account = door["accounts"][0]
        return cls(
            user=account["username"],
            secret=account["secret"],
            sv_url=door["sv_url"],
            xroad_client=door["xroad_client"],
            api_key=account["api_key"],
        )

    @classmethod
    def from_environment(cls) -> Self:
        """Return the credential that `environment` describes."""
        return cls(**json.loads(os.environ.get("BENCH_CREDENTIAL", "{}")))

    def environment(self) -> dict[str, str]:
        """Return the variable that hands this credential to the bare route."""
        return {"BENCH_CREDENTIAL": json.dumps(vars(self))}

    def headers(self) -> dict[str, str]:
        """Return the headers of the direct route: the hashed Basic password is new for every call."""
        now = str(int(time.time() * 1000))
        password = hashlib.sha256(f"{self.sv_url}{self.user}{now}{self.secret}".encode()).hexdigest()
        basic = base64.b64encode(f"{self.user}:{password}".encode()).decode()
        return {
            "Content-Type": "application/xml; charset=utf-8",
            "Timestamp": now,
            "Authorization": f"Basic {basic}",
            "X-Road-Client": self.xroad_client,
            "ApiKey": self.api_key,
            "SOAPAction": "",
        }


@dataclass(frozen=True)
class Question:
    """Whom the run asks about, and for what."""

    number: str = "999190000017"
    name: str = "Trần Thị Mẫu"
    birth: str = "1990-02-28"
    agency: str = "000.00.01.H99"
    procedure: str = "9.000001"
    officer: str = "canbo.thu01"
    dossier: str = "H99.129-260105-0001"

    @classmethod
    def about(cls, citizen: Mapping[str, Any], ready: Mapping[str, Any]) -> Self:
        """Return the question about a citizen of the mocks' world, asked by the agency of its first account."""
        birth = citizen["birth"]
        return cls(
            number=citizen["identity_number"],
            name=citizen["name"],
            birth=f"{birth['year']:04}-{birth['month']:02}-{birth['day']:02}",
            agency=ready["credentials"]["population"]["accounts"][0]["agency"],
        )

    def rest(self) -> str:
        """Return the request of `POST /v1/citizens/verify`."""
        citizen = {"identity_number": self.number, "full_name": self.name, "birth_date": self.birth}
        purpose = {
            "agency": self.agency,
            "procedure": self.procedure,
            "officer": self.officer,
            "dossier": self.dossier,
        }
        return json.dumps({"citizen": citizen, "purpose": purpose}, ensure_ascii=False)

    def soap(self, request_id: str, officer: str, operation: Operation = VERIFY) -> str:
        """Return the request of the wire contract."""
        return envelope(
            operation=operation,
            request_id=request_id,
            procedure=self.procedure,
            officer=officer,
            number=self.number,
            name=self.name,
            birth=self.birth,
        )


def envelope(
    *,
    request_id: str,
    procedure: str,
    officer: str,
    number: str,
    name: str,
    birth: str,
    operation: Operation = VERIFY,
) -> str:
    """Return the request of the wire contract, its values escaped."""
    return ENVELOPE.format(
        element=operation.element,
        code=operation.code,
        request_id=request_id,
        procedure=escape(procedure),
        officer=escape(officer),
        number=escape(number),
        name=escape(plain(name)),
        birth=escape(birth.replace("-", "")),
    )


def plain(name: str) -> str:
    """Return a name in upper case without diacritics and spaces."""
    letters = unicodedata.normalize("NFD", name.upper().replace("Đ", "D"))
    return "".join(letter for letter in letters if letter.isalpha())
