/*
title = "Steps that were retried inside a step that was retried"
params = []
columns = [
    "service", "callee", "operation", "inner_service", "inner_callee", "inner_operation", "cases",
    "outer_attempts", "inner_attempts", "inner_most", "sample",
]
*/
WITH inner_calls AS (
    SELECT
        flow_id,
        parent_step_id,
        service,
        callee,
        operation,
        sum(attempt_count) AS attempts,
        max(attempt_count) AS most,
        min(step_id) AS step_id
    FROM steps
    WHERE parent_step_id IS NOT NULL AND callee <> ''
    GROUP BY ALL
),

cases AS (
    SELECT
        o.service,
        o.callee,
        o.operation,
        i.service AS inner_service,
        i.callee AS inner_callee,
        i.operation AS inner_operation,
        o.attempt_count AS outer_attempts,
        i.attempts AS inner_attempts,
        o.flow_id,
        o.ordinal
    FROM inner_calls AS i
    INNER JOIN steps AS o ON i.flow_id = o.flow_id AND i.parent_step_id = o.step_id
    WHERE o.attempt_count > 1 AND i.most > 1
)

SELECT
    c.service,
    c.callee,
    c.operation,
    c.inner_service,
    c.inner_callee,
    c.inner_operation,
    count(*) AS cases,
    sum(c.outer_attempts) AS outer_attempts,
    sum(c.inner_attempts) AS inner_attempts,
    max(c.inner_attempts) AS inner_most,
    min(trace_hex(a.trace_id) || '/' || span_hex(a.span_id), 5) AS sample
FROM cases AS c
INNER JOIN attempts AS a
    ON c.flow_id = a.flow_id AND c.ordinal = a.step_ordinal AND a.ordinal = 0
GROUP BY ALL
ORDER BY ALL
