from __future__ import annotations

import json
from typing import TYPE_CHECKING

from adapters.transport import Capture
from gateway.monitor.captures import CaptureFile

if TYPE_CHECKING:
    from pathlib import Path


def test_each_exchange_is_one_line_with_its_request_id(tmp_path: Path) -> None:
    """A capture can be found by the request id that the audit has, and says when it was made."""
    capture = Capture(
        request_id="r-1",
        operation="population.verify",
        method="POST",
        host="dancu.example",
        request_headers=(("ApiKey", "***"),),
        request="<a>***</a>",
        status=200,
    )
    record = CaptureFile(tmp_path / "captures" / "population.jsonl")
    record(capture)
    record(capture)
    record.close()
    lines = (tmp_path / "captures" / "population.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0])["request_id"] == "r-1"
    assert json.loads(lines[0])["at"].endswith("+07:00")
