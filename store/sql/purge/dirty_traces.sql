DELETE FROM dirty_traces
WHERE trace_id IN (SELECT trace_id FROM purge_traces)
