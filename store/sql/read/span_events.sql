SELECT trace_hex(trace_id), span_hex(span_id), time_ns, name, attributes
FROM span_events
WHERE span_start_ns BETWEEN $low AND $high
    AND ($all OR trace_id IN (SELECT trace_id FROM parse_trace_ids($trace_ids)))
ORDER BY trace_id, span_id, ordinal
