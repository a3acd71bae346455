"""Signing in through our adapter keeps one set of promises, at each kind of door and however the mock speaks.

What the gateway will hold (a sign-in under way, addresses, keys) is held here. The browser is a bare one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from adapters.vneid import (
    Approved,
    Ended,
    Ending,
    IdToken,
    Keys,
    KeyUnknown,
    Pending,
    Strange,
    TokenDefect,
    TokenRefused,
    Tokens,
    Userinfo,
    Vneid,
    VneidSettings,
)
from contracts.model import AgencyCode, BirthDate, Exchange, Failure, Kind, PersonName, Rejected
from contracts.model.identity import AccountKind, Assurance, Level, Verdict, VerifiedPerson
from mocks.doors.vneid.settings import Dialects
from tests.support.conformance import PATIENCE, Peer, extremes, one_at_a_time
from tests.support.hosting import in_process, over_sockets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import httpx

    from adapters.vneid import Callback

DOOR: Final = "vneid"
AGENCY: Final = AgencyCode("H99.5")
PROFILES: Final = ("A1", "A2", "standard")
SECONDS: Final = (
    "access_seconds",
    "id_token_seconds",
    "code_seconds",
    "sign_in_seconds",
    "qr_seconds",
    "session_seconds",
)
NUMBERS: Final = dict.fromkeys(SECONDS, 700)
MOST_STEPS: Final = 12
A_LONG_TIME: Final = 4000.0
LINKED: Final = "A1"


class Lost(Exception):
    """The browser ended at a page of the door, and came back with nothing."""


@dataclass
class SignedIn:
    """What came of a sign-in."""

    tokens: Tokens
    proof: IdToken
    told: Userinfo
    assurance: Assurance


def suited(profile: str, dialects: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return the settings that an operator chooses for a door that speaks so."""
    national = profile != "standard"
    changes: dict[str, Any] = {"variant": profile, "plain_http": True, "linked_hosts": [urlsplit(base).netloc]}
    changes |= {"endpoint": base} if national else {"issuer": base}
    if national and dialects["pkce"] == "refused":
        changes["pkce"] = False
    if national and dialects["nonce"] == "dropped":
        changes["nonce"] = False
    if national and dialects["client_auth"] == "basic":
        changes["client_authentication"] = "client_secret_basic"
    if profile == "A1" and dialects["a1_issuer"] == "host":
        changes["issuer"] = base
    if profile == "A1" and dialects["logout_hint"] == "needed":
        changes["logout_shows"] = "id_token_hint"
    if dialects["level_form"] == "2":
        changes["levels"] = [{"claim": "acr", "word": word, "level": int(word)} for word in "12"]
        changes["levels"] = changes["levels"] if profile != "A2" else []
    if profile == "standard":
        words = {"LoA2": {"1": "LoA1", "2": "LoA2"}, "2": {"1": "1", "2": "2"}}
        changes["acr_values"] = words[dialects["level_form"]]
    return changes


class Desk:
    """Somebody who has citizens signed in at one door, through our adapter."""

    def __init__(self, peer: Peer, profile: str, **changes: Any) -> None:
        self.peer, self.profile = peer, profile
        peer.desk.cookies.clear()
        self.spoken = peer.dialects(DOOR)
        account = peer.mocks.ready["credentials"][DOOR]["accounts"][1]
        callback = account["redirect_uris"][0]
        national = profile != "standard"
        home = account["post_logout_redirect_uris"][0]
        values = {
            "callback": callback,
            "after_logout": callback if national and self.spoken["post_logout"] == "redirect_uris" else home,
            "client": {"client_id": account["username"], "secret": account["secret"]},
            **suited(profile, self.spoken, peer.mocks.ready[DOOR]),
        }
        self.settings = VneidSettings.model_validate(values | changes)
        self.vneid = Vneid(self.settings, peer.transport, lambda: datetime.fromtimestamp(peer.now(), UTC))
        self.client = self.vneid.client(AGENCY)
        self.provider = self.do("discover")
        self.keys: Keys = self.do("keys", self.provider)

    def do(self, operation: str, *about: Any) -> Any:
        """Do one exchange."""
        run = Exchange(operation=getattr(self.vneid.operations, operation), request_id="MC-1", timeout=PATIENCE)
        return self.peer.run(getattr(self.vneid, operation)(*about, run))

    def send(self, method: str, address: str, fields: dict[str, str]) -> httpx.Response:
        """Send a form as a browser does."""
        given = {"data" if method == "POST" else "params": fields}
        response: httpx.Response = self.peer.run(self.peer.desk.request(method, address, **given))
        return response

    def begin(self, asked: Level | None = Level.TWO, *, again: bool = False) -> tuple[str, Pending]:
        """Return where a browser goes, and what waits for it."""
        departure = self.vneid.begin(self.client, self.provider, asked, again=again)
        return departure.address, departure.pending

    def browse(self, address: str) -> str:
        """Follow a browser until it comes back to us, and return its query."""
        for _ in range(MOST_STEPS):
            response = self._got(address)
            place = response.headers.get("location")
            if place is None:
                raise Lost(response.status_code)
            address = str(response.url.join(place))
            if address.startswith(self.settings.callback):
                return urlsplit(address).query
        raise AssertionError("round and round")

    def _got(self, address: str) -> httpx.Response:
        return self.peer.run(self.peer.desk.get(address, follow_redirects=False))

    def back(self, asked: Level | None = Level.TWO) -> tuple[Callback, Pending]:
        """Send a browser there and say what its return means."""
        self.peer.desk.cookies.clear()
        address, pending = self.begin(asked)
        return self.vneid.read_callback(self.browse(address), pending, self.provider), pending

    def code(self, asked: Level | None = Level.TWO) -> tuple[SecretStr, Pending]:
        """Return a code, and the sign-in that it is for."""
        told, pending = self.back(asked)
        assert isinstance(told, Approved), told
        return told.code, pending

    def proven(self, tokens: Tokens, pending: Pending) -> IdToken:
        """Return what the ID token says; the keys are asked for once more where one is missing."""
        try:
            return self.vneid.verify(tokens, pending, self.client, self.keys)
        except KeyUnknown:
            self.keys = self.do("keys", self.provider)
            return self.vneid.verify(tokens, pending, self.client, self.keys)

    def signed_in(self, asked: Level | None = Level.TWO) -> SignedIn:
        """Sign somebody in, from the first address to the level."""
        code, pending = self.code(asked)
        tokens = self.do("exchange_code", code, pending, self.client, self.provider)
        proof = self.proven(tokens, pending)
        told = self.do("userinfo", tokens, proof, self.provider)
        return SignedIn(tokens, proof, told, self.vneid.assure(pending, proof, told))

    def answers(self, verb: str, **fields: Any) -> None:
        """Have the citizen who is asked next do something."""
        self.peer.do("vneid_autopilot", "citizen", verb, **fields)

    def approves(self, citizen: Mapping[str, Any], account: str = "person") -> None:
        """Have a citizen approve what is asked from now on, for themselves or for somebody else."""
        self.answers("approve", citizens=[citizen["id"]], account=account)

    def citizen(self, which: int = 0) -> dict[str, Any]:
        """Return a grown citizen with a number of their own, who approves what is asked from now on."""
        fitting = [
            one
            for one in self.peer.people
            if one["identity_number"] and not one["deceased_on"] and one["birth"]["year"] < 2000
            if not {"shared_number", "shared_number_namesake"} & {*one["oddities"]}
        ]
        self.approves(fitting[which])
        return fitting[which]


def is_who_they_are(desk: Desk) -> None:
    """Promise that it is the citizen of the world, with all that the door tells, and nothing made up."""
    who = desk.citizen()
    done = desk.signed_in()
    account = done.told.account
    assert isinstance(account, VerifiedPerson)
    assert account.identity_number is not None
    assert account.identity_number.value == who["identity_number"]
    assert account.name == PersonName(who["name"])
    assert account.birth == BirthDate(**who["birth"])
    assert done.assurance.verdict is (Verdict.MET if states_levels(desk) else Verdict.UNSTATED)
    assert account.email is None or desk.spoken["claims"] == "rich"
    again = desk.signed_in().told.account
    assert again == account


def states_levels(desk: Desk) -> bool:
    """Say whether the door tells the level."""
    return desk.profile == "A2" or desk.spoken["level_told"] != "nowhere" or desk.spoken["claims"] == "rich"


def is_an_organisation_too(desk: Desk) -> None:
    """Promise that the other kinds are told apart, and that one without its numbers is not let in."""
    who = desk.citizen()
    for account, kind in (("enterprise", AccountKind.ENTERPRISE), ("organisation", AccountKind.ORGANISATION)):
        desk.approves(who, account)
        done = desk.signed_in()
        assert done.told.account.kind is kind
        assert done.assurance.verdict in (Verdict.NO_LEVELS, Verdict.MET)
    desk.approves(who, "enterprise_without_tax_code")
    with pytest.raises(Rejected, match="account_incomplete"):
        desk.signed_in()


def may_decline(desk: Desk) -> None:
    """Promise that a no is an ending, or a page that the browser stays at."""
    desk.citizen()
    desk.answers("deny")
    if desk.spoken["denied"] == "page":
        with pytest.raises(Lost):
            desk.back()
    else:
        assert desk.back()[0] == Ended(Ending.DECLINED, "access_denied")


def may_be_too_low(desk: Desk) -> None:
    """Promise that a level below the one asked for is an answer, and that nobody has what was not stated."""
    who = desk.citizen()
    desk.peer.do("vneid_account", str(who["id"]), "lower")
    try:
        endings = {"access_denied": Ending.DECLINED, "unmet": Ending.LEVEL_NOT_MET}
        asks = desk.profile != "A2"
        if asks and desk.spoken["low_level"] == "page":
            with pytest.raises(Lost):
                desk.back()
        elif asks and desk.spoken["low_level"] in endings:
            told, _ = desk.back()
            assert isinstance(told, Ended)
            assert told.ending is endings[desk.spoken["low_level"]]
        else:
            found = desk.signed_in().assurance
            assert found.verdict is (Verdict.TOO_LOW if states_levels(desk) else Verdict.UNSTATED)
            assert not found.enough
        met = desk.signed_in(Level.ONE).assurance
        assert met.enough is states_levels(desk)
    finally:
        desk.peer.do("vneid_account", str(who["id"]), "raise")


def counts_once(desk: Desk) -> None:
    """Promise that a code is good once, for whoever asked, with what belongs to it, and not for long."""
    desk.citizen()
    code, pending = desk.code()
    desk.do("exchange_code", code, pending, desk.client, desk.provider)
    code_again = (code, pending)
    strange = (desk.code()[0], replace(pending, redirect_uri="https://khac.example/cb"))
    late = desk.code()
    for used, waiting in (code_again, strange):
        refused(desk, used, waiting)
    if desk.settings.pkce and (desk.profile == "standard" or desk.spoken["pkce"] in ("checked", "required")):
        stolen, mine = desk.code()
        refused(desk, stolen, replace(mine, verifier=SecretStr("x" * 43)))
    desk.peer.advance(A_LONG_TIME)
    refused(desk, *late)


def refused(desk: Desk, code: SecretStr, pending: Pending) -> None:
    """Check that a code is refused."""
    with pytest.raises(Rejected) as caught:
        desk.do("exchange_code", code, pending, desk.client, desk.provider)
    assert caught.value.reason == "code_refused"


def does_not_mix_people_up(desk: Desk) -> None:
    """Promise that neither a callback nor a token of one sign-in is good for another."""
    desk.citizen()
    address, first = desk.begin()
    query = desk.browse(address)
    _, second = desk.begin()
    assert isinstance(desk.vneid.read_callback(query, second, desk.provider), Strange)
    if desk.settings.nonce:
        code, pending = desk.code()
        tokens = desk.do("exchange_code", code, pending, desk.client, desk.provider)
        with pytest.raises(TokenRefused) as caught:
            desk.proven(tokens, replace(first, verifier=pending.verifier))
        assert caught.value.defect is TokenDefect.NONCE


def ends(desk: Desk) -> None:
    """Promise that revoked tokens count no more, nor those that are over."""
    desk.citizen()
    done = desk.signed_in()
    assert desk.do("introspect", done.tokens, desk.client, desk.provider).active
    assert desk.do("revoke", done.tokens, desk.client, desk.provider)
    over(desk, done)
    assert desk.do("revoke", done.tokens, desk.client, desk.provider)
    done = desk.signed_in()
    desk.peer.advance(A_LONG_TIME)
    over(desk, done)


def over(desk: Desk, done: SignedIn) -> None:
    """Check that the access token is over."""
    with pytest.raises(Rejected) as caught:
        desk.do("userinfo", done.tokens, done.proof, desk.provider)
    assert caught.value.reason == "access_token_refused"
    if desk.profile != "A1":  # A1 is asked with the token itself in the header
        assert not desk.do("introspect", done.tokens, desk.client, desk.provider).active


def goes_on_when_keys_change(desk: Desk) -> None:
    """Promise that a door may change its keys: they are asked for once more, and old tokens do not come back."""
    desk.citizen()
    before = desk.keys
    desk.peer.do("vneid_keys", desk.profile.lower() if desk.profile != "standard" else "op", "rotate")
    code, pending = desk.code()
    tokens = desk.do("exchange_code", code, pending, desk.client, desk.provider)
    with pytest.raises(KeyUnknown):
        desk.vneid.verify(tokens, pending, desk.client, before)
    assert desk.proven(tokens, pending).subject
    assert desk.keys != before


def tells_people_apart_at_one_computer(desk: Desk) -> None:
    """Promise that whoever comes next is asked anew where that is asked for, and is nobody who sat there before."""
    desk.citizen()
    address, pending = desk.begin()
    desk.vneid.read_callback(desk.browse(address), pending, desk.provider)
    second = desk.citizen(1)
    address, pending = desk.begin(again=True)
    told = desk.vneid.read_callback(desk.browse(address), pending, desk.provider)
    assert isinstance(told, Approved)
    tokens = desk.do("exchange_code", told.code, pending, desk.client, desk.provider)
    account = desk.do("userinfo", tokens, desk.proven(tokens, pending), desk.provider).account
    assert account.identity_number.value == second["identity_number"]


def logs_out(desk: Desk) -> None:
    """Promise that the browser's session ends, in each way that the door takes, and that the browser comes home."""
    desk.citizen()
    for changes in ways_out(desk):
        vneid = Vneid(desk.settings.model_copy(update=changes), desk.peer.transport, lambda: datetime.now(UTC))
        done = desk.signed_in()
        told = vneid.logout(done.tokens.id_token, desk.client, desk.provider, SecretStr("trang-thai-thu-nghiem"))
        assert told is not None
        fields = {name: value.get_secret_value() for name, value in told.fields}
        response = desk.send(told.method, told.address, fields)
        if "id_token_hint" not in fields:  # the citizen is asked
            assert response.status_code == 200, changes
            response = desk.send("POST", told.address, {**fields, "confirmed": "yes"})
        place = response.headers["location"]
        assert place.startswith(str(desk.settings.after_logout)), changes
        assert "state=trang-thai-thu-nghiem" in place
        if done.told.logout_uri is not None:
            desk.do("end_linked", done.told.logout_uri)


def ways_out(desk: Desk) -> Iterator[dict[str, str]]:
    """Yield the settings under which a browser may log out at the door as it speaks; the adapter's own come first."""
    yield {}
    form = desk.profile != "A1" or desk.spoken["logout_takes"] == "both"
    for by in ("form", "address") if form else ("address",):
        yield {"logout_by": by, "logout_shows": "id_token_hint"}


PROMISES: Final[Sequence[Callable[[Desk], None]]] = (
    is_who_they_are,
    is_an_organisation_too,
    may_decline,
    may_be_too_low,
    counts_once,
    does_not_mix_people_up,
    ends,
    goes_on_when_keys_change,
    tells_people_apart_at_one_computer,
    logs_out,
)
DEFECTS: Final = {
    "wrong_audience": {TokenDefect.AUDIENCE},
    "wrong_issuer": {TokenDefect.ISSUER},
    "token_expired": {TokenDefect.EXPIRED},
    "token_unsigned": {TokenDefect.ALGORITHM},
    "algorithm_confused": {TokenDefect.ALGORITHM},
    "unknown_key": {TokenDefect.KEY},
    "wrong_signature": {TokenDefect.SIGNATURE},
    "wrong_nonce": {TokenDefect.NONCE},
}
"""Faults of the ID token, and the check that sees each."""
KINDS: Final = [
    ("delivered_twice", "token", {Kind.REJECTED}),
    ("missing_fields", "token", {Kind.CONTRACT_BROKEN}),
    ("wrong_type", "token", {Kind.CONTRACT_BROKEN}),
    ("credential_refused", "token", {Kind.CREDENTIAL_REFUSED}),
    ("error_in_success", "token", {Kind.BUSY, Kind.SYSTEM_FAILED}),
    ("system_fault", "token", {Kind.SYSTEM_FAILED}),
    ("html_ok", "token", {Kind.UNKNOWN_OUTCOME}),
    ("bad_gateway", "token", {Kind.UNKNOWN_OUTCOME}),
    ("busy", "token", {Kind.BUSY}),
    ("truncated", "token", {Kind.UNKNOWN_OUTCOME}),
    ("ack_lost", "token", {Kind.UNKNOWN_OUTCOME}),
    ("reset_after", "token", {Kind.UNKNOWN_OUTCOME}),
    ("missing_fields", "userinfo", {Kind.CONTRACT_BROKEN}),
    ("wrong_type", "userinfo", {Kind.CONTRACT_BROKEN}),
    ("subject_differs", "userinfo", {Kind.CONTRACT_BROKEN}),
    ("unknown_kind", "userinfo", {Kind.CONTRACT_BROKEN}),
    ("session_expired", "userinfo", {Kind.REJECTED}),
    ("credential_refused", "userinfo", {Kind.REJECTED}),
    ("system_fault", "userinfo", {Kind.SYSTEM_FAILED}),
    ("html_ok", "userinfo", {Kind.UNKNOWN_OUTCOME}),
    ("bad_gateway", "userinfo", {Kind.UNKNOWN_OUTCOME}),
    ("busy", "userinfo", {Kind.BUSY}),
]
"""Faults of the other answers, and what each comes to."""


def failed(desk: Desk) -> Failure | None:
    """Return how a sign-in fails, if it does."""
    try:
        desk.signed_in()
    except Failure as failure:
        return failure
    return None


def healed(desk: Desk, fault: Mapping[str, Any]) -> None:
    """End a fault, if it has not come to its end."""
    desk.peer.mocks.admin("DELETE", f"faults?id={fault['id']}")


def refuses_every_bad_token(desk: Desk) -> None:
    """Promise that no ID token with a fault lets anybody in, and that each fault is told by its own word."""
    desk.citizen()
    for what, defects in DEFECTS.items():
        fault = desk.peer.mocks.fault(what, whom={"door": DOOR, "operation": "token"})
        failure = failed(desk)
        healed(desk, fault)
        if what == "wrong_nonce" and not desk.settings.nonce:
            assert failure is None
            continue
        assert isinstance(failure, TokenRefused), (what, failure)
        assert failure.defect in defects, what
    assert desk.signed_in().told.account


def fails_in_our_own_words(desk: Desk) -> None:
    """Promise that every other fault is the failure that it should be, and lets nobody in."""
    desk.citizen()
    for what, operation, kinds in KINDS:
        fault = desk.peer.mocks.fault(what, whom={"door": DOOR, "operation": operation})
        failure = failed(desk)
        healed(desk, fault)
        assert failure is not None, (what, operation)
        assert failure.kind in kinds, (what, operation, failure)


FAULTS: Final = (refuses_every_bad_token, fails_in_our_own_words)
TOUCHES: Final[Mapping[str, Sequence[Callable[[Desk], None]]]] = {
    "denied": (may_decline,),
    "low_level": (may_be_too_low,),
    "level_told": (may_be_too_low,),
    "level_form": (may_be_too_low,),
    "pkce": (counts_once,),
    "nonce": (does_not_mix_people_up,),
    "replay": (counts_once,),
    "refresh_token": (ends,),
    "a1_access": (ends,),
    "post_logout": (logs_out,),
    "logout_ends_tokens": (logs_out,),
}
"""Dialects that another promise hangs on than who somebody is."""
SEVERAL: Final[Sequence[Mapping[str, Any]]] = (*one_at_a_time(Dialects, NUMBERS), *extremes(Dialects, NUMBERS))


def spoken(changes: Mapping[str, Any]) -> str:
    """Return the name of a case."""
    return "-".join(f"{name}={value}" for name, value in changes.items()) if len(changes) == 1 else "mixed"


@pytest.fixture(scope="module")
def mounted() -> Iterator[Peer]:
    """Return a peer of mocks in this process."""
    with in_process() as peer:
        yield peer


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("promise", [*PROMISES, *FAULTS], ids=lambda one: str(one.__name__))
def test_in_process(mounted: Peer, profile: str, promise: Callable[[Desk], None]) -> None:
    """Mounted in process, each promise is kept at each kind of door."""
    mounted.speak(DOOR, Dialects().model_dump())
    promise(Desk(mounted, profile))


@pytest.mark.parametrize("changes", SEVERAL, ids=spoken)
def test_in_every_dialect(mounted: Peer, changes: Mapping[str, Any]) -> None:
    """In every dialect it is who they are, and what hangs on it is kept; in mixtures every promise at every door."""
    mounted.speak(DOOR, Dialects().model_dump() | changes)
    if len(changes) > 1:
        for profile in PROFILES:
            for promise in (*PROMISES, *(FAULTS if profile == "A1" else ())):
                promise(Desk(mounted, profile))
        return
    for promise in (is_who_they_are, *TOUCHES.get(next(iter(changes)), ())):
        promise(Desk(mounted, "A1"))


def test_over_sockets() -> None:
    """As a process, over the real carrier, people sign in and out at each kind of door."""
    with over_sockets() as peer:
        for profile in PROFILES:
            desk = Desk(peer, profile)
            for promise in (is_who_they_are, logs_out):
                promise(desk)
