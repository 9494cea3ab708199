/*
title = "Flows that had spans of some traces when they were last derived"
params = ["trace_ids"]
columns = ["flow_id"]
*/
SELECT DISTINCT flow_id
FROM flow_members
WHERE trace_id IN (SELECT trace_id FROM parse_trace_ids($trace_ids))
ORDER BY flow_id
