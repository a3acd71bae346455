"""The ledger of a namespace: what came in, what was done, and claims about both.

The mock judges every claim. A method named `assert_…` raises `AssertionError`, with the evidence in its text, when the
claim does not hold. The words are the admin API's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict

from lienthong.mocking.values import Effect, Exchange, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from lienthong.mocking.line import Line

PAGE = 5000
Scope = Literal["lane", "key", "agency", "door"]


class Claim(BaseModel):
    """A claim by its name; every other field is one of the claim's own."""

    model_config = ConfigDict(frozen=True, extra="allow")

    claim: str


class About(TypedDict, total=False):
    """What a question or a claim is narrowed to; what is not named may be anything."""

    door: str
    operation: str
    key: str
    lane: str


class AboutExchange(About, total=False):
    """The same for exchanges."""

    agency: str
    fault: str


class Ledger:
    """What really arrived, and what it did."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def exchanges(self, *, since: int = 0, **about: Unpack[AboutExchange]) -> tuple[Exchange, ...]:
        """Return the exchanges after number `since`, oldest first: all, or those about what is named."""
        return tuple(map(Exchange.of, self._pages("exchanges", since, about)))

    def last(self, count: int) -> tuple[Exchange, ...]:
        """Return the last so many exchanges, oldest first."""
        total = self._line.ask("GET", "exchanges", limit=0)["total"]
        return self.exchanges(since=max(0, total - count))

    def effects(self, *, since: int = 0, **about: Unpack[About]) -> tuple[Effect, ...]:
        """Return what was done after effect number `since`, oldest first: all, or what is about what is named."""
        return tuple(map(Effect.of, self._pages("effects", since, about)))

    def check(self, *claims: Claim) -> tuple[Verdict, ...]:
        """Return the verdict on each claim. Raises `Refused` for one that cannot be understood."""
        said = [claim.model_dump(mode="json") for claim in claims]
        return tuple(map(Verdict.of, self._line.ask("POST", "ledger/check", said)["verdicts"]))

    def assert_that(self, claim: Claim) -> Verdict:
        """Return the verdict on a claim that holds. Raises `AssertionError` for one that does not."""
        __tracebackhide__ = True
        (verdict,) = self.check(claim)
        if not verdict.holds:
            raise AssertionError(str(verdict))
        return verdict

    def assert_one_effect(self, **about: Unpack[About]) -> Verdict:
        """Claim that what is named was done exactly once, however often it was asked for."""
        __tracebackhide__ = True
        return self._claim("effects", about, exactly=1)

    def assert_effects(
        self,
        exactly: int | None = None,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        keys: Sequence[str] | Literal["every"] | None = None,
        idempotency_key: str | None = None,
        **about: Unpack[About],
    ) -> Verdict:
        """Claim how many effects there are: in all, or for each of `keys` (`"every"`: each that was asked about)."""
        __tracebackhide__ = True
        how_many = {"exactly": exactly, "at_least": at_least, "at_most": at_most}
        return self._claim("effects", about, **how_many, keys=keys, idempotency_key=idempotency_key)

    def assert_exchanges(
        self,
        exactly: int | None = None,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        keys: Sequence[str] | Literal["every"] | None = None,
        idempotency_key: str | None = None,
        **about: Unpack[AboutExchange],
    ) -> Verdict:
        """Claim how many exchanges there were: in all, or for each of `keys`."""
        __tracebackhide__ = True
        how_many = {"exactly": exactly, "at_least": at_least, "at_most": at_most}
        return self._claim("exchanges", about, **how_many, keys=keys, idempotency_key=idempotency_key)

    def assert_effects_in_order(
        self,
        order: Sequence[str],
        *,
        by: Literal["key", "operation", "idempotency_key", "lane"] = "key",
        others: bool = False,
        **about: Unpack[About],
    ) -> Verdict:
        """Claim that the effects are these, in this order; with `others`, more may stand between them."""
        __tracebackhide__ = True
        return self._claim("effects_in_order", about, order=list(order), by=by, others=others)

    def assert_one_at_a_time(self, scope: Scope = "lane", **about: Unpack[AboutExchange]) -> Verdict:
        """Claim that never two exchanges of one lane (or key, agency, door) were in flight at once."""
        __tracebackhide__ = True
        return self._claim("one_at_a_time", about, scope=scope)

    def assert_waited(
        self, scope: Scope = "key", *, tolerance_seconds: float | None = None, **about: Unpack[AboutExchange]
    ) -> Verdict:
        """Claim that no exchange began sooner than an answer had asked its caller to wait."""
        __tracebackhide__ = True
        return self._claim("waited", about, scope=scope, tolerance_seconds=tolerance_seconds)

    def assert_none_after(self, instant: datetime, **about: Unpack[AboutExchange]) -> Verdict:
        """Claim that no exchange began after an instant of the machine's own clock."""
        __tracebackhide__ = True
        return self._claim("none_after", about, instant=instant.isoformat())

    def assert_only_known(
        self,
        *,
        keys: Sequence[str] | None = None,
        request_ids: Sequence[str] | None = None,
        idempotency_keys: Sequence[str] | None = None,
        **about: Unpack[AboutExchange],
    ) -> Verdict:
        """Claim that every exchange is one of those that are known, by each list that is given."""
        __tracebackhide__ = True
        return self._claim("only_known", about, keys=keys, request_ids=request_ids, idempotency_keys=idempotency_keys)

    def _claim(self, name: str, about: About, /, **own: Any) -> Verdict:
        __tracebackhide__ = True
        given = {part: value for part, value in own.items() if value is not None}
        return self.assert_that(Claim(claim=name, **about, **given))

    def _pages(self, what: str, since: int, about: About) -> Iterator[object]:
        while page := self._line.ask("GET", what, since=since, limit=PAGE, **about)[what]:
            yield from page
            since = page[-1]["seq"]
