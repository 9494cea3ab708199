DELETE FROM batches
WHERE content_sha256 = $content_sha256 AND reader = $reader AND rules_sha256 = $rules_sha256
