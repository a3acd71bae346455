"""Which database a DSN means, in words that may be shown: a DSN itself holds a password."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit


def place_of(dsn: str) -> str:
    """Return hosts and database, without who we are there and how we prove it."""
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return "PostgreSQL"
    hosts = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", ["localhost"]))
    return f"{hosts}{parts.path}"
