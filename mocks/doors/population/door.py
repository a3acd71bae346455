"""The door itself: what is asked, who matches, how it is answered. Who may ask is decided in `checks`.

Strict where the fact is verified; LIMITS.md says what is assumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mocks.doors import UNKNOWN, Result, Subject
from mocks.doors.population import credentials, refusals, schema, wire
from mocks.doors.population.accounts import Accounts
from mocks.doors.population.checks import REQUEST_IDS, Call, first_refusal
from mocks.doors.population.disturbances import PLAYS, SPOILING, disturbed
from mocks.doors.population.query import Query, matching, read
from mocks.doors.population.settings import PopulationDoorSettings
from mocks.faults import What
from mocks.world import AS_OF

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mocks.asgi import Answer, Request
    from mocks.doors import Callback, Site
    from mocks.doors.population.settings import Dialects
    from mocks.faults import Fault
    from mocks.world import Citizen, Kind

OPERATIONS = ("lookup", "verify")
OUTCOMES = (
    "match",
    "no_match",
    "message_refused",
    "request_id_used",
    *(refusal.outcome for refusal in refusals.BY_FAULT.values()),
    *refusals.PEOPLE,
    *credentials.PLATFORM_REFUSALS,
    *credentials.REFUSALS,
    "quota_used_up",
)
ADULT = 18


class PopulationDoor:
    """Verify and look up citizens of the world, over SOAP 1.1."""

    name = "population"
    aliases: tuple[str, ...] = ()
    platform: str | None = "ndxp"
    operations: Mapping[str, tuple[str, ...]] = dict.fromkeys(OPERATIONS, OUTCOMES)
    callbacks: tuple[str, ...] = ()
    plays: Mapping[What, tuple[str, ...]] = {
        **dict.fromkeys(PLAYS, OPERATIONS),
        What.OLD_DISTRICTS: ("lookup",),
    }
    views: Mapping[What, Mapping[str, Any]] = {What.OLD_DISTRICTS: {"districts": "old_units"}}

    def __init__(self, settings: PopulationDoorSettings | None = None) -> None:
        self.settings = settings or PopulationDoorSettings()
        self.path = self.settings.path
        self.standard = self.settings.dialects
        self.kinds: tuple[Kind, ...] = (Accounts(self.settings.accounts), REQUEST_IDS)

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
        return first_refusal(Call(request, query, site, self.settings)) or _found(query, site)

    def disturb(self, fault: Fault, subject: Subject, site: Site[Dialects], result: Result | None) -> Answer:
        """Return the answer that the fault puts in place of the real one."""
        if fault.what in SPOILING and result is not None and not result.acted:
            return result.answer
        return disturbed(fault, site, subject.request_id, result.answer if result else None)

    def happened(self, kind: str, resource_id: str, verb: str, site: Site[Dialects]) -> tuple[Callback, ...]:
        """Return nothing: the population database sends nothing by itself."""
        del kind, resource_id, verb, site
        return ()


def _found(query: Query, site: Site[Dialects]) -> Result:
    registry, dialects = site.registry, site.dialects
    citizens = matching(query, _holders(query, site), dialects)
    for outcome, kept, concerns in (
        ("deceased_refused", dialects.deceased, _is_deceased),
        ("minor_refused", dialects.minors, _is_minor),
    ):
        if kept == "refused" and any(map(concerns, citizens)):
            return Result(refusals.refuse_person(outcome, dialects), outcome, acted=False)
        if kept == "no_match":
            citizens = [citizen for citizen in citizens if not concerns(citizen)]
    if query.operation == "verify":
        answer = wire.verification(found=bool(citizens), dialects=dialects, request_id=query.request_id)
    else:
        now = site.now.isoformat(timespec="seconds")
        answer = wire.lookup(citizens, registry, dialects, query.request_id, now)
    return Result(answer, "match" if citizens else "no_match", acted=True)


def _holders(query: Query, site: Site[Dialects]) -> Iterable[Citizen]:
    """Return everybody who has a number that was asked for."""
    by_number = site.registry.by_number(query.number) if query.number else ()
    if query.card is None or (query.number and site.dialects.two_numbers == "both"):
        return by_number
    by_id = {citizen.id: citizen for citizen in (*by_number, *site.registry.by_card(query.card))}
    return by_id.values()


def _is_deceased(citizen: Citizen) -> bool:
    return citizen.deceased_on is not None


def _is_minor(citizen: Citizen) -> bool:
    """Say whether somebody is under age on the day that the world is of, so that a minor stays one."""
    birth = citizen.birth
    return AS_OF.year - birth.year - ((AS_OF.month, AS_OF.day) < (birth.month or 1, birth.day or 1)) < ADULT
