-- A store of schema 2, as the code of commit 2c32277 wrote it, flows derived. Frozen: it stands for
-- files that exist.

CREATE TABLE store_meta ( schema_version INTEGER, ddl_sha256 VARCHAR, generation BIGINT );
CREATE TABLE spans ( trace_id UUID, span_id UBIGINT, parent_span_id UBIGINT, name VARCHAR, kind
    VARCHAR, service VARCHAR, start_ns BIGINT, end_ns BIGINT, status VARCHAR, status_message
    VARCHAR, trace_state VARCHAR, scope_name VARCHAR, scope_version VARCHAR, attributes JSON,
    resource JSON, http_method VARCHAR, http_route VARCHAR, http_status_code BIGINT, server_address
    VARCHAR, db_system VARCHAR, messaging_destination VARCHAR, error_type VARCHAR, gen_ai_model
    VARCHAR, declared_flow_id VARCHAR, flow_name VARCHAR, saga_id VARCHAR );
CREATE TABLE span_events ( trace_id UUID, span_id UBIGINT, span_start_ns BIGINT, ordinal
    INTEGER, time_ns BIGINT, name VARCHAR, attributes JSON );
CREATE TABLE span_links ( trace_id UUID, span_id UBIGINT, span_start_ns BIGINT, ordinal INTEGER,
    linked_trace_id UUID, linked_span_id UBIGINT, attributes JSON );
CREATE TABLE logs ( time_ns BIGINT, observed_ns BIGINT, trace_id UUID, span_id UBIGINT,
    severity_number INTEGER, severity_text VARCHAR, event_name VARCHAR, body JSON, service VARCHAR,
    attributes JSON, resource JSON, content_hash UBIGINT );
CREATE TABLE decisions ( decision_id VARCHAR, leaf_index BIGINT, time_ns BIGINT, chosen VARCHAR,
    trace_id UUID, span_id UBIGINT, flow_id VARCHAR, seq BIGINT, confidence VARCHAR,
    confidence_value DECIMAL(38, 9), threshold VARCHAR, threshold_value DECIMAL(38, 9), model_name
    VARCHAR, model_version VARCHAR, policy_id VARCHAR, policy_version VARCHAR, policy_outcome
    VARCHAR, action_step_key VARCHAR, record JSON, content_hash UBIGINT );
CREATE TABLE decision_leaves ( leaf_index BIGINT, decision_id VARCHAR, leaf BLOB, salt BLOB );
CREATE TABLE payloads ( sha256 VARCHAR, body JSON );
CREATE TABLE batches ( content_sha256 VARCHAR, reader VARCHAR, rules_sha256 VARCHAR, source
    VARCHAR, generation BIGINT, spans BIGINT, logs BIGINT, decisions BIGINT, duplicates BIGINT,
    superseded BIGINT, rejected BIGINT, metrics BIGINT );
CREATE TABLE inputs ( content_sha256 VARCHAR, reader VARCHAR, rules_sha256 VARCHAR, records
    BIGINT, truncated BIGINT, rejected BIGINT );
CREATE TABLE rejects ( content_sha256 VARCHAR, reader VARCHAR, rules_sha256 VARCHAR, source
    VARCHAR, ordinal INTEGER, record VARCHAR, reason VARCHAR, excerpt VARCHAR );
CREATE TABLE traces ( trace_id UUID, min_ns BIGINT, max_ns BIGINT, spans BIGINT );
CREATE TABLE dirty_traces ( trace_id UUID, generation BIGINT );
CREATE TABLE flows ( flow_id VARCHAR, name VARCHAR, version VARCHAR, outcome VARCHAR, start_ns
    BIGINT, end_ns BIGINT, service VARCHAR, services VARCHAR[], trace_ids VARCHAR[], decision_ids
    VARCHAR[], span_count BIGINT, step_count BIGINT, attempt_count BIGINT, compensation_count
    BIGINT, architecture VARCHAR, replayability VARCHAR, complete BOOLEAN, sampling VARCHAR,
    sampling_weight VARCHAR, variant VARCHAR, critical_path JSON, input JSON, output JSON, draws
    JSON, ties VARCHAR[], evidence_gaps VARCHAR[], code_digest VARCHAR, generation BIGINT );
CREATE TABLE flow_heads ( flow_id VARCHAR, start_ns BIGINT, end_ns BIGINT, name VARCHAR, version
    VARCHAR, outcome VARCHAR, service VARCHAR, services VARCHAR[], environments VARCHAR[],
    span_count BIGINT, step_count BIGINT, attempt_count BIGINT, compensation_count BIGINT, complete
    BOOLEAN, replayability VARCHAR, has_saga BOOLEAN, verdict VARCHAR, effects BIGINT, decisions
    BIGINT, decisions_judged BIGINT, decisions_below BIGINT, derivation BIGINT );
CREATE TABLE flow_problems ( flow_id VARCHAR, name VARCHAR, verdict VARCHAR, message VARCHAR );
CREATE TABLE derivations ( number BIGINT, flows BIGINT );
CREATE TABLE flow_members ( flow_id VARCHAR, trace_id UUID, span_id UBIGINT );
CREATE TABLE flow_aliases ( alias VARCHAR, flow_id VARCHAR );
CREATE TABLE steps ( flow_id VARCHAR, ordinal INTEGER, step_id VARCHAR, key VARCHAR, name
    VARCHAR, kind VARCHAR, service VARCHAR, callee VARCHAR, operation VARCHAR, outcome VARCHAR,
    start_ns BIGINT, end_ns BIGINT, attempt_count BIGINT, parent_step_id VARCHAR, saga_id VARCHAR,
    saga_step VARCHAR, role VARCHAR, role_grade INTEGER, compensates VARCHAR, compensates_grade
    INTEGER, resource VARCHAR, amount DECIMAL(38, 9), amount_text VARCHAR, currency VARCHAR,
    max_attempts BIGINT, backoff_initial_ms BIGINT, backoff_coefficient DECIMAL(38, 9), backoff_text
    VARCHAR );
CREATE TABLE attempts ( flow_id VARCHAR, step_ordinal INTEGER, ordinal INTEGER, step_id VARCHAR,
    trace_id UUID, span_id UBIGINT, start_ns BIGINT, end_ns BIGINT, outcome VARCHAR, status VARCHAR,
    error VARCHAR, http_status BIGINT, request_sha256 VARCHAR, response_sha256 VARCHAR, has_request
    BOOLEAN, has_response BOOLEAN, idempotency_key VARCHAR, breaker_state VARCHAR, timeout_ms
    BIGINT, callee_outcome VARCHAR, callee_span_id UBIGINT, callee_start_ns BIGINT, callee_end_ns
    BIGINT, took_effect BOOLEAN, external_ref VARCHAR );
CREATE TABLE sagas ( flow_id VARCHAR, saga_id VARCHAR, name VARCHAR, verdict VARCHAR, checks
    JSON, residuals JSON );
CREATE TABLE findings ( finding_id VARCHAR, detector VARCHAR, scope VARCHAR, severity VARCHAR,
    verdict VARCHAR, flow_id VARCHAR, message VARCHAR, remedy VARCHAR, evidence JSON, facts JSON,
    generation BIGINT );
CREATE TABLE incidents ( incident_id VARCHAR, start_ns BIGINT, end_ns BIGINT, declared_by
    VARCHAR, title VARCHAR, detected_ns BIGINT, mitigated_ns BIGINT, recovered_ns BIGINT, flow_ids
    VARCHAR[], services VARCHAR[] );
CREATE TABLE incident_inputs ( incident_id VARCHAR, kind VARCHAR, name VARCHAR, sha256 VARCHAR,
    records BIGINT, content JSON );
CREATE TABLE incident_causes ( incident_id VARCHAR, generation BIGINT, basis VARCHAR, content
    JSON );
CREATE TABLE replays ( flow_id VARCHAR, mode VARCHAR, scenario VARCHAR, verdict VARCHAR, digest
    VARCHAR, outcome VARCHAR, virtual_duration_ns BIGINT, virtual_low_ns BIGINT, virtual_high_ns
    BIGINT, program_digest VARCHAR, program_flows BIGINT, leave_one_out BOOLEAN, claim VARCHAR,
    control_verdict VARCHAR, control_digest VARCHAR, reason VARCHAR, flags VARCHAR[], divergences
    JSON, answers JSON, events JSON );
CREATE TABLE clock_skew ( caller VARCHAR, callee VARCHAR, calls BIGINT, offset_ns BIGINT, low_ns
    BIGINT, high_ns BIGINT );
CREATE MACRO trace_hex(id) AS replace(id::VARCHAR, '-', '');
CREATE MACRO span_hex(id) AS format('{:016x}', id);
CREATE MACRO parse_trace_ids(ids) AS TABLE SELECT DISTINCT TRY_CAST(text AS UUID) AS trace_id
    FROM (SELECT unnest(ids::VARCHAR[]) AS text) WHERE TRY_CAST(text AS UUID) IS NOT NULL;
CREATE MACRO identity_of(parts) AS md5_number_lower(
    array_to_string([coalesce(strlen(part)::VARCHAR, 'null') FOR part IN parts], ' ') || ':' ||
    array_to_string([coalesce(part, '') FOR part IN parts], '') );
CREATE MACRO heads_within(since_ns, until_ns, environment, some_services) AS TABLE SELECT * FROM
    flow_heads AS h WHERE (since_ns IS NULL OR h.start_ns >= since_ns) AND (until_ns IS NULL OR
    h.start_ns < until_ns) AND (environment IS NULL OR list_contains(h.environments, environment))
    AND (some_services IS NULL OR list_has_any(h.services, some_services));
CREATE MACRO placed_flows(flow_ids) AS TABLE SELECT unnest(flow_ids::VARCHAR[]) AS flow_id,
    generate_subscripts(flow_ids::VARCHAR[], 1) AS place;
CREATE VIEW saga_checks AS SELECT flow_id, saga_id, ordinal, item ->> '$.check' AS "check", item
    ->> '$.verdict' AS verdict, item ->> '$.message' AS message, item -> '$.evidence' AS evidence,
    item -> '$.missing' AS missing FROM ( SELECT flow_id, saga_id,
    unnest(range(json_array_length(checks)::BIGINT)) AS ordinal, unnest(json_extract(checks,
    '$[*]')) AS item FROM sagas );
CREATE VIEW residual_effects AS SELECT flow_id, saga_id, ordinal, item ->> '$.step' AS step,
    item ->> '$.callee' AS callee, item ->> '$.resource' AS resource, TRY_CAST(item ->> '$.amount'
    AS DECIMAL(38, 9)) AS amount, item ->> '$.currency' AS currency, item ->> '$.external_ref' AS
    external_ref, item ->> '$.idempotency_key' AS idempotency_key, item -> '$.evidence' AS evidence
    FROM ( SELECT flow_id, saga_id, unnest(range(json_array_length(residuals)::BIGINT)) AS ordinal,
    unnest(json_extract(residuals, '$[*]')) AS item FROM sagas );
CREATE VIEW span_facts AS SELECT trace_hex(trace_id) AS trace_id, span_hex(span_id) AS span_id,
    span_hex(parent_span_id) AS parent_span_id, end_ns - start_ns AS duration_ns, * EXCLUDE
    (trace_id, span_id, parent_span_id) FROM spans;
CREATE VIEW attempt_facts AS SELECT a.flow_id, f.name AS flow_name, f.version AS flow_version,
    f.outcome AS flow_outcome, a.step_id, s.name AS step_name, s.kind, s.service, s.callee,
    s.operation, s.role, a.step_ordinal, a.ordinal, trace_hex(a.trace_id) AS trace_id,
    span_hex(a.span_id) AS span_id, a.start_ns, a.end_ns, a.end_ns - a.start_ns AS duration_ns,
    a.outcome, a.status, a.error, a.http_status, a.idempotency_key, a.breaker_state, a.timeout_ms,
    a.callee_outcome, a.took_effect, a.external_ref FROM attempts AS a INNER JOIN steps AS s ON
    a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal INNER JOIN flows AS f ON a.flow_id =
    f.flow_id;
CREATE VIEW flow_arms AS SELECT kind, subject, min(version) AS version, flow_id FROM ( SELECT
    'flow' AS kind, name AS subject, version, flow_id FROM flows UNION ALL SELECT arm.kind,
    arm.subject, arm.version, f.flow_id FROM (SELECT flow_id, unnest(decision_ids) AS decision_id
    FROM flows) AS f INNER JOIN ( SELECT decision_id, unnest( [ {'kind': 'model', 'subject':
    model_name, 'version': model_version}, {'kind': 'policy', 'subject': policy_id, 'version':
    policy_version} ] ) AS arm FROM decisions UNION ALL SELECT d.decision_id, {'kind': 'flag',
    'subject': e.key, 'version': e.value ->> '$'} FROM decisions AS d, json_each(d.record ->
    '$.feature_flags') AS e ) AS d ON f.decision_id = d.decision_id UNION ALL SELECT 'flag',
    coalesce(e.attributes ->> '/feature_flag.key', ''), coalesce( e.attributes ->>
    '/feature_flag.result.variant', e.attributes ->> '/feature_flag.variant', e.attributes ->>
    '/feature_flag.result.value' ), f.flow_id FROM ( SELECT trace_id, attributes FROM span_events
    WHERE name = 'feature_flag.evaluation' UNION ALL SELECT trace_id, attributes FROM logs WHERE
    event_name = 'feature_flag.evaluation' OR attributes ->> '/event.name' =
    'feature_flag.evaluation' ) AS e INNER JOIN (SELECT flow_id, unnest(trace_ids) AS trace_id FROM
    flows) AS f ON trace_hex(e.trace_id) = f.trace_id ) WHERE subject <> '' AND version <> '' GROUP
    BY kind, subject, flow_id HAVING count(DISTINCT version) = 1;
CREATE VIEW release_units AS SELECT 'service' AS kind, service AS subject, resource ->>
    '/service.version' AS version, start_ns, status = 'error' OR coalesce(http_status_code >= 500,
    false) AS failed, CAST(NULL AS BOOLEAN) AS unsound, CAST(NULL AS VARCHAR) AS variant, CAST(NULL
    AS VARCHAR) AS flow_id, false AS is_unknown_sampling FROM spans WHERE kind IN ('server',
    'consumer') AND end_ns IS NOT NULL UNION ALL SELECT a.kind, a.subject, a.version, f.start_ns,
    CASE WHEN f.outcome IN ('unknown', 'in_progress') THEN NULL ELSE f.outcome IN ('failed',
    'compensation_failed', 'partially_compensated') END, CASE WHEN s.is_violated OR f.outcome IN
    ('compensation_failed', 'partially_compensated') THEN true WHEN s.is_unknown OR f.outcome IN
    ('unknown', 'in_progress') THEN NULL ELSE false END, f.variant, f.flow_id, f.sampling =
    'unknown' FROM flow_arms AS a INNER JOIN flows AS f ON a.flow_id = f.flow_id LEFT JOIN ( SELECT
    flow_id, bool_or(verdict = 'violation') AS is_violated, bool_or(verdict IN ('unknown', 'open'))
    AS is_unknown FROM sagas GROUP BY flow_id ) AS s ON f.flow_id = s.flow_id;
INSERT INTO attempts VALUES ('trace:0af7651916cd43dd8448eb211c80319c', 0, 0, 'st_742367f3e9de94723539', '0af76519-16cd-43dd-8448-eb211c80319c', 2, 1700000000000000002, 1700000000049999998, 'ok', 'ok', NULL, NULL, NULL, NULL, false, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO attempts VALUES ('trace:0af7651916cd43dd8448eb211c80319c', 1, 0, 'st_ca044bee829a05f29aa4', '0af76519-16cd-43dd-8448-eb211c80319c', 3, 1700000000000000003, 1700000000049999997, 'ok', 'ok', NULL, NULL, NULL, NULL, false, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO batches VALUES ('file:0', 'otlp_json/1', 'rules', 'traces.jsonl', 7, 3, 2, 0, 0, 0, 1, 0);
INSERT INTO decisions VALUES ('decision-1', 0, 1700000000000000009, 'approve', '0af76519-16cd-43dd-8448-eb211c80319c', 1, NULL, NULL, '0.90', 0.900000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"chosen":"approve","confidence":0.9}', 1);
INSERT INTO decisions VALUES ('decision-2', 1, 1700000000000000008, 'approve', '0af76519-16cd-43dd-8448-eb211c80319c', 1, NULL, NULL, '0.90', 0.900000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"chosen":"approve","confidence":0.9}', 2);
INSERT INTO decisions VALUES ('decision-3', 2, 1700000000000000007, 'approve', '0af76519-16cd-43dd-8448-eb211c80319c', 1, NULL, NULL, '0.90', 0.900000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"chosen":"approve","confidence":0.9}', 3);
INSERT INTO decision_leaves VALUES (0, 'decision-1', '\x4B\xC0\xFD\x26\xD5\x5A\x1A\x3A\x70\xE8\xAF\xDB\xA2\x03\x50\x8A\x03\x66\xDD\x55\x0B\x2C\x87\xE9\x8C\x9E\x6A\x85\x9C\x99\xCC\x00', '\x7E\xF1\x8C\xCB\xD9\x72\xAA\x92\x86\xED\x18\x25\x53\xB7\x90\x1D\x85\x48\x54\x48\xFB\x39\xAE\x43\x25\x49\x19\xA6\x62\x6C\x3A\xF1');
INSERT INTO decision_leaves VALUES (1, 'decision-2', '\x25\x54\x9C\x3A\xF3\xA9\x6A\x66\xAF\x5A\x81\x32\xD3\xD9\xE9\x7D\x22\xC5\x66\xA3\x3B\xF8\x2E\x41\xEF\xF6\x78\x26\x0E\xCE\x87\x02', '\x90\xFD\x2C\x15\xAE\xB9\x43\xB6\x1B\x2A\x88\x72\x24\x4E\xB0\x70\xF4\xA7\x2B\x14\x8E\xF2\xC5\x67\xBA\x9B\x7A\x4B\x05\x86\xA2\x0D');
INSERT INTO decision_leaves VALUES (2, 'decision-3', '\x27\x0B\xA1\x4A\xB0\x89\xB4\x42\x96\xF1\x03\x47\x42\x23\xB5\x66\x00\xE9\x3C\x6E\x46\x2F\xBD\xAC\x25\x86\x6A\x10\x8A\xB4\x30\xAB', '\x86\xFE\x52\x8C\x91\x9D\x0E\x96\xE1\x08\x97\x3C\x9F\x07\x3F\x39\xB8\x99\xD4\xDF\x52\x22\x29\xB4\xF8\x9E\xB9\xE9\x41\xD4\x25\x5C');
INSERT INTO derivations VALUES (1, 1);
INSERT INTO flows VALUES ('trace:0af7651916cd43dd8448eb211c80319c', 'POST /payments', '', 'succeeded', 1700000000000000001, 1700000000049999999, 'payments', ['payments'], ['0af7651916cd43dd8448eb211c80319c'], ['decision-1', 'decision-2', 'decision-3'], 3, 2, 2, 0, 'central', 'R2', true, 'assumed_all', '1', 'sh_e7d2f687fa8620cf', '[["0000000000000001",2],["0000000000000002",49999996]]', 'null', 'null', '[]', ['trace id'], ['no request bodies (http.request.body.content) at charge', 'no response bodies (http.response.body.content) at charge', 'no input of the flow (retrospan.flow.input)', 'no draws of clock or randomness (log records retrospan.effect)', 'no call settings (retrospan.call.*) at charge'], 'f12bbf3af4f8c2d95d2fcc72b0c01e9d93c509fbaa9aa9c9a2ce5dfa5f897afd', 9);
INSERT INTO flow_heads VALUES ('trace:0af7651916cd43dd8448eb211c80319c', 1700000000000000001, 1700000000049999999, 'POST /payments', '', 'succeeded', 'payments', ['payments'], [], 3, 2, 2, 0, true, 'R2', false, 'unknown', 0, 3, 0, 0, 1);
INSERT INTO flow_members VALUES ('trace:0af7651916cd43dd8448eb211c80319c', '0af76519-16cd-43dd-8448-eb211c80319c', 1);
INSERT INTO flow_members VALUES ('trace:0af7651916cd43dd8448eb211c80319c', '0af76519-16cd-43dd-8448-eb211c80319c', 2);
INSERT INTO flow_members VALUES ('trace:0af7651916cd43dd8448eb211c80319c', '0af76519-16cd-43dd-8448-eb211c80319c', 3);
INSERT INTO logs VALUES (1700000000000000003, 1700000000000000003, '0af76519-16cd-43dd-8448-eb211c80319c', 2, 9, 'INFO', '', '"charged"', 'payments', '{}', '{"service.name":"payments"}', 11);
INSERT INTO logs VALUES (1700000000000000004, 1700000000000000004, '2af76519-16cd-43dd-8448-eb211c80319c', NULL, 9, 'INFO', '', '"a trace of logs alone"', 'payments', '{}', '{"service.name":"payments"}', 12);
INSERT INTO rejects VALUES ('file:0', 'otlp_json/1', 'rules', 'traces.jsonl', 0, 'line 4', 'trace id is missing', '{"resourceSpans"');
INSERT INTO sagas VALUES ('trace:0af7651916cd43dd8448eb211c80319c', 'saga-1', 'POST /payments', 'unknown', '[{"check":"S1","evidence":[],"message":"the flow was not aborted","missing":[],"verdict":"not_applicable"},{"check":"S2","evidence":[{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000002","trace_id":"0af7651916cd43dd8448eb211c80319c"},{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c"}],"message":"charge at unknown, charge at unknown has no role: it may be a compensation","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"unknown"},{"check":"S3","evidence":[{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000002","trace_id":"0af7651916cd43dd8448eb211c80319c"},{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c"}],"message":"charge at unknown, charge at unknown has no role: it may be a compensation","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"unknown"},{"check":"S4","evidence":[{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000002","trace_id":"0af7651916cd43dd8448eb211c80319c"},{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c"}],"message":"charge at unknown, charge at unknown has no role: it may be a compensation","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"unknown"},{"check":"S5","evidence":[{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000002","trace_id":"0af7651916cd43dd8448eb211c80319c"},{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c"}],"message":"charge at unknown, charge at unknown has no role: it may be a compensation","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"unknown"},{"check":"S6","evidence":[{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000002","trace_id":"0af7651916cd43dd8448eb211c80319c"},{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c"}],"message":"charge at unknown, charge at unknown has no role: it may be a compensation","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"unknown"},{"check":"S7","evidence":[{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000002","trace_id":"0af7651916cd43dd8448eb211c80319c"},{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c"}],"message":"charge at unknown, charge at unknown has no role: it may be a compensation","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"unknown"},{"check":"S8","evidence":[],"message":"no step ended in a way that left its effect open","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"not_applicable"},{"check":"S9","evidence":[{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000002","trace_id":"0af7651916cd43dd8448eb211c80319c"},{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c"}],"message":"charge at unknown, charge at unknown has no role: it may be a compensation","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"unknown"},{"check":"S10","evidence":[],"message":"no lock was taken, and no other saga of this flow shares its effects","missing":[],"verdict":"not_applicable"},{"check":"S11","evidence":[],"message":"no step carries an idempotency key","missing":[],"verdict":"not_applicable"},{"check":"S12","evidence":[],"message":"no retriable step ran","missing":["retrospan.saga.role"],"verdict":"not_applicable"},{"check":"S13","evidence":[],"message":"no step has a saga role","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"not_applicable"},{"check":"S14","evidence":[{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000002","trace_id":"0af7651916cd43dd8448eb211c80319c"},{"decision_id":null,"kind":"span","sha256":null,"span_id":"0000000000000003","trace_id":"0af7651916cd43dd8448eb211c80319c"}],"message":"charge at unknown, charge at unknown has no role: it may be a compensation","missing":["retrospan.saga.compensates","retrospan.saga.role"],"verdict":"unknown"}]', '[]');
INSERT INTO spans VALUES ('0af76519-16cd-43dd-8448-eb211c80319c', 1, NULL, 'POST /payments', 'server', 'payments', 1700000000000000001, 1700000000049999999, 'ok', '', '', 'hand', '1', '{"http.route":"/payments","retrospan.saga.id":"saga-1","raw":{"$bytes":"AAH/"},"ratio":{"$double":"NaN"}}', '{"service.name":"payments"}', NULL, '/payments', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'saga-1');
INSERT INTO spans VALUES ('0af76519-16cd-43dd-8448-eb211c80319c', 2, 1, 'charge', 'client', 'payments', 1700000000000000002, 1700000000049999998, 'ok', '', '', 'hand', '1', '{"http.route":"/payments","retrospan.saga.id":"saga-1","raw":{"$bytes":"AAH/"},"ratio":{"$double":"NaN"}}', '{"service.name":"payments"}', NULL, '/payments', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'saga-1');
INSERT INTO spans VALUES ('0af76519-16cd-43dd-8448-eb211c80319c', 3, 1, 'charge', 'client', 'payments', 1700000000000000003, 1700000000049999997, 'ok', '', '', 'hand', '1', '{"http.route":"/payments","retrospan.saga.id":"saga-1","raw":{"$bytes":"AAH/"},"ratio":{"$double":"NaN"}}', '{"service.name":"payments"}', NULL, '/payments', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'saga-1');
INSERT INTO span_events VALUES ('0af76519-16cd-43dd-8448-eb211c80319c', 1, 1700000000000000001, 0, 1700000000000000005, 'retry', '{"n":1}');
INSERT INTO span_links VALUES ('0af76519-16cd-43dd-8448-eb211c80319c', 2, 1700000000000000002, 0, '1af76519-16cd-43dd-8448-eb211c80319c', 9, '{}');
INSERT INTO steps VALUES ('trace:0af7651916cd43dd8448eb211c80319c', 0, 'st_742367f3e9de94723539', '', 'charge', 'call', 'payments', 'unknown', 'charge', 'ok', 1700000000000000002, 1700000000049999998, 1, NULL, 'saga-1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO steps VALUES ('trace:0af7651916cd43dd8448eb211c80319c', 1, 'st_ca044bee829a05f29aa4', '', 'charge', 'call', 'payments', 'unknown', 'charge', 'ok', 1700000000000000003, 1700000000049999997, 1, NULL, 'saga-1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO store_meta VALUES (2, 'd408379cfe461314e9119a64b726d985ff4224784e62858d3024101cd995543b', 9);
INSERT INTO traces VALUES ('0af76519-16cd-43dd-8448-eb211c80319c', 1700000000000000001, 1700000000049999999, 3);
INSERT INTO traces VALUES ('2af76519-16cd-43dd-8448-eb211c80319c', NULL, NULL, 0);
INSERT INTO replays VALUES ('trace:0af7651916cd43dd8448eb211c80319c', 'trace', NULL, 'identical', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
