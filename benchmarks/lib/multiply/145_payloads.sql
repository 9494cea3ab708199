INSERT INTO payloads
SELECT * REPLACE (sha256(sha256 || '-' || $copy) AS sha256)
FROM payloads
WHERE rowid <= $last
ORDER BY rowid
