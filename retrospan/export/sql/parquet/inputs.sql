SELECT
    content_sha256,
    reader,
    rules_sha256,
    records,
    truncated,
    rejected
FROM inputs
WHERE $low <= $high
ORDER BY content_sha256, reader, rules_sha256
