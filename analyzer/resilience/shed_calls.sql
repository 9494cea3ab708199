/*
title = "Calls that were refused for load, per edge and priority"
params = []
columns = [
    "service", "callee", "operation", "priority", "calls", "shed", "unclear", "retried_into",
    "sample",
]
*/
WITH calls AS (
    SELECT
        s.service,
        s.callee,
        s.operation,
        lower(
            coalesce(
                c.attributes ->> '/retrospan.priority',
                c.attributes ->> '/http.request.header.priority/0',
                c.attributes ->> '/http.request.header.priority',
                h.attributes ->> '/retrospan.priority',
                h.attributes ->> '/http.request.header.priority/0',
                h.attributes ->> '/http.request.header.priority'
            )
        ) AS priority,
        a.http_status,
        -- 503 alone says that somebody was unavailable; with Retry-After, that load was refused.
        a.http_status = 429
        OR (
            a.http_status = 503
            AND coalesce(
                c.attributes ->> '/http.response.header.retry-after/0',
                c.attributes ->> '/http.response.header.retry-after'
            ) IS NOT NULL
        )
        OR coalesce(
            c.attributes ->> '/rpc.response.status_code', c.attributes ->> '/rpc.grpc.status_code'
        ) IN ('RESOURCE_EXHAUSTED', '8') AS is_refused,
        a.ordinal,
        trace_hex(a.trace_id) || '/' || span_hex(a.span_id) AS span
    FROM attempts AS a
    INNER JOIN steps AS s ON a.flow_id = s.flow_id AND a.step_ordinal = s.ordinal
    INNER JOIN spans AS c ON a.trace_id = c.trace_id AND a.span_id = c.span_id
    LEFT JOIN spans AS h ON a.trace_id = h.trace_id AND a.callee_span_id = h.span_id
    WHERE s.callee <> ''
),

judged AS (
    SELECT
        *,
        coalesce(is_refused, false) OR (http_status = 503 AND priority IS NOT NULL) AS is_shed
    FROM calls
)

SELECT
    service,
    callee,
    operation,
    priority,
    count(*) AS calls,
    count(*) FILTER (is_shed) AS shed,
    count(*) FILTER (http_status = 503 AND NOT coalesce(is_shed, false)) AS unclear,
    count(*) FILTER (is_shed AND ordinal > 0) AS retried_into,
    min(span, 5) FILTER (is_shed) AS sample
FROM judged
GROUP BY ALL
ORDER BY service, callee, operation, priority
