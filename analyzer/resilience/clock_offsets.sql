/*
title = "Where the callee's time lies against its caller's, per pair of services"
params = ["tolerance_ns"]
columns = ["service", "callee", "calls", "outside", "offset_ns", "low_ns", "high_ns", "sample"]
*/
-- A callee's span fits inside its caller's when its clock is set back by something between
-- `low` (so that it ends in time) and `high` (so that it does not start early).
WITH pairs AS (
    SELECT
        p.service,
        c.service AS callee,
        c.end_ns - p.end_ns AS low_ns,
        c.start_ns - p.start_ns AS high_ns,
        trace_hex(c.trace_id) || '/' || span_hex(c.span_id) AS span
    FROM spans AS c
    INNER JOIN spans AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id
    WHERE c.kind = 'server'
        AND p.kind = 'client'
        AND c.service <> p.service
        -- Whoever gave up does not wait for the callee's end.
        AND p.status <> 'error'
        AND c.end_ns - c.start_ns <= p.end_ns - p.start_ns
)

SELECT
    service,
    callee,
    count(*) AS calls,
    count(*) FILTER (high_ns < -$tolerance_ns::BIGINT OR low_ns > $tolerance_ns::BIGINT) AS outside,
    quantile_disc((low_ns + high_ns) // 2, 0.5) AS offset_ns,
    max(low_ns) AS low_ns,
    min(high_ns) AS high_ns,
    min(span, 5) FILTER (high_ns < -$tolerance_ns::BIGINT OR low_ns > $tolerance_ns::BIGINT)
        AS sample
FROM pairs
GROUP BY service, callee
ORDER BY service, callee
