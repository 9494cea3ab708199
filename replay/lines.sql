/*
title = "The lines of code that made the calls of some flows"
params = ["flow_ids"]
columns = ["flow_id", "step_id", "file", "line", "function"]
*/
WITH named AS (
    SELECT
        a.flow_id,
        a.step_id,
        a.start_ns,
        a.span_id,
        coalesce(
            s.attributes ->> '/code.file.path', s.attributes ->> '/code.filepath'
        ) AS file,
        coalesce(
            s.attributes ->> '/code.line.number', s.attributes ->> '/code.lineno'
        ) AS line,
        coalesce(
            s.attributes ->> '/code.function.name', s.attributes ->> '/code.function'
        ) AS function
    FROM attempts AS a
    INNER JOIN spans AS s ON a.trace_id = s.trace_id AND a.span_id = s.span_id
    WHERE a.flow_id IN (SELECT unnest($flow_ids::VARCHAR[]))
)

SELECT
    flow_id,
    step_id,
    file,
    line,
    function
FROM named
WHERE file IS NOT NULL
ORDER BY flow_id, step_id, start_ns, span_id
