"""Deliveries in their lanes, idempotency keys, events, and what workers and persons decide about them.

`time_offset` is moved by tests only. `lane` is locked before anything of it is read, so that positions are given, heads
moved and leases taken one after another. A delivery `standing` in its lane keeps those behind it waiting: every open
one, and a rejected one that waits for its correction. An event gets its `position` in the feed only after it was
committed; events up to `feed.pruned_to` have been deleted. `backlog` counts open deliveries, spread over shards so that
two lanes seldom wait for each other. `kept_until` is when the time of a delivery's idempotency key is over.
A `hold` that was released stays, so that other processes learn of it.
"""

from __future__ import annotations

from alembic import op

from gateway.store.migrations.words import Words, words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_GOING = "settled_at IS NULL AND state <> 'needs_person'"
_BARE = "(payload IS NULL AND result IS NULL AND said IS NULL)"
"""Of a delivery whose bodies have been forgotten. What retention comes for is in one of two small indexes."""


def _lanes(sql: Words) -> tuple[str, ...]:
    return (
        f"""
    CREATE TABLE time_offset (
        one {sql.integer} PRIMARY KEY CHECK (one = 1),
        micros {sql.integer} NOT NULL
    ){sql.strict}
    """,
        "INSERT INTO time_offset (one, micros) VALUES (1, 0)",
        f"""
    CREATE TABLE lane (
        id {sql.counter},
        system {sql.text} NOT NULL,
        name {sql.text} NOT NULL,
        agency {sql.text} NOT NULL,
        next_position {sql.integer} NOT NULL,
        head {sql.integer},
        ready_at {sql.integer},
        urgent_at {sql.integer},
        quiet_at {sql.integer} NOT NULL DEFAULT 0,
        parked {sql.text},
        fence {sql.integer} NOT NULL DEFAULT 0,
        owner {sql.text},
        lease_until {sql.integer},
        UNIQUE (system, name)
    ){sql.strict}
    """,
        "CREATE INDEX lane_ready ON lane (system, ready_at) WHERE ready_at IS NOT NULL",
        "CREATE INDEX lane_parked ON lane (system) WHERE parked IS NOT NULL",
        f"""
    CREATE TABLE hold (
        system {sql.text} NOT NULL,
        agency {sql.text} NOT NULL,
        since {sql.integer} NOT NULL,
        fingerprint {sql.text},
        probe_at {sql.integer} NOT NULL,
        released_at {sql.integer},
        PRIMARY KEY (system, agency)
    ){sql.narrow}
    """,
        f"""
    CREATE TABLE reach (
        system {sql.text} PRIMARY KEY,
        micros {sql.integer} NOT NULL,
        seen_at {sql.integer} NOT NULL
    ){sql.strict}
    """,
        f"""
    CREATE TABLE backlog (
        agency {sql.text} NOT NULL,
        system {sql.text} NOT NULL,
        shard {sql.integer} NOT NULL,
        open {sql.integer} NOT NULL,
        PRIMARY KEY (agency, system, shard)
    ){sql.narrow}
    """,
    )


def _deliveries(sql: Words) -> tuple[str, ...]:
    return (
        f"""
    CREATE TABLE delivery (
        number {sql.counter},
        id {sql.text} NOT NULL UNIQUE,
        system {sql.text} NOT NULL,
        operation {sql.text} NOT NULL,
        lane {sql.integer} NOT NULL,
        position {sql.integer} NOT NULL,
        standing {sql.integer} NOT NULL DEFAULT 1,
        client {sql.text} NOT NULL,
        agency {sql.text} NOT NULL,
        officer {sql.text} NOT NULL,
        procedure {sql.text} NOT NULL,
        dossier {sql.text},
        accepted_at {sql.integer} NOT NULL,
        legal_due_at {sql.integer},
        topic {sql.text},
        replaces {sql.text},
        superseded_by {sql.text},
        partner_key {sql.text} NOT NULL,
        payload {sql.bytes},
        state {sql.text} NOT NULL DEFAULT 'accepted',
        next_at {sql.integer},
        attempts {sql.integer} NOT NULL DEFAULT 0,
        tries {sql.integer} NOT NULL DEFAULT 0,
        absent {sql.integer} NOT NULL DEFAULT 0,
        unclear {sql.integer} NOT NULL DEFAULT 0,
        said_done {sql.integer} NOT NULL DEFAULT 0,
        credential_refused {sql.integer} NOT NULL DEFAULT 0,
        may_have_acted {sql.text} NOT NULL DEFAULT 'no',
        reach_mark {sql.integer} NOT NULL,
        kind {sql.text},
        layer {sql.text},
        reason {sql.text},
        code {sql.text},
        why {sql.text},
        result {sql.bytes},
        settled_at {sql.integer},
        kept_until {sql.integer} NOT NULL DEFAULT 0,
        said {sql.bytes}
    ){sql.strict}
    """,
        "CREATE UNIQUE INDEX delivery_standing ON delivery (lane, position) WHERE standing = 1",
        "CREATE INDEX delivery_of ON delivery (agency, number)",
        f"CREATE INDEX delivery_oldest ON delivery (system, accepted_at) WHERE {_GOING}",
        "CREATE INDEX delivery_trouble ON delivery (number) WHERE state IN ('unknown', 'held', 'needs_person')",
        "CREATE INDEX delivery_gone ON delivery (lane, position) WHERE standing = 0",
        f"CREATE INDEX delivery_body ON delivery (settled_at) WHERE standing = 0 AND NOT {_BARE}",
        f"CREATE INDEX delivery_bare ON delivery (settled_at) WHERE standing = 0 AND {_BARE}",
        f"""
    CREATE TABLE idempotency (
        client {sql.text} NOT NULL,
        method {sql.text} NOT NULL,
        resource {sql.text} NOT NULL,
        key {sql.text} NOT NULL,
        body {sql.bytes} NOT NULL,
        delivery {sql.text} NOT NULL,
        kept_until {sql.integer} NOT NULL,
        PRIMARY KEY (client, method, resource, key)
    ){sql.narrow}
    """,
        "CREATE INDEX idempotency_kept ON idempotency (kept_until)",
        f"""
    CREATE TABLE event (
        number {sql.counter},
        position {sql.integer} UNIQUE,
        at {sql.integer} NOT NULL,
        delivery {sql.text} NOT NULL,
        agency {sql.text} NOT NULL,
        system {sql.text} NOT NULL,
        what {sql.text} NOT NULL
    ){sql.strict}
    """,
        "CREATE INDEX event_new ON event (number) WHERE position IS NULL",
        f"""
    CREATE TABLE feed (
        one {sql.integer} PRIMARY KEY CHECK (one = 1),
        position {sql.integer} NOT NULL,
        pruned_to {sql.integer} NOT NULL DEFAULT 0
    ){sql.strict}
    """,
        "INSERT INTO feed (one, position) VALUES (1, 0)",
        f"""
    CREATE TABLE ruling (
        number {sql.counter},
        at {sql.integer} NOT NULL,
        delivery {sql.text} NOT NULL,
        made_by {sql.text} NOT NULL,
        what {sql.text} NOT NULL,
        why {sql.text} NOT NULL,
        evidence {sql.text}
    ){sql.strict}
    """,
        "CREATE INDEX ruling_about ON ruling (delivery)",
        f"ALTER TABLE attempt ADD COLUMN purpose {sql.text}",
    )


def upgrade() -> None:
    """Make the tables; an attempt at a delivery says whether it was a send or a look-up."""
    sql = words()
    for statement in (*sql.clock, *_lanes(sql), *_deliveries(sql)):
        op.execute(statement)
