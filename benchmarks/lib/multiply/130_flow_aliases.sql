INSERT INTO flow_aliases
SELECT * REPLACE (alias || '-' || $copy AS alias, flow_id || '-' || $copy AS flow_id)
FROM flow_aliases
WHERE rowid <= $last
ORDER BY rowid
