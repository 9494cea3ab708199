/*
title = "What flows do not tell of themselves, by the service they began in"
params = ["since_ns", "until_ns", "low_ns", "high_ns"]
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
-- Nothing said of sampling is not the same as a sampler that hides its rate.
WITH within AS MATERIALIZED (
    SELECT flow_id, service, sampling, trace_ids
    FROM flows
    WHERE
        ($since_ns::BIGINT IS NULL OR start_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR start_ns < $until_ns::BIGINT)
),

theirs AS MATERIALIZED (
    SELECT DISTINCT TRY_CAST(trace_hex AS UUID) AS trace_id
    FROM (SELECT unnest(trace_ids) AS trace_hex FROM within)
),

members AS MATERIALIZED (
    SELECT flow_id, trace_id, span_id
    FROM flow_members
    WHERE rowid IN (SELECT rowid FROM flow_members WHERE trace_id IN (SELECT trace_id FROM theirs))
),

bearing AS MATERIALIZED (
    SELECT trace_id, span_id
    FROM spans
    WHERE
        start_ns BETWEEN $low_ns AND $high_ns
        AND flow_name IS NOT NULL
        AND trace_id IN (SELECT trace_id FROM theirs)
),

named AS (
    SELECT DISTINCT m.flow_id
    FROM members AS m
    INNER JOIN bearing AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
    WHERE m.flow_id IN (SELECT flow_id FROM within)
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
    FROM within AS f
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
