SELECT
    trace_hex(trace_id),
    span_hex(span_id),
    span_hex(parent_span_id),
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
    attributes,
    resource
FROM spans
WHERE start_ns BETWEEN $low AND $high
    AND ($all OR trace_id IN (SELECT trace_id FROM parse_trace_ids($trace_ids)))
ORDER BY start_ns, trace_id, span_id
