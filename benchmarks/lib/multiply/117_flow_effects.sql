INSERT INTO flow_effects
SELECT * REPLACE (flow_id || '-' || $copy AS flow_id, start_ns + $later_ns AS start_ns)
FROM flow_effects
WHERE rowid <= $last
ORDER BY rowid
