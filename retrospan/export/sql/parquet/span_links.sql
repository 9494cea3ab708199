SELECT
    trace_hex(trace_id) AS trace_id,
    span_hex(span_id) AS span_id,
    span_start_ns,
    ordinal,
    trace_hex(linked_trace_id) AS linked_trace_id,
    span_hex(linked_span_id) AS linked_span_id,
    attributes::VARCHAR AS attributes
FROM span_links
WHERE span_start_ns BETWEEN $low AND $high
ORDER BY span_start_ns, span_links.trace_id, span_links.span_id, ordinal
