from __future__ import annotations

import errno
import io
import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from gateway.monitor import logs

if TYPE_CHECKING:
    import pytest


def test_a_key_that_may_not_be_logged_loses_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a line is given, only the closed list of keys comes out with its value."""
    before = structlog.get_config()
    try:
        logs.configure()
        structlog.get_logger().warning("something", system="population", name="TRẦN THỊ MẪU", number="999190000017")
    finally:
        structlog.configure(**before)
    line = json.loads(capsys.readouterr().err)
    assert line["system"] == "population"
    assert str(datetime.fromisoformat(line["timestamp"]).utcoffset()) == "7:00:00"
    assert "MẪU" not in json.dumps(line, ensure_ascii=False)
    assert "999190000017" not in json.dumps(line)


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk or a reader that has gone loses the line, never a call or the thread that writes the store."""

    class Full(io.StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, "no space left on device")
            return super().write(text)

    stream = Full()
    monkeypatch.setattr(sys, "stderr", stream)
    before = structlog.get_config()
    try:
        logs.configure()
        structlog.get_logger().error("store does not write")
        stream.full = False
        structlog.get_logger().info("store writes again")
    finally:
        structlog.configure(**before)
    assert json.loads(stream.getvalue())["event"] == "store writes again"


def test_a_defect_tells_where_and_never_what() -> None:
    """Of an unexpected error its type and place are logged; its text may hold anything."""
    try:
        raise RuntimeError("TRẦN THỊ MẪU")
    except RuntimeError as error:
        told = logs.defect(error)
    assert told["error"] == "RuntimeError"
    assert "test_logs" in told["where"]
    assert "MẪU" not in str(told)
