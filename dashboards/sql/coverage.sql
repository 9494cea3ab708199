-- What the store holds and which time it covers.
SELECT
    (SELECT count(*) FROM spans) AS spans,
    (SELECT count(*) FROM traces) AS traces,
    (SELECT count(*) FROM logs) AS logs,
    (SELECT count(*) FROM decisions) AS decisions,
    (SELECT min(min_ns) FROM traces) AS first_ns,
    (SELECT max(max_ns) FROM traces) AS last_ns,
    (SELECT count(*) FROM dirty_traces) AS underived,
    (SELECT coalesce(sum(rejected), 0)::BIGINT FROM batches) AS rejected
ORDER BY ALL
