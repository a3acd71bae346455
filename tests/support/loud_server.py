"""The command `lienthong`, with everything that can be logged in its log: ours and the libraries', at DEBUG.

Run as a script by `tests.support.province`. A gateway in service never logs this much.
"""

from __future__ import annotations

import logging
import sys

from gateway.monitor import logs
from lienthong.cli import main

configure = logs.configure


def loud() -> None:
    """Configure the logs as ever, then open every level."""
    configure(level=logging.DEBUG)
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, force=True)


logs.configure = loud  # type: ignore[assignment]
sys.exit(main())
