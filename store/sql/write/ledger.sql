INSERT INTO batches BY NAME
SELECT
    $content_sha256 AS content_sha256,
    $reader AS reader,
    $rules_sha256 AS rules_sha256,
    $source AS source,
    (SELECT generation FROM store_meta) AS generation,
    $spans AS spans,
    $logs AS logs,
    $decisions AS decisions,
    $duplicates AS duplicates,
    $superseded AS superseded,
    $rejected AS rejected,
    $metrics AS metrics
