INSERT INTO logs
SELECT * REPLACE (
    md5(trace_hex(trace_id) || '-' || $copy)::UUID AS trace_id,
    time_ns + $later_ns AS time_ns,
    observed_ns + $later_ns AS observed_ns
)
FROM logs
WHERE rowid <= $last
ORDER BY rowid
