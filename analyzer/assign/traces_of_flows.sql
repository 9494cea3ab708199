/*
title = "Traces of flows that bear one of these ids or did, other than those already known"
params = ["flow_ids", "trace_ids"]
columns = ["trace_id"]
*/
WITH named AS (
    SELECT unnest($flow_ids::VARCHAR[]) AS flow_id
),

flows_named AS (
    SELECT flow_id
    FROM named
    UNION
    SELECT aliases.flow_id
    FROM flow_aliases AS aliases
    SEMI JOIN named ON aliases.alias = named.flow_id
)

SELECT DISTINCT trace_hex(trace_id) AS trace_id
FROM flow_members
WHERE flow_id IN (SELECT flow_id FROM flows_named)
    AND trace_id NOT IN (SELECT trace_id FROM parse_trace_ids($trace_ids))
ORDER BY 1
