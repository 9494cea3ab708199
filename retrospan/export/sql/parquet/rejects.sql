SELECT
    content_sha256,
    reader,
    rules_sha256,
    source,
    ordinal,
    record,
    reason,
    excerpt
FROM rejects
WHERE $low <= $high
ORDER BY source, content_sha256, reader, rules_sha256, ordinal
