/*
title = "Logical calls and attempts per edge and time bin"
params = ["bin_ns"]
columns = [
    "service", "callee", "operation", "bin", "logical", "attempts", "failed", "wasted", "firsts",
    "firsts_failed", "attempts_max", "sample",
]
*/
SELECT
    s.service,
    s.callee,
    s.operation,
    a.start_ns // $bin_ns::BIGINT AS bin,
    count(DISTINCT s.step_id) AS logical,
    count(*) AS attempts,
    count(*) FILTER (a.outcome NOT IN ('ok', 'unknown')) AS failed,
    count(*) FILTER (a.outcome <> 'ok' AND a.callee_outcome = 'ok') AS wasted,
    count(*) FILTER (a.ordinal = 0) AS firsts,
    count(*) FILTER (a.ordinal = 0 AND a.outcome NOT IN ('ok', 'unknown')) AS firsts_failed,
    max(a.ordinal) + 1 AS attempts_max,
    min(trace_hex(a.trace_id) || '/' || span_hex(a.span_id), 5) FILTER (a.ordinal > 0) AS sample
FROM attempts AS a
INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
WHERE s.callee <> ''
GROUP BY ALL
ORDER BY s.service, s.callee, s.operation, bin
