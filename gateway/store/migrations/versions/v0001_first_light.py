"""Clients, keys, agencies, switches; the audit with its attempts; who changed what.

Times are microseconds since 1970 in UTC (`gateway.store.times`). `configuration` counts the changes to whatever is in
the snapshot, so that a reader that sees some commit can tell at the cost of one row whether it has to read again.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE key_check (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL,
        made_at INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE configuration (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE agency (
        code TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        added_at INTEGER NOT NULL,
        closed_at INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE client (
        name TEXT PRIMARY KEY,
        created_at INTEGER NOT NULL,
        per_minute INTEGER CHECK (per_minute > 0),
        per_day INTEGER CHECK (per_day > 0),
        officer_per_minute INTEGER CHECK (officer_per_minute > 0),
        officer_per_day INTEGER CHECK (officer_per_day > 0)
    ) STRICT
    """,
    """
    CREATE TABLE client_scope (
        client TEXT NOT NULL REFERENCES client (name),
        scope TEXT NOT NULL,
        PRIMARY KEY (client, scope)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE client_agency (
        client TEXT NOT NULL REFERENCES client (name),
        agency TEXT NOT NULL REFERENCES agency (code),
        PRIMARY KEY (client, agency)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE client_key (
        id TEXT PRIMARY KEY,
        client TEXT NOT NULL REFERENCES client (name),
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER
    ) STRICT
    """,
    "CREATE INDEX client_key_of ON client_key (client)",
    """
    CREATE TABLE switch (
        system TEXT PRIMARY KEY,
        paused_by TEXT NOT NULL,
        why TEXT NOT NULL,
        since INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE change (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        made_by TEXT NOT NULL,
        what TEXT NOT NULL,
        name TEXT NOT NULL,
        why TEXT
    ) STRICT
    """,
    """
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        call TEXT NOT NULL UNIQUE,
        asked_at INTEGER NOT NULL,
        client TEXT NOT NULL,
        agency TEXT NOT NULL,
        officer TEXT NOT NULL,
        procedure TEXT NOT NULL,
        dossier TEXT,
        system TEXT NOT NULL,
        operation TEXT NOT NULL,
        subject TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'open',
        kind TEXT,
        layer TEXT,
        reason TEXT,
        code TEXT,
        may_have_acted TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        finished_at INTEGER,
        seconds REAL
    ) STRICT
    """,
    "CREATE INDEX audit_asked ON audit (asked_at)",
    "CREATE INDEX audit_open ON audit (number) WHERE state = 'open'",
    """
    CREATE TABLE attempt (
        call TEXT NOT NULL REFERENCES audit (call) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        request_id TEXT NOT NULL,
        opened_at INTEGER NOT NULL,
        closed_at INTEGER,
        state TEXT NOT NULL DEFAULT 'open',
        kind TEXT,
        layer TEXT,
        reason TEXT,
        code TEXT,
        may_have_acted TEXT,
        retry_after REAL,
        seconds REAL,
        evidence TEXT,
        PRIMARY KEY (call, ordinal)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX attempt_opened ON attempt (opened_at)",
    "INSERT INTO configuration (one, version) VALUES (1, 1)",
)
_WATCHED = ("agency", "client", "client_scope", "client_agency", "client_key", "switch")


def upgrade() -> None:
    """Make the tables, and a trigger for each change to what the snapshot holds."""
    for statement in _TABLES:
        op.execute(statement)
    for table in _WATCHED:
        for event in ("INSERT", "UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {table} "  # noqa: S608 - names from above
                "BEGIN UPDATE configuration SET version = version + 1; END"
            )
