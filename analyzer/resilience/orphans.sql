/*
title = "Spans whose parent is not in their trace, and later roots, per service"
params = ["edge_ns"]
columns = ["service", "spans", "orphans", "rootless", "second_roots", "orphan_sample", "root_sample"]
*/
-- At both ends of the data a parent may lie outside it.
WITH data AS (
    SELECT min(start_ns) AS first_ns, max(coalesce(end_ns, start_ns)) AS last_ns
    FROM spans
),

roots AS (
    SELECT trace_id, min((start_ns, span_id)) AS first_root
    FROM spans
    WHERE parent_span_id IS NULL
    GROUP BY trace_id
),

linked AS (
    SELECT DISTINCT trace_id, span_id
    FROM span_links
),

judged AS (
    SELECT
        c.service,
        trace_hex(c.trace_id) || '/' || span_hex(c.span_id) AS span,
        c.parent_span_id IS NOT NULL AND p.span_id IS NULL AS is_orphan,
        -- Of a trace without any root, whoever began it is not recorded at all.
        r.trace_id IS NULL AS is_rootless,
        c.parent_span_id IS NULL
        AND (c.start_ns, c.span_id) <> r.first_root
        AND l.span_id IS NULL AS is_second_root
    FROM spans AS c
    CROSS JOIN data
    LEFT JOIN spans AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id
    LEFT JOIN roots AS r ON c.trace_id = r.trace_id
    LEFT JOIN linked AS l ON c.trace_id = l.trace_id AND c.span_id = l.span_id
    WHERE c.start_ns >= data.first_ns + $edge_ns::BIGINT
        AND c.start_ns <= data.last_ns - $edge_ns::BIGINT
)

SELECT
    service,
    count(*) AS spans,
    count(*) FILTER (is_orphan AND NOT is_rootless) AS orphans,
    count(*) FILTER (is_orphan AND is_rootless) AS rootless,
    count(*) FILTER (is_second_root) AS second_roots,
    min(span, 5) FILTER (is_orphan) AS orphan_sample,
    min(span, 5) FILTER (is_second_root) AS root_sample
FROM judged
GROUP BY service
ORDER BY service
