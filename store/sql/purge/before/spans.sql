CREATE OR REPLACE TEMP TABLE purge_spans AS
SELECT s.trace_id, s.span_id
FROM spans AS s
SEMI JOIN purge_traces AS p ON s.trace_id = p.trace_id
