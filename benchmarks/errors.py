"""What stops a run."""

from __future__ import annotations


class BenchError(Exception):
    """The run cannot go on; the text says why and where to look."""
