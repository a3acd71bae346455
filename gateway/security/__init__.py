"""Who may call the gateway and for what: client keys, scopes, agencies, quotas, and pseudonyms for the audit.

Decisions only; what is decided about is kept by `gateway.store`, and becomes HTTP in `gateway.api`.
"""

from gateway.security.authentication import Refusal, RefusalReason, authenticate, authorize
from gateway.security.clients import UNLIMITED, Client, ClientKey, Directory, Identity, Quota
from gateway.security.keys import IssuedKey, issue
from gateway.security.quota import QuotaBook
from gateway.security.scopes import Scope
from gateway.security.subjects import Subjects
from gateway.security.visitors import Visitors

__all__ = [
    "UNLIMITED",
    "Client",
    "ClientKey",
    "Directory",
    "Identity",
    "IssuedKey",
    "Quota",
    "QuotaBook",
    "Refusal",
    "RefusalReason",
    "Scope",
    "Subjects",
    "Visitors",
    "authenticate",
    "authorize",
    "issue",
]
