#!/usr/bin/env python3
"""Write `gateway/store/migrations/newest.sql`, after a new version: what alembic runs on an empty SQLite database."""

from __future__ import annotations

from gateway.store import migrations

HEAD = "-- Written by tools/newest_tables.py from the versions beside it: do not edit.\n\n"


def text() -> str:
    """Return what the file should be."""
    lines = migrations.script(None, dialect="sqlite").splitlines()
    return HEAD + "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


if __name__ == "__main__":
    migrations.NEWEST.write_text(text(), encoding="utf-8")
