INSERT INTO traces
SELECT * REPLACE (
    md5(trace_hex(trace_id) || '-' || $copy)::UUID AS trace_id,
    min_ns + $later_ns AS min_ns,
    max_ns + $later_ns AS max_ns
)
FROM traces
WHERE rowid <= $last
ORDER BY rowid
