INSERT INTO span_events
SELECT * REPLACE (
    md5(trace_hex(trace_id) || '-' || $copy)::UUID AS trace_id,
    span_start_ns + $later_ns AS span_start_ns,
    time_ns + $later_ns AS time_ns
)
FROM span_events
WHERE rowid <= $last
ORDER BY rowid
