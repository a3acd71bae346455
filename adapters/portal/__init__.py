"""The National Public Service Portal (Cổng Dịch vụ công quốc gia): dossiers and their progress go up. See README.md."""

from adapters.portal.codes import StatusLabel, status_label, word_of
from adapters.portal.credential import Account, Credential
from adapters.portal.operations import Declarations, Portal
from adapters.portal.settings import AccountSettings, AgencySettings, AnswerSettings, PathForm, PortalSettings

__all__ = [
    "Account",
    "AccountSettings",
    "AgencySettings",
    "AnswerSettings",
    "Credential",
    "Declarations",
    "PathForm",
    "Portal",
    "PortalSettings",
    "StatusLabel",
    "status_label",
    "word_of",
]
