/*
title = "Where some flows are: in their table, and in time"
params = ["flow_ids"]
columns = ["row_numbers", "first_ns", "low_ns", "high_ns"]
*/
-- The row of each in its place; none of their steps begins before first_ns, their spans lie between
-- low_ns and high_ns. The questions about them then pass by all other rows.
WITH placed AS (
    SELECT list(f.rowid ORDER BY c.place) AS row_numbers
    FROM placed_flows($flow_ids) AS c
    LEFT JOIN flows AS f ON c.flow_id = f.flow_id
),

held AS (
    SELECT TRY_CAST(unnest(trace_ids) AS UUID) AS trace_id
    FROM flows
    WHERE rowid IN (SELECT unnest(row_numbers) FROM placed)
),

spread AS (
    SELECT
        min(min_ns) AS low_ns,
        max(max_ns) AS high_ns
    FROM traces
    WHERE trace_id IN (SELECT trace_id FROM held)
),

begun AS (
    SELECT min(first_ns) AS first_ns
    FROM flow_heads
    WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
)

SELECT
    (SELECT row_numbers FROM placed) AS row_numbers,
    coalesce((SELECT first_ns FROM begun), 0) AS first_ns,
    coalesce(low_ns, 1) AS low_ns,
    coalesce(high_ns, 0) AS high_ns
FROM spread
ORDER BY ALL
