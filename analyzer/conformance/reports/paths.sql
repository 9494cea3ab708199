/*
title = "Calls of the old and of the new path over time, and where one flow took both"
params = ["old", "new", "fields", "slices"]
columns = ["slice", "start_ns", "old_calls", "new_calls", "both", "agree", "differ", "unknown",
    "trace_id", "span_id", "old_trace", "old_span"]
*/
-- Both paths answered alike when their bodies, or the asked fields of them, are equal.
WITH calls AS (
    SELECT
        s.flow_id,
        s.key,
        s.start_ns,
        s.callee || ' ' || s.operation GLOB $old::VARCHAR AS old,
        s.callee || ' ' || s.operation GLOB $new::VARCHAR AS new,
        CASE WHEN a.outcome = 'ok' THEN a.response_sha256 END AS response,
        {'t': a.trace_id, 's': a.span_id} AS id
    FROM steps AS s
    INNER JOIN attempts AS a
        ON s.flow_id = a.flow_id AND s.ordinal = a.step_ordinal AND a.ordinal = s.attempt_count - 1
    WHERE s.callee <> ''
),

bounds AS (
    SELECT
        min(start_ns) AS low,
        max(start_ns) - min(start_ns) + 1 AS span
    FROM steps
),

sliced AS (
    SELECT
        c.*,
        (c.start_ns - b.low)::HUGEINT * $slices::BIGINT // b.span AS slice
    FROM calls AS c
    CROSS JOIN bounds AS b
    WHERE c.old OR c.new
),

shadows AS (
    SELECT
        o.slice,
        CASE
            WHEN o.response = n.response OR len($fields::VARCHAR[]) = 0 THEN o.response = n.response
            WHEN a.body IS NOT NULL AND b.body IS NOT NULL
                THEN [coalesce(json_extract(a.body, field)::VARCHAR, '') FOR field IN $fields::VARCHAR[]]
            = [coalesce(json_extract(b.body, field)::VARCHAR, '') FOR field IN $fields::VARCHAR[]]
        END AS same,
        n.id,
        o.id AS old_id
    FROM sliced AS o
    INNER JOIN sliced AS n ON o.flow_id = n.flow_id AND o.key = n.key
    LEFT JOIN payloads AS a ON o.response = a.sha256
    LEFT JOIN payloads AS b ON n.response = b.sha256
    WHERE o.old AND n.new AND NOT n.old
),

compared AS (
    SELECT
        slice,
        count(*) AS both,
        count(*) FILTER (same) AS agree,
        count(*) FILTER (NOT same) AS differ,
        count(*) FILTER (same IS NULL) AS unknown,
        min({'n': id, 'o': old_id}) FILTER (NOT same) AS example
    FROM shadows
    GROUP BY slice
),

counted AS (
    SELECT
        slice,
        count(*) FILTER (old) AS old_calls,
        count(*) FILTER (new AND NOT old) AS new_calls,
        min(id) FILTER (old) AS old_example
    FROM sliced
    GROUP BY slice
)

SELECT
    c.slice::BIGINT AS slice,
    (b.low + c.slice * b.span // $slices::BIGINT)::BIGINT AS start_ns,
    c.old_calls,
    c.new_calls,
    coalesce(d.both, 0) AS both,
    coalesce(d.agree, 0) AS agree,
    coalesce(d.differ, 0) AS differ,
    coalesce(d.unknown, 0) AS unknown,
    trace_hex(d.example.n.t) AS trace_id,
    span_hex(d.example.n.s) AS span_id,
    trace_hex(c.old_example.t) AS old_trace,
    span_hex(c.old_example.s) AS old_span
FROM counted AS c
CROSS JOIN bounds AS b
LEFT JOIN compared AS d ON c.slice = d.slice
ORDER BY c.slice
