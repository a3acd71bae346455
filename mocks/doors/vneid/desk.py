"""One request with all that decides about it: who asks, whose sign-in it is, which addresses are shown to whom."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mocks.doors.vneid.faces import A2, COMMONAUTH, FACES
from mocks.doors.vneid.kinds import CLIENT, KEYS, LOCKED, SIGN_IN
from mocks.doors.vneid.settings import Account

if TYPE_CHECKING:
    from mocks.doors import Site
    from mocks.doors.vneid.faces import Face
    from mocks.doors.vneid.query import Query
    from mocks.doors.vneid.settings import Dialects, VneidDoorSettings
    from mocks.world import Resource

CONNECTION: Final = "vnconnect"
"""A1 as a caller of A2."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One request at one provider."""

    query: Query
    site: Site[Dialects]
    settings: VneidDoorSettings

    @property
    def face(self) -> Face:
        """The provider."""
        return self.query.face

    @property
    def dialects(self) -> Dialects:
        """How it speaks."""
        return self.site.dialects

    @property
    def now(self) -> float:
        """The provider's own idea of the time, in seconds since 1970."""
        return self.site.now.timestamp()

    def client(self, name: str) -> Account | None:
        """Return who may send citizens here under a name, a namespace of the mocks cut off; `None` if locked."""
        plain = name.partition("+")[0]
        if self.face is A2 and plain == CONNECTION:
            here = f"{self.query.base}{self.pages(name)}{COMMONAUTH}"
            return Account(agency="", username=CONNECTION, secret="", redirect_uris=(here,))
        resource = self.site.world.get(CLIENT, plain)
        if resource is None or resource.state == LOCKED:
            return None
        known = next(one for one in self.settings.accounts if one.username == plain)
        return known.model_copy(
            update={
                "redirect_uris": tuple(resource.fields["redirect_uris"]),
                "post_logout_redirect_uris": tuple(resource.fields["post_logout_redirect_uris"]),
            }
        )

    def pages(self, client: str) -> str:
        """Return what stands before the paths of what a browser is shown: it goes on in its caller's namespace."""
        _, plus, namespace = client.partition("+")
        return f"{self.settings.path}/@{namespace}" if plus and self.query.namespace is None else self.query.prefix

    def page(self, client: str, face: Face | None = None) -> str:
        """Return where a provider's page is."""
        return f"{self.query.base}{self.pages(client)}{(face or self.face).page}"

    def issuer(self, face: Face | None = None, prefix: str | None = None) -> str:
        """Return what a provider calls itself."""
        before = self.query.prefix if prefix is None else prefix
        return (face or self.face).issuer(f"{self.query.base}{before}", self.dialects)

    def address(self, operation: str, face: Face | None = None, client: str = "") -> str:
        """Return where an operation of a provider is had."""
        return f"{self.query.base}{self.pages(client)}{(face or self.face).paths[operation]}"

    def sign_in(self, name: str) -> Resource | None:
        """Return a sign-in with this provider."""
        found = self.site.world.get(SIGN_IN, name) if name else None
        return found if found is not None and found.fields["face"] == self.face.name else None

    def do(self, sign_in: Resource, verb: str, **fields: Any) -> Resource:
        """Move a sign-in."""
        return self.site.world.do(SIGN_IN, sign_in.id, verb, **fields)

    def keys(self, face: Face | None = None) -> Resource:
        """Return which keys a provider has in use."""
        found = self.site.world.get(KEYS, (face or self.face).name)
        if found is None:
            raise LookupError("every provider has its keys")
        return found

    def kid(self, number: int, face: Face | None = None) -> str:
        """Return how a provider calls a key."""
        return f"{(face or self.face).name}-{self.digest('key')[:8]}-{number}"

    def digest(self, *parts: object) -> str:
        """Return what only the seed and these parts decide."""
        return digest(self.site.seed, *parts)


def digest(seed: int, *parts: object) -> str:
    """Return 32 hexadecimal digits that only the seed and these parts decide."""
    return hashlib.sha256("\x1f".join(map(str, (seed, "vneid", *parts))).encode()).hexdigest()[:32]


def face_of(sign_in: Resource) -> Face:
    """Return the provider that a sign-in is with."""
    return FACES[sign_in.fields["face"]]


def through_a1(sign_in: Resource) -> bool:
    """Say whether this is A2's part of a sign-in with A1."""
    return bool(sign_in.fields.get("client", "").partition("+")[0] == CONNECTION)
