DELETE FROM inputs
WHERE content_sha256 = split_part($content_sha256, ':', 1)
    AND reader = $reader
    AND rules_sha256 = $rules_sha256
