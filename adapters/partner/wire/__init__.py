"""The synthetic partner on the wire. Pure: no network, no clock, no file but the contract's own.

`request` builds, `envelope` recognises an answer and says what a refusal means, `record` reads the data of a success.
"""

from adapters.partner.wire.record import read_found, read_receipt, read_record, read_session
from adapters.partner.wire.request import Door

__all__ = ["Door", "read_found", "read_receipt", "read_record", "read_session"]
