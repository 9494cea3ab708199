/*
title = "Links that lead to spans nobody sent"
params = []
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
WITH linked AS (
    SELECT
        s.service,
        {'t': l.trace_id, 's': l.span_id} AS id,
        o.span_id IS NULL AS absent
    FROM span_links AS l
    INNER JOIN spans AS s ON l.trace_id = s.trace_id AND l.span_id = s.span_id
    LEFT JOIN spans AS o ON l.linked_trace_id = o.trace_id AND l.linked_span_id = o.span_id
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
