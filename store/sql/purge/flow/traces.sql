-- Of the flows' traces, those that hold no span of another flow.
CREATE OR REPLACE TEMP TABLE purge_traces AS
SELECT DISTINCT trace_id
FROM purge_spans
WHERE trace_id NOT IN (
    SELECT s.trace_id
    FROM spans AS s
    ANTI JOIN purge_spans AS p ON s.trace_id = p.trace_id AND s.span_id = p.span_id
)
