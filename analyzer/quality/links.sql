/*
title = "Links that lead to spans nobody sent"
params = ["since_ns", "until_ns", "low_ns", "high_ns"]
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
WITH within AS MATERIALIZED (
    SELECT trace_id, span_id, linked_trace_id, linked_span_id
    FROM span_links
    WHERE
        span_start_ns BETWEEN $low_ns AND $high_ns
        AND trace_id IN (SELECT trace_id FROM traces_within($since_ns::BIGINT, $until_ns::BIGINT))
),

linked AS (
    SELECT
        s.service,
        {'t': l.trace_id, 's': l.span_id} AS id,
        o.span_id IS NULL AS absent
    FROM within AS l
    INNER JOIN spans AS s ON l.trace_id = s.trace_id AND l.span_id = s.span_id
    LEFT JOIN (
        SELECT trace_id, span_id
        FROM spans
        WHERE trace_id IN (SELECT linked_trace_id FROM within)
    ) AS o ON l.linked_trace_id = o.trace_id AND l.linked_span_id = o.span_id
    WHERE s.start_ns BETWEEN $low_ns AND $high_ns
),

counted AS (
    SELECT
        service,
        count(*) AS checked,
        count(*) FILTER (absent) AS affected,
        min(id) FILTER (absent) AS id
    FROM linked
    GROUP BY service
)

SELECT
    'link_to_absent_span' AS gap,
    service,
    checked,
    affected,
    0::BIGINT AS undetermined,
    trace_hex(id.t) AS trace_id,
    span_hex(id.s) AS span_id
FROM counted
ORDER BY service
