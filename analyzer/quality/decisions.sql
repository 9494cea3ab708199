/*
title = "Decisions that nothing else in the data knows of"
params = ["since_ns", "until_ns", "low_ns", "high_ns"]
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
WITH within AS MATERIALIZED (
    SELECT *
    FROM decisions
    WHERE
        ($since_ns::BIGINT IS NULL OR time_ns >= $since_ns::BIGINT)
        AND ($until_ns::BIGINT IS NULL OR time_ns < $until_ns::BIGINT)
),

traced AS (
    SELECT
        coalesce(d.record ->> '/actor/service', s.service, 'unknown_service') AS service,
        s.span_id IS NULL AS spanless,
        d.leaf_index IS NULL AS unlogged,
        CASE WHEN s.span_id IS NOT NULL THEN {'t': d.trace_id, 's': d.span_id} END AS id
    FROM within AS d
    LEFT JOIN (
        SELECT trace_id, span_id, service
        FROM spans
        WHERE
            start_ns BETWEEN $low_ns AND $high_ns
            AND trace_id IN (SELECT trace_id FROM within)
    ) AS s ON d.trace_id = s.trace_id AND d.span_id = s.span_id
    WHERE d.chosen <> ''
),

counted AS (
    SELECT
        service,
        [
            {'gap': 'decision_without_span', 'n': count(*) FILTER (spanless), 'id': NULL},
            {'gap': 'decision_without_log', 'n': count(*) FILTER (unlogged),
             'id': min(id) FILTER (unlogged)}
        ] AS gaps,
        count(*) AS checked
    FROM traced
    GROUP BY service
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
    0::BIGINT AS undetermined,
    trace_hex(item.id.t) AS trace_id,
    span_hex(item.id.s) AS span_id
FROM rows
ORDER BY gap, service
