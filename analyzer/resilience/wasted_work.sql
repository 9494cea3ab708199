/*
title = "Calls that were given up while the callee worked on"
params = ["tolerance_ns"]
columns = [
    "service", "callee", "operation", "calls", "given_up", "unseen", "ran_on", "done", "effects",
    "wasted_ns", "longest_ns", "sample",
]
*/
WITH calls AS (
    SELECT
        s.service,
        s.callee,
        s.operation,
        a.outcome IN ('timeout', 'cancelled') AS given_up,
        a.callee_span_id IS NOT NULL AS seen,
        a.callee_outcome,
        a.took_effect,
        a.callee_end_ns - a.end_ns AS late_ns,
        trace_hex(a.trace_id) || '/' || span_hex(a.span_id) AS span
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    WHERE s.callee <> '' AND s.kind <> 'message'
),

judged AS (
    SELECT *, given_up AND late_ns > $tolerance_ns::BIGINT AS is_waste
    FROM calls
)

SELECT
    service,
    callee,
    operation,
    count(*) AS calls,
    count(*) FILTER (given_up) AS given_up,
    count(*) FILTER (given_up AND NOT seen) AS unseen,
    count(*) FILTER (is_waste) AS ran_on,
    count(*) FILTER (is_waste AND callee_outcome = 'ok') AS done,
    count(*) FILTER (is_waste AND took_effect) AS effects,
    coalesce(sum(late_ns) FILTER (is_waste), 0) AS wasted_ns,
    max(late_ns) FILTER (is_waste) AS longest_ns,
    min(span, 5) FILTER (is_waste) AS sample
FROM judged
GROUP BY ALL
ORDER BY service, callee, operation
