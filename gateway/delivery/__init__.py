"""Durable delivery: what was accepted is carried out once, in order, whatever is killed on the way.

`Deliveries` is the way in. What happens next is decided in `policy`, without a clock or a database; what is written is
in `accept`, `steps` and `person`, each function one transaction; `worker` and `flight` have it done. `feed` is what
others read of it; `replays` sets many going again, one after another.
"""

from gateway.delivery.dossiers import Asked, DossierView, Mark, Timeline, Written
from gateway.delivery.engine import Deliveries
from gateway.delivery.feed import FeedGone, FeedPage, cursor, position_of
from gateway.delivery.flows import DONE, Finished, Flow, Standing, Step, Turn
from gateway.delivery.replay_policy import Choice, Obstacle, ReplayRefusal, ReplayState, StopRule
from gateway.delivery.replays import Preview, Replay, Replays
from gateway.delivery.settings import DeliverySettings
from gateway.delivery.values import (
    Accepted,
    BacklogFull,
    Changed,
    Delivery,
    DossierRef,
    DossierRefusal,
    ForeignDossier,
    Found,
    KeyReused,
    Order,
    OtherDossiers,
    Outlet,
    Refusal,
    Refused,
    Resolution,
    RevisionOlder,
    Ruling,
    SentAs,
    Submission,
    Word,
    Write,
)

__all__ = [
    "DONE",
    "Accepted",
    "Asked",
    "BacklogFull",
    "Changed",
    "Choice",
    "Deliveries",
    "Delivery",
    "DeliverySettings",
    "DossierRef",
    "DossierRefusal",
    "DossierView",
    "FeedGone",
    "FeedPage",
    "Finished",
    "Flow",
    "ForeignDossier",
    "Found",
    "KeyReused",
    "Mark",
    "Obstacle",
    "Order",
    "OtherDossiers",
    "Outlet",
    "Preview",
    "Refusal",
    "Refused",
    "Replay",
    "ReplayRefusal",
    "ReplayState",
    "Replays",
    "Resolution",
    "RevisionOlder",
    "Ruling",
    "SentAs",
    "Standing",
    "Step",
    "StopRule",
    "Submission",
    "Timeline",
    "Turn",
    "Word",
    "Write",
    "Written",
    "cursor",
    "position_of",
]
