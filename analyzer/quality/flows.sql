/*
title = "What flows do not tell of themselves, by the service they began in"
params = []
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
-- Nothing said of sampling is not the same as a sampler that hides its rate.
WITH named AS (
    SELECT DISTINCT m.flow_id
    FROM flow_members AS m
    INNER JOIN spans AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
    WHERE s.flow_name IS NOT NULL
),

counted AS (
    SELECT
        coalesce(nullif(f.service, ''), 'unknown_service') AS service,
        count(*) AS checked,
        [
            {'gap': 'unknown_sampling', 'n': count(*) FILTER (f.sampling = 'unknown'),
             'open': count(*) FILTER (f.sampling = 'assumed_all'),
             'trace': min(f.trace_ids[1]) FILTER (f.sampling = 'unknown')},
            {'gap': 'missing_flow_name', 'n': count(*) FILTER (n.flow_id IS NULL), 'open': 0,
             'trace': min(f.trace_ids[1]) FILTER (n.flow_id IS NULL)}
        ] AS gaps
    FROM flows AS f
    LEFT JOIN named AS n ON f.flow_id = n.flow_id
    GROUP BY coalesce(nullif(f.service, ''), 'unknown_service')
),

rows AS (
    SELECT
        service,
        checked,
        unnest(gaps) AS item
    FROM counted
)

SELECT
    item.gap AS gap,
    service,
    checked,
    item.n AS affected,
    item.open::BIGINT AS undetermined,
    item.trace AS trace_id,
    NULL::VARCHAR AS span_id
FROM rows
ORDER BY gap, service
