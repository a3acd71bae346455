"""Dossiers with all their codes, and indexes to what was done about one: deliveries, and calls of the audit.

A dossier is named after the delivery that was the first about it; a code belongs to one dossier. `revision` is that of
the newest whole content that was accepted. Whoever hands something in about a dossier locks its codes in their order
and then the dossier's row, before any lane.
"""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import Words, words

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _dossiers(sql: Words) -> tuple[str, ...]:
    return (
        f"""
    CREATE TABLE dossier (
        id {sql.text} PRIMARY KEY,
        agency {sql.text} NOT NULL,
        revision {sql.integer},
        made_at {sql.integer} NOT NULL
    ){sql.narrow}
    """,
        "CREATE INDEX dossier_made ON dossier (made_at, id)",
        f"""
    CREATE TABLE dossier_code (
        code {sql.text} PRIMARY KEY,
        dossier {sql.text} NOT NULL,
        since {sql.integer} NOT NULL
    ){sql.narrow}
    """,
        "CREATE INDEX dossier_code_of ON dossier_code (dossier)",
        "CREATE INDEX delivery_about ON delivery (dossier) WHERE dossier IS NOT NULL",
        "CREATE INDEX audit_about ON audit (dossier) WHERE dossier IS NOT NULL AND state <> 'accepted'",
    )


def upgrade() -> None:
    """Make the tables and the indexes."""
    for statement in _dossiers(words()):
        op.execute(statement)
