/*
title = "Flows that succeeded at the same task of agents"
params = ["task", "flow_id"]
columns = ["flow_id", "trace_ids"]
*/
WITH tasked AS (
    SELECT DISTINCT trace_hex(trace_id) AS trace_id
    FROM spans
    WHERE attributes ->> '/retrospan.agent.task' = $task
)

SELECT
    f.flow_id,
    f.trace_ids
FROM flows AS f
WHERE
    f.outcome = 'succeeded'
    AND f.flow_id <> $flow_id
    AND list_has_any(f.trace_ids, (SELECT list(t.trace_id ORDER BY t.trace_id) FROM tasked AS t))
ORDER BY f.flow_id
LIMIT 50
