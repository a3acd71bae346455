"""SOAP over the carrier: zeep reads our WSDL once and builds requests; answers are taken apart with lxml.

Sends nothing. The WSDL and its schemas come from a contract folder of this distribution and from nowhere else. What the
body of an answer means, and what a fault code means, is for the adapter. zeep is heavy, so it is imported when the
first contract is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lxml import etree

from adapters.transport.forms import Form, marked, shape_of
from adapters.transport.status import failure_from_status
from adapters.transport.xml import XmlRefusal, XmlRefused, charset_of, parse_xml
from contracts.model import ContractBroken, Layer, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import httpx

    from contracts.model import Exchange

SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"

_BODIES: Final = {f"{{{space}}}Envelope": f"{{{space}}}Body" for space in (SOAP_11, SOAP_12)}
_FAULTS: Final = frozenset({f"{{{SOAP_11}}}Fault", f"{{{SOAP_12}}}Fault"})
_NOT_AN_ANSWER: Final = frozenset({XmlRefusal.EMPTY, XmlRefusal.MALFORMED, XmlRefusal.CHARSET})


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapFault:
    """A SOAP fault, 1.1 or 1.2, as the partner wrote it. Its texts may name a person and are kept out of `repr`.

    `code` is the fault code verbatim, possibly with a namespace prefix; of SOAP 1.2 the innermost sub-code. `detail` is
    the text of the detail element without its markup.
    """

    code: str
    text: str = field(repr=False)
    actor: str | None = None
    detail: str | None = field(default=None, repr=False)

    @property
    def local_code(self) -> str:
        """The code without the namespace prefix: `soapenv:Server` is `Server`."""
        return self.code.rpartition(":")[2]


class NotInContract(ValueError):
    """The values do not fit the WSDL, or it has no such operation: a mistake of ours. Quotes no value."""


_PAGES: Final = (b"<!doctype html", b"<html")
_PAGE_START: Final = 16
_MOST_FORMS: Final = 64


class OutsideContract(ValueError):
    """The WSDL or one of its schemas points out of its folder or to the network."""


class SoapContract:
    """One WSDL, loaded once.

    `package` is the importable folder that holds it, `wsdl` the file in it. Raises `OutsideContract` where the WSDL
    reaches for anything outside that folder, and zeep's errors where it is broken: both at start-up, never in a call.
    """

    def __init__(self, package: str, wsdl: str, *, service: str | None = None, port: str | None = None) -> None:
        self._client: Any = _load(Path(str(files(package))), wsdl, service, port)
        self._forms: dict[tuple[object, ...], Form | None] = {}

    def build(self, operation: str, values: Mapping[str, Any]) -> bytes:
        """Return the whole envelope in UTF-8 for `operation`, whose parts are given by their wire names.

        zeep lays out the first message of each shape; a later one is that form with other texts in it.
        Raises `NotInContract`.
        """
        texts: list[str] = []
        shape = (operation, *shape_of(values, texts))
        if shape not in self._forms and len(self._forms) < _MOST_FORMS:
            self._forms[shape] = self._lay_out(operation, values, len(texts))
        form = self._forms.get(shape)
        filled = form.filled(texts) if form is not None else None
        return self._written(operation, values) if filled is None else filled

    def _lay_out(self, operation: str, values: Mapping[str, Any], texts: int) -> Form | None:
        """Return the form of messages of this shape, or None where a value is not plain text to the contract."""
        try:
            return Form.cut(self._written(operation, marked(values)), texts)
        except NotInContract:
            return None

    def _written(self, operation: str, values: Mapping[str, Any]) -> bytes:
        try:
            envelope = self._client.create_message(self._client.service, operation, **values)
        except (ValueError, TypeError, AttributeError, LookupError, _zeep_error()) as error:
            # zeep quotes values in some of its messages, so only the type of the error and the path are passed on.
            where = ".".join(map(str, getattr(error, "path", None) or ()))
            raise NotInContract(f"{operation}: {type(error).__name__} {where}".rstrip()) from None
        return etree.tostring(envelope, encoding="utf-8", xml_declaration=True)

    def body(self, response: httpx.Response, exchange: Exchange) -> etree._Element | SoapFault:
        """Return the first element of the answer's body, or the fault that stands there. See `read_body`."""
        return read_body(response, exchange)


def read_body(response: httpx.Response, exchange: Exchange) -> etree._Element | SoapFault:
    """Return the first element of the SOAP body in `response`, or the fault that stands there.

    A recognised envelope speaks for itself, whatever the HTTP status. Anything else is judged by the status, and by
    that alone where it is not a success: raises what `failure_from_status` says, else `UnknownOutcome` for a text, a
    page, nothing at all, or XML that is cut off or unsafe; `ContractBroken` for an envelope with nothing in its body.
    """
    operation = exchange.operation
    content_type = response.headers.get("content-type")
    refusal: XmlRefused | None = None
    root: etree._Element | None = None
    try:
        root = parse_xml(response.content, charset=charset_of(content_type))
    except XmlRefused as error:
        refusal = error
    body_tag = _BODIES.get(root.tag) if root is not None else None
    if root is None or body_tag is None:
        failure = failure_from_status(response, operation)
        if failure is not None:
            raise failure
        page = response.content.lstrip()[:_PAGE_START].lower().startswith(_PAGES)
        unsafe = refusal is not None and refusal.refusal not in _NOT_AN_ANSWER and not page
        raise UnknownOutcome(
            "answer_unsafe" if unsafe else "answer_not_recognised",
            operation=operation,
            layer=Layer.NETWORK,
            note=str(refusal) if refusal is not None else "XML, but not a SOAP envelope",
        )
    body = root.find(body_tag)
    first = next(iter(body), None) if body is not None else None
    if first is None:
        raise ContractBroken(
            "answer_body_empty", operation=operation, layer=Layer.SYSTEM, note="a SOAP envelope with an empty body"
        )
    return _fault(first) if first.tag in _FAULTS else first


def _fault(element: etree._Element) -> SoapFault:
    parts = {_local(child): child for child in element}
    if "Code" in parts or "Reason" in parts:
        values = [e for e in parts["Code"].iter() if _local(e) == "Value"] if "Code" in parts else []
        reason = next((e for e in parts["Reason"] if _local(e) == "Text"), None) if "Reason" in parts else None
        code, text, actor, detail = (values[-1] if values else None), reason, parts.get("Role"), parts.get("Detail")
    else:
        code, text, actor, detail = (parts.get(n) for n in ("faultcode", "faultstring", "faultactor", "detail"))
    return SoapFault(code=_text(code) or "", text=_text(text) or "", actor=_text(actor), detail=_text(detail))


def _local(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _text(element: etree._Element | None) -> str | None:
    if element is None:
        return None
    return " ".join(" ".join(map(str, element.itertext())).split()) or None


class _ContractFolder:
    """All that zeep may read: files of one folder. Stands where zeep expects its HTTP transport."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def load(self, url: str) -> bytes:
        place = url.removeprefix("file://")
        path = Path(place).resolve()
        if "://" in place or not path.is_relative_to(self._folder):
            raise OutsideContract(f"not in the contract folder: {path.name}")
        return path.read_bytes()


def _load(folder: Path, wsdl: str, service: str | None, port: str | None) -> Any:
    import zeep  # noqa: PLC0415 - half a second that only a SOAP system should cost

    settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    client = zeep.Client(  # type: ignore[no-untyped-call]
        str(folder.resolve() / wsdl),
        transport=_ContractFolder(folder),
        service_name=service,
        port_name=port,
        settings=settings,
    )
    _ = client.service  # bound now, so that a WSDL without a service fails at start-up
    return client


def _zeep_error() -> type[Exception]:
    from zeep.exceptions import Error  # noqa: PLC0415 - as above

    return Error
