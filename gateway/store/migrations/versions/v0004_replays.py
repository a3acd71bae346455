"""Replays of many deliveries: what was chosen when each was made, how far it has come, and what became of it.

A replay's own row is locked before anything of it is read, so its pace, its `place` in the set and its state are one
truth for all processes. The set is fixed: `replay_item` names every delivery that was chosen, in order of acceptance.
`replay_count` holds the sums of `replay_item.outcome`, and `replay_agency` whose deliveries are in the set.
"""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import Words, words

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _replays(sql: Words) -> tuple[str, ...]:
    return (
        f"""
    CREATE TABLE replay (
        number {sql.counter},
        id {sql.text} NOT NULL UNIQUE,
        system {sql.text} NOT NULL,
        client {sql.text} NOT NULL,
        made_by {sql.text} NOT NULL,
        why {sql.text} NOT NULL,
        made_at {sql.integer} NOT NULL,
        filter {sql.text} NOT NULL,
        per_second {sql.real} NOT NULL,
        stop_above {sql.integer} NOT NULL,
        stop_of {sql.integer} NOT NULL,
        chosen {sql.integer} NOT NULL,
        state {sql.text} NOT NULL DEFAULT 'running',
        state_at {sql.integer} NOT NULL,
        state_why {sql.text},
        place {sql.integer} NOT NULL DEFAULT 0,
        next_at {sql.integer} NOT NULL,
        recent {sql.text} NOT NULL DEFAULT ''
    ){sql.strict}
    """,
        "CREATE UNIQUE INDEX replay_running ON replay (system) WHERE state = 'running'",
        f"""
    CREATE TABLE replay_agency (
        replay {sql.integer} NOT NULL,
        agency {sql.text} NOT NULL,
        PRIMARY KEY (replay, agency)
    ){sql.narrow}
    """,
        f"""
    CREATE TABLE replay_item (
        replay {sql.integer} NOT NULL,
        place {sql.integer} NOT NULL,
        delivery {sql.text} NOT NULL,
        outcome {sql.text},
        PRIMARY KEY (replay, place)
    ){sql.narrow}
    """,
        "CREATE INDEX replay_item_going ON replay_item (replay, place) WHERE outcome = 'going'",
        f"""
    CREATE TABLE replay_count (
        replay {sql.integer} NOT NULL,
        outcome {sql.text} NOT NULL,
        many {sql.integer} NOT NULL,
        PRIMARY KEY (replay, outcome)
    ){sql.narrow}
    """,
        "CREATE INDEX delivery_ended_badly ON delivery (system, number) WHERE state IN ('needs_person', 'rejected')",
    )


def upgrade() -> None:
    """Make the tables, and an index to the deliveries that may be chosen."""
    for statement in _replays(words()):
        op.execute(statement)
