"""Signing in with VNeID: an OpenID Connect relying party for the national doors. See README.md."""

from adapters.vneid.codes import Ending
from adapters.vneid.credential import Client
from adapters.vneid.operations import Declarations, Vneid
from adapters.vneid.settings import (
    AgencySettings,
    ClientAuthentication,
    ClientSettings,
    LevelWord,
    PathSettings,
    Profile,
    VneidSettings,
)
from adapters.vneid.values import (
    Approved,
    Callback,
    CallbackDefect,
    Departure,
    Ended,
    IdToken,
    Logout,
    Pending,
    Provider,
    Strange,
    Tokens,
    TokenState,
    Userinfo,
)
from adapters.vneid.wire.id_token import KeyUnknown, TokenDefect, TokenRefused
from adapters.vneid.wire.keys import Keys

__all__ = [
    "AgencySettings",
    "Approved",
    "Callback",
    "CallbackDefect",
    "Client",
    "ClientAuthentication",
    "ClientSettings",
    "Declarations",
    "Departure",
    "Ended",
    "Ending",
    "IdToken",
    "KeyUnknown",
    "Keys",
    "LevelWord",
    "Logout",
    "PathSettings",
    "Pending",
    "Profile",
    "Provider",
    "Strange",
    "TokenDefect",
    "TokenRefused",
    "TokenState",
    "Tokens",
    "Userinfo",
    "Vneid",
    "VneidSettings",
]
