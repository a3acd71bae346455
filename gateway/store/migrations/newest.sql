-- Written by tools/newest_tables.py from the versions beside it: do not edit.

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE key_check (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL,
        made_at INTEGER NOT NULL
    ) STRICT;

CREATE TABLE configuration (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL
    ) STRICT;

CREATE TABLE agency (
        code TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        added_at INTEGER NOT NULL,
        closed_at INTEGER
    ) STRICT;

CREATE TABLE client (
        name TEXT PRIMARY KEY,
        created_at INTEGER NOT NULL,
        per_minute INTEGER CHECK (per_minute > 0),
        per_day INTEGER CHECK (per_day > 0),
        officer_per_minute INTEGER CHECK (officer_per_minute > 0),
        officer_per_day INTEGER CHECK (officer_per_day > 0)
    ) STRICT;

CREATE TABLE client_scope (
        client TEXT NOT NULL REFERENCES client (name),
        scope TEXT NOT NULL,
        PRIMARY KEY (client, scope)
    ) STRICT, WITHOUT ROWID;

CREATE TABLE client_agency (
        client TEXT NOT NULL REFERENCES client (name),
        agency TEXT NOT NULL REFERENCES agency (code),
        PRIMARY KEY (client, agency)
    ) STRICT, WITHOUT ROWID;

CREATE TABLE client_key (
        id TEXT PRIMARY KEY,
        client TEXT NOT NULL REFERENCES client (name),
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER
    ) STRICT;

CREATE INDEX client_key_of ON client_key (client);

CREATE TABLE switch (
        system TEXT PRIMARY KEY,
        paused_by TEXT NOT NULL,
        why TEXT NOT NULL,
        since INTEGER NOT NULL
    ) STRICT;

CREATE TABLE change (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        made_by TEXT NOT NULL,
        what TEXT NOT NULL,
        name TEXT NOT NULL,
        why TEXT
    ) STRICT;

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
    ) STRICT;

CREATE INDEX audit_asked ON audit (asked_at);

CREATE INDEX audit_open ON audit (number) WHERE state = 'open';

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
    ) STRICT, WITHOUT ROWID;

CREATE INDEX attempt_opened ON attempt (opened_at);

INSERT INTO configuration (one, version) VALUES (1, 1);

CREATE TRIGGER agency_insert AFTER INSERT ON agency BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER agency_update AFTER UPDATE ON agency BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER agency_delete AFTER DELETE ON agency BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_insert AFTER INSERT ON client BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_update AFTER UPDATE ON client BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_delete AFTER DELETE ON client BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_scope_insert AFTER INSERT ON client_scope BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_scope_update AFTER UPDATE ON client_scope BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_scope_delete AFTER DELETE ON client_scope BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_agency_insert AFTER INSERT ON client_agency BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_agency_update AFTER UPDATE ON client_agency BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_agency_delete AFTER DELETE ON client_agency BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_key_insert AFTER INSERT ON client_key BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_key_update AFTER UPDATE ON client_key BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER client_key_delete AFTER DELETE ON client_key BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER switch_insert AFTER INSERT ON switch BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER switch_update AFTER UPDATE ON switch BEGIN UPDATE configuration SET version = version + 1; END;

CREATE TRIGGER switch_delete AFTER DELETE ON switch BEGIN UPDATE configuration SET version = version + 1; END;

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING version_num;

-- Running upgrade 0001 -> 0002

CREATE TABLE process (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            started_at INTEGER NOT NULL,
            beat INTEGER NOT NULL DEFAULT 0
        ) STRICT;

ALTER TABLE audit ADD COLUMN process INTEGER;

UPDATE alembic_version SET version_num='0002' WHERE alembic_version.version_num = '0001';

-- Running upgrade 0002 -> 0003

CREATE TABLE time_offset (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        micros INTEGER NOT NULL
    ) STRICT;

INSERT INTO time_offset (one, micros) VALUES (1, 0);

CREATE TABLE lane (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        system TEXT NOT NULL,
        name TEXT NOT NULL,
        agency TEXT NOT NULL,
        next_position INTEGER NOT NULL,
        head INTEGER,
        ready_at INTEGER,
        urgent_at INTEGER,
        quiet_at INTEGER NOT NULL DEFAULT 0,
        parked TEXT,
        fence INTEGER NOT NULL DEFAULT 0,
        owner TEXT,
        lease_until INTEGER,
        UNIQUE (system, name)
    ) STRICT;

CREATE INDEX lane_ready ON lane (system, ready_at) WHERE ready_at IS NOT NULL;

CREATE INDEX lane_parked ON lane (system) WHERE parked IS NOT NULL;

CREATE TABLE hold (
        system TEXT NOT NULL,
        agency TEXT NOT NULL,
        since INTEGER NOT NULL,
        fingerprint TEXT,
        probe_at INTEGER NOT NULL,
        released_at INTEGER,
        PRIMARY KEY (system, agency)
    ) STRICT, WITHOUT ROWID;

CREATE TABLE reach (
        system TEXT PRIMARY KEY,
        micros INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
    ) STRICT;

CREATE TABLE backlog (
        agency TEXT NOT NULL,
        system TEXT NOT NULL,
        shard INTEGER NOT NULL,
        open INTEGER NOT NULL,
        PRIMARY KEY (agency, system, shard)
    ) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        system TEXT NOT NULL,
        operation TEXT NOT NULL,
        lane INTEGER NOT NULL,
        position INTEGER NOT NULL,
        standing INTEGER NOT NULL DEFAULT 1,
        client TEXT NOT NULL,
        agency TEXT NOT NULL,
        officer TEXT NOT NULL,
        procedure TEXT NOT NULL,
        dossier TEXT,
        accepted_at INTEGER NOT NULL,
        legal_due_at INTEGER,
        topic TEXT,
        replaces TEXT,
        superseded_by TEXT,
        partner_key TEXT NOT NULL,
        payload BLOB,
        state TEXT NOT NULL DEFAULT 'accepted',
        next_at INTEGER,
        attempts INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        absent INTEGER NOT NULL DEFAULT 0,
        unclear INTEGER NOT NULL DEFAULT 0,
        said_done INTEGER NOT NULL DEFAULT 0,
        credential_refused INTEGER NOT NULL DEFAULT 0,
        may_have_acted TEXT NOT NULL DEFAULT 'no',
        reach_mark INTEGER NOT NULL,
        kind TEXT,
        layer TEXT,
        reason TEXT,
        code TEXT,
        why TEXT,
        result BLOB,
        settled_at INTEGER,
        kept_until INTEGER NOT NULL DEFAULT 0,
        said BLOB
    ) STRICT;

CREATE UNIQUE INDEX delivery_standing ON delivery (lane, position) WHERE standing = 1;

CREATE INDEX delivery_of ON delivery (agency, number);

CREATE INDEX delivery_oldest ON delivery (system, accepted_at) WHERE settled_at IS NULL AND state <> 'needs_person';

CREATE INDEX delivery_trouble ON delivery (number) WHERE state IN ('unknown', 'held', 'needs_person');

CREATE INDEX delivery_gone ON delivery (lane, position) WHERE standing = 0;

CREATE INDEX delivery_body ON delivery (settled_at) WHERE standing = 0 AND NOT (payload IS NULL AND result IS NULL AND said IS NULL);

CREATE INDEX delivery_bare ON delivery (settled_at) WHERE standing = 0 AND (payload IS NULL AND result IS NULL AND said IS NULL);

CREATE TABLE idempotency (
        client TEXT NOT NULL,
        method TEXT NOT NULL,
        resource TEXT NOT NULL,
        key TEXT NOT NULL,
        body BLOB NOT NULL,
        delivery TEXT NOT NULL,
        kept_until INTEGER NOT NULL,
        PRIMARY KEY (client, method, resource, key)
    ) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_kept ON idempotency (kept_until);

CREATE TABLE event (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        position INTEGER UNIQUE,
        at INTEGER NOT NULL,
        delivery TEXT NOT NULL,
        agency TEXT NOT NULL,
        system TEXT NOT NULL,
        what TEXT NOT NULL
    ) STRICT;

CREATE INDEX event_new ON event (number) WHERE position IS NULL;

CREATE TABLE feed (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        position INTEGER NOT NULL,
        pruned_to INTEGER NOT NULL DEFAULT 0
    ) STRICT;

INSERT INTO feed (one, position) VALUES (1, 0);

CREATE TABLE ruling (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        delivery TEXT NOT NULL,
        made_by TEXT NOT NULL,
        what TEXT NOT NULL,
        why TEXT NOT NULL,
        evidence TEXT
    ) STRICT;

CREATE INDEX ruling_about ON ruling (delivery);

ALTER TABLE attempt ADD COLUMN purpose TEXT;

UPDATE alembic_version SET version_num='0003' WHERE alembic_version.version_num = '0002';

-- Running upgrade 0003 -> 0004

CREATE TABLE replay (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        system TEXT NOT NULL,
        client TEXT NOT NULL,
        made_by TEXT NOT NULL,
        why TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        filter TEXT NOT NULL,
        per_second REAL NOT NULL,
        stop_above INTEGER NOT NULL,
        stop_of INTEGER NOT NULL,
        chosen INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'running',
        state_at INTEGER NOT NULL,
        state_why TEXT,
        place INTEGER NOT NULL DEFAULT 0,
        next_at INTEGER NOT NULL,
        recent TEXT NOT NULL DEFAULT ''
    ) STRICT;

CREATE UNIQUE INDEX replay_running ON replay (system) WHERE state = 'running';

CREATE TABLE replay_agency (
        replay INTEGER NOT NULL,
        agency TEXT NOT NULL,
        PRIMARY KEY (replay, agency)
    ) STRICT, WITHOUT ROWID;

CREATE TABLE replay_item (
        replay INTEGER NOT NULL,
        place INTEGER NOT NULL,
        delivery TEXT NOT NULL,
        outcome TEXT,
        PRIMARY KEY (replay, place)
    ) STRICT, WITHOUT ROWID;

CREATE INDEX replay_item_going ON replay_item (replay, place) WHERE outcome = 'going';

CREATE TABLE replay_count (
        replay INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        many INTEGER NOT NULL,
        PRIMARY KEY (replay, outcome)
    ) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_ended_badly ON delivery (system, number) WHERE state IN ('needs_person', 'rejected');

UPDATE alembic_version SET version_num='0004' WHERE alembic_version.version_num = '0003';

-- Running upgrade 0004 -> 0005

CREATE TABLE webhook (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        client TEXT NOT NULL,
        url TEXT NOT NULL,
        agencies TEXT NOT NULL,
        kinds TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'active',
        state_at INTEGER NOT NULL,
        state_why TEXT,
        secret BLOB NOT NULL,
        old_secret BLOB,
        old_until INTEGER,
        position INTEGER NOT NULL,
        missed_at INTEGER,
        failing_since INTEGER,
        failed_at INTEGER,
        failure TEXT,
        owner TEXT,
        lease_until INTEGER NOT NULL DEFAULT 0
    ) STRICT;

CREATE INDEX webhook_of ON webhook (client);

CREATE INDEX delivery_of_webhook ON delivery (system, number)
    WHERE standing = 1 AND system >= 'webhook:' AND system < 'webhook;';

CREATE INDEX delivery_to_webhook ON delivery (settled_at)
    WHERE standing = 0 AND system >= 'webhook:' AND system < 'webhook;';

UPDATE alembic_version SET version_num='0005' WHERE alembic_version.version_num = '0004';

-- Running upgrade 0005 -> 0006

ALTER TABLE delivery ADD COLUMN step TEXT NOT NULL DEFAULT '';

ALTER TABLE delivery ADD COLUMN trail TEXT NOT NULL DEFAULT '';

ALTER TABLE attempt ADD COLUMN step TEXT;

UPDATE alembic_version SET version_num='0006' WHERE alembic_version.version_num = '0005';

-- Running upgrade 0006 -> 0007

CREATE TABLE session (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        fence INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        token BLOB,
        opened_at INTEGER,
        ends_at INTEGER,
        lease_until INTEGER NOT NULL,
        failure INTEGER NOT NULL DEFAULT 0,
        kind TEXT,
        layer TEXT,
        reason TEXT,
        failure_until INTEGER NOT NULL DEFAULT 0
    ) STRICT;

ALTER TABLE delivery ADD COLUMN refused TEXT;

UPDATE alembic_version SET version_num='0007' WHERE alembic_version.version_num = '0006';

-- Running upgrade 0007 -> 0008

CREATE TABLE dossier (
        id TEXT PRIMARY KEY,
        agency TEXT NOT NULL,
        revision INTEGER,
        made_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

CREATE INDEX dossier_made ON dossier (made_at, id);

CREATE TABLE dossier_code (
        code TEXT PRIMARY KEY,
        dossier TEXT NOT NULL,
        since INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

CREATE INDEX dossier_code_of ON dossier_code (dossier);

CREATE INDEX delivery_about ON delivery (dossier) WHERE dossier IS NOT NULL;

CREATE INDEX audit_about ON audit (dossier) WHERE dossier IS NOT NULL AND state <> 'accepted';

UPDATE alembic_version SET version_num='0008' WHERE alembic_version.version_num = '0007';

-- Running upgrade 0008 -> 0009

ALTER TABLE dossier ADD COLUMN sent_as TEXT;

UPDATE alembic_version SET version_num='0009' WHERE alembic_version.version_num = '0008';

-- Running upgrade 0009 -> 0010

CREATE TABLE sign_in (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        client TEXT NOT NULL,
        agency TEXT NOT NULL,
        procedure TEXT,
        officer TEXT,
        dossier TEXT,
        level INTEGER,
        return_to TEXT NOT NULL,
        session_mac BLOB,
        made_at INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'made',
        due_at INTEGER NOT NULL,
        outcome TEXT,
        reason TEXT,
        kind TEXT,
        subject TEXT,
        cookie_mac BLOB,
        state_mac BLOB UNIQUE,
        pending BLOB,
        person BLOB,
        tokens BLOB,
        tokens_until INTEGER,
        leave_until INTEGER,
        leave_to TEXT
    ) STRICT;

CREATE INDEX sign_in_due ON sign_in (due_at);

CREATE INDEX sign_in_tokens ON sign_in (tokens_until) WHERE tokens IS NOT NULL;

UPDATE alembic_version SET version_num='0010' WHERE alembic_version.version_num = '0009';
