"""The national systems as one process holds them: adapter, pipeline and transport, put together from the settings.

One module for each system, all of the same shape. Nothing here decides anything; it only says what is made of what.
"""

from gateway.systems.draft import Draft
from gateway.systems.link import Link, System
from gateway.systems.partner import PartnerSystem
from gateway.systems.population import PopulationSystem
from gateway.systems.portal import PortalSystem
from gateway.systems.vneid import VneidSystem

__all__ = ["Draft", "Link", "PartnerSystem", "PopulationSystem", "PortalSystem", "System", "VneidSystem"]
