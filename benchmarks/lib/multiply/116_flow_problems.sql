INSERT INTO flow_problems
SELECT * REPLACE (flow_id || '-' || $copy AS flow_id)
FROM flow_problems
WHERE rowid <= $last
ORDER BY rowid
