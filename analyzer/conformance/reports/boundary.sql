/*
title = "Spans of each kind of flow by what led to them"
params = ["orchestrators"]
columns = ["name", "flows", "central", "choreographed", "hybrid", "spans", "led", "by_message",
    "approach", "direct", "outside_flows", "trace_id", "span_id"]
*/
-- The nearest cause counts: an orchestrator above the span, or a message that was consumed. Before
-- the first orchestrator's span a flow is only on its way to it.
WITH RECURSIVE reached AS (
    SELECT
        s.trace_id,
        s.span_id,
        CASE
            WHEN s.kind = 'consumer' THEN 'message'
            WHEN list_contains($orchestrators::VARCHAR[], s.service) THEN 'led'
            ELSE 'direct'
        END AS cause
    FROM spans AS s
    LEFT JOIN spans AS p ON s.trace_id = p.trace_id AND s.parent_span_id = p.span_id
    WHERE p.span_id IS NULL
    UNION ALL
    SELECT
        s.trace_id,
        s.span_id,
        CASE
            WHEN s.kind = 'consumer' THEN 'message'
            WHEN list_contains($orchestrators::VARCHAR[], s.service) THEN 'led'
            ELSE r.cause
        END AS cause
    FROM reached AS r
    INNER JOIN spans AS s ON r.trace_id = s.trace_id AND r.span_id = s.parent_span_id
),

placed AS (
    SELECT
        f.name,
        f.flow_id,
        f.architecture,
        s.trace_id,
        s.span_id,
        r.cause,
        r.cause = 'direct' AND s.start_ns <= min(s.start_ns) FILTER (r.cause = 'led')
            OVER (PARTITION BY f.flow_id) AS approaching
    FROM flows AS f
    INNER JOIN flow_members AS m ON f.flow_id = m.flow_id
    INNER JOIN spans AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
    INNER JOIN reached AS r ON s.trace_id = r.trace_id AND s.span_id = r.span_id
),

judged AS (
    SELECT
        * EXCLUDE (approaching),
        coalesce(approaching, false) AS approaching,
        cause = 'message' OR cause = 'direct' AND NOT coalesce(approaching, false) AS outside
    FROM placed
),

kinds AS (
    SELECT
        name,
        count(DISTINCT flow_id) AS flows,
        count(DISTINCT flow_id) FILTER (architecture = 'central') AS central,
        count(DISTINCT flow_id) FILTER (architecture = 'choreographed') AS choreographed,
        count(DISTINCT flow_id) FILTER (architecture = 'hybrid') AS hybrid,
        count(*) AS spans,
        count(*) FILTER (cause = 'led') AS led,
        count(*) FILTER (cause = 'message') AS by_message,
        count(*) FILTER (approaching) AS approach,
        count(*) FILTER (cause = 'direct' AND NOT approaching) AS direct,
        count(DISTINCT flow_id) FILTER (outside) AS outside_flows,
        min({'t': trace_id, 's': span_id}) FILTER (outside) AS example
    FROM judged
    GROUP BY name
)

SELECT
    * EXCLUDE (example),
    trace_hex(example.t) AS trace_id,
    span_hex(example.s) AS span_id
FROM kinds
ORDER BY name
