"""What is agreed at each edge: the gateway's own vocabulary, and each partner's wire contract as data.

This package sends nothing and stores nothing.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
"""The time zone of every wall-clock time. A machine without time-zone data gets it from the `tzdata` package."""
