"""The admin API under `/__mock__/`: faults, clock, world, ledger, dialects, namespaces."""

from mocks.control.routes import ROOT, Control

__all__ = ["ROOT", "Control"]
