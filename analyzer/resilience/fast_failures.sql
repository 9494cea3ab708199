/*
title = "Calls that failed at once without reaching a callee that is heard of, no breaker recorded"
params = ["local_ns"]
columns = ["service", "callee", "operation", "calls", "fast", "from_ns", "until_ns", "sample"]
*/
WITH calls AS (
    SELECT
        s.service,
        s.callee,
        s.operation,
        a.start_ns,
        a.outcome = 'error'
        AND a.http_status IS NULL
        AND a.callee_span_id IS NULL
        AND a.end_ns - a.start_ns < $local_ns::BIGINT AS is_fast,
        trace_hex(a.trace_id) || '/' || span_hex(a.span_id) AS span
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    SEMI JOIN (SELECT DISTINCT service FROM spans) AS heard ON s.callee = heard.service
    WHERE a.breaker_state IS NULL
)

SELECT
    service,
    callee,
    operation,
    count(*) AS calls,
    count(*) FILTER (is_fast) AS fast,
    min(start_ns) FILTER (is_fast) AS from_ns,
    max(start_ns) FILTER (is_fast) AS until_ns,
    min(span, 5) FILTER (is_fast) AS sample
FROM calls
GROUP BY ALL
ORDER BY service, callee, operation
