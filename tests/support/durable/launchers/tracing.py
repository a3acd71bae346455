"""The command `lienthong` whose every request shows the id of its attempt, also where the partner's contract has none.

The mocks write it into their ledger, and the judge can tell which attempt an exchange was. Run as a script.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from adapters.transport import Carrier
from lienthong.cli import main

if TYPE_CHECKING:
    from adapters.transport import Request, Response
    from contracts.model import Exchange

send = Carrier.send


async def send_with_id(self: Carrier, request: Request, exchange: Exchange) -> Response:
    """Send the request with a header that nothing but the mocks reads."""
    request.headers["X-Request-Id"] = exchange.request_id
    return await send(self, request, exchange)


Carrier.send = send_with_id  # type: ignore[method-assign]
sys.exit(main())
