SELECT
    time_ns,
    observed_ns,
    trace_hex(trace_id),
    span_hex(span_id),
    severity_number,
    severity_text,
    event_name,
    body,
    service,
    attributes,
    resource
FROM logs
WHERE $all OR trace_id IN (SELECT trace_id FROM parse_trace_ids($trace_ids))
ORDER BY time_ns, content_hash
