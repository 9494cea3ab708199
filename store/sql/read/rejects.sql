SELECT source, record, reason, excerpt
FROM rejects
ORDER BY source, content_sha256, ordinal
LIMIT $limit
