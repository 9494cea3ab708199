/*
title = "Spans of some flows"
params = ["flow_ids"]
columns = ["trace_id", "span_id"]
*/
SELECT DISTINCT trace_hex(trace_id) AS trace_id, span_hex(span_id) AS span_id
FROM flow_members
WHERE flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
ORDER BY 1, 2
