/*
title = "Flows with an action that elsewhere follows a decision, with a decision and without"
params = []
columns = ["flow_name", "action", "decided", "after", "undecided", "sample"]
*/
WITH decided AS (
    SELECT o.flow_id, min(d.time_ns) AS time_ns
    FROM (SELECT flow_id, unnest(decision_ids) AS decision_id FROM flows) AS o
    INNER JOIN decisions AS d ON o.decision_id = d.decision_id
    GROUP BY o.flow_id
),

actions AS (
    SELECT
        f.flow_id,
        f.name AS flow_name,
        len(f.decision_ids) = 0 AS is_undecided,
        coalesce(s.saga_step, s.name) AS action,
        max(s.start_ns) AS start_ns,
        max((s.start_ns, trace_hex(a.trace_id) || '/' || span_hex(a.span_id)))[2] AS span
    FROM flows AS f
    INNER JOIN steps AS s ON f.flow_id = s.flow_id
    INNER JOIN attempts AS a
        ON s.flow_id = a.flow_id AND s.ordinal = a.step_ordinal AND a.ordinal = 0
    WHERE f.complete AND s.role IN ('compensatable', 'pivot', 'retriable') AND s.outcome = 'ok'
    GROUP BY ALL
)

SELECT
    a.flow_name,
    a.action,
    count(*) FILTER (WHERE NOT a.is_undecided) AS decided,
    count(*) FILTER (WHERE a.start_ns >= d.time_ns) AS after,
    count(*) FILTER (WHERE a.is_undecided) AS undecided,
    list(a.span ORDER BY a.flow_id) FILTER (WHERE a.is_undecided) AS sample
FROM actions AS a
LEFT JOIN decided AS d ON a.flow_id = d.flow_id
GROUP BY a.flow_name, a.action
ORDER BY a.flow_name, a.action
