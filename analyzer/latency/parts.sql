/*
title = "The time each part of these flows accounts for on their critical path"
params = ["flow_ids", "limit_ns"]
*/
WITH chosen AS (
    SELECT f.flow_id, f.critical_path, f.end_ns - f.start_ns > $limit_ns::BIGINT AS late
    FROM flows AS f
    INNER JOIN (SELECT unnest($flow_ids::VARCHAR[]) AS flow_id) AS w ON f.flow_id = w.flow_id
),

path AS (
    SELECT flow_id, item[1] AS span_id, item[2]::BIGINT AS self_ns
    FROM (
        SELECT flow_id, unnest(from_json(critical_path, '[["VARCHAR"]]')) AS item FROM chosen
    )
),

spans_of_steps AS (
    SELECT a.flow_id, span_hex(a.span_id) AS span_id, min(a.step_ordinal) AS ordinal
    FROM (
        SELECT flow_id, span_id, step_ordinal FROM attempts
        UNION ALL
        SELECT flow_id, callee_span_id, step_ordinal FROM attempts
        WHERE callee_span_id IS NOT NULL
    ) AS a
    INNER JOIN chosen AS c ON a.flow_id = c.flow_id
    GROUP BY a.flow_id, a.span_id
),

placed AS (
    SELECT p.flow_id, p.span_id, p.self_ns, s.ordinal
    FROM path AS p
    LEFT JOIN spans_of_steps AS s ON p.flow_id = s.flow_id AND p.span_id = s.span_id
),

on_path AS (
    SELECT flow_id, ordinal, sum(self_ns) AS on_path_ns
    FROM placed
    WHERE ordinal IS NOT NULL
    GROUP BY flow_id, ordinal
),

timed AS (
    SELECT
        s.flow_id,
        s.ordinal,
        s.parent_step_id,
        s.name,
        s.service,
        s.callee,
        s.start_ns,
        s.end_ns,
        coalesce(o.on_path_ns, 0) AS on_path_ns
    FROM steps AS s
    INNER JOIN chosen AS c ON s.flow_id = c.flow_id
    LEFT JOIN on_path AS o ON s.flow_id = o.flow_id AND s.ordinal = o.ordinal
    WHERE s.end_ns IS NOT NULL
),

-- What else ran beside a step under the same parent: what gates once the step gets shorter, and
-- how long after it the one that does gate goes on.
beside AS (
    SELECT
        s.flow_id,
        s.ordinal,
        max(o.end_ns) FILTER (WHERE o.end_ns <= s.end_ns) AS next_end_ns,
        max(o.end_ns) FILTER (WHERE o.end_ns > s.end_ns AND o.on_path_ns > 0) AS gate_end_ns
    FROM timed AS s
    INNER JOIN timed AS o
        ON
            s.flow_id = o.flow_id
            AND s.parent_step_id IS NOT DISTINCT FROM o.parent_step_id
            AND s.ordinal <> o.ordinal
            AND o.start_ns < s.end_ns
            AND o.end_ns > s.start_ns
    GROUP BY s.flow_id, s.ordinal
),

parts AS (
    SELECT
        t.flow_id,
        t.name,
        t.service,
        t.callee,
        sum(t.on_path_ns) AS on_path_ns,
        sum(least(t.on_path_ns // 2, t.end_ns - coalesce(b.next_end_ns, t.start_ns))) AS saved_ns,
        min(CASE WHEN t.on_path_ns = 0 THEN b.gate_end_ns - t.end_ns END) AS slack_ns
    FROM timed AS t
    LEFT JOIN beside AS b ON t.flow_id = b.flow_id AND t.ordinal = b.ordinal
    GROUP BY t.flow_id, t.name, t.service, t.callee
    UNION ALL
    SELECT
        p.flow_id,
        'own work',
        s.service,
        '',
        sum(p.self_ns),
        sum(p.self_ns) // 2,
        NULL
    FROM placed AS p
    INNER JOIN flow_members AS m ON p.flow_id = m.flow_id AND p.span_id = span_hex(m.span_id)
    INNER JOIN spans AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
    WHERE p.ordinal IS NULL
    GROUP BY p.flow_id, s.service
)

SELECT
    p.name,
    p.service,
    p.callee,
    list(p.on_path_ns::BIGINT ORDER BY p.on_path_ns) AS on_path_ns,
    list(p.on_path_ns::BIGINT ORDER BY p.on_path_ns) FILTER (WHERE c.late) AS late_ns,
    list(p.on_path_ns::BIGINT ORDER BY p.on_path_ns) FILTER (WHERE NOT c.late) AS in_time_ns,
    list(p.saved_ns::BIGINT ORDER BY p.saved_ns) AS saved_ns,
    coalesce(
        list(p.slack_ns::BIGINT ORDER BY p.slack_ns) FILTER (WHERE p.slack_ns IS NOT NULL), []
    ) AS slack_ns,
    list(p.flow_id ORDER BY p.on_path_ns DESC, p.flow_id)[1:20] AS slowest
FROM parts AS p
INNER JOIN chosen AS c ON p.flow_id = c.flow_id
GROUP BY p.name, p.service, p.callee
ORDER BY p.service, p.callee, p.name
