-- Bodies that attempts of these flows show.
SELECT request_sha256 AS sha256
FROM attempts
WHERE request_sha256 IS NOT NULL AND flow_id IN (SELECT flow_id FROM outdated)
UNION
SELECT response_sha256 AS sha256
FROM attempts
WHERE response_sha256 IS NOT NULL AND flow_id IN (SELECT flow_id FROM outdated)
ORDER BY sha256
