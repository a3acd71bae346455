"""The door itself: who may come in, what is asked, who matches.

Strict where the fact is verified; LIMITS.md says what is assumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocks.doors import UNKNOWN, Result, Subject
from mocks.doors.population import credentials, refusals, schema, wire
from mocks.doors.population.query import Query, matching, read
from mocks.doors.population.settings import PopulationDoorSettings
from mocks.faults import What

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.asgi import Answer, Request
    from mocks.doors import Callback, Site
    from mocks.doors.population.settings import Dialects
    from mocks.faults import Fault
    from mocks.world import Kind

CONTENT_TYPES = ("application/xml", "text/xml")


OPERATIONS = ("lookup", "verify")
OUTCOMES = (
    "match",
    "no_match",
    "message_refused",
    *(refusal.outcome for refusal in refusals.BY_FAULT.values()),
    *credentials.PLATFORM_REFUSALS,
    *credentials.REFUSALS,
)


class PopulationDoor:
    """Verify and look up citizens of the world, over SOAP 1.1."""

    name = "population"
    platform: str | None = "ndxp"
    operations: Mapping[str, tuple[str, ...]] = dict.fromkeys(OPERATIONS, OUTCOMES)
    callbacks: tuple[str, ...] = ()
    plays: Mapping[What, tuple[str, ...]] = dict.fromkeys((*refusals.PLAYS, What.OLD_DISTRICTS), OPERATIONS)
    views: Mapping[What, Mapping[str, Any]] = {What.OLD_DISTRICTS: {"districts": "old_units"}}
    kinds: tuple[Kind, ...] = ()

    def __init__(self, settings: PopulationDoorSettings | None = None) -> None:
        self.settings = settings or PopulationDoorSettings()
        self.path = self.settings.path
        self.standard = self.settings.dialects

    def publish(self, request: Request) -> Answer | None:
        """Return the WSDL (`?wsdl`) or one of its schemas."""
        return schema.publish(request, self.path)

    def login(self, request: Request) -> str | None:
        """Return the Basic user."""
        return credentials.user_of(request)

    def recognise(self, request: Request, site: Site[Dialects]) -> Subject:
        """Say which operation, whose number and which agency a request is about."""
        query = read(request.body) if request.body else Query(wrong=("no message",))
        number = query.number or query.card
        account = credentials.account_of(request, self.settings)
        return Subject(
            operation=query.operation,
            key=site.registry.key(number) if number else UNKNOWN,
            agency=query.agency or (account.agency if account else None),
            request_id=query.request_id,
            content=query,
        )

    def act(self, request: Request, subject: Subject, site: Site[Dialects]) -> Result:
        """Let the caller in, check what is asked, and answer it."""
        query = subject.content if isinstance(subject.content, Query) else read(request.body)
        return self._turned_away(request, query, site) or self._refused(query, site) or self._found(query, site)

    def disturb(self, fault: Fault, subject: Subject, site: Site[Dialects], result: Result | None) -> Answer:
        """Return the answer that the fault puts in place of the real one."""
        if fault.what in (What.MISSING_FIELDS, What.WRONG_TYPE) and result is not None and not result.acted:
            return result.answer
        return refusals.disturbed(fault, site.dialects, subject.request_id, result.answer if result else None)

    def happened(self, kind: str, resource_id: str, verb: str, site: Site[Dialects]) -> tuple[Callback, ...]:
        """Return nothing: the population database sends nothing by itself."""
        del kind, resource_id, verb, site
        return ()

    def _turned_away(self, request: Request, query: Query, site: Site[Dialects]) -> Result | None:
        """Check what the platform and the service check before they look at the message."""
        code = credentials.platform_refusal(request, self.settings)
        if code is None and request.method != "POST":
            code = "client.invalid_http_method"
        content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if code is None and content_type not in CONTENT_TYPES:
            code = "client.invalid_content_type"
        if code is not None:
            answer = refusals.refuse_at_platform(
                code, "Request refused by the exchange platform", query.request_id, site.dialects
            )
            return Result(answer, code, acted=False)
        reason = credentials.refusal(request, self.settings, site.now.timestamp())
        if reason is not None:
            return Result(refusals.refuse_credential(site.dialects), reason, acted=False)
        return None

    def _refused(self, query: Query, site: Site[Dialects]) -> Result | None:
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
                return Result(refusals.refuse(refusal, site.dialects), refusal.outcome, acted=False)
        return None

    def _found(self, query: Query, site: Site[Dialects]) -> Result:
        registry, dialects = site.registry, site.dialects
        holders = registry.by_number(query.number) if query.number else registry.by_card(query.card or "")
        citizens = matching(query, holders, dialects.names, year_finds_full_date=self.settings.year_finds_full_date)
        if query.operation == "verify":
            answer = wire.verification(found=bool(citizens), dialects=dialects, request_id=query.request_id)
        else:
            now = site.now.isoformat(timespec="seconds")
            answer = wire.lookup(citizens, registry, dialects, query.request_id, now)
        return Result(answer, "match" if citizens else "no_match", acted=True)
