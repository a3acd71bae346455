"""Envelopes are built from our own WSDL and taken apart whoever wrote them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.transport import parse_xml
from adapters.transport.soap import (
    SOAP_11,
    SOAP_12,
    NotInContract,
    SoapContract,
    SoapFault,
    read_body,
)
from contracts.model import Acted, Failure, Kind, Layer
from tests.support.exchanges import exchange

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "tests.unit.transport.wsdl"
LIBRARY = "{http://library.example/v1}"


@pytest.fixture(scope="module")
def contract() -> SoapContract:
    """Return the contract of a made-up library."""
    return SoapContract(PACKAGE, "library.wsdl")


def _answer(body: str, *, status: int = 200, soap: str = SOAP_11, content_type: str = "text/xml") -> httpx.Response:
    envelope = f'<s:Envelope xmlns:s="{soap}"><s:Header/><s:Body>{body}</s:Body></s:Envelope>'
    return httpx.Response(status, content=envelope.encode(), headers={"Content-Type": content_type})


def _read(response: httpx.Response) -> Any:
    return read_body(response, exchange())


def _failure(response: httpx.Response) -> Failure:
    with pytest.raises(Failure) as caught:
        _read(response)
    return caught.value


@given(first=st.text(), second=st.text(), order=st.booleans())
def test_a_filled_form_is_what_zeep_writes(contract: SoapContract, first: str, second: str, *, order: bool) -> None:
    """A message built from a form is, to the byte, the one that zeep lays out itself; or both are refused."""
    values = {"Title": first, "Printed": {"Year": "1936"}, "Shelf": second}
    if order:
        values = dict(reversed(values.items()))
    try:
        whole = contract._written("Find", values)
    except NotInContract:
        with pytest.raises(NotInContract):
            contract.build("Find", values)
        return
    contract.build("Find", {**values, "Title": "another"})
    assert contract.build("Find", values) == whole


def test_a_request_is_built(contract: SoapContract) -> None:
    """Values by wire names become a whole envelope in UTF-8, in the order of the schema."""
    data = contract.build("Find", {"Shelf": "A1", "Printed": {"Year": "1936"}, "Title": "Số đỏ & <khác>"})
    root = parse_xml(data)
    assert root.tag == f"{{{SOAP_11}}}Envelope"
    find = root[-1][0]
    assert find.tag == f"{LIBRARY}Find"
    assert [child.tag for child in find] == [f"{LIBRARY}{name}" for name in ("Title", "Shelf", "Printed")]
    assert find[0].text == "Số đỏ & <khác>"
    assert find[2][0].tag == f"{LIBRARY}Year"


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        ("Find", {}),
        ("Find", {"Titel": "NGUYEN VAN MAU"}),
        ("Find", {"Title": "a\x00NGUYEN VAN MAU"}),
        ("Find", {"Title": "x", "Printed": {"Moon": "NGUYEN VAN MAU"}}),
        ("Lend", {"Title": "NGUYEN VAN MAU"}),
    ],
)
def test_values_outside_the_contract(contract: SoapContract, operation: str, values: dict[str, Any]) -> None:
    """What does not fit is refused before it is sent, and no value is quoted."""
    with pytest.raises(NotInContract) as caught:
        contract.build(operation, values)
    assert "NGUYEN" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("content_type", ["text/xml", "application/soap+xml", "text/html", "application/octet-stream"])
@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12])
@pytest.mark.parametrize("status", [200, 400, 500, 502])
def test_an_envelope_is_recognised_by_itself(soap: str, status: int, content_type: str) -> None:
    """The first element of the body comes back, whatever status and content type say."""
    response = _answer(f'<l:Found xmlns:l="{LIBRARY[1:-1]}"/>', soap=soap, status=status, content_type=content_type)
    assert _read(response).tag == f"{LIBRARY}Found"


FAULT_11 = (
    "<s:Fault><faultcode>{code}</faultcode><faultstring> Không\n  được </faultstring><faultactor>urn:x</faultactor>"
    "<detail><faultDetail>9f3c</faultDetail><more>yes</more></detail></s:Fault>"
)


@pytest.mark.parametrize("status", [200, 500])
def test_a_fault_of_soap_11(status: int) -> None:
    """A fault comes back as a value, with its code as written; HTTP 200 does not hide it."""
    fault = _read(_answer(FAULT_11.format(code="s:Server.ClientProxy.NetworkError"), status=status))
    assert fault == SoapFault(
        code="s:Server.ClientProxy.NetworkError", text="Không được", actor="urn:x", detail="9f3c yes"
    )
    assert fault.local_code == "Server.ClientProxy.NetworkError"
    assert "Không" not in repr(fault)


def test_a_fault_of_soap_11_with_a_namespace_on_everything() -> None:
    """Some servers qualify the parts of a fault: they mean the same."""
    body = FAULT_11.format(code="Client").replace("<fault", "<s:fault").replace("</fault", "</s:fault")
    assert _read(_answer(body)).code == "Client"


def test_a_fault_of_soap_12() -> None:
    """The innermost code speaks."""
    body = (
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>x:Late</s:Value></s:Subcode></s:Code>"
        "<s:Reason><s:Text xml:lang='vi'>Muộn</s:Text><s:Text xml:lang='en'>Late</s:Text></s:Reason>"
        "<s:Detail><a>1</a></s:Detail></s:Fault>"
    )
    assert _read(_answer(body, soap=SOAP_12)) == SoapFault(code="x:Late", text="Muộn", detail="1")


@pytest.mark.parametrize("body", ["<s:Fault/>", "<s:Fault><faultcode/></s:Fault>"])
def test_a_fault_that_says_nothing(body: str) -> None:
    """An empty fault is still a fault."""
    assert _read(_answer(body)) == SoapFault(code="", text="")


WHOLE = _answer(FAULT_11.format(code="Server")).content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "answer_not_recognised"),
        (b"client received SOAP Fault", "answer_not_recognised"),
        (b"<html><body>Bad gateway</body></html>", "answer_not_recognised"),
        (b"<!DOCTYPE html><html></html>", "answer_not_recognised"),
        (b'{"error_code": 0}', "answer_not_recognised"),
        (b"<Envelope><Body><a/></Body></Envelope>", "answer_not_recognised"),
        (b'<e:Envelope xmlns:e="urn:other"><e:Body><a/></e:Body></e:Envelope>', "answer_not_recognised"),
        (WHOLE[:-1], "answer_not_recognised"),
        (WHOLE[: len(WHOLE) // 2], "answer_not_recognised"),
        (WHOLE + WHOLE, "answer_not_recognised"),
        (WHOLE.replace(b"<s:Header/>", b"<h>" * 90 + b"</h>" * 90), "answer_unsafe"),
    ],
)
def test_a_success_that_is_not_the_partners(content: bytes, reason: str) -> None:
    """HTTP 200 with anything but an envelope: nobody knows what happened."""
    failure = _failure(httpx.Response(200, content=content))
    assert (failure.kind, failure.layer, failure.may_have_acted) == (Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE)
    assert failure.reason == reason


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Kind.CREDENTIAL_REFUSED), (429, Kind.BUSY), (500, Kind.SYSTEM_FAILED)]
)
def test_without_an_envelope_the_status_speaks(status: int, kind: Kind) -> None:
    """A bare error is judged by its status."""
    assert _failure(httpx.Response(status, content=b"<html>no</html>")).kind is kind


@pytest.mark.parametrize("envelope", ["<s:Body/>", "<s:Body> </s:Body>", "<s:Header/>"])
def test_an_empty_body(envelope: str) -> None:
    """An envelope with nothing in it is the partner's, and broken."""
    content = f'<s:Envelope xmlns:s="{SOAP_11}">{envelope}</s:Envelope>'.encode()
    failure = _failure(httpx.Response(200, content=content))
    assert (failure.kind, failure.layer, failure.reason) == (Kind.CONTRACT_BROKEN, Layer.SYSTEM, "answer_body_empty")


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("http://evil.example/x.xsd", "ExternalReferenceForbidden"),
        ("https://127.0.0.1/x.xsd", "ExternalReferenceForbidden"),
        ("ftp://evil.example/x.xsd", "FileNotFoundError"),
        ("../secret.xsd", "OutsideContract"),
        ("/etc/hostname", "OutsideContract"),
        ("file:///etc/hostname", "ExternalReferenceForbidden"),
    ],
)
def test_a_contract_that_reaches_out(place: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A WSDL that imports from the network or from outside its folder is refused when it is loaded."""
    folder = _copy(tmp_path, monkeypatch)
    (tmp_path / "secret.xsd").write_text('<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"/>')
    wsdl = folder / "library.wsdl"
    wsdl.write_text(wsdl.read_text().replace("library.xsd", place))
    with pytest.raises(Exception, match=r".") as caught:
        SoapContract(folder.name, "library.wsdl")
    assert type(caught.value).__name__ == error


@pytest.mark.parametrize("name", ["library.wsdl", "library.xsd"])
@pytest.mark.parametrize("dtd", ["<!DOCTYPE x>", '<!DOCTYPE x [<!ENTITY a "b">]>'])
def test_a_contract_with_a_document_type(name: str, dtd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No DTD in a contract either."""
    folder = _copy(tmp_path, monkeypatch)
    file = folder / name
    declaration, _, rest = file.read_text().partition("?>")
    file.write_text(f"{declaration}?>{dtd}{rest}")
    with pytest.raises(Exception, match="Forbidden"):
        SoapContract(folder.name, "library.wsdl")


def _copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from importlib.resources import files  # noqa: PLC0415 - beside its only use

    copy = folder / f"contract_{folder.name.replace('-', '_')}"
    copy.mkdir()
    for name in ("__init__.py", "library.wsdl", "library.xsd"):
        (copy / name).write_text((files(PACKAGE) / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return copy


def test_zeep_waits_until_it_is_needed() -> None:
    """Importing the transport, even its SOAP part, does not import zeep."""
    code = "import adapters.transport, adapters.transport.soap, sys; sys.exit('zeep' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own interpreter


def test_elements_are_plain_lxml(contract: SoapContract) -> None:
    """What comes back can be read with lxml and written again."""
    element = contract.body(_answer("<a><b>1</b></a>"), exchange())
    assert isinstance(element, etree._Element)
    assert b"<b>1</b>" in etree.tostring(element)
