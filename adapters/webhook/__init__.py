"""Webhooks, as an adapter: one signed message to somebody who wants to be told. See README.md."""

from adapters.webhook.credential import Secrets, new_secret
from adapters.webhook.operations import Message, Webhook, declared
from adapters.webhook.settings import TargetSettings, WebhookSettings
from adapters.webhook.targets import Target, target

__all__ = [
    "Message",
    "Secrets",
    "Target",
    "TargetSettings",
    "Webhook",
    "WebhookSettings",
    "declared",
    "new_secret",
    "target",
]
