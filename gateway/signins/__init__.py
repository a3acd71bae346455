"""Sign-ins of citizens: made by a client, gone through by a browser, claimed by the client.

`SignIns` is the way in. `policy` says what may happen, `steps` does it in the database, `way_out` ends a session,
`sweeper` ends what nobody came back to. What the door is asked goes through `gateway.systems.vneid`.
"""

from gateway.signins.policy import Notice, Outcome, Refusal
from gateway.signins.service import SignIns
from gateway.signins.settings import CALLBACK, LEFT, SignInsSettings
from gateway.signins.sweeper import Sweeper
from gateway.signins.values import (
    Asking,
    Claimed,
    Cookie,
    Door,
    Ended,
    Form,
    Go,
    LoggedOut,
    Made,
    Show,
    SignedIn,
    Tokens,
)

__all__ = [
    "CALLBACK",
    "LEFT",
    "Asking",
    "Claimed",
    "Cookie",
    "Door",
    "Ended",
    "Form",
    "Go",
    "LoggedOut",
    "Made",
    "Notice",
    "Outcome",
    "Refusal",
    "Show",
    "SignIns",
    "SignInsSettings",
    "SignedIn",
    "Sweeper",
    "Tokens",
]
