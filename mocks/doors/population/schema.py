"""The wire contract as the door holds callers to it: lxml decides, xmlschema explains, both from the committed XSD.

Also the WSDL and the schemas as they are shown to whoever asks.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lxml import etree

from mocks.asgi import Answer

if TYPE_CHECKING:
    from mocks.asgi import Request

REQUESTS = "dancuquocgia.xsd"
RECORDS = "dancu-1.0.xsd"
WSDL = "population.wsdl"
MAX_EXPLANATIONS = 20

WSDL_NS = "http://schemas.xmlsoap.org/wsdl/"
BCA = "http://dancuquocgia.bca"
RULES = {
    "XsdPatternFacets": "does not have the required form",
    "XsdMinLengthFacet": "is too short",
    "XsdMaxLengthFacet": "is too long",
}

SOAP_BINDING = "http://schemas.xmlsoap.org/wsdl/soap/"


class Unreadable(ValueError):
    """The body is no XML that anybody should read."""


def parse(body: bytes) -> etree._Element:
    """Return the root of a message. Raises `Unreadable`; a document type is refused, entities are never resolved."""
    # A parser is cheap, and one shared by several threads is not safe.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"not well-formed at line {error.lineno}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("a document type is not allowed")
    return root


def wrong(element: etree._Element) -> list[str]:
    """Return what is wrong with a request element, each with its path and without the value; empty when all is well."""
    if _compiled().validate(element):
        return []
    return _explain(element)


def _explain(element: etree._Element) -> list[str]:
    import xmlschema  # noqa: PLC0415 - slow to load, and needed only once somebody errs

    schema = _explainer()
    found: list[str] = []
    for error in schema.iter_errors(element):
        if len(found) == MAX_EXPLANATIONS:
            break
        rule = error.reason if isinstance(error, xmlschema.XMLSchemaChildrenValidationError) else _rule(error)
        found.append(f"{error.path}: {rule}".replace(f"{{{BCA}}}", ""))
    return found or ["the message does not follow the schema"]


def _rule(error: object) -> str:
    """Return which rule is broken, without the value that breaks it."""
    return RULES.get(type(getattr(error, "validator", None)).__name__, "is not allowed")


@cache
def _compiled() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(contract(REQUESTS)))


@cache
def _explainer():  # type: ignore[no-untyped-def]  # noqa: ANN202 - naming the type would load the library
    import xmlschema  # noqa: PLC0415 - as above

    return xmlschema.XMLSchema(contract(REQUESTS).decode())


def contract(name: str) -> bytes:
    """Return a file of the wire contract."""
    return files("contracts").joinpath("population", name).read_bytes()


def publish(request: Request, path: str) -> Answer | None:
    """Return the WSDL or a schema, its addresses pointing back at this door, or `None` for anything else."""
    if request.method != "GET":
        return None
    if request.path == path and request.query.lower() == "wsdl":
        return Answer(200, _wsdl(f"{request.base}{path}"), "text/xml; charset=utf-8")
    for name in (REQUESTS, RECORDS):
        if request.path == f"{path}/{name}":
            return Answer(200, contract(name), "text/xml; charset=utf-8")
    return None


@cache
def _wsdl(address: str) -> bytes:
    root = etree.fromstring(contract(WSDL))
    for place in root.iter(f"{{{SOAP_BINDING}}}address"):
        place.set("location", address)
    for element in root.iter("{http://www.w3.org/2001/XMLSchema}import", "{http://www.w3.org/2001/XMLSchema}include"):
        name = (element.get("schemaLocation") or "").rpartition("/")[2]
        element.set("schemaLocation", f"{address}/{name}")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
