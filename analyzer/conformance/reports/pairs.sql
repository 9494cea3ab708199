/*
title = "Which service calls which, and how often within one flow"
params = []
columns = ["caller", "callee", "calls", "messages", "flows", "flows_of_caller", "most", "median",
    "operations", "trace_id", "span_id"]
*/
WITH remote AS (
    SELECT
        flow_id,
        ordinal,
        service AS caller,
        callee,
        operation,
        kind = 'message' AS message
    FROM steps
    WHERE callee <> '' AND callee <> service
),

per_flow AS (
    SELECT
        caller,
        callee,
        flow_id,
        count(*) AS calls,
        count(*) FILTER (message) AS messages,
        min(ordinal) AS ordinal
    FROM remote
    GROUP BY caller, callee, flow_id
),

callers AS (
    SELECT
        caller,
        count(DISTINCT flow_id) AS flows
    FROM remote
    GROUP BY caller
),

operations AS (
    SELECT
        caller,
        callee,
        count(DISTINCT operation) AS operations
    FROM remote
    GROUP BY caller, callee
)

SELECT
    p.caller,
    p.callee,
    sum(p.calls) AS calls,
    sum(p.messages) AS messages,
    count(*) AS flows,
    max(c.flows) AS flows_of_caller,
    max(p.calls) AS most,
    quantile_disc(p.calls, 0.5) AS median,
    max(o.operations) AS operations,
    trace_hex(min({'t': a.trace_id, 's': a.span_id}).t) AS trace_id,
    span_hex(min({'t': a.trace_id, 's': a.span_id}).s) AS span_id
FROM per_flow AS p
INNER JOIN callers AS c ON p.caller = c.caller
INNER JOIN operations AS o ON p.caller = o.caller AND p.callee = o.callee
INNER JOIN attempts AS a
    ON p.flow_id = a.flow_id AND p.ordinal = a.step_ordinal AND a.ordinal = 0
GROUP BY p.caller, p.callee
ORDER BY p.caller, p.callee
