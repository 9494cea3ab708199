/*
title = "Calls that may last longer than the call they are made in"
params = []
columns = [
    "service", "callee", "operation", "inner_service", "inner_callee", "inner_operation", "calls",
    "inverted", "exceeding", "outer_ms", "inner_ms", "budget_ms", "sample",
]
*/
WITH limits AS (
    SELECT
        s.flow_id,
        s.step_id,
        s.parent_step_id,
        s.service,
        s.callee,
        s.operation,
        coalesce(s.max_attempts, 1) AS attempts,
        min(a.timeout_ms) AS shortest_ms,
        max(a.timeout_ms) AS longest_ms,
        min(trace_hex(a.trace_id) || '/' || span_hex(a.span_id)) AS span
    FROM steps AS s
    INNER JOIN attempts AS a ON s.flow_id = a.flow_id AND s.ordinal = a.step_ordinal
    WHERE s.callee <> '' AND s.kind <> 'message' AND a.timeout_ms IS NOT NULL
    GROUP BY ALL
)

SELECT
    o.service,
    o.callee,
    o.operation,
    i.service AS inner_service,
    i.callee AS inner_callee,
    i.operation AS inner_operation,
    count(*) AS calls,
    count(*) FILTER (i.longest_ms > o.shortest_ms) AS inverted,
    count(*) FILTER (i.longest_ms * i.attempts > o.shortest_ms) AS exceeding,
    min(o.shortest_ms) AS outer_ms,
    max(i.longest_ms) AS inner_ms,
    max(i.longest_ms * i.attempts) AS budget_ms,
    min(i.span, 5) FILTER (i.longest_ms * i.attempts > o.shortest_ms) AS sample
FROM limits AS i
INNER JOIN limits AS o ON i.flow_id = o.flow_id AND i.parent_step_id = o.step_id
GROUP BY ALL
HAVING exceeding > 0
ORDER BY ALL
