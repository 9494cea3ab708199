-- Whether the same bytes were loaded by another reader or under other rules.
SELECT count(*)
FROM batches
WHERE split_part(content_sha256, ':', 1) = split_part($content_sha256, ':', 1)
    AND (reader <> $reader OR rules_sha256 <> $rules_sha256)
