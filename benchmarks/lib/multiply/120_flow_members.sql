INSERT INTO flow_members
SELECT * REPLACE (
    flow_id || '-' || $copy AS flow_id,
    md5(trace_hex(trace_id) || '-' || $copy)::UUID AS trace_id
)
FROM flow_members
WHERE rowid <= $last
ORDER BY rowid
