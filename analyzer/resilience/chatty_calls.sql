/*
title = "How often one service calls another within one flow, retries not counted"
params = ["calls_min"]
columns = [
    "service", "callee", "flows", "calls", "chatty_flows", "most", "operations", "sample",
]
*/
WITH pairs AS (
    SELECT
        flow_id,
        service,
        callee,
        count(*) AS calls,
        count(DISTINCT operation) AS operations,
        min(ordinal) AS ordinal
    FROM steps
    WHERE callee <> '' AND callee <> service AND kind <> 'message'
    GROUP BY ALL
)

SELECT
    p.service,
    p.callee,
    count(*) AS flows,
    sum(p.calls) AS calls,
    count(*) FILTER (p.calls >= $calls_min::BIGINT) AS chatty_flows,
    max(p.calls) AS most,
    max(p.operations) AS operations,
    min(trace_hex(a.trace_id) || '/' || span_hex(a.span_id), 5)
        FILTER (p.calls >= $calls_min::BIGINT) AS sample
FROM pairs AS p
INNER JOIN attempts AS a
    ON p.flow_id = a.flow_id AND p.ordinal = a.step_ordinal AND a.ordinal = 0
GROUP BY p.service, p.callee
ORDER BY p.service, p.callee
