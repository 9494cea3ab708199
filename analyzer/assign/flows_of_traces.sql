/*
title = "Flows that had spans of some traces when they were last derived; of all traces for `everything`"
params = ["trace_ids", "everything"]
columns = ["flow_id"]
*/
SELECT DISTINCT flow_id
FROM flow_members
WHERE $everything OR trace_id IN (SELECT trace_id FROM parse_trace_ids($trace_ids))
ORDER BY flow_id
