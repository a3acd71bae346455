-- What a store of version 0010 may hold: one row of everything, in every state.
INSERT INTO key_check VALUES ('audit', '@CHECK@', 1767600000000000);
INSERT INTO key_check VALUES ('sealing-1', '@SEALING@', 1767600000000000);
INSERT INTO agency VALUES ('000.00.01.H99', 'UBND xã Mẫu', 1767600000000000, NULL);
INSERT INTO agency VALUES ('000.00.02.H99', 'UBND xã Cũ', 1767600000000000, 1767600000000001);
INSERT INTO client VALUES ('one-stop', 1767600000000000, 60, 1000, 10, 100);
INSERT INTO client VALUES ('two-stop', 1767600000000000, NULL, NULL, NULL, NULL);
INSERT INTO client_scope VALUES ('one-stop', 'citizens:verify'), ('one-stop', 'a scope of a time to come');
INSERT INTO client_agency VALUES ('one-stop', '000.00.01.H99'), ('one-stop', '000.00.02.H99');
INSERT INTO client_key VALUES ('0123456789ab', 'one-stop', zeroblob(32), 1767600000000000, NULL, NULL);
INSERT INTO client_key VALUES ('0123456789ac', 'one-stop', zeroblob(32), 1767600000000000, 1767600000000001, 1767600000000002);
INSERT INTO switch VALUES ('population', 'canbo.mau', 'bảo trì', 1767600000000000);
INSERT INTO change (at, made_by, what, name, why) VALUES (1767600000000000, 'canbo.mau', 'system.pause', 'population', 'bảo trì');
INSERT INTO audit (call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject, process)
VALUES ('call-open', 1767600000000000, 'one-stop', '000.00.01.H99', 'canbo.mau', '1.000001', NULL, 'population', 'verify', 'ab', 7);
INSERT INTO audit (call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject,
    state, kind, layer, reason, code, may_have_acted, attempts, finished_at, seconds)
VALUES ('call-failed', 1767600000000000, 'one-stop', '000.00.01.H99', 'canbo.mau', '1.000001', 'H99.1-260105-0001',
    'population', 'lookup', 'ab', 'failed', 'busy', 'system', 'partner_busy', '429', 'no', 1, 1767600000000001, 0.5);
INSERT INTO attempt (call, ordinal, request_id, opened_at) VALUES ('call-open', 1, 'r1', 1767600000000000);
INSERT INTO attempt VALUES ('call-failed', 1, 'r2', 1767600000000000, 1767600000000001, 'failed', 'busy', 'system',
    'partner_busy', '429', 'no', 1.5, 0.5, '{"status":429}', NULL, NULL);
UPDATE time_offset SET micros = 5;
INSERT INTO lane (id, system, name, agency, next_position, head, ready_at, urgent_at, quiet_at, parked, fence, owner, lease_until)
VALUES (1, 'partner', 'H99.1-260105-0001', '000.00.01.H99', 4, 2, NULL, 1767600000000000, 0, 'needs_person', 3, NULL, NULL);
INSERT INTO hold VALUES ('partner', '000.00.01.H99', 1767600000000000, 'ab', 1767600000000001, NULL);
INSERT INTO reach VALUES ('partner', 12, 1767600000000000);
INSERT INTO backlog VALUES ('000.00.01.H99', 'partner', 1, 2);
INSERT INTO audit (call, asked_at, client, agency, officer, procedure, dossier, system, operation, subject, state)
VALUES ('delivery-1', 1767600000000000, 'one-stop', '000.00.01.H99', 'canbo.mau', '1.000001', NULL, 'partner', 'register', '', 'accepted');
INSERT INTO delivery (id, system, operation, lane, position, standing, client, agency, officer, procedure, dossier, accepted_at,
    legal_due_at, topic, replaces, superseded_by, partner_key, payload, state, next_at, attempts, tries, absent, unclear,
    said_done, credential_refused, may_have_acted, reach_mark, kind, layer, reason, code, why, result, settled_at)
VALUES ('delivery-1', 'partner', 'register', 1, 1, 0, 'one-stop', '000.00.01.H99', 'canbo.mau', '1.000001', NULL,
    1767600000000000, 1767600000000009, 'H-1', NULL, NULL, 'key-1', zeroblob(8), 'settled', NULL, 1, 1, 0, 0, 0, 0, 'yes', 0, NULL,
    NULL, NULL, NULL, NULL, zeroblob(8), 1767600000000003),
    ('delivery-2', 'partner', 'notify', 1, 2, 1, 'one-stop', '000.00.01.H99', 'canbo.mau', '1.000001', NULL,
    1767600000000000, NULL, NULL, 'delivery-0', NULL, 'key-2', zeroblob(8), 'needs_person', NULL, 1, 1, 0, 0, 0, 0, 'maybe', 0,
    'unknown_outcome', 'network', 'no_answer', NULL, 'may_have_acted', NULL, NULL),
    ('delivery-3', 'partner', 'append', 1, 3, 1, 'one-stop', '000.00.01.H99', 'canbo.mau', '1.000001', NULL,
    1767600000000000, NULL, NULL, NULL, NULL, 'key-3', zeroblob(8), 'accepted', NULL, 0, 0, 0, 0, 0, 0, 'no', 0, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL);
INSERT INTO idempotency VALUES ('one-stop', 'POST', '/v1/x', 'k', zeroblob(8), 'delivery-1', 1767600000000000);
INSERT INTO event (position, at, delivery, agency, system, what)
VALUES (1, 1767600000000000, 'delivery-1', '000.00.01.H99', 'partner', 'accepted'),
    (NULL, 1767600000000000, 'delivery-1', '000.00.01.H99', 'partner', 'settled');
UPDATE feed SET position = 1;
INSERT INTO ruling (at, delivery, made_by, what, why, evidence)
VALUES (1767600000000000, 'delivery-1', 'canbo.mau', 'replay', 'thử lại', NULL);
INSERT INTO attempt (call, ordinal, request_id, opened_at, purpose) VALUES ('delivery-1', 1, 'r3', 1767600000000000, 'send');
INSERT INTO replay (id, system, client, made_by, why, made_at, filter, per_second, stop_above, stop_of, chosen, state, state_at,
    state_why, place, next_at, recent)
VALUES ('replay-1', 'partner', 'one-stop', 'canbo.mau', 'sau sự cố', 1767600000000000, '{"states":["needs_person"]}', 0.5, 5, 20, 3,
    'running', 1767600000000000, NULL, 2, 1767600000000001, 'sf');
INSERT INTO replay_agency VALUES (1, '000.00.01.H99');
INSERT INTO replay_item VALUES (1, 1, 'delivery-1', 'settled'), (1, 2, 'delivery-2', 'going'), (1, 3, 'delivery-3', NULL);
INSERT INTO replay_count VALUES (1, 'settled', 1), (1, 'going', 1);
INSERT INTO webhook (id, client, url, agencies, kinds, made_at, state, state_at, state_why, secret, old_secret, old_until, position,
    missed_at, failing_since, failed_at, failure, owner, lease_until)
VALUES ('7d4a0001', 'one-stop', 'https://motcua.example/hooks', '000.00.01.H99', 'settled rejected', 1767600000000000, 'disabled',
    1767600000000009, 'failing', zeroblob(8), zeroblob(8), 1767600000000010, 1, 1767600000000002, 1767600000000003, 1767600000000008,
    'connection_failed', 'process-1', 1767600000000011),
    ('7d4a0002', 'one-stop', 'https://motcua.example/hooks', '000.00.01.H99', '', 1767600000000000, 'active',
    1767600000000000, NULL, zeroblob(8), NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0);
UPDATE delivery SET step = 'progress/10-20', trail = 'progress/0-10=done', refused = 'ab12cd34ef56' WHERE id = 'delivery-2';
UPDATE attempt SET step = 'progress/10-20' WHERE call = 'delivery-1';
INSERT INTO dossier VALUES ('delivery-1', '000.00.01.H99', 3, 1767600000000000, 'H99.1-260105-0001'),
    ('delivery-0', '000.00.01.H99', NULL, 1767600000000000, NULL);
INSERT INTO dossier_code VALUES ('H99.1-260105-0001', 'delivery-1', 1767600000000000),
    ('000.00.01.H99-260105-0001', 'delivery-1', 1767600000000001), ('H99.1-260105-0002', 'delivery-0', 1767600000000000);
INSERT INTO session (number, id, fence, generation, token, opened_at, ends_at, lease_until, failure, kind, layer, reason, failure_until)
VALUES (1, 'portal:0123456789ab', 7, 6, zeroblob(8), 1767600000000000, 1767600000000009, 1767600000000003, 0, NULL, NULL, NULL, 0),
    (2, 'portal:ab9876543210', 2, 0, NULL, NULL, NULL, 0, 2, 'credential_refused', 'system', 'credential_refused', 1767600000000008);
INSERT INTO sign_in (id, client, agency, procedure, officer, dossier, level, return_to, session_mac, made_at, state, due_at, outcome,
    reason, kind, subject, cookie_mac, state_mac, pending, person, tokens, tokens_until, leave_until, leave_to)
VALUES ('5d1f0001', 'one-stop', '000.00.01.H99', '1.000001', NULL, NULL, 2, 'https://motcua.example/dang-nhap', NULL,
    1767600000000000, 'started', 1767600000000009, NULL, NULL, NULL, NULL, zeroblob(8), zeroblob(8), zeroblob(8), NULL, NULL, NULL, NULL, NULL),
    ('5d1f0002', 'one-stop', '000.00.01.H99', NULL, 'canbo.mau', 'H99.1-260105-0001', NULL, 'https://motcua.example/dang-nhap', zeroblob(8),
    1767600000000000, 'claimed', 1767600000000009, 'claimed', NULL, NULL, 'ab', zeroblob(8), zeroblob(7), NULL, zeroblob(8), zeroblob(8), 1767600000000010,
    1767600000000011, 'https://motcua.example/dang-nhap'),
    ('5d1f0003', 'one-stop', '000.00.01.H99', NULL, NULL, NULL, 1, 'https://motcua.example/dang-nhap', NULL,
    1767600000000000, 'failed', 1767600000000009, 'unavailable', 'read_timeout', 'unknown_outcome', NULL, zeroblob(8), zeroblob(4), NULL, NULL,
    NULL, NULL, NULL, NULL);
