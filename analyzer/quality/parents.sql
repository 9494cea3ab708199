/*
title = "Spans against the parents they name"
params = ["tolerance_ns", "since_ns", "until_ns", "low_ns", "high_ns"]
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
-- A synchronous callee can neither begin before it was called nor after its caller stopped waiting.
WITH within AS MATERIALIZED (
    SELECT trace_id, span_id, parent_span_id, service, kind, start_ns, end_ns, declared_flow_id
    FROM spans
    WHERE
        start_ns BETWEEN $low_ns AND $high_ns
        AND trace_id IN (SELECT trace_id FROM traces_within($since_ns::BIGINT, $until_ns::BIGINT))
),

pairs AS (
    SELECT
        c.service,
        {'t': c.trace_id, 's': c.span_id} AS id,
        p.span_id IS NULL AS orphan,
        c.kind = 'server' AND p.kind = 'client' AND c.service <> p.service AS crossing,
        c.start_ns < p.start_ns - $tolerance_ns OR c.start_ns > p.end_ns + $tolerance_ns AS skewed,
        c.declared_flow_id IS NOT NULL AND p.declared_flow_id IS NOT NULL AS related,
        c.declared_flow_id <> p.declared_flow_id AS torn
    FROM within AS c
    LEFT JOIN within AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id
    WHERE c.parent_span_id IS NOT NULL
),

counted AS (
    SELECT
        service,
        [
            {'gap': 'orphan_span', 'checked': count(*), 'n': count(*) FILTER (orphan),
             'id': min(id) FILTER (orphan)},
            {'gap': 'clock_skew', 'checked': count(*) FILTER (crossing),
             'n': count(*) FILTER (crossing AND skewed), 'id': min(id) FILTER (crossing AND skewed)},
            {'gap': 'broken_correlation', 'checked': count(*) FILTER (related),
             'n': count(*) FILTER (related AND torn), 'id': min(id) FILTER (related AND torn)}
        ] AS gaps
    FROM pairs
    GROUP BY service
),

rows AS (
    SELECT
        service,
        unnest(gaps) AS item
    FROM counted
)

SELECT
    item.gap AS gap,
    service,
    item.checked AS checked,
    item.n AS affected,
    0::BIGINT AS undetermined,
    trace_hex(item.id.t) AS trace_id,
    span_hex(item.id.s) AS span_id
FROM rows
ORDER BY gap, service
