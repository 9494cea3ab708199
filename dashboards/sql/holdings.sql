-- What the store holds and which time it covers.
SELECT
    (SELECT count(*) FROM spans) AS spans,
    (SELECT count(*) FROM traces) AS traces,
    (SELECT count(*) FROM flow_heads) AS flow_count,
    (SELECT min(min_ns) FROM traces) AS first_ns,
    (SELECT max(max_ns) FROM traces) AS last_ns,
    (SELECT max(end_ns) FROM flow_heads) AS last_flow_ns,
    (SELECT count(*) FROM dirty_traces) AS underived,
    (SELECT coalesce(sum(rejected), 0)::BIGINT FROM batches) AS rejected,
    (
        SELECT arg_min(reason, (-records, reason))
        FROM (SELECT reason, count(*) AS records FROM rejects GROUP BY reason)
    ) AS rejected_reason
ORDER BY ALL
