-- What is left of a trace that lost spans is derived again.
INSERT INTO dirty_traces
SELECT DISTINCT s.trace_id, (SELECT generation FROM store_meta)
FROM spans AS s
SEMI JOIN purge_spans AS p ON s.trace_id = p.trace_id
ANTI JOIN dirty_traces AS d ON s.trace_id = d.trace_id
