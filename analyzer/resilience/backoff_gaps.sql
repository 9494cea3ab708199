/*
title = "Waits between attempts per edge: how long, how even, whether they grow"
params = ["growth_percent"]
columns = [
    "service", "callee", "operation", "retries", "firsts", "median_us", "sum_us", "square_us",
    "laters", "grown", "sample",
]
*/
WITH gaps AS (
    SELECT
        s.service,
        s.callee,
        s.operation,
        a.flow_id,
        a.step_ordinal,
        a.ordinal,
        trace_hex(a.trace_id) || '/' || span_hex(a.span_id) AS span,
        (a.start_ns - lag(a.end_ns) OVER step) // 1000 AS gap_us
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    WHERE s.attempt_count > 1 AND s.callee <> ''
    WINDOW step AS (PARTITION BY a.flow_id, a.step_ordinal ORDER BY a.ordinal)
),

waits AS (
    SELECT
        *,
        lag(gap_us) OVER (PARTITION BY flow_id, step_ordinal ORDER BY ordinal) AS before_us
    FROM gaps
)

SELECT
    service,
    callee,
    operation,
    count(gap_us) AS retries,
    count(*) FILTER (ordinal = 1) AS firsts,
    quantile_disc(gap_us, 0.5) FILTER (ordinal = 1) AS median_us,
    coalesce(sum(gap_us) FILTER (ordinal = 1), 0) AS sum_us,
    coalesce(sum(gap_us::HUGEINT * gap_us) FILTER (ordinal = 1), 0) AS square_us,
    count(*) FILTER (before_us > 0) AS laters,
    count(*) FILTER (before_us > 0 AND gap_us * 100 >= before_us * $growth_percent::BIGINT)
        AS grown,
    min(span, 5) AS sample
FROM waits
WHERE gap_us >= 0
GROUP BY ALL
ORDER BY service, callee, operation
