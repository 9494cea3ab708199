/*
title = "Log records whose span nobody sent"
params = ["since_ns", "until_ns", "low_ns", "high_ns"]
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
-- A record without any span may well be about the process, so it is no gap.
WITH within AS MATERIALIZED (
    SELECT trace_id, span_id, service
    FROM logs
    WHERE
        trace_id IS NOT NULL
        AND span_id IS NOT NULL
        AND ($since_ns::BIGINT IS NULL OR time_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR time_ns < $until_ns::BIGINT)
),

owned AS (
    SELECT
        l.service,
        s.span_id IS NULL AS lost,
        {'t': l.trace_id, 's': l.span_id} AS id
    FROM within AS l
    LEFT JOIN (
        SELECT trace_id, span_id
        FROM spans
        WHERE
            start_ns BETWEEN $low_ns AND $high_ns
            AND trace_id IN (SELECT trace_id FROM within)
    ) AS s ON l.trace_id = s.trace_id AND l.span_id = s.span_id
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
