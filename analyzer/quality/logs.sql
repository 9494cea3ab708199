/*
title = "Log records whose span nobody sent"
params = []
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
-- A record without any span may well be about the process, so it is no gap.
WITH owned AS (
    SELECT
        l.service,
        s.span_id IS NULL AS lost,
        {'t': l.trace_id, 's': l.span_id} AS id
    FROM logs AS l
    LEFT JOIN spans AS s ON l.trace_id = s.trace_id AND l.span_id = s.span_id
    WHERE l.trace_id IS NOT NULL AND l.span_id IS NOT NULL
),

counted AS (
    SELECT
        service,
        count(*) AS checked,
        count(*) FILTER (lost) AS affected,
        min(id) FILTER (lost) AS id
    FROM owned
    GROUP BY service
)

SELECT
    'log_of_absent_span' AS gap,
    service,
    checked,
    affected,
    0::BIGINT AS undetermined,
    trace_hex(id.t) AS trace_id,
    span_hex(id.s) AS span_id
FROM counted
ORDER BY service
