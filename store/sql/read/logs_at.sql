-- Stored log records at the times of the incoming ones.
SELECT
    l.time_ns,
    l.observed_ns,
    trace_hex(l.trace_id),
    l.span_id,
    l.severity_number,
    l.body::VARCHAR,
    l.content_hash
FROM logs AS l
SEMI JOIN incoming AS i ON l.time_ns = i.time_ns
WHERE l.time_ns BETWEEN (SELECT min(time_ns) FROM incoming) AND (SELECT max(time_ns) FROM incoming)
ORDER BY ALL
