/*
title = "What each service's spans do not tell, by themselves"
params = ["since_ns", "until_ns", "low_ns", "high_ns"]
columns = ["gap", "service", "checked", "affected", "undetermined", "trace_id", "span_id"]
*/
WITH flagged AS (
    SELECT
        service,
        {'t': trace_id, 's': span_id} AS id,
        service = 'unknown_service' OR starts_with(service, 'unknown_service:') AS nameless,
        coalesce(resource ->> '/service.version', '') = '' AS versionless,
        end_ns IS NULL AS unfinished,
        kind = 'unspecified' AS kindless,
        end_ns < start_ns OR start_ns <= 0 OR contains(attributes, '"retrospan.start_missing"')
            AS impossible,
        contains(attributes, 'truncated"') AND (
            coalesce(attributes ->> '/retrospan.body.truncated', 'false') <> 'false'
            OR (attributes ->> '/retrospan.truncated') IS NOT NULL
        ) AS truncated
    FROM spans
    WHERE
        start_ns BETWEEN $low_ns AND $high_ns
        AND trace_id IN (SELECT trace_id FROM traces_within($since_ns::BIGINT, $until_ns::BIGINT))
),

counted AS (
    SELECT
        service,
        count(*) AS spans,
        [
            {'gap': 'missing_service_name', 'n': count(*) FILTER (nameless),
             'id': min(id) FILTER (nameless)},
            {'gap': 'missing_service_version', 'n': count(*) FILTER (versionless),
             'id': min(id) FILTER (versionless)},
            {'gap': 'unfinished_span', 'n': count(*) FILTER (unfinished),
             'id': min(id) FILTER (unfinished)},
            {'gap': 'missing_span_kind', 'n': count(*) FILTER (kindless),
             'id': min(id) FILTER (kindless)},
            {'gap': 'impossible_times', 'n': count(*) FILTER (impossible),
             'id': min(id) FILTER (impossible)},
            {'gap': 'truncated_record', 'n': count(*) FILTER (truncated),
             'id': min(id) FILTER (truncated)}
        ] AS gaps
    FROM flagged
    GROUP BY service
),

rows AS (
    SELECT
        service,
        spans,
        unnest(gaps) AS item
    FROM counted
)

SELECT
    item.gap AS gap,
    service,
    spans AS checked,
    item.n AS affected,
    0::BIGINT AS undetermined,
    trace_hex(item.id.t) AS trace_id,
    span_hex(item.id.s) AS span_id
FROM rows
ORDER BY gap, service
