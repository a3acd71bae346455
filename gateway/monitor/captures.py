"""Raw captures for a report to the partner: what went over the wire, masked before it gets here, in files that rotate.

Off unless an operator names a file. One JSON object an exchange, found again by the request id that the audit has too.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from contracts import VIETNAM

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.transport import Capture

_FILE_BYTES = 20 << 20
_OLD_FILES = 2


class CaptureFile:
    """A recorder for the carrier. Raises `OSError` where the file cannot be opened; never while it records."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handler = RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=_OLD_FILES, encoding="utf-8")

    def __call__(self, capture: Capture) -> None:
        """Write one capture. A full disk loses it: a capture is no reason for a call to fail."""
        line = json.dumps({"at": datetime.now(VIETNAM).isoformat(), **asdict(capture)}, ensure_ascii=False)
        self._handler.handle(logging.makeLogRecord({"msg": "%s", "args": (line,)}))

    def close(self) -> None:
        """Let go of the file."""
        self._handler.close()
