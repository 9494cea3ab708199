-- A store of schema 0, as the tests turn into a file. Frozen: it stands for files that exist.

CREATE TABLE store_meta (
    schema_version INTEGER,
    ddl_sha256 VARCHAR,
    generation BIGINT
);

CREATE TABLE spans (
    trace_id UUID,
    span_id UBIGINT,
    parent_span_id UBIGINT,
    name VARCHAR,
    kind VARCHAR,
    service VARCHAR,
    start_ns BIGINT,
    end_ns BIGINT,
    status VARCHAR,
    status_message VARCHAR,
    trace_state VARCHAR,
    scope_name VARCHAR,
    scope_version VARCHAR,
    attributes JSON,
    resource JSON,
    http_method VARCHAR,
    http_route VARCHAR,
    http_status_code BIGINT,
    server_address VARCHAR,
    db_system VARCHAR,
    messaging_destination VARCHAR,
    error_type VARCHAR,
    gen_ai_model VARCHAR,
    declared_flow_id VARCHAR,
    flow_name VARCHAR,
    content_hash UBIGINT
);

CREATE TABLE span_events (
    trace_id UUID,
    span_id UBIGINT,
    span_start_ns BIGINT,
    ordinal INTEGER,
    time_ns BIGINT,
    name VARCHAR,
    attributes JSON
);

CREATE TABLE span_links (
    trace_id UUID,
    span_id UBIGINT,
    span_start_ns BIGINT,
    ordinal INTEGER,
    linked_trace_id UUID,
    linked_span_id UBIGINT,
    attributes JSON
);

CREATE TABLE logs (
    time_ns BIGINT,
    observed_ns BIGINT,
    trace_id UUID,
    span_id UBIGINT,
    severity_number INTEGER,
    severity_text VARCHAR,
    event_name VARCHAR,
    body JSON,
    service VARCHAR,
    attributes JSON,
    resource JSON,
    content_hash UBIGINT
);

CREATE TABLE decisions (
    decision_id VARCHAR,
    time_ns BIGINT,
    chosen VARCHAR,
    trace_id UUID,
    span_id UBIGINT,
    flow_id VARCHAR,
    seq BIGINT,
    confidence VARCHAR,
    confidence_value DECIMAL(38, 9),
    threshold VARCHAR,
    threshold_value DECIMAL(38, 9),
    model_name VARCHAR,
    model_version VARCHAR,
    policy_id VARCHAR,
    policy_version VARCHAR,
    policy_outcome VARCHAR,
    action_step_key VARCHAR,
    record JSON,
    content_hash UBIGINT
);

CREATE TABLE payloads (
    sha256 VARCHAR,
    body JSON
);

CREATE TABLE batches (
    content_sha256 VARCHAR,
    reader VARCHAR,
    rules_sha256 VARCHAR,
    source VARCHAR,
    generation BIGINT,
    spans BIGINT,
    logs BIGINT,
    decisions BIGINT,
    duplicates BIGINT,
    superseded BIGINT,
    rejected BIGINT,
    metrics BIGINT
);

CREATE TABLE rejects (
    content_sha256 VARCHAR,
    source VARCHAR,
    ordinal INTEGER,
    record VARCHAR,
    reason VARCHAR,
    excerpt VARCHAR
);

CREATE TABLE dirty_traces (
    trace_id UUID,
    generation BIGINT
);

CREATE TABLE flows (
    flow_id VARCHAR,
    name VARCHAR,
    version VARCHAR,
    outcome VARCHAR,
    start_ns BIGINT,
    end_ns BIGINT,
    service VARCHAR,
    services VARCHAR[],
    trace_ids VARCHAR[],
    decision_ids VARCHAR[],
    span_count BIGINT,
    step_count BIGINT,
    attempt_count BIGINT,
    compensation_count BIGINT,
    architecture VARCHAR,
    replayability VARCHAR,
    complete BOOLEAN,
    critical_path JSON,
    input JSON,
    output JSON,
    draws JSON,
    ties VARCHAR[],
    evidence_gaps VARCHAR[],
    code_digest VARCHAR,
    generation BIGINT
);

CREATE TABLE replays (
    flow_id VARCHAR,
    mode VARCHAR,
    scenario VARCHAR,
    verdict VARCHAR,
    digest VARCHAR,
    outcome VARCHAR,
    virtual_duration_ns BIGINT,
    virtual_low_ns BIGINT,
    virtual_high_ns BIGINT,
    program_digest VARCHAR,
    program_flows BIGINT,
    leave_one_out BOOLEAN,
    claim VARCHAR,
    control_verdict VARCHAR,
    control_digest VARCHAR,
    reason VARCHAR,
    flags VARCHAR[],
    divergences JSON,
    answers JSON,
    events JSON
);

INSERT INTO store_meta VALUES (0, 'of schema 0', 7);
INSERT INTO spans BY NAME
SELECT
    '0af7651916cd43dd8448eb211c80319c'::UUID AS trace_id,
    n::UBIGINT AS span_id,
    if(n = 1, NULL, 1)::UBIGINT AS parent_span_id,
    if(n = 1, 'POST /payments', 'charge') AS name,
    if(n = 1, 'server', 'client') AS kind,
    'payments' AS service,
    1700000000000000000 + n AS start_ns,
    1700000000050000000 - n AS end_ns,
    'ok' AS status,
    '' AS status_message,
    '' AS trace_state,
    'hand' AS scope_name,
    '1' AS scope_version,
    '{"http.route":"/payments","retrospan.saga.id":"saga-1","raw":{"$bytes":"AAH/"},"ratio":{"$double":"NaN"}}' AS attributes,
    '{"service.name":"payments"}' AS resource,
    '/payments' AS http_route,
    n::UBIGINT AS content_hash
FROM range(1, 4) AS numbers (n);
INSERT INTO span_events VALUES
    ('0af7651916cd43dd8448eb211c80319c', 1, 1700000000000000001, 0, 1700000000000000005, 'retry', '{"n":1}');
INSERT INTO span_links VALUES
    ('0af7651916cd43dd8448eb211c80319c', 2, 1700000000000000002, 0, '1af7651916cd43dd8448eb211c80319c', 9, '{}');
INSERT INTO logs VALUES
    (1700000000000000003, 1700000000000000003, '0af7651916cd43dd8448eb211c80319c', 2, 9, 'INFO', '', '"charged"', 'payments', '{}', '{"service.name":"payments"}', 11),
    (1700000000000000004, 1700000000000000004, '2af7651916cd43dd8448eb211c80319c', NULL, 9, 'INFO', '', '"a trace of logs alone"', 'payments', '{}', '{"service.name":"payments"}', 12);
INSERT INTO decisions BY NAME
SELECT
    'decision-' || n AS decision_id,
    1700000000000000010 - n AS time_ns,
    'approve' AS chosen,
    '0af7651916cd43dd8448eb211c80319c'::UUID AS trace_id,
    1::UBIGINT AS span_id,
    '0.90' AS confidence,
    0.9 AS confidence_value,
    '{"chosen":"approve","confidence":0.9}' AS record,
    n::UBIGINT AS content_hash
FROM range(1, 4) AS numbers (n);
INSERT INTO batches VALUES ('file:0', 'otlp_json/1', 'rules', 'traces.jsonl', 7, 3, 2, 0, 0, 0, 1, 0);
INSERT INTO rejects VALUES ('file:0', 'traces.jsonl', 0, 'line 4', 'trace id is missing', '{"resourceSpans"');
INSERT INTO replays BY NAME SELECT 'trace:0af7651916cd43dd8448eb211c80319c' AS flow_id, 'trace' AS mode;
