/*
title = "Traces of flows that bear one of these ids, other than those already known"
params = ["flow_ids", "trace_ids"]
columns = ["trace_id"]
*/
SELECT DISTINCT trace_hex(trace_id) AS trace_id
FROM flow_members
WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
    AND trace_id NOT IN (SELECT trace_id FROM parse_trace_ids($trace_ids))
ORDER BY 1
