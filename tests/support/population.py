"""Messages and values for the tests of the population adapter. Nobody in them exists: every number starts with 999."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from adapters.population import Population, PopulationSettings
from adapters.transport import Request, Response, parse_xml
from contracts import population
from contracts.model import (
    AgencyCode,
    BirthDate,
    CitizenQuery,
    Exchange,
    Failure,
    IdentityNumber,
    OldCardNumber,
    PersonName,
    ProcedureCode,
    Purpose,
)

if TYPE_CHECKING:
    from lxml import etree

    from contracts.model import Operation

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
RECORD = "http://www.mic.gov.vn/dancu/1.0"
SERVICE = "http://dancuquocgia.bca"
NOW = datetime(2026, 1, 5, 1, 15, tzinfo=UTC)

AGENCY = AgencyCode("000.00.01.H99")
QUERY = CitizenQuery(
    name=PersonName("Trần Thị Mẫu"), birth=BirthDate(1990, 2, 28), identity_number=IdentityNumber("999190000017")
)
BY_OLD_CARD = replace(QUERY, identity_number=None, old_card_number=OldCardNumber("999000017"))
YEAR_ONLY = CitizenQuery(
    name=PersonName("Lê Thị Mẫu"), birth=BirthDate(1945), identity_number=IdentityNumber("999145000024")
)
PURPOSE = Purpose(agency=AGENCY, procedure=ProcedureCode("9.000001"), officer="canbo.mau", dossier=None)

Tree = list[tuple[str, Any]]
"""Element names with a text, or with a tree of their own."""

MINIMAL: Tree = [
    ("SoDinhDanh", "999190000017"),
    ("HoVaTen", [("Ten", "TRẦN THỊ MẪU")]),
    ("NgayThangNamSinh", [("NgayThangNam", "19900228")]),
]


def settings(**changes: Any) -> PopulationSettings:
    """Return settings that talk to nobody."""
    values: dict[str, Any] = {
        "endpoint": "https://population.example/soap",
        "sv_url": "https://sv.example/csdldc",
        "xroad_client": "VN-TEST/GOV/000.00.01.H99/MOTCUA",
        "credential": {"username": "sv_mau", "secret": "bi-mat", "api_key": "khoa"},
        "officers": {"canbo.mau": "CB_THU_01"},
    }
    return PopulationSettings(**(values | changes))


def example(name: str) -> bytes:
    """Return an example message of the contract."""
    return population.file(f"examples/{name}").read_bytes()


def exchange(operation: Operation = Population.LOOKUP, request_id: str = "MC-20260105-000001") -> Exchange:
    """Return an exchange that has not begun."""
    return Exchange(operation=operation, request_id=request_id, timeout=10.0)


def xml(tree: Tree, prefix: str = "") -> str:
    """Write a tree as XML, every element under `prefix`."""
    mark = f"{prefix}:" if prefix else ""
    return "".join(
        f"<{mark}{name}>{xml(value, prefix) if isinstance(value, list) else escape(value)}</{mark}{name}>"
        for name, value in tree
    )


def collection(*citizens: Tree) -> bytes:
    """Return the answer of a look-up that holds these records."""
    records = "".join(xml([("CongDan", citizen)]) for citizen in citizens)
    return envelope(f'<CongdanCollection xmlns="{RECORD}">{records}</CongdanCollection>')


def envelope(body: str) -> bytes:
    """Return a SOAP 1.1 envelope around `body`."""
    return f'<e:Envelope xmlns:e="{SOAP}"><e:Body>{body}</e:Body></e:Envelope>'.encode()


def answer(message: bytes) -> etree._Element:
    """Return the first element of the body of a message."""
    body = parse_xml(message).find(f"{{{SOAP}}}Body")
    assert body is not None
    return body[0]


def changed(tree: Tree, path: str, value: Any) -> Tree:
    """Return `tree` with the element at `path` set to `value`, added where it is absent; `None` takes it out."""
    name, _, rest = path.partition("/")
    known = dict(tree)
    new = changed(known.get(name) or [], rest, value) if rest else value
    if name not in known:
        return tree if new is None else [*tree, (name, new)]
    return [(n, new if n == name else v) for n, v in tree if n != name or new is not None]


@dataclass
class Partner:
    """Stands where a transport does: remembers what was sent and gives one answer."""

    response: Response | Failure
    sent: list[Request] = field(default_factory=list)

    async def send(self, request: Request, exchange: Exchange) -> Response:
        """Return the answer, or raise what stands for it."""
        self.sent.append(request)
        if isinstance(self.response, Failure):
            raise self.response
        exchange.status = self.response.status_code
        return self.response


def partner(content: bytes | str, status: int = 200, **headers: str) -> Partner:
    """Return a partner that answers with `content`."""
    return Partner(Response(status, content=content, headers={"content-type": "text/xml; charset=utf-8", **headers}))


def adapter(partner: Partner, **changes: Any) -> Population:
    """Return the adapter in front of `partner`."""
    return Population(settings(**changes), partner, lambda: NOW)
