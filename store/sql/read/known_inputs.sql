SELECT content_sha256, reader, rules_sha256, records, truncated, rejected
FROM inputs
WHERE content_sha256 IN (SELECT unnest($contents::VARCHAR[]))
ORDER BY ALL
