/*
title = "Long calls that one place made one after the other"
params = ["calls_min", "each_ns_min", "saving_ns_min"]
columns = ["service", "operations", "examined", "places", "saving_ns", "saving_most_ns", "sample"]
*/
WITH calls AS (
    SELECT
        trace_id,
        parent_span_id,
        span_id,
        service,
        coalesce(http_method || ' ' || coalesce(attributes ->> '/url.template', http_route), name)
            AS operation,
        start_ns,
        end_ns,
        lag(end_ns) OVER (PARTITION BY trace_id, parent_span_id ORDER BY start_ns, span_id)
            AS before_ns
    FROM spans
    WHERE kind = 'client'
        AND parent_span_id IS NOT NULL
        AND status <> 'error'
        AND end_ns - start_ns >= $each_ns_min::BIGINT
        AND coalesce(attributes ->> '/http.request.resend_count', '0') = '0'
),

places AS (
    SELECT
        service,
        trace_id,
        parent_span_id,
        array_to_string(list_sort(list_distinct(list(operation)))[1:6], ', ') AS operations,
        count(*) AS calls,
        count(*) FILTER (start_ns < before_ns) AS overlapping,
        sum(end_ns - start_ns) - max(end_ns - start_ns) AS saving_ns,
        min(span_id) AS span_id
    FROM calls
    GROUP BY service, trace_id, parent_span_id
),

judged AS (
    SELECT
        *,
        calls >= $calls_min::BIGINT
        AND overlapping = 0
        AND saving_ns >= $saving_ns_min::BIGINT AS is_found
    FROM places
)

SELECT
    service,
    operations,
    sum(calls) AS examined,
    count(*) FILTER (is_found) AS places,
    coalesce(sum(saving_ns) FILTER (is_found), 0) AS saving_ns,
    coalesce(max(saving_ns) FILTER (is_found), 0) AS saving_most_ns,
    min(trace_hex(trace_id) || '/' || span_hex(span_id), 5) FILTER (is_found) AS sample
FROM judged
GROUP BY ALL
ORDER BY service, operations
