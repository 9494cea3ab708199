SELECT
    trace_hex(trace_id) AS trace_id,
    span_hex(span_id) AS span_id,
    span_start_ns,
    ordinal,
    time_ns,
    name,
    attributes::VARCHAR AS attributes
FROM span_events
WHERE span_start_ns BETWEEN $low AND $high
ORDER BY span_start_ns, span_events.trace_id, span_events.span_id, ordinal
