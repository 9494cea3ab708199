-- Another reader, or other rules, judge the same bytes anew.
DELETE FROM rejects
WHERE split_part(content_sha256, ':', 1) = split_part($content_sha256, ':', 1)
    AND (content_sha256 = $content_sha256 OR reader <> $reader OR rules_sha256 <> $rules_sha256)
