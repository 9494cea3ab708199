/*
title = "Traces of flows with a verdict that more data of other flows may settle"
params = []
columns = ["trace_id"]
*/
-- A flow at the edge of the data is judged again when the edge moves, though nothing of its own came.
WITH unsettled AS (
    SELECT DISTINCT flow_id
    FROM saga_checks
    WHERE verdict = 'open'
        OR (verdict = 'unknown' AND missing::VARCHAR LIKE '%spans of % after the %')
)

SELECT DISTINCT trace_hex(flow_members.trace_id) AS trace_id
FROM flow_members
SEMI JOIN unsettled ON flow_members.flow_id = unsettled.flow_id
ORDER BY 1
