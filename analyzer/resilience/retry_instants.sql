/*
title = "The instant in which most flows retried at once, per edge"
params = ["instant_ns"]
columns = ["service", "callee", "operation", "flows_at_once", "at_ns", "sample"]
*/
WITH instants AS (
    SELECT
        s.service,
        s.callee,
        s.operation,
        a.start_ns // $instant_ns::BIGINT AS instant,
        count(DISTINCT a.flow_id) AS flows_at_once,
        min(trace_hex(a.trace_id) || '/' || span_hex(a.span_id), 5) AS sample
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    WHERE a.ordinal > 0 AND s.callee <> ''
    GROUP BY ALL
)

SELECT
    service,
    callee,
    operation,
    flows_at_once,
    instant * $instant_ns::BIGINT AS at_ns,
    sample
FROM instants
QUALIFY row_number()
    OVER (PARTITION BY service, callee, operation ORDER BY flows_at_once DESC, instant) = 1
ORDER BY service, callee, operation
