-- What the verdicts name as evidence stays that of the original.
INSERT INTO sagas
SELECT * REPLACE (flow_id || '-' || $copy AS flow_id)
FROM sagas
WHERE rowid <= $last
ORDER BY rowid
