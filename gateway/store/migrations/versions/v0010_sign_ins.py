"""Sign-ins of citizens: each from the moment it is made until nothing of it may be known any more.

`due_at` is when its present state ends. `pending` is what waits for the browser, `person` who signed in, `tokens` what
a log-out needs: all three are sealed, and emptied when their time is over. What a browser or a caller has to show is
kept as a keyed hash (`…_mac`).
"""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import Words, words

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _sign_ins(sql: Words) -> tuple[str, ...]:
    return (
        f"""
    CREATE TABLE sign_in (
        number {sql.counter},
        id {sql.text} NOT NULL UNIQUE,
        client {sql.text} NOT NULL,
        agency {sql.text} NOT NULL,
        procedure {sql.text},
        officer {sql.text},
        dossier {sql.text},
        level {sql.integer},
        return_to {sql.text} NOT NULL,
        session_mac {sql.bytes},
        made_at {sql.integer} NOT NULL,
        state {sql.text} NOT NULL DEFAULT 'made',
        due_at {sql.integer} NOT NULL,
        outcome {sql.text},
        reason {sql.text},
        kind {sql.text},
        subject {sql.text},
        cookie_mac {sql.bytes},
        state_mac {sql.bytes} UNIQUE,
        pending {sql.bytes},
        person {sql.bytes},
        tokens {sql.bytes},
        tokens_until {sql.integer},
        leave_until {sql.integer},
        leave_to {sql.text}
    ){sql.strict}
    """,
        "CREATE INDEX sign_in_due ON sign_in (due_at)",
        "CREATE INDEX sign_in_tokens ON sign_in (tokens_until) WHERE tokens IS NOT NULL",
    )


def upgrade() -> None:
    """Make the table."""
    for statement in _sign_ins(words()):
        op.execute(statement)
