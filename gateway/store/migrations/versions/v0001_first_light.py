"""Clients, keys, agencies, switches; the audit with its attempts; who changed what.

Times are microseconds since 1970 in UTC (`gateway.store.times`). `configuration` counts the changes to whatever is in
the snapshot, so that a reader that sees some commit can tell at the cost of one row whether it has to read again.
"""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import Words, words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _tables(sql: Words) -> tuple[str, ...]:
    return (
        f"""
    CREATE TABLE key_check (
        key {sql.text} PRIMARY KEY,
        value {sql.text} NOT NULL,
        made_at {sql.integer} NOT NULL
    ){sql.strict}
    """,
        f"""
    CREATE TABLE configuration (
        one {sql.integer} PRIMARY KEY CHECK (one = 1),
        version {sql.integer} NOT NULL
    ){sql.strict}
    """,
        f"""
    CREATE TABLE agency (
        code {sql.text} PRIMARY KEY,
        name {sql.text} NOT NULL,
        added_at {sql.integer} NOT NULL,
        closed_at {sql.integer}
    ){sql.strict}
    """,
        f"""
    CREATE TABLE client (
        name {sql.text} PRIMARY KEY,
        created_at {sql.integer} NOT NULL,
        per_minute {sql.integer} CHECK (per_minute > 0),
        per_day {sql.integer} CHECK (per_day > 0),
        officer_per_minute {sql.integer} CHECK (officer_per_minute > 0),
        officer_per_day {sql.integer} CHECK (officer_per_day > 0)
    ){sql.strict}
    """,
        f"""
    CREATE TABLE client_scope (
        client {sql.text} NOT NULL REFERENCES client (name),
        scope {sql.text} NOT NULL,
        PRIMARY KEY (client, scope)
    ){sql.narrow}
    """,
        f"""
    CREATE TABLE client_agency (
        client {sql.text} NOT NULL REFERENCES client (name),
        agency {sql.text} NOT NULL REFERENCES agency (code),
        PRIMARY KEY (client, agency)
    ){sql.narrow}
    """,
        f"""
    CREATE TABLE client_key (
        id {sql.text} PRIMARY KEY,
        client {sql.text} NOT NULL REFERENCES client (name),
        digest {sql.bytes} NOT NULL CHECK (length(digest) = 32),
        created_at {sql.integer} NOT NULL,
        expires_at {sql.integer},
        revoked_at {sql.integer}
    ){sql.strict}
    """,
        "CREATE INDEX client_key_of ON client_key (client)",
        f"""
    CREATE TABLE switch (
        system {sql.text} PRIMARY KEY,
        paused_by {sql.text} NOT NULL,
        why {sql.text} NOT NULL,
        since {sql.integer} NOT NULL
    ){sql.strict}
    """,
        f"""
    CREATE TABLE change (
        number {sql.counter},
        at {sql.integer} NOT NULL,
        made_by {sql.text} NOT NULL,
        what {sql.text} NOT NULL,
        name {sql.text} NOT NULL,
        why {sql.text}
    ){sql.strict}
    """,
        f"""
    CREATE TABLE audit (
        number {sql.counter},
        call {sql.text} NOT NULL UNIQUE,
        asked_at {sql.integer} NOT NULL,
        client {sql.text} NOT NULL,
        agency {sql.text} NOT NULL,
        officer {sql.text} NOT NULL,
        procedure {sql.text} NOT NULL,
        dossier {sql.text},
        system {sql.text} NOT NULL,
        operation {sql.text} NOT NULL,
        subject {sql.text} NOT NULL,
        state {sql.text} NOT NULL DEFAULT 'open',
        kind {sql.text},
        layer {sql.text},
        reason {sql.text},
        code {sql.text},
        may_have_acted {sql.text},
        attempts {sql.integer} NOT NULL DEFAULT 0,
        finished_at {sql.integer},
        seconds {sql.real}
    ){sql.strict}
    """,
        "CREATE INDEX audit_asked ON audit (asked_at)",
        "CREATE INDEX audit_open ON audit (number) WHERE state = 'open'",
        f"""
    CREATE TABLE attempt (
        call {sql.text} NOT NULL REFERENCES audit (call) ON DELETE CASCADE,
        ordinal {sql.integer} NOT NULL,
        request_id {sql.text} NOT NULL,
        opened_at {sql.integer} NOT NULL,
        closed_at {sql.integer},
        state {sql.text} NOT NULL DEFAULT 'open',
        kind {sql.text},
        layer {sql.text},
        reason {sql.text},
        code {sql.text},
        may_have_acted {sql.text},
        retry_after {sql.real},
        seconds {sql.real},
        evidence {sql.text},
        PRIMARY KEY (call, ordinal)
    ){sql.narrow}
    """,
        "CREATE INDEX attempt_opened ON attempt (opened_at)",
        "INSERT INTO configuration (one, version) VALUES (1, 1)",
    )


_WATCHED = ("agency", "client", "client_scope", "client_agency", "client_key", "switch")


def upgrade() -> None:
    """Make the tables, and have each change to what the snapshot holds counted."""
    sql = words()
    for statement in _tables(sql):
        op.execute(statement)
    for statement in sql.counting(_WATCHED):
        op.execute(statement)
