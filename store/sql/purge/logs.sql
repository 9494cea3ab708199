DELETE FROM logs
WHERE trace_id IN (SELECT trace_id FROM purge_traces)
    OR (trace_id, span_id) IN (SELECT (trace_id, span_id) FROM purge_spans)
