INSERT INTO inputs BY NAME
SELECT
    split_part($content_sha256, ':', 1) AS content_sha256,
    $reader AS reader,
    $rules_sha256 AS rules_sha256,
    $records AS records,
    $truncated AS truncated,
    $rejected AS rejected
