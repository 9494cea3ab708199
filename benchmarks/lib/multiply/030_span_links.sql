INSERT INTO span_links
SELECT * REPLACE (
    md5(trace_hex(trace_id) || '-' || $copy)::UUID AS trace_id,
    md5(trace_hex(linked_trace_id) || '-' || $copy)::UUID AS linked_trace_id,
    span_start_ns + $later_ns AS span_start_ns
)
FROM span_links
WHERE rowid <= $last
ORDER BY rowid
