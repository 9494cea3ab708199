INSERT INTO flows
SELECT * REPLACE (
    flow_id || '-' || $copy AS flow_id,
    start_ns + $later_ns AS start_ns,
    end_ns + $later_ns AS end_ns,
    list_transform(trace_ids, lambda id: md5(id || '-' || $copy)) AS trace_ids,
    list_transform(decision_ids, lambda id: id || '-' || $copy) AS decision_ids
)
FROM flows
WHERE rowid <= $last
ORDER BY rowid
