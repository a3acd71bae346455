"""The partners of chaos runs: each is driven, harmed and judged by the same hand."""

from typing import Final

from tests.support.durable.partners.portal import Portal
from tests.support.durable.partners.synthetic import Synthetic

PORTAL: Final = Portal()
SYNTHETIC: Final = Synthetic()

__all__ = ["PORTAL", "SYNTHETIC"]
