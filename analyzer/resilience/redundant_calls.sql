/*
title = "Reads that were made again in one trace, with the same parameters and no other answer"
params = ["calls_min"]
columns = [
    "service", "callee", "operation", "examined", "places", "calls", "most", "spent_ns", "sample",
]
*/
WITH reads AS (
    SELECT
        trace_id,
        span_id,
        service,
        coalesce(db_system, attributes ->> '/service.peer.name', server_address, '') AS callee,
        coalesce(
            attributes ->> '/db.query.summary',
            http_method || ' ' || coalesce(attributes ->> '/url.template', http_route),
            name
        ) AS operation,
        coalesce(
            attributes ->> '/url.full', attributes ->> '/db.query.text', attributes ->> '/db.statement'
        ) AS asked,
        attributes ->> '/http.response.body.content' AS answer,
        end_ns - start_ns AS duration_ns
    FROM spans
    WHERE kind = 'client' AND status <> 'error' AND end_ns >= start_ns
        AND (
            upper(http_method) IN ('GET', 'HEAD')
            -- A statement with placeholders hides what was asked for.
            OR (
                regexp_matches(
                    coalesce(attributes ->> '/db.query.text', attributes ->> '/db.statement'),
                    '^\s*(select|SELECT)\b'
                )
                AND NOT regexp_matches(
                    coalesce(attributes ->> '/db.query.text', attributes ->> '/db.statement'),
                    '\?|\$[0-9]|%s|:[a-z]'
                )
            )
        )
),

places AS (
    SELECT
        trace_id,
        service,
        callee,
        operation,
        asked,
        count(*) AS calls,
        count(DISTINCT answer) AS answers,
        sum(duration_ns) - min(duration_ns) AS spent_ns,
        min(span_id) AS span_id
    FROM reads
    WHERE asked IS NOT NULL
    GROUP BY ALL
),

judged AS (
    SELECT *, calls >= $calls_min::BIGINT AND answers <= 1 AS is_found
    FROM places
)

SELECT
    service,
    callee,
    operation,
    sum(calls) AS examined,
    count(*) FILTER (is_found) AS places,
    coalesce(sum(calls) FILTER (is_found), 0) AS calls,
    coalesce(max(calls) FILTER (is_found), 0) AS most,
    coalesce(sum(spent_ns) FILTER (is_found), 0) AS spent_ns,
    min(trace_hex(trace_id) || '/' || span_hex(span_id), 5) FILTER (is_found) AS sample
FROM judged
GROUP BY ALL
ORDER BY service, callee, operation
