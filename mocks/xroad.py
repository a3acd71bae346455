"""Faults that the exchange platform's X-Road servers make, as SOAP or as REST answers, in both spellings.

Codes are given in lower snake, as the source of X-Road 7.8 has them; the published protocol texts write CamelCase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from mocks.asgi import Answer, json_answer

if TYPE_CHECKING:
    from uuid import UUID

NEAR = "server.clientproxy.network_error"
FAR = "server.serverproxy.service_failed.http_error"
MALFORMED = "client."
"""X-Road answers 400 to codes that begin so, and 500 to all others."""
WORDS = {"clientproxy": "ClientProxy", "serverproxy": "ServerProxy", "io": "IO", "xml": "Xml"}

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def camel(code: str) -> str:
    """Return the code as the protocol texts spell it."""
    return ".".join("".join(WORDS.get(word, word.capitalize()) for word in part.split("_")) for part in code.split("."))


def soap_fault(code: str, text: str, *, status: int = 500, detail: str = "", encoding: str = "utf-8") -> Answer:
    """Return a SOAP 1.1 fault; `detail` is XML."""
    body = (
        f'<?xml version="1.0" encoding="{encoding.upper()}"?>'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Body><soapenv:Fault><faultcode>{escape(code)}</faultcode>'
        f"<faultstring>{escape(text)}</faultstring><faultactor></faultactor>"
        f"<detail>{detail}</detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return Answer(status, body.encode(encoding, "xmlcharrefreplace"), f"text/xml; charset={encoding}")


def platform_fault(code: str, text: str, *, as_soap: bool, incident: UUID, status: int | None = None) -> Answer:
    """Return a fault of the platform; `incident` is what its operators would ask for."""
    if as_soap:
        detail = f'<faultDetail xmlns="">{incident}</faultDetail>'
        return soap_fault(code, text, status=status or 500, detail=detail)
    answer = json_answer({"type": code, "message": text, "detail": str(incident)})
    status = status or (400 if code.lower().startswith(MALFORMED) else 500)
    return Answer(status, answer.body, answer.content_type, (("x-road-error", code),))
