-- What each reader loaded into the store, and what it did not keep.
SELECT
    reader,
    count(DISTINCT content_sha256) AS inputs,
    sum(spans)::BIGINT AS spans,
    sum(logs)::BIGINT AS logs,
    sum(decisions)::BIGINT AS decisions,
    sum(duplicates)::BIGINT AS duplicates,
    sum(superseded)::BIGINT AS superseded,
    sum(rejected)::BIGINT AS rejected
FROM batches
GROUP BY reader
ORDER BY reader
