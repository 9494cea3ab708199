INSERT INTO attempts
SELECT * REPLACE (
    flow_id || '-' || $copy AS flow_id,
    md5(trace_hex(trace_id) || '-' || $copy)::UUID AS trace_id,
    start_ns + $later_ns AS start_ns,
    end_ns + $later_ns AS end_ns,
    sha256(request_sha256 || '-' || $copy) AS request_sha256,
    sha256(response_sha256 || '-' || $copy) AS response_sha256,
    callee_start_ns + $later_ns AS callee_start_ns,
    callee_end_ns + $later_ns AS callee_end_ns
)
FROM attempts
WHERE rowid <= $last
ORDER BY rowid
