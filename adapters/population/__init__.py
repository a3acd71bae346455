"""The population database, as an adapter: verify and lookup, over contract variant P1. See README.md."""

from adapters.population.credential import Credential
from adapters.population.operations import Population
from adapters.population.settings import AgencySettings, CredentialSettings, NameForm, PopulationSettings

__all__ = ["AgencySettings", "Credential", "CredentialSettings", "NameForm", "Population", "PopulationSettings"]
