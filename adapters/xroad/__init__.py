"""What the exchange platform's servers add to an exchange: their faults, and the name we go by. Sends nothing."""

from adapters.xroad.codes import FaultRow
from adapters.xroad.wire import ClientId, client_header, fault_from_code, fault_from_response

__all__ = ["ClientId", "FaultRow", "client_header", "fault_from_code", "fault_from_response"]
