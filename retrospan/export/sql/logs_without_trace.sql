/*
title = "Log records without a trace, one stretch of time"
params = ["low", "high"]
columns = ["time_ns", "observed_ns", "span_id", "severity_number", "severity_text", "event_name", "body", "service", "attributes", "resource"]
*/
SELECT
    time_ns,
    observed_ns,
    span_hex(span_id) AS span_id,
    severity_number,
    severity_text,
    event_name,
    body,
    service,
    attributes,
    resource
FROM logs
WHERE trace_id IS NULL AND time_ns BETWEEN $low AND $high
ORDER BY time_ns, content_hash
