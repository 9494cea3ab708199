-- Attempts with ids as hex text, beside the step and the flow they belong to.
CREATE VIEW attempt_facts AS
SELECT
    a.flow_id,
    f.name AS flow_name,
    f.version AS flow_version,
    f.outcome AS flow_outcome,
    a.step_id,
    s.name AS step_name,
    s.kind,
    s.service,
    s.callee,
    s.operation,
    s.role,
    a.step_ordinal,
    a.ordinal,
    trace_hex(a.trace_id) AS trace_id,
    span_hex(a.span_id) AS span_id,
    a.start_ns,
    a.end_ns,
    a.end_ns - a.start_ns AS duration_ns,
    a.outcome,
    a.status,
    a.error,
    a.http_status,
    a.idempotency_key,
    a.breaker_state,
    a.timeout_ms,
    a.callee_outcome,
    a.took_effect,
    a.external_ref
FROM attempts AS a
INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
INNER JOIN flows AS f ON a.flow_id = f.flow_id
