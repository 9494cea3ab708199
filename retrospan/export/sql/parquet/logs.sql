SELECT
    time_ns,
    observed_ns,
    trace_hex(trace_id) AS trace_id,
    span_hex(span_id) AS span_id,
    severity_number,
    severity_text,
    event_name,
    body::VARCHAR AS body,
    service,
    attributes::VARCHAR AS attributes,
    resource::VARCHAR AS resource
FROM logs
WHERE time_ns BETWEEN $low AND $high
ORDER BY time_ns, content_hash
