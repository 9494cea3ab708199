-- What the store holds and which time it covers.
SELECT
    s.spans,
    t.traces,
    h.flow_count,
    t.first_ns,
    t.last_ns,
    h.last_flow_ns,
    d.underived,
    b.rejected,
    r.rejected_reason
FROM (SELECT count(*) AS spans FROM spans) AS s
CROSS JOIN (
    SELECT count(*) AS traces, min(min_ns) AS first_ns, max(max_ns) AS last_ns
    FROM traces
) AS t
CROSS JOIN (SELECT count(*) AS flow_count, max(end_ns) AS last_flow_ns FROM flow_heads) AS h
CROSS JOIN (SELECT count(*) AS underived FROM dirty_traces) AS d
CROSS JOIN (SELECT coalesce(sum(rejected), 0)::BIGINT AS rejected FROM batches) AS b
CROSS JOIN (
    SELECT arg_min(reason, (-records, reason)) AS rejected_reason
    FROM (SELECT reason, count(*) AS records FROM rejects GROUP BY reason)
) AS r
ORDER BY ALL
