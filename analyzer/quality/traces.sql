/*
title = "Traces without one clear beginning, by the service of their earliest span"
params = ["since_ns", "until_ns", "low_ns", "high_ns"]
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
WITH shaped AS (
    SELECT
        trace_id,
        count(*) FILTER (parent_span_id IS NULL) AS roots,
        min({'ns': start_ns, 's': span_id, 'service': service}) AS earliest,
        min({'ns': start_ns, 's': span_id, 'service': service}) FILTER (parent_span_id IS NULL)
            AS root
    FROM spans
    WHERE
        start_ns BETWEEN $low_ns AND $high_ns
        AND trace_id IN (SELECT trace_id FROM traces_within($since_ns::BIGINT, $until_ns::BIGINT))
    GROUP BY trace_id
),

flagged AS (
    SELECT
        coalesce(root.service, earliest.service) AS service,
        {'t': trace_id, 's': coalesce(root.s, earliest.s)} AS id,
        roots
    FROM shaped
),

counted AS (
    SELECT
        service,
        [
            {'gap': 'missing_root', 'checked': count(*), 'n': count(*) FILTER (roots = 0),
             'id': min(id) FILTER (roots = 0)},
            {'gap': 'several_roots', 'checked': count(*) FILTER (roots > 0),
             'n': count(*) FILTER (roots > 1), 'id': min(id) FILTER (roots > 1)}
        ] AS gaps
    FROM flagged
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
