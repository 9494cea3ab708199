-- Whether a batch is stored as it would be now: known, and not taken over since by another reading
-- of the same bytes.
SELECT count(*)
FROM batches AS b
WHERE b.content_sha256 = $content_sha256
    AND b.reader = $reader
    AND b.rules_sha256 = $rules_sha256
    AND NOT EXISTS (
        SELECT 1
        FROM batches AS later
        WHERE split_part(later.content_sha256, ':', 1) = split_part($content_sha256, ':', 1)
            AND (later.reader <> $reader OR later.rules_sha256 <> $rules_sha256)
            AND later.generation > b.generation
    )
