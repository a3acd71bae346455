"""A defect of the mocks themselves: where it lies is logged, what it was about is not, and the caller gets a 500."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

from mocks.asgi import Answer, text_answer

OUTCOME = "defect"
_LOG = logging.getLogger("mocks")


def defect(error: Exception) -> Answer:
    """Log where an exception comes from, without its message, which may quote a value; return the answer."""
    places = " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    )
    _LOG.error("a defect of the mocks: %s at %s", type(error).__name__, places)
    return text_answer("a defect of the mocks; their standard error says where", 500)
