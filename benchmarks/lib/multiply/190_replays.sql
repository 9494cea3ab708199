INSERT INTO replays
SELECT * REPLACE (flow_id || '-' || $copy AS flow_id)
FROM replays
WHERE rowid <= $last
ORDER BY rowid
