"""The synthetic partner, as an adapter: writes of each kind of repetition, look-ups, log-in. See README.md."""

from adapters.partner.credential import Account, Credential
from adapters.partner.operations import Declarations, Partner
from adapters.partner.settings import AccountSettings, PartnerSettings

__all__ = ["Account", "AccountSettings", "Credential", "Declarations", "Partner", "PartnerSettings"]
