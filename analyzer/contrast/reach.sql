/*
title = "Where in time the spans of some flows lie"
params = ["flow_ids"]
columns = ["low_ns", "high_ns"]
*/
-- Nowhere for flows without a span.
SELECT
    coalesce(min(min_ns), 1) AS low_ns,
    coalesce(max(max_ns), 0) AS high_ns
FROM traces
WHERE
    trace_id IN (
        SELECT trace_id
        FROM flow_members
        WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
    )
ORDER BY ALL
