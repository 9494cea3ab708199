/*
title = "How long calls lasted per edge, and the limits they were under"
params = ["slack_percent", "slack_ms"]
columns = [
    "service", "callee", "operation", "calls", "limited", "timed_out", "longest_ns", "median_ns",
    "over", "over_longest_ns", "limit_ms", "over_sample", "sample",
]
*/
WITH calls AS (
    SELECT
        s.service,
        s.callee,
        s.operation,
        a.outcome,
        a.timeout_ms,
        a.end_ns - a.start_ns AS duration_ns,
        trace_hex(a.trace_id) || '/' || span_hex(a.span_id) AS span
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    WHERE s.callee <> '' AND s.kind <> 'message' AND a.end_ns >= a.start_ns
),

judged AS (
    SELECT
        *,
        duration_ns > timeout_ms * 10000 * (100 + $slack_percent::BIGINT)
        + $slack_ms::BIGINT * 1000000 AS is_over
    FROM calls
)

SELECT
    service,
    callee,
    operation,
    count(*) AS calls,
    count(timeout_ms) AS limited,
    count(*) FILTER (outcome IN ('timeout', 'cancelled')) AS timed_out,
    max(duration_ns) AS longest_ns,
    quantile_disc(duration_ns, 0.5) AS median_ns,
    count(*) FILTER (is_over) AS over,
    max(duration_ns) FILTER (is_over) AS over_longest_ns,
    min(timeout_ms) FILTER (is_over) AS limit_ms,
    min(span, 5) FILTER (is_over) AS over_sample,
    arg_max(span, (duration_ns, span), 3) AS sample
FROM judged
GROUP BY ALL
ORDER BY service, callee, operation
