"""The only room that imports an HTTP client or zeep. One protocol, and the carrier that fulfils it."""

from httpx import URL, Headers, Request, Response

from adapters.transport.addresses import PinnedResolver, reachable
from adapters.transport.capture import Capture, Recorder, masked_body, masked_headers
from adapters.transport.carrier import Carrier
from adapters.transport.json import JsonRefusal, JsonRefused, parse_json
from adapters.transport.protocol import Transport
from adapters.transport.settings import TransportSettings
from adapters.transport.status import failure_from_status, retry_after
from adapters.transport.tls import UnusableCertificate
from adapters.transport.xml import XmlRefusal, XmlRefused, charset_of, parse_xml

__all__ = [
    "URL",
    "Capture",
    "Carrier",
    "Headers",
    "JsonRefusal",
    "JsonRefused",
    "PinnedResolver",
    "Recorder",
    "Request",
    "Response",
    "Transport",
    "TransportSettings",
    "UnusableCertificate",
    "XmlRefusal",
    "XmlRefused",
    "charset_of",
    "failure_from_status",
    "masked_body",
    "masked_headers",
    "parse_json",
    "parse_xml",
    "reachable",
    "retry_after",
]
