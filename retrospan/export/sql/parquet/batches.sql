SELECT
    content_sha256,
    reader,
    rules_sha256,
    source,
    spans,
    logs,
    decisions,
    duplicates,
    superseded,
    rejected,
    metrics
FROM batches
WHERE $low <= $high
ORDER BY content_sha256, reader, rules_sha256
