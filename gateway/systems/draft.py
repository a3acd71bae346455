"""A write as it is handed to deliveries, and read back when it is sent: typed on both ends, JSON in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter

from gateway.delivery import Found, Write
from gateway.resilience.ports import C

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from contracts.model import Exchange, IdentityNumber, LookupAnswer, Operation
    from gateway.delivery import Flow, Order

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a write is to deliveries: its declaration, its lane, its payload, and whom it is about if anybody."""

    operation: Operation
    lane: str
    payload: bytes = field(repr=False)
    topic: str | None = None
    person: IdentityNumber | None = None


class Writing(Generic[R, C]):
    """One operation that is delivered: `request` is the type of what it is given, kept as JSON until it is sent.

    A field that a later release adds needs a default, because what was stored before does not have it.
    """

    def __init__(
        self,
        operation: Operation,
        request: type[R],
        send: Callable[[R, Order, C, Exchange], Awaitable[bytes]],
        look_up: Callable[[R, Order, C, Exchange], Awaitable[LookupAnswer]] | None = None,
        flow: Flow | None = None,
    ) -> None:
        self._operation = operation
        self._stored: TypeAdapter[R] = TypeAdapter(request)
        self._send = send
        self._look_up = look_up
        self._flow = flow

    def draft(self, request: R, *, topic: str | None = None, person: IdentityNumber | None = None) -> Draft:
        """Return the request as it is handed in."""
        lane = self._operation.lane
        assert lane is not None  # noqa: S101 - no write is declared without one
        payload = self._stored.dump_json(request)
        return Draft(operation=self._operation, lane=lane(request), payload=payload, topic=topic, person=person)

    def write(self) -> Write[C]:
        """Return the operation as deliveries know it."""
        look_up = None if self._look_up is None else self._looked_up
        return Write(operation=self._operation, send=self._sent, look_up=look_up, flow=self._flow)

    async def _sent(self, credential: C, exchange: Exchange, order: Order) -> bytes:
        return await self._send(self._stored.validate_json(order.payload), order, credential, exchange)

    async def _looked_up(self, credential: C, exchange: Exchange, order: Order) -> Found:
        assert self._look_up is not None  # noqa: S101 - only then this is handed out
        request: Any = self._stored.validate_json(order.payload)
        return Found(await self._look_up(request, order, credential, exchange))
