/*
title = "Calls that were answered, but the callee's span is not there, though it is heard of then"
params = ["near_ns"]
columns = ["service", "callee", "operation", "calls", "unseen", "sample"]
*/
WITH heard AS (
    SELECT DISTINCT service, start_ns // $near_ns::BIGINT AS bin
    FROM spans
    WHERE kind IN ('server', 'consumer')
),

calls AS (
    SELECT
        s.service,
        s.callee,
        s.operation,
        a.callee_span_id IS NULL AS is_unseen,
        trace_hex(a.trace_id) || '/' || span_hex(a.span_id) AS span
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    INNER JOIN flows AS f ON a.flow_id = f.flow_id
    SEMI JOIN heard AS h ON s.callee = h.service AND a.start_ns // $near_ns::BIGINT = h.bin
    WHERE a.http_status IS NOT NULL
        AND s.kind <> 'message'
        AND s.callee <> s.service
        AND f.sampling <> 'unknown'
)

SELECT
    service,
    callee,
    operation,
    count(*) AS calls,
    count(*) FILTER (is_unseen) AS unseen,
    min(span, 5) FILTER (is_unseen) AS sample
FROM calls
GROUP BY ALL
ORDER BY service, callee, operation
