"""Faults of the exchange platform: the table, both spellings, and what may have acted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from adapters.transport import Response
from adapters.xroad import fault_from_code, fault_from_response
from adapters.xroad.codes import safe_code
from contracts import xroad
from contracts.model import Acted, Effect, Kind, Layer, Operation, Repeat

OPERATION = Operation(system="population", name="lookup", effect=Effect.READ, repeat=Repeat.SAFE)
ROWS: list[dict[str, Any]] = json.loads(xroad.file("faults.json").read_text(encoding="utf-8"))["faults"]
# Raised before the request is forwarded: the only ones that may say "no". Written by hand, beside the table.
BEFORE_FORWARDING = {
    *(
        f"client.{fault}"
        for fault in (
            *("missing_header", "missing_header_field", "duplicate_header_field", "invalid_protocol_version"),
            *("missing_body", "invalid_body", "invalid_content_type", "invalid_http_method", "invalid_soap_action"),
            "invalid_xml",
        )
    ),
    *(
        f"server.clientproxy.{fault}"
        for fault in (
            *("unknown_member", "ssl_authentication_failed", "maintenance_mode"),
            *("cannot_create_signature", "hsm_non_operational"),
        )
    ),
    *(
        f"server.serverproxy.{fault}"
        for fault in (
            *("unknown_member", "access_denied", "unknown_service", "service_disabled"),
            "service_failed.unknown_host",
        )
    ),
}


def camel(code: str) -> str:
    """Write a code as the protocol texts do: `server.clientproxy.network_error` → `Server.ClientProxy.NetworkError`."""
    proxied = code.replace("clientproxy", "client_proxy").replace("serverproxy", "server_proxy")
    return ".".join("".join(word.capitalize() for word in part.split("_")) for part in proxied.split("."))


def test_camel_writes_what_the_protocol_text_has() -> None:
    """The test's own second spelling is the documented one."""
    assert camel("server.clientproxy.service_failed.missing_body") == "Server.ClientProxy.ServiceFailed.MissingBody"


@pytest.mark.parametrize("row", [row for row in ROWS if row["code"] != "client"], ids=lambda row: row["code"])
@pytest.mark.parametrize("spell", [str, camel, str.upper, lambda code: f"soapenv:{code}"])
def test_every_row_is_read_alike_in_each_spelling(row: dict[str, Any], spell: Any) -> None:
    """A listed code gives its row's kind, layer, reason and "may have acted", however it is spelt."""
    failure = fault_from_code(spell(row["code"]), "why", OPERATION)
    assert failure is not None
    told = (failure.kind, failure.layer, failure.may_have_acted, failure.reason)
    assert told == (row["kind"], row["layer"], row["may_have_acted"], row["reason"])
    assert failure.code == spell(row["code"])
    assert failure.partner_text == "why"


def test_only_codes_raised_before_forwarding_say_no() -> None:
    """Every code that is not known to be raised before forwarding may have acted."""
    assert {row["code"] for row in ROWS if row["may_have_acted"] == "no"} == BEFORE_FORWARDING


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_a_code_that_continues_a_row_never_says_no(row: dict[str, Any]) -> None:
    """A code that is not listed takes the kind of the longest row that fits, and may have acted."""
    failure = fault_from_code(f"{row['code']}.something_new", None, OPERATION)
    assert failure is not None
    assert failure.kind == row["kind"]
    assert failure.may_have_acted is Acted.MAYBE


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_the_side_is_that_of_the_prefix(row: dict[str, Any]) -> None:
    """`server.serverproxy` is far, everything else near, and the layer never says the opposite."""
    far = row["code"].startswith("server.serverproxy")
    assert row["side"] == ("far" if far else "near")
    assert row["layer"] in {"ours", "platform_far" if far else "platform_near"}


@pytest.mark.parametrize(
    "code",
    [
        "Client",
        "Server",
        "soapenv:Server",
        "soap:Client",
        "",
        ".",
        "Server.Userspace",
        "server.proxy.x",
        "005",
        "clientele.x",
    ],
)
def test_what_is_not_the_platforms_is_left_to_the_system(code: str) -> None:
    """A plain SOAP class or a code of another make is not the platform's."""
    assert fault_from_code(code, None, OPERATION) is None


@pytest.mark.parametrize(
    ("code", "kind", "layer", "acted"),
    [
        ("Server.ServerProxy.AccessDenied", Kind.CREDENTIAL_REFUSED, Layer.PLATFORM_FAR, Acted.NO),
        ("server.clientproxy.ssl_authentication_failed", Kind.CREDENTIAL_REFUSED, Layer.PLATFORM_NEAR, Acted.NO),
        ("Server.ClientProxy.UnknownMember", Kind.CREDENTIAL_REFUSED, Layer.PLATFORM_NEAR, Acted.NO),
        ("Server.ServerProxy.UnknownService", Kind.INVALID_REQUEST, Layer.OURS, Acted.NO),
        ("Client.MissingHeaderField", Kind.INVALID_REQUEST, Layer.OURS, Acted.NO),
        ("Server.ServerProxy.ServiceDisabled", Kind.BUSY, Layer.PLATFORM_FAR, Acted.NO),
        ("Server.ClientProxy.NetworkError", Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, Acted.MAYBE),
        ("Server.ClientProxy.MaintenanceMode", Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, Acted.NO),
        ("Server.ClientProxy.CannotCreateSignature", Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, Acted.NO),
        ("Server.ServerProxy.CannotCreateSignature", Kind.PLATFORM_FAILED, Layer.PLATFORM_FAR, Acted.MAYBE),
        ("Server.ServerProxy.ServiceFailed.HttpError", Kind.PLATFORM_FAILED, Layer.PLATFORM_FAR, Acted.MAYBE),
        ("Server.ServerProxy.ServiceFailed.InternalError", Kind.PLATFORM_FAILED, Layer.PLATFORM_FAR, Acted.MAYBE),
        ("Signer.KeyNotAvailable", Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, Acted.MAYBE),
    ],
)
def test_the_decisions_that_matter_stand(code: str, kind: Kind, layer: Layer, acted: Acted) -> None:
    """The decisions of the contract's README, written down a second time."""
    failure = fault_from_code(code, None, OPERATION)
    assert failure is not None
    assert (failure.kind, failure.layer, failure.may_have_acted) == (kind, layer, acted)


@pytest.mark.parametrize("name", ["error-rest-camel.json", "error-rest-snake.json"])
def test_a_rest_error_is_read_by_its_header(name: str) -> None:
    """`X-Road-Error` names the code; the message goes to the caller."""
    body = xroad.file(f"examples/{name}").read_text(encoding="utf-8")
    error = json.loads(body)
    response = Response(500, headers={"X-Road-Error": error["type"]}, content=body.encode())
    failure = fault_from_response(response, OPERATION)
    assert failure is not None
    assert failure.code == error["type"]
    assert failure.partner_text == error["message"]
    assert failure.kind is Kind.PLATFORM_FAILED


def test_a_rest_error_without_the_header_is_the_providers_own() -> None:
    """The same body without the header is not the platform's."""
    body = xroad.file("examples/error-rest-camel.json").read_bytes()
    assert fault_from_response(Response(500, content=body), OPERATION) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"message": 7}', b"\xff\xfe", b"[" * 100_000, b"x" * 100_000])
def test_a_rest_error_with_a_useless_body_is_still_read(body: bytes) -> None:
    """The header alone is enough, whatever the body holds."""
    response = Response(500, headers={"X-Road-Error": "Server.ClientProxy.IOError"}, content=body)
    failure = fault_from_response(response, OPERATION)
    assert failure is not None
    assert failure.partner_text is None
    assert (failure.kind, failure.layer) == (Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR)


def test_a_rest_error_with_an_unlisted_code_is_the_platforms_and_may_have_acted() -> None:
    """Whoever set the header is the platform, even where the code is new."""
    failure = fault_from_response(Response(500, headers={"X-Road-Error": "Novel.Thing"}), OPERATION)
    assert failure is not None
    told = (failure.kind, failure.layer, failure.may_have_acted, failure.reason)
    assert told == (Kind.PLATFORM_FAILED, Layer.PLATFORM_NEAR, Acted.MAYBE, "exchange_fault_unlisted")


@pytest.mark.parametrize(
    "code", ["no citizen 999190000017", "Server.999190000017", "Trần Thị Mẫu", "x" * 121, "", None]
)
def test_a_code_that_could_name_a_person_is_not_kept(code: str | None) -> None:
    """Codes are stored and counted, so only a token without a long number passes as one."""
    assert safe_code(code) is None


def test_the_table_names_no_code_twice() -> None:
    """Two rows for one code would make the reading depend on their order."""
    keys = [row["code"].replace("_", "").lower() for row in ROWS]
    assert len(keys) == len(set(keys))
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", row["code"]) for row in ROWS)
