/*
title = "Decisions that were carried out, with a gate and without, per kind of flow"
params = []
columns = ["flow_name", "gated", "ungated", "sample"]
*/
WITH owned AS (
    SELECT
        f.flow_id,
        f.name,
        unnest(f.decision_ids) AS decision_id
    FROM flows AS f
    WHERE f.complete
),

gates AS (
    SELECT flow_id, count(*) AS gates FROM steps WHERE kind = 'gate' GROUP BY flow_id
),

actions AS (
    SELECT s.flow_id, s."key", s.start_ns, trace_hex(a.trace_id) || '/' || span_hex(a.span_id) AS span
    FROM steps AS s
    INNER JOIN attempts AS a
        ON s.flow_id = a.flow_id AND s.ordinal = a.step_ordinal AND a.ordinal = 0
    WHERE s.role IN ('compensatable', 'pivot', 'retriable')
),

acted AS (
    SELECT
        o.name,
        o.flow_id,
        o.decision_id,
        d.policy_outcome IS NOT NULL OR coalesce(g.gates, 0) > 0 AS gated,
        arg_min(a.span, (a.start_ns, a.span)) AS span
    FROM owned AS o
    INNER JOIN decisions AS d ON o.decision_id = d.decision_id
    INNER JOIN actions AS a
        ON o.flow_id = a.flow_id
        AND a.start_ns >= d.time_ns
        AND a."key" = coalesce(d.action_step_key, a."key")
    LEFT JOIN gates AS g ON o.flow_id = g.flow_id
    GROUP BY ALL
)

SELECT
    name AS flow_name,
    count(*) FILTER (WHERE gated) AS gated,
    count(*) FILTER (WHERE NOT gated) AS ungated,
    list(span ORDER BY flow_id, decision_id) FILTER (WHERE NOT gated) AS sample
FROM acted
GROUP BY name
ORDER BY name
