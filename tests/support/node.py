"""The Node.js that foreign software in the tests runs on: the one inside Playwright's package, the same everywhere."""

from __future__ import annotations

from pathlib import Path

import playwright


def node() -> str:
    """Return where it is."""
    return str(Path(playwright.__file__).parent / "driver/node")
