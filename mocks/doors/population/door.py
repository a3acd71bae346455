"""The door itself: who may come in, what is asked, who matches.

Strict where the fact is verified; LIMITS.md says what is assumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocks.doors import Result, Subject
from mocks.doors.population import credentials, refusals, schema, wire
from mocks.doors.population.query import UNKNOWN, Query, matching, read
from mocks.doors.population.settings import Dialects, PopulationDoorSettings
from mocks.faults import What

if TYPE_CHECKING:
    from mocks.asgi import Answer, Request
    from mocks.clock import Clock
    from mocks.faults import Fault
    from mocks.world import World

CONTENT_TYPES = ("application/xml", "text/xml")


class PopulationDoor:
    """Verify and look up citizens of the world, over SOAP 1.1."""

    name = "population"
    operations: tuple[str, ...] = ("lookup", "verify")

    def __init__(self, world: World, clock: Clock, settings: PopulationDoorSettings | None = None) -> None:
        self._world = world
        self._clock = clock
        self.settings = settings or PopulationDoorSettings()
        self.path = self.settings.path
        self._dialects = self.settings.dialects

    def publish(self, request: Request) -> Answer | None:
        """Return the WSDL (`?wsdl`) or one of its schemas."""
        return schema.publish(request, self.path)

    def recognise(self, request: Request) -> Subject:
        """Say which operation, whose number and which agency a request is about."""
        query = read(request.body) if request.body else Query(wrong=("no message",))
        number = query.number or query.card
        account = credentials.account_of(request, self.settings)
        return Subject(
            operation=query.operation,
            key=self._world.key(number) if number else UNKNOWN,
            agency=query.agency or (account.agency if account else None),
            request_id=query.request_id,
            content=query,
        )

    def act(self, request: Request, subject: Subject) -> Result:
        """Let the caller in, check what is asked, and answer it."""
        query = subject.content if isinstance(subject.content, Query) else read(request.body)
        return self._turned_away(request, query) or self._refused(query) or self._found(query)

    def disturb(self, fault: Fault, subject: Subject, result: Result | None) -> Answer:
        """Return the answer that the fault puts in place of the real one."""
        if fault.what in (What.MISSING_FIELDS, What.WRONG_TYPE) and result is not None and not result.acted:
            return result.answer
        return refusals.disturbed(fault, self._dialects, subject.request_id, result.answer if result else None)

    def dialects(self) -> dict[str, Any]:
        """Return the dialects in force."""
        return self._dialects.model_dump(mode="json")

    def speak(self, changes: dict[str, Any] | None) -> None:
        """Change some dialects; `None` returns to those of the settings. Raises `ValueError`."""
        if changes is None:
            self._dialects = self.settings.dialects
        else:
            self._dialects = Dialects.model_validate({**self.dialects(), **changes})

    def _turned_away(self, request: Request, query: Query) -> Result | None:
        """Check what the platform and the service check before they look at the message."""
        code = credentials.platform_refusal(request, self.settings)
        if code is None and request.method != "POST":
            code = "client.invalid_http_method"
        content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if code is None and content_type not in CONTENT_TYPES:
            code = "client.invalid_content_type"
        if code is not None:
            answer = refusals.refuse_at_platform(
                code, "Request refused by the exchange platform", query.request_id, self._dialects
            )
            return Result(answer, code, acted=False)
        reason = credentials.refusal(request, self.settings, self._clock.seconds())
        if reason is not None:
            return Result(refusals.refuse_credential(self._dialects), reason, acted=False)
        return None

    def _refused(self, query: Query) -> Result | None:
        """Check the message, then the purpose and the person."""
        settings = self.settings
        wrong = list(query.wrong)
        codes = settings.lookup_codes if query.operation == "lookup" else settings.verify_codes
        if not wrong and query.integration not in codes:
            wrong.append("MaTichHop: not granted for this operation")
        if wrong:
            return Result(refusals.refuse_message(wrong), "message_refused", acted=False)
        for refusal, value, refused in (
            (refusals.PROCEDURE, query.procedure, settings.refused_procedures),
            (refusals.OFFICER, query.officer, settings.refused_officers),
            (refusals.OTP_REQUIRED, query.officer, settings.otp_officers),
            (refusals.OTP_WRONG, query.officer, settings.wrong_otp_officers),
        ):
            if value in refused:
                return Result(refusals.refuse(refusal, self._dialects), refusal.outcome, acted=False)
        return None

    def _found(self, query: Query) -> Result:
        world, dialects = self._world, self._dialects
        holders = world.by_number.get(query.number, ()) if query.number else world.by_card.get(query.card or "", ())
        citizens = matching(query, holders, dialects.names, year_finds_full_date=self.settings.year_finds_full_date)
        if query.operation == "verify":
            answer = wire.verification(found=bool(citizens), dialects=dialects, request_id=query.request_id)
        else:
            now = self._clock.now().isoformat(timespec="seconds")
            answer = wire.lookup(citizens, world, dialects, query.request_id, now)
        return Result(answer, "match" if citizens else "no_match", acted=True)
