"""What the providers add to the world: sign-ins, browsers that are signed in, accounts, callers, keys, the autopilot.

What a citizen does on the page a test may do by a simulator verb: the sign-in is the same afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, StringConstraints

from mocks.doors.vneid.faces import FACES
from mocks.world import Lifecycle, Refused, Resource, Verb
from mocks.world.registry import CITIZEN, ID
from mocks.world.shaped import Shape, Shaped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.doors.vneid.settings import VneidDoorSettings
    from mocks.world import Change, Kind, Turn

SIGN_IN, SESSION, ACCOUNT, CLIENT = "vneid_sign_in", "vneid_session", "vneid_account", "vneid_client"
KEYS, AUTOPILOT = "vneid_keys", "vneid_autopilot"
STARTED, CONFIRMING, APPROVED, DENIED = "started", "confirming", "approved", "denied"
REDEEMED, ENDED, ACTIVE = "redeemed", "ended", "active"
ON_ITS_WAY = (STARTED, CONFIRMING)
BY_LAW, LEVEL_1, LEVEL_2, LOCKED, OPEN = "level_by_law", "level_1", "level_2", "locked", "open"
IN_USE, BY_HAND, APPROVES, DENIES = "in_use", "by_hand", "approves", "denies"
PILOT: Final = "citizen"
PERSON: Final = "person"

Text = Annotated[str, StringConstraints(max_length=4000)]
Count = Annotated[int, Field(ge=0)]
Citizen = Annotated[int, Field(ge=0, le=999_999)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Texts = Annotated[list[Text], Field(default_factory=list)]


class _SignInFields(Shape):
    face: Text = ""
    client: Text = ""
    """As the caller named itself, a namespace behind it included."""
    redirect_uri: Text = ""
    scope: Text = ""
    echo: Text | None = None
    """`state`, as the caller wants it back."""
    nonce: Text | None = None
    acr: Texts
    challenge: Text | None = None
    method: Text = ""
    prefix: Text = ""
    """What stands before the paths of the pages."""
    parent: Text = ""
    """The sign-in with A1 that this one with A2 is part of."""
    inner: Text = ""
    """The other way round."""
    idp: Text = ""
    begun_at: Seconds = 0
    qr_at: Seconds = 0
    citizen: Citizen | None = None
    account: Text = ""
    approved_at: Seconds = 0
    session: Text = ""
    code_at: Seconds | None = None
    """When the code was made."""
    tokens: Count = 0
    """How often tokens were issued."""
    access: Texts
    """Digests of the access tokens that count."""
    refresh: Text = ""
    issued_at: Seconds = 0


class _SessionFields(Shape):
    face: Text = ""
    citizen: Citizen = 0
    account: Text = ""
    begun_at: Seconds = 0
    sign_ins: Texts


class _AccountFields(Shape):
    email: Text | None = None
    phone: Text | None = None


class _ClientFields(Shape):
    sign_ins: Count = 0
    redirect_uris: Texts
    post_logout_redirect_uris: Texts


class _KeyFields(Shape):
    current: Annotated[int, Field(ge=1)] = 1
    published: Annotated[list[int], Field(default_factory=list)]


class _PilotFields(Shape):
    citizens: Annotated[list[Citizen], Field(default_factory=list)]
    account: Text = PERSON


SIGN_INS = Lifecycle(
    kind=SIGN_IN,
    starts=(STARTED,),
    verbs={
        "federate": Verb((STARTED,), None, "The citizen chooses an identity provider.", ("idp",)),
        "renew_qr": Verb((STARTED,), None, "The citizen has the QR code made anew.", ("qr_at",)),
        "identify": Verb((STARTED,), CONFIRMING, "It is known who it is; the app asks.", ("citizen", "account")),
        "approve": Verb(ON_ITS_WAY, APPROVED, "The citizen agrees.", ("citizen", "account", "approved_at", "inner")),
        "deny": Verb(ON_ITS_WAY, DENIED, "The citizen does not agree."),
        "signed_in": Verb((APPROVED,), None, "The browser is signed in with the provider.", ("session", "code_at")),
        "redeem": Verb(
            (APPROVED, REDEEMED), REDEEMED, "The code is exchanged.", ("tokens", "access", "refresh", "issued_at")
        ),
        "refresh": Verb((REDEEMED,), None, "More tokens are issued.", ("tokens", "access", "refresh", "issued_at")),
        "revoke": Verb((APPROVED, REDEEMED), ENDED, "Its tokens count no more."),
    },
)
SESSIONS = Lifecycle(
    kind=SESSION,
    starts=(ACTIVE,),
    verbs={
        "use": Verb((ACTIVE,), None, "The browser signs in once more, without being asked.", ("sign_ins",)),
        "end": Verb((ACTIVE,), ENDED, "The citizen logs out, or the provider ends it."),
    },
)
EVERY_ACCOUNT = (BY_LAW, LEVEL_1, LEVEL_2, LOCKED)
ACCOUNTS = Lifecycle(
    kind=ACCOUNT,
    starts=(BY_LAW,),
    verbs={
        "lower": Verb((BY_LAW, LEVEL_2), LEVEL_1, "The account has level 1 only."),
        "raise": Verb((BY_LAW, LEVEL_1), LEVEL_2, "The police have raised the account to level 2."),
        "lock": Verb((BY_LAW, LEVEL_1, LEVEL_2), LOCKED, "The account is locked."),
        "unlock": Verb((LOCKED,), BY_LAW, "The account is unlocked."),
        "contact": Verb(
            EVERY_ACCOUNT, None, "The citizen states e-mail and telephone, or has none.", ("email", "phone")
        ),
    },
)
REGISTERED = ("redirect_uris", "post_logout_redirect_uris")
CLIENTS = Lifecycle(
    kind=CLIENT,
    starts=(OPEN,),
    verbs={
        "sign_in": Verb((OPEN,), None, "One more sign-in begins.", ("sign_ins",)),
        "register": Verb((OPEN, LOCKED), None, "The operator registers other addresses.", REGISTERED),
        "lock": Verb((OPEN,), LOCKED, "The operator locks the caller."),
        "unlock": Verb((LOCKED,), OPEN, "The operator unlocks it."),
    },
)
ALL_KEYS = Lifecycle(
    kind=KEYS,
    starts=(IN_USE,),
    verbs={
        "announce": Verb((IN_USE,), None, "The next key is published and not used yet."),
        "rotate": Verb((IN_USE,), None, "The next key signs; the one before stays published."),
        "retire": Verb((IN_USE,), None, "Only the key that signs stays published."),
    },
)
EVERY_WAY = (BY_HAND, APPROVES, DENIES)
AUTOPILOTS = Lifecycle(
    kind=AUTOPILOT,
    starts=(BY_HAND,),
    verbs={
        "approve": Verb(
            EVERY_WAY, APPROVES, "Every sign-in is approved at once, by these in turn.", ("citizens", "account")
        ),
        "deny": Verb(EVERY_WAY, DENIES, "Every sign-in is denied at once."),
        "by_hand": Verb(EVERY_WAY, BY_HAND, "Somebody has to do something again."),
    },
)


@dataclass(frozen=True, slots=True)
class _People(Shaped):
    """A kind whose fields name citizens and accounts: those have to be there."""

    accounts: tuple[str, ...] = ()

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return the fields, completed. Raises `Refused` for somebody who is not there."""
        fields = dict(Shaped.check(self, before, change, turn))
        if fields.get("account", PERSON) not in (PERSON, *self.accounts):
            raise Refused(f"account: there is {', '.join((PERSON, *self.accounts))}")
        citizen = fields.get("citizen")
        for one in (*fields.get("citizens", ()), *(() if citizen is None else (citizen,))):
            if turn.get(CITIZEN, str(one)) is None:
                raise Refused("there is no such citizen")
        if change.verb != "approve" or change.kind != SIGN_IN or before is None:
            return fields
        if fields.get("citizen", before.fields.get("citizen")) is None:
            raise Refused("state which citizen agrees")
        return {"account": before.fields.get("account") or PERSON, "approved_at": change.at, **fields}


@dataclass(frozen=True, slots=True)
class _Keys(Shaped):
    """The keys of each provider: a verb says what is done, which keys those are then follows."""

    def check(self, before: Resource | None, change: Change, turn: Turn) -> Mapping[str, Any]:
        """Return which key signs and which are published."""
        Shaped.check(self, before, change, turn)
        current, published = (1, [1]) if before is None else (before.fields["current"], before.fields["published"])
        following = current + 1
        with_next = [*published, *(() if following in published else (following,))]
        match change.verb:
            case "announce":
                return {"published": with_next}
            case "rotate":
                return {"current": following, "published": with_next}
            case _:
                return {"published": [current]}


@dataclass(frozen=True, slots=True)
class _Accounts(Shaped):
    """Everybody has an account of which nothing has been said yet; whether they may is for the law to say."""

    seeds: Mapping[str, Resource] = field(default_factory=dict, init=False)

    def seeded(self, resource_id: str) -> Resource | None:
        """Return an account by the id of its citizen."""
        return Resource(ACCOUNT, resource_id, BY_LAW) if ID.fullmatch(resource_id) else None


def kinds(settings: VneidDoorSettings) -> tuple[Kind, ...]:
    """Return the kinds, seeded with those who may send citizens here."""
    accounts = tuple(one.account for one in settings.organisations)
    clients = {
        one.username: Resource(
            CLIENT,
            one.username,
            OPEN,
            {
                "redirect_uris": list(one.redirect_uris),
                "post_logout_redirect_uris": list(one.post_logout_redirect_uris),
            },
        )
        for one in settings.accounts
    }
    keys = {name: Resource(KEYS, name, IN_USE, {"current": 1, "published": [1]}) for name in FACES}
    return (
        _People(SIGN_INS, _SignInFields, accounts=accounts),
        Shaped(SESSIONS, _SessionFields),
        _Accounts(ACCOUNTS, _AccountFields),
        Shaped(CLIENTS, _ClientFields, clients),
        _Keys(ALL_KEYS, _KeyFields, keys),
        _People(AUTOPILOTS, _PilotFields, {PILOT: Resource(AUTOPILOT, PILOT, BY_HAND)}, accounts=accounts),
    )
