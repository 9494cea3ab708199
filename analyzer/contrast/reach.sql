/*
title = "Where in time some flows lie"
params = ["flow_ids"]
columns = ["since_ns", "until_ns", "first_ns", "low_ns", "high_ns"]
*/
-- They began from since_ns on and before until_ns, none of their steps before first_ns; their spans
-- lie between low_ns and high_ns. Bounds let the questions about them pass by all other times.
WITH heads AS (
    SELECT
        min(start_ns) AS since_ns,
        max(start_ns) + 1 AS until_ns,
        min(first_ns) AS first_ns
    FROM flow_heads
    WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
),

-- By row number: only the column that chooses is read as a whole.
held AS (
    SELECT TRY_CAST(unnest(trace_ids) AS UUID) AS trace_id
    FROM flows
    WHERE
        rowid IN (
            SELECT rowid FROM flows WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
        )
),

spread AS (
    SELECT
        min(min_ns) AS low_ns,
        max(max_ns) AS high_ns
    FROM traces
    WHERE trace_id IN (SELECT trace_id FROM held)
)

SELECT
    coalesce(h.since_ns, 1) AS since_ns,
    coalesce(h.until_ns, 0) AS until_ns,
    coalesce(h.first_ns, 1) AS first_ns,
    coalesce(s.low_ns, 1) AS low_ns,
    coalesce(s.high_ns, 0) AS high_ns
FROM heads AS h
CROSS JOIN spread AS s
ORDER BY ALL
