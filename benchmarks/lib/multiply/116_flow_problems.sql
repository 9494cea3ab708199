INSERT INTO flow_problems
SELECT * REPLACE (flow_id || '-' || $copy AS flow_id, start_ns + $later_ns AS start_ns)
FROM flow_problems
WHERE rowid <= $last
ORDER BY rowid
