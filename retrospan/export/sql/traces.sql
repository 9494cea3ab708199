/*
title = "All traces in the order of time, with how many spans each has; of some flows only"
params = ["all", "flow_ids"]
columns = ["trace_id", "spans"]
*/
SELECT trace_hex(trace_id) AS trace_id, spans
FROM traces
WHERE $all OR trace_id IN (
    SELECT trace_id
    FROM flow_members
    WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
)
ORDER BY min_ns NULLS FIRST, traces.trace_id
