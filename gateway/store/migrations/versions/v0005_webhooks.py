"""Webhooks: where clients want to be told of events, what each endpoint's requests are signed with, and how it fares.

`position` is up to where in the feed an endpoint has been given its messages, each of which is a delivery of the system
`webhook:<id>`. `missed_at` says that events had been deleted before they were given to it. An endpoint is looked after
by the process whose lease it is; nothing depends on there being one such process only.
"""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import Words, words

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _webhooks(sql: Words) -> tuple[str, ...]:
    return (
        f"""
    CREATE TABLE webhook (
        number {sql.counter},
        id {sql.text} NOT NULL UNIQUE,
        client {sql.text} NOT NULL,
        url {sql.text} NOT NULL,
        agencies {sql.text} NOT NULL,
        kinds {sql.text} NOT NULL,
        made_at {sql.integer} NOT NULL,
        state {sql.text} NOT NULL DEFAULT 'active',
        state_at {sql.integer} NOT NULL,
        state_why {sql.text},
        secret {sql.bytes} NOT NULL,
        old_secret {sql.bytes},
        old_until {sql.integer},
        position {sql.integer} NOT NULL,
        missed_at {sql.integer},
        failing_since {sql.integer},
        failed_at {sql.integer},
        failure {sql.text},
        owner {sql.text},
        lease_until {sql.integer} NOT NULL DEFAULT 0
    ){sql.strict}
    """,
        "CREATE INDEX webhook_of ON webhook (client)",
        """
    CREATE INDEX delivery_of_webhook ON delivery (system, number)
    WHERE standing = 1 AND system >= 'webhook:' AND system < 'webhook;'
    """,
        """
    CREATE INDEX delivery_to_webhook ON delivery (settled_at)
    WHERE standing = 0 AND system >= 'webhook:' AND system < 'webhook;'
    """,
    )


def upgrade() -> None:
    """Make the table, and indexes to the messages that are under way and to those that have ended."""
    for statement in _webhooks(words()):
        op.execute(statement)
