"""The three providers behind this door: at which path each does what, what it calls itself, where its pages are.

All stand at the root and below the door's path; below `/vneid/@name` they are those of the namespace `name`, so that a
whole provider with its own keys, clients and citizens can be had by its address alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mocks.doors import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mocks.doors.vneid.settings import Dialects

DISCOVERY: Final = "/.well-known/openid-configuration"
REALM: Final = "/auth/realms/citizen"
CONNECT: Final = f"{REALM}/protocol/openid-connect"
COMMONAUTH: Final = "/commonauth"
ALIASES: Final = (
    "/oauth2",
    "/authenticationendpoint",
    COMMONAUTH,
    "/oidc",
    "/auth",
    "/api/idp/third-party",
    "/op",
    DISCOVERY,
)
GET, POST, BOTH = ("GET",), ("POST",), ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Face:
    """One provider. `paths` are the places of its operations, the first one that it names itself."""

    name: str
    title: str
    paths: Mapping[str, str]
    page: str
    """Where its page is on which a citizen signs in."""

    def issuer(self, base: str, dialects: Dialects) -> str:
        """Return what it calls itself, at a base address."""
        match self.name:
            case "a1":
                return f"{base}/oauth2/token" if dialects.a1_issuer == "token_endpoint" else base
            case "a2":
                return f"{base}{REALM}"
            case _:
                return base


@dataclass(frozen=True, slots=True)
class Place:
    """What is to be done at a path: by which provider, and with which methods it may be asked."""

    face: Face
    operation: str
    methods: tuple[str, ...]


A1: Final = Face(
    "a1",
    "Hệ thống xác thực Cổng Dịch vụ công quốc gia",
    {
        "discovery": f"/oauth2/token{DISCOVERY}",
        "jwks": "/oauth2/jwks",
        "authorize": "/oauth2/authorize",
        "federate": COMMONAUTH,
        "token": "/oauth2/token",
        "userinfo": "/oauth2/userinfo",
        "introspect": "/oauth2/introspect",
        "revoke": "/oauth2/revoke",
        "logout": "/oidc/logout",
    },
    "/authenticationendpoint/login.do",
)
A2: Final = Face(
    "a2",
    "Đăng nhập bằng tài khoản định danh điện tử (VNeID)",
    {
        "discovery": f"{REALM}{DISCOVERY}",
        "jwks": f"{CONNECT}/certs",
        "authorize": "/auth",
        "token": f"{CONNECT}/token",
        "userinfo": f"{CONNECT}/userinfo",
        "introspect": f"{CONNECT}/token/introspect",
        "revoke": f"{CONNECT}/revoke",
        "logout": f"{CONNECT}/logout",
        "view_info": "/api/idp/third-party/view-info",
        "idp_logout": "/api/idp/third-party/logout",
    },
    f"{REALM}/login-actions/authenticate",
)
OP: Final = Face(
    "op",
    "Đăng nhập định danh điện tử",
    {
        "discovery": DISCOVERY,
        "jwks": "/op/jwks",
        "authorize": "/op/authorize",
        "token": "/op/token",
        "userinfo": "/op/userinfo",
        "introspect": "/op/introspect",
        "revoke": "/op/revoke",
        "logout": "/op/logout",
    },
    "/op/login",
)
FACES: Final = {face.name: face for face in (A1, A2, OP)}
METHODS: Final = {
    "discovery": GET,
    "jwks": GET,
    "authorize": BOTH,
    "federate": BOTH,
    "token": POST,
    "userinfo": BOTH,
    "introspect": POST,
    "revoke": POST,
    "logout": BOTH,
    "view_info": GET,
    "idp_logout": GET,
}


def _places() -> dict[str, Place]:
    places = {
        path: Place(face, operation, METHODS[operation])
        for face in FACES.values()
        for operation, path in face.paths.items()
    }
    places[f"{CONNECT}/auth"] = Place(A2, "authorize", BOTH)
    for face in FACES.values():
        places[face.page] = Place(face, "login", BOTH)
    return places


PLACES: Final = _places()
NAMESPACED: Final = re.compile(r"/@([a-z0-9][a-z0-9._-]{0,62})(?=/|$)")


@dataclass(frozen=True, slots=True)
class Way:
    """A path taken apart: what stands before a provider's own path, the namespace in it, and what is there."""

    prefix: str
    namespace: str | None
    place: Place | None
    method: str

    @property
    def operation(self) -> str:
        """The operation, `unknown` where there is none. The page is read with GET and answered with POST."""
        if self.place is None or self.method not in self.place.methods:
            return UNKNOWN
        return "decide" if self.place.operation == "login" and self.method == "POST" else self.place.operation


def way(method: str, path: str, door: str) -> Way:
    """Take a path apart."""
    prefix, rest, namespace = "", path, None
    if path == door or path.startswith(f"{door}/"):
        prefix, rest = door, path.removeprefix(door)
        named = NAMESPACED.match(rest)
        if named:
            namespace, prefix, rest = named[1], prefix + named[0], rest[named.end() :]
    return Way(prefix, namespace, PLACES.get(rest), method)
