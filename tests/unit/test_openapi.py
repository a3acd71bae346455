from __future__ import annotations

import json

from tools import openapi_check


def test_the_document_keeps_what_it_promises() -> None:
    """It is the code's, valid, shown by example throughout, and breaks no caller of the released one."""
    assert list(openapi_check.problems(openapi_check.CURRENT, openapi_check.RELEASED)) == []


def test_every_field_of_a_request_says_its_vietnamese_term() -> None:
    """Request fields carry a description."""
    schemas = json.loads(openapi_check.CURRENT.read_text(encoding="utf-8"))["components"]["schemas"]
    for schema in ("CitizenQueryV1", "PurposeV1", "PauseRequestV1"):
        for field, described in schemas[schema]["properties"].items():
            assert described.get("description"), f"{schema}.{field}"
