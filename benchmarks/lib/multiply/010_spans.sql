-- Spans of one more copy: other traces, later in time. Span ids may repeat between traces.
INSERT INTO spans
SELECT * REPLACE (
    md5(trace_hex(trace_id) || '-' || $copy)::UUID AS trace_id,
    start_ns + $later_ns AS start_ns,
    end_ns + $later_ns AS end_ns
)
FROM spans
WHERE rowid <= $last
ORDER BY rowid
