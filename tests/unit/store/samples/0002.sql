-- What a store of version 0002 may hold: one row of everything, in every state.
INSERT INTO key_check VALUES ('audit', '@CHECK@', 1767600000000000);
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
    'partner_busy', '429', 'no', 1.5, 0.5, '{"status":429}');
