"""Recognising an answer: faults, refusals, plain text, pages, and whatever else may come back."""

from __future__ import annotations

import pytest

from adapters.population import Population
from contracts.model import Acted, Failure, Kind, Layer
from tests.support.population import (
    PURPOSE,
    QUERY,
    SOAP,
    Partner,
    adapter,
    collection,
    envelope,
    example,
    exchange,
    partner,
)

Told = tuple[Kind, Layer, Acted, str]

OTP_NEEDED: Told = (Kind.CALLER_REFUSED, Layer.BUSINESS, Acted.NO, "otp_required")
OTP_WRONG: Told = (Kind.CALLER_REFUSED, Layer.BUSINESS, Acted.NO, "otp_wrong")
NO_PROCEDURE: Told = (Kind.CALLER_REFUSED, Layer.BUSINESS, Acted.NO, "procedure_not_licensed")
NO_OFFICER: Told = (Kind.CALLER_REFUSED, Layer.BUSINESS, Acted.NO, "officer_not_authorised")
RELAYED: Told = (Kind.PLATFORM_FAILED, Layer.PLATFORM_FAR, Acted.MAYBE, "platform_relayed_fault")
SAID: Told = (Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, Acted.MAYBE, "platform_said_error")
NOT_RECOGNISED: Told = (Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE, "answer_not_recognised")
NEAR: Told = (Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, Acted.MAYBE, "exchange_peer_unreachable")
FAR: Told = (Kind.PLATFORM_FAILED, Layer.PLATFORM_FAR, Acted.MAYBE, "exchange_service_failed")
SYSTEM: Told = (Kind.SYSTEM_FAILED, Layer.SYSTEM, Acted.MAYBE, "system_fault")
OURS: Told = (Kind.INVALID_REQUEST, Layer.OURS, Acted.NO, "system_refused_message")
BUSY: Told = (Kind.BUSY, Layer.SYSTEM, Acted.NO, "busy")
CREDENTIAL: Told = (Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, Acted.NO, "credential_refused")


async def failure(door: Partner, operation: str = "lookup") -> Failure:
    """Return what the adapter raises at this answer."""
    system = adapter(door)
    with pytest.raises(Failure) as caught:
        await getattr(system, operation)(
            QUERY, PURPOSE, system.credential(PURPOSE.agency), exchange(getattr(Population, operation.upper()))
        )
    assert len(door.sent) == 1
    assert str(caught.value.operation) == f"population.{operation}"
    return caught.value


def told(failure: Failure) -> Told:
    """Return what decides what happens next."""
    return failure.kind, failure.layer, failure.may_have_acted, failure.reason


def fault(code: str, text: str = "", detail: str = "") -> bytes:
    """Return a SOAP 1.1 fault."""
    told = f"<detail>{detail}</detail>" if detail else ""
    inner = f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring>{told}"
    return envelope(f'<s:Fault xmlns:s="{SOAP}">{inner}</s:Fault>')


@pytest.mark.parametrize("operation", ["verify", "lookup"])
@pytest.mark.parametrize("status", [200, 202, 400, 401, 403, 404, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fault-refused-procedure.xml", NO_PROCEDURE),
        ("fault-refused-officer.xml", NO_OFFICER),
        ("fault-refused-otp-required.xml", OTP_NEEDED),
        ("fault-refused-otp-wrong.xml", OTP_WRONG),
        ("fault-xroad-near-camel.xml", NEAR),
        ("fault-xroad-near-snake.xml", NEAR),
        ("fault-xroad-far-camel.xml", FAR),
        ("fault-xroad-far-snake.xml", FAR),
    ],
)
async def test_a_fault_means_the_same_at_every_status(operation: str, status: int, name: str, expected: Told) -> None:
    """A known code speaks for itself, also with HTTP 200."""
    assert told(await failure(partner(example(name), status), operation)) == expected


@pytest.mark.parametrize("status", [200, 202, 400, 404, 500, 502, 503, 504])
@pytest.mark.parametrize(("name", "expected"), [("fault-server.xml", SYSTEM), ("fault-client.xml", OURS)])
async def test_a_fault_without_a_known_code_is_judged_by_its_class(status: int, name: str, expected: Told) -> None:
    """`Client` is ours, anything else the system's, where the status does not say more."""
    assert told(await failure(partner(example(name), status))) == expected


@pytest.mark.parametrize("name", ["fault-server.xml", "fault-client.xml"])
@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (401, {}, CREDENTIAL),
        (403, {}, (Kind.CALLER_REFUSED, Layer.BUSINESS, Acted.NO, "system_forbids")),
        (429, {}, BUSY),
        (503, {"retry-after": "7"}, BUSY),
    ],
)
async def test_a_status_says_more_than_a_faults_class(
    name: str, status: int, headers: dict[str, str], expected: Told
) -> None:
    """401 is our account, 403 beside a fault this officer or purpose, 429 and a wait ask us to come back."""
    raised = await failure(partner(example(name), status, **headers))
    assert told(raised) == expected
    assert raised.partner_text
    assert raised.retry_after == (7.0 if headers else None)


@pytest.mark.parametrize(
    ("code", "text", "detail", "expected"),
    [
        ("Server", "005", "", NO_OFFICER),
        ("Server.005", "", "", NO_OFFICER),
        ("ns0:Client.004", "", "", NO_PROCEDURE),
        ("Server", "x", "<e><code>004</code></e>", NO_PROCEDURE),
        ("Server", "x", "<code>005</code><message>khac</message>", SYSTEM),
        ("Server", "Error 005 occurred", "", SYSTEM),
        ("Server.0045", "", "", SYSTEM),
        ("Client.Authentication", "bad password", "", CREDENTIAL),
        ("soapenv:Server", "", "", SYSTEM),
        ("Receiver", "", "", SYSTEM),
        ("Sender", "", "", OURS),
        ("MustUnderstand", "", "", OURS),
        ("VersionMismatch", "", "", OURS),
        ("SERVER", "", "", SYSTEM),
        ("client", "", "", OURS),
        ("", "", "", SYSTEM),
        ("ERR-1234", "nobody knows", "", SYSTEM),
        ("Server.Business.NotAllowed", "", "", SYSTEM),
        (
            "server.clientproxy.maintenance_mode",
            "",
            "",
            (Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, Acted.NO, "exchange_maintenance"),
        ),
        (
            "Server.ServerProxy.AccessDenied",
            "",
            "",
            (Kind.CREDENTIAL_REFUSED, Layer.PLATFORM_FAR, Acted.NO, "exchange_access_denied"),
        ),
        (
            "Server.ServerProxy.ServiceDisabled",
            "",
            "",
            (Kind.BUSY, Layer.PLATFORM_FAR, Acted.NO, "exchange_service_disabled"),
        ),
    ],
)
async def test_a_fault_is_a_refusal_then_the_platforms_then_its_class(
    code: str, text: str, detail: str, expected: Told
) -> None:
    """The order of the adapter's README; a number inside a sentence is not a code."""
    assert told(await failure(partner(fault(code, text, detail), 500))) == expected


async def test_a_faults_own_words_go_to_the_caller_and_its_code_to_the_evidence() -> None:
    """Verbatim; a code that could be a sentence or a number of a person is left out."""
    known = await failure(partner(fault("soapenv:Server", "Lỗi của hệ thống")))
    assert (known.code, known.partner_text) == ("soapenv:Server", "Lỗi của hệ thống")
    telling = await failure(partner(fault("Khong tim thay 999190000017", "x")))
    assert telling.code is None
    assert "999190000017" not in str(telling)


@pytest.mark.parametrize("status", [200, 400, 404, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("client received SOAP Fault", RELAYED),
        ("Client received soap fault: something", RELAYED),
        ("  CLIENT  RECEIVED\nSOAP FAULT ", RELAYED),
        ('"client received SOAP Fault"', RELAYED),
        ('{"message": "client received SOAP Fault", "error_code": 1}', RELAYED),
        ("server error", SAID),
        ("Server Error", SAID),
        ("00", OTP_NEEDED),
        ('{"message": "01"}', OTP_WRONG),
    ],
)
async def test_a_known_sentence_in_place_of_an_envelope_is_understood(status: int, text: str, expected: Told) -> None:
    """Whatever the HTTP status, with the sentence as the partner's own text."""
    raised = await failure(partner(text, status, **{"content-type": "text/plain; charset=utf-8"}))
    assert told(raised) == expected
    assert raised.partner_text


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (401, "client received SOAP Fault", CREDENTIAL),
        (403, "server error", CREDENTIAL),
        (403, "01", OTP_WRONG),
        (400, "00", OTP_NEEDED),
        (429, "server error", BUSY),
        (500, "Internal Server Error", (Kind.SYSTEM_FAILED, Layer.SYSTEM, Acted.MAYBE, "server_error")),
        (502, "Bad Gateway", (Kind.UNKNOWN_OUTCOME, Layer.NETWORK, Acted.MAYBE, "gateway_page")),
    ],
)
async def test_a_status_of_account_or_waiting_wins_over_a_sentence(status: int, text: str, expected: Told) -> None:
    """A sentence says less than a refusal and more than a bare server error, but never more than 401, 403 or 429."""
    assert told(await failure(partner(text, status))) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n",
        b"OK",
        b"success",
        b"\x00\x01\x02",
        b"\xff\xfe\x00",
        b"<html><body>client received SOAP Fault</body></html>",
        b"<!doctype html><title>Mot cua</title>",
        b"<p>unclosed",
        b"{}",
        b'{"message": null}',
        b'{"message": {"a": 1}}',
        b'{"message": "OK"}',
        b"[1, 2]",
        b"{" * 2000,
        b'{"a":' * 300,
        b"null",
        b"server error " * 50,
        example("lookup-whole-name.xml")[:-40],
        example("lookup-whole-name.xml")[:200],
        b"<CongdanCollection xmlns='http://www.mic.gov.vn/dancu/1.0'/>",
        b"<a/>",
    ],
)
async def test_what_is_not_recognisably_the_partners_is_an_unknown_outcome(content: bytes) -> None:
    """Empty, truncated, a page, another JSON, XML without an envelope: nobody knows whether it acted."""
    assert told(await failure(partner(content))) == NOT_RECOGNISED


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "bogus", "utf-16"])
async def test_a_sentence_in_any_charset_never_breaks_the_reader(charset: str) -> None:
    """An unknown or wrong charset is a text that cannot be read, not a crash."""
    door = partner("có lỗi".encode(), 200, **{"content-type": f"text/plain; charset={charset}"})
    assert (await failure(door)).kind is Kind.UNKNOWN_OUTCOME


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_the_platforms_rest_error_goes_first(status: int) -> None:
    """With `X-Road-Error` the answer is the platform's, whatever its body looks like."""
    door = partner(example("lookup-whole-name.xml"), status, **{"X-Road-Error": "Server.ClientProxy.NetworkError"})
    assert told(await failure(door)) == NEAR


@pytest.mark.parametrize("operation", ["verify", "lookup"])
async def test_an_envelope_with_nothing_in_it_breaks_the_contract(operation: str) -> None:
    """The envelope is recognised, its content is missing: not "no match", and not "no"."""
    raised = await failure(partner(envelope("")), operation)
    assert raised.kind is Kind.CONTRACT_BROKEN


async def test_the_answer_of_the_other_operation_is_no_answer() -> None:
    """A look-up never reads a yes, a verification never reads a record."""
    assert (await failure(partner(example("verify-yes.xml")))).kind is Kind.CONTRACT_BROKEN
    assert (await failure(partner(example("lookup-whole-name.xml")), "verify")).kind is Kind.CONTRACT_BROKEN


@pytest.mark.parametrize("status", [200, 201, 500])
async def test_a_record_is_read_whatever_the_status(status: int) -> None:
    """A recognised answer goes before the status, as the transport's contract has it."""
    system = adapter(partner(example("lookup-whole-name.xml"), status))
    found = await system.lookup(QUERY, PURPOSE, system.credential(PURPOSE.agency), exchange())
    assert len(found.citizens) == 1


async def test_unknown_elements_are_noted_on_the_exchange_without_content() -> None:
    """Counted and named, so that an engineer learns what the partner added; never what it says."""
    system = adapter(partner(example("lookup-extra-elements.xml")))
    noted = exchange()
    found = await system.lookup(QUERY, PURPOSE, system.credential(PURPOSE.agency), noted)
    assert noted.unknown_elements == 3
    assert set(noted.unknown_names) == {"TenGoiKhac", "TenPhuongXa", "ThongTinMoi"}
    assert noted.evidence().unknown_names == noted.unknown_names
    assert len(found.citizens) == 1


async def test_a_strange_element_name_is_counted_and_not_noted() -> None:
    """What is noted may be stored: only plain names, each once, and only a few."""
    strange = "".join(f"<TrầnThịMẫu{n}/><La{n}/><Hai/>" for n in range(40))
    body = collection([("SoDinhDanh", "999190000017"), ("HoVaTen", "MẪU"), ("NgayThangNamSinh", [("Nam", "1990")])])
    system = adapter(partner(body.replace(b"</CongDan>", f"{strange}</CongDan>".encode())))
    noted = exchange()
    await system.lookup(QUERY, PURPOSE, system.credential(PURPOSE.agency), noted)
    assert noted.unknown_elements == 120
    assert len(noted.unknown_names) == 20
    assert all(name.isascii() for name in noted.unknown_names)


async def test_the_answer_is_not_read_from_a_response_that_a_failure_stands_for() -> None:
    """What the transport raises passes through untouched."""
    failure_of_transport = await failure(partner(b"", 504))
    door = partner(b"")
    door.response = failure_of_transport
    system = adapter(door)
    with pytest.raises(Failure) as caught:
        await system.lookup(QUERY, PURPOSE, system.credential(PURPOSE.agency), exchange())
    assert caught.value is failure_of_transport
