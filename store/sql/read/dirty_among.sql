SELECT trace_hex(trace_id)
FROM dirty_traces
WHERE trace_id IN (SELECT trace_id FROM parse_trace_ids($trace_ids))
ORDER BY trace_id
