/*
title = "Places that made many like calls one after the other"
params = ["calls_min", "total_ns_min"]
columns = [
    "service", "callee", "operation", "examined", "places", "calls", "most", "total_ns", "sample",
]
*/
WITH calls AS (
    SELECT
        trace_id,
        parent_span_id,
        span_id,
        service,
        coalesce(db_system, attributes ->> '/service.peer.name', server_address, '') AS callee,
        coalesce(
            attributes ->> '/db.query.summary',
            regexp_replace(
                coalesce(attributes ->> '/db.query.text', attributes ->> '/db.statement'),
                '''[^'']*''|\b[0-9]+\b', '?', 'g'
            ),
            http_method || ' ' || coalesce(attributes ->> '/url.template', http_route),
            name
        ) AS operation,
        attributes ->> '/url.full' AS url,
        start_ns,
        end_ns
    FROM spans
    WHERE kind = 'client'
        AND parent_span_id IS NOT NULL
        AND status <> 'error'
        AND end_ns >= start_ns
        AND coalesce(attributes ->> '/http.request.resend_count', '0') = '0'
),

ordered AS (
    SELECT
        *,
        lag(end_ns) OVER (
            PARTITION BY trace_id, parent_span_id, service, callee, operation
            ORDER BY start_ns, span_id
        ) AS before_ns
    FROM calls
),

places AS (
    SELECT
        service,
        callee,
        operation,
        trace_id,
        parent_span_id,
        count(*) AS calls,
        count(*) FILTER (start_ns < before_ns) AS overlapping,
        count(url) AS urls,
        count(DISTINCT url) AS variants,
        sum(end_ns - start_ns) AS total_ns,
        min(span_id) AS span_id
    FROM ordered
    GROUP BY ALL
),

judged AS (
    SELECT
        *,
        calls > $calls_min::BIGINT
        AND total_ns > $total_ns_min::BIGINT
        AND overlapping * 10 <= calls
        -- The very same address each time is a redundant call, not one per row.
        AND NOT (urls = calls AND variants = 1) AS is_found
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
    coalesce(sum(total_ns) FILTER (is_found), 0) AS total_ns,
    min(trace_hex(trace_id) || '/' || span_hex(span_id), 5) FILTER (is_found) AS sample
FROM judged
GROUP BY ALL
ORDER BY service, callee, operation
