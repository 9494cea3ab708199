INSERT INTO payloads
SELECT body_head(sha256(sha256 || '-' || $copy)) AS head, sha256(sha256 || '-' || $copy) AS sha256, body
FROM payloads
WHERE rowid <= $last
ORDER BY rowid
