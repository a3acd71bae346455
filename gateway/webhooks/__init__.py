"""Webhooks: endpoints of clients that are told of events, each by signed messages in order, none harming another.

`Webhooks` is the way in. Each message is a delivery (`gateway.delivery`) of a system that is one endpoint; `book` keeps
the endpoints, `keeper` gives them their messages out of the feed, `outlet` has them sent by `adapters.webhook`.
"""

from gateway.webhooks.front import Webhooks
from gateway.webhooks.settings import WebhooksSettings
from gateway.webhooks.values import TYPES, Endpoint, Issued, Refusal, event_id, type_of

__all__ = ["TYPES", "Endpoint", "Issued", "Refusal", "Webhooks", "WebhooksSettings", "event_id", "type_of"]
