"""Durable delivery: what was accepted is carried out once, in order, whatever is killed on the way.

`Deliveries` is the way in. What happens next is decided in `policy`, without a clock or a database; what is written is
in `accept`, `steps` and `person`, each function one transaction; `worker` and `flight` have it done. `feed` is what
others read of it; `replays` sets many going again, one after another.
"""

from gateway.delivery.engine import Deliveries
from gateway.delivery.feed import FeedGone, FeedPage, cursor, position_of
from gateway.delivery.replay_policy import Choice, Obstacle, ReplayRefusal, ReplayState, StopRule
from gateway.delivery.replays import Preview, Replay, Replays
from gateway.delivery.settings import DeliverySettings
from gateway.delivery.values import (
    Accepted,
    BacklogFull,
    Changed,
    Delivery,
    Found,
    KeyReused,
    Order,
    Outlet,
    Refusal,
    Refused,
    Resolution,
    Ruling,
    Submission,
    Word,
    Write,
)

__all__ = [
    "Accepted",
    "BacklogFull",
    "Changed",
    "Choice",
    "Deliveries",
    "Delivery",
    "DeliverySettings",
    "FeedGone",
    "FeedPage",
    "Found",
    "KeyReused",
    "Obstacle",
    "Order",
    "Outlet",
    "Preview",
    "Refusal",
    "Refused",
    "Replay",
    "ReplayRefusal",
    "ReplayState",
    "Replays",
    "Resolution",
    "Ruling",
    "StopRule",
    "Submission",
    "Word",
    "Write",
    "cursor",
    "position_of",
]
