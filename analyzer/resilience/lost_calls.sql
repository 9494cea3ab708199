/*
title = "Failed calls that their callee does not know of, per callee and time bin"
params = ["bin_ns"]
columns = ["callee", "bin", "calls", "lost", "sample"]
*/
SELECT
    s.callee,
    a.start_ns // $bin_ns::BIGINT AS bin,
    count(*) AS calls,
    count(*) FILTER (a.outcome NOT IN ('ok', 'unknown') AND a.callee_span_id IS NULL) AS lost,
    min(trace_hex(a.trace_id) || '/' || span_hex(a.span_id), 2)
        FILTER (a.outcome NOT IN ('ok', 'unknown') AND a.callee_span_id IS NULL) AS sample
FROM attempts AS a
INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
WHERE s.callee <> ''
GROUP BY ALL
ORDER BY s.callee, bin
