-- Copies are in no log: the leaves of the original prove nothing about them.
INSERT INTO decisions
SELECT * REPLACE (
    decision_id || '-' || $copy AS decision_id,
    NULL AS leaf_index,
    md5(trace_hex(trace_id) || '-' || $copy)::UUID AS trace_id,
    flow_id || '-' || $copy AS flow_id,
    time_ns + $later_ns AS time_ns
)
FROM decisions
WHERE rowid <= $last
ORDER BY rowid
