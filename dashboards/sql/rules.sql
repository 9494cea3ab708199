-- Under which rules of redaction and length inputs were loaded.
SELECT
    rules_sha256 AS rules,
    count(DISTINCT content_sha256) AS inputs,
    (sum(spans) + sum(logs) + sum(decisions))::BIGINT AS records
FROM batches
GROUP BY rules_sha256
ORDER BY rules_sha256
