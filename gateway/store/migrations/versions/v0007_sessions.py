"""Sessions with national systems, shared by all processes, and the lease under which one of them logs in.

`id` names the system and the account's fingerprint. `token` is sealed. `failure` is the fence of the lease whose log-in
failed in a way that concerns the others too, until `failure_until`. A delivery keeps the fingerprint of the credential
that it was `refused` with, so that no other process sends it with the same one.
"""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import Words, words

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _sessions(sql: Words) -> tuple[str, ...]:
    return (
        f"""
    CREATE TABLE session (
        number {sql.counter},
        id {sql.text} NOT NULL UNIQUE,
        fence {sql.integer} NOT NULL,
        generation {sql.integer} NOT NULL,
        token {sql.bytes},
        opened_at {sql.integer},
        ends_at {sql.integer},
        lease_until {sql.integer} NOT NULL,
        failure {sql.integer} NOT NULL DEFAULT 0,
        kind {sql.text},
        layer {sql.text},
        reason {sql.text},
        failure_until {sql.integer} NOT NULL DEFAULT 0
    ){sql.strict}
    """,
        f"ALTER TABLE delivery ADD COLUMN refused {sql.text}",
    )


def upgrade() -> None:
    """Make the table and add the column."""
    for statement in _sessions(words()):
        op.execute(statement)
