-- Inputs whose records stand in the store as this reader and these rules gave them.
SELECT i.content_sha256, i.reader, i.rules_sha256, i.records, i.truncated, i.rejected
FROM inputs AS i
WHERE i.content_sha256 IN (SELECT unnest($contents::VARCHAR[]))
    AND NOT EXISTS (
        SELECT 1
        FROM batches AS own
        JOIN batches AS later
            ON split_part(own.content_sha256, ':', 1) = split_part(later.content_sha256, ':', 1)
        WHERE split_part(own.content_sha256, ':', 1) = i.content_sha256
            AND own.reader = i.reader
            AND own.rules_sha256 = i.rules_sha256
            AND (later.reader <> i.reader OR later.rules_sha256 <> i.rules_sha256)
            AND later.generation > own.generation
    )
ORDER BY ALL
