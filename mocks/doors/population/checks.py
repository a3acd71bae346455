"""What stands between a request and its answer: one function for each check, and the order in which they are made.

Each returns the refusal, or nothing. Only two of them write: an account counts, and a used request id is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from mocks.doors import Result
from mocks.doors.population import accounts, credentials, refusals
from mocks.world import Lifecycle, Plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from mocks.asgi import Request
    from mocks.doors import Site
    from mocks.doors.population.query import Query
    from mocks.doors.population.settings import Dialects, PopulationDoorSettings

CONTENT_TYPES = ("application/xml", "text/xml")
USED = "population_request"
REQUEST_IDS = Plain(Lifecycle(kind=USED, starts=("used",), verbs={}))
"""The request ids that were answered, while the dialect wants them remembered."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read, and all that it is judged by."""

    request: Request
    query: Query
    site: Site[Dialects]
    settings: PopulationDoorSettings


def first_refusal(call: Call) -> Result | None:
    """Return the first refusal in the order of the dialect."""
    for check in (platform, *ORDER[call.site.dialects.checks], request_id):
        refused = check(call)
        if refused is not None:
            return refused
    return None


def platform(call: Call) -> Result | None:
    """Check what the near security server of the exchange platform checks."""
    request = call.request
    code = credentials.platform_refusal(request, call.settings)
    if code is None and request.method != "POST":
        code = "client.invalid_http_method"
    content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if code is None and content_type not in CONTENT_TYPES:
        code = "client.invalid_content_type"
    if code is None:
        return None
    text = "Request refused by the exchange platform"
    answer = refusals.refuse_at_platform(code, text, call.query.request_id, call.site.dialects)
    return Result(answer, code, acted=False)


def account(call: Call) -> Result | None:
    """Check where the caller comes from, who they prove to be, whether the account is open, and its quota."""
    settings, site, now = call.settings, call.site, call.site.world.now
    reason = None if _allowed(call) else "address_refused"
    reason = reason or credentials.refusal(call.request, settings, site.dialects, site.now.timestamp())
    named = credentials.account_of(call.request, settings)
    resource = None if named is None else site.world.get(accounts.ACCOUNT, named.username)
    if resource is not None and resource.state != accounts.ACTIVE:
        reason = reason or f"account_{resource.state}"
    elif resource is not None and reason in credentials.FAILURES:
        accounts.failed(site.world, resource.id, settings)
    if reason is not None or resource is None:
        return Result(refusals.refuse_credential(site.dialects), str(reason), acted=False)
    wait = accounts.over_quota(resource, settings, now)
    if wait is not None:
        return Result(refusals.refuse_quota(site.dialects, wait), "quota_used_up", acted=False)
    accounts.proved(site.world, resource, settings)
    return None


def message(call: Call) -> Result | None:
    """Check the message against the contract, and that its integration code is granted for the operation."""
    query, settings, dialects = call.query, call.settings, call.site.dialects
    codes = settings.lookup_codes if query.operation == "lookup" else settings.verify_codes
    if query.wrong:
        return Result(refusals.refuse_message(query.wrong, dialects), "message_refused", acted=False)
    if query.integration in codes:
        return None
    if dialects.ungranted == "procedure_refused":
        return _refused(refusals.PROCEDURE, call)
    wrong = ["MaTichHop: not granted for this operation"]
    return Result(refusals.refuse_message(wrong, dialects), "message_refused", acted=False)


def procedure(call: Call) -> Result | None:
    """Check whether the procedure has a licence."""
    refused = call.query.procedure in call.settings.refused_procedures
    return _refused(refusals.PROCEDURE, call) if refused else None


def officer(call: Call) -> Result | None:
    """Check whether the officer has a right, and the one-time password that some have to give."""
    settings = call.settings
    for refusal, refused in (
        (refusals.OFFICER, settings.refused_officers),
        (refusals.OTP_REQUIRED, settings.otp_officers),
        (refusals.OTP_WRONG, settings.wrong_otp_officers),
    ):
        if call.query.officer in refused:
            return _refused(refusal, call)
    return None


def request_id(call: Call) -> Result | None:
    """Check that the request id is a new one, where the dialect wants that, and remember it."""
    site, query = call.site, call.query
    if site.dialects.repeated_request == "accepted" or query.request_id is None:
        return None
    named = credentials.account_of(call.request, call.settings)
    key = site.registry.key(f"{named.username if named else ''} {query.request_id}")
    if site.world.get(USED, key) is not None:
        answer = refusals.refuse_message(["MaYeuCau: was used before"], site.dialects)
        return Result(answer, "request_id_used", acted=False)
    site.world.create(USED, key, "used")
    return None


ORDER: dict[str, tuple[Callable[[Call], Result | None], ...]] = {
    "credential_first": (account, message, procedure, officer),
    "message_first": (message, account, procedure, officer),
    "officer_first": (account, message, officer, procedure),
}


def _refused(refusal: refusals.Refusal, call: Call) -> Result:
    return Result(refusals.refuse(refusal, call.site.dialects), refusal.outcome, acted=False)


def _allowed(call: Call) -> bool:
    allowed = call.settings.allowed_addresses
    if allowed is None:
        return True
    try:
        address = ip_address(call.request.client or "")
    except ValueError:
        return False
    return any(address in network for network in allowed)
