SELECT
    trace_hex(trace_id) AS trace_id,
    span_hex(span_id) AS span_id,
    span_hex(parent_span_id) AS parent_span_id,
    name,
    kind,
    service,
    start_ns,
    end_ns,
    status,
    status_message,
    trace_state,
    scope_name,
    scope_version,
    attributes::VARCHAR AS attributes,
    resource::VARCHAR AS resource
FROM spans
WHERE start_ns BETWEEN $low AND $high
ORDER BY start_ns, spans.trace_id, spans.span_id
