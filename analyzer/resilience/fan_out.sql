/*
title = "How many calls one place had open at once"
params = ["at_once_min"]
columns = ["service", "examined", "places", "at_once_most", "sample"]
*/
WITH places AS (
    SELECT
        service,
        trace_id,
        parent_span_id,
        count(*) AS calls
    FROM spans
    WHERE kind IN ('client', 'producer') AND parent_span_id IS NOT NULL AND end_ns >= start_ns
    GROUP BY ALL
),

-- Only places with enough calls can have had enough of them open.
events AS (
    SELECT
        s.service,
        s.trace_id,
        s.parent_span_id,
        unnest([s.start_ns, s.end_ns]) AS at_ns,
        unnest([1, -1]) AS change
    FROM spans AS s
    SEMI JOIN (FROM places WHERE calls >= $at_once_min::BIGINT) AS p
        ON s.service = p.service
        AND s.trace_id = p.trace_id
        AND s.parent_span_id = p.parent_span_id
    WHERE s.kind IN ('client', 'producer') AND s.end_ns >= s.start_ns
),

running AS (
    SELECT
        service,
        trace_id,
        parent_span_id,
        -- One that ends as another starts is not open beside it.
        sum(change) OVER (
            PARTITION BY service, trace_id, parent_span_id ORDER BY at_ns, change
            ROWS UNBOUNDED PRECEDING
        ) AS at_once
    FROM events
),

wide AS (
    SELECT
        service,
        trace_id,
        parent_span_id,
        max(at_once) AS at_once
    FROM running
    GROUP BY ALL
    HAVING max(at_once) >= $at_once_min::BIGINT
)

SELECT
    p.service,
    sum(p.calls) AS examined,
    count(w.at_once) AS places,
    coalesce(max(w.at_once), 0) AS at_once_most,
    min(trace_hex(w.trace_id) || '/' || span_hex(w.parent_span_id), 5)
        FILTER (w.at_once IS NOT NULL) AS sample
FROM places AS p
LEFT JOIN wide AS w
    ON p.service = w.service AND p.trace_id = w.trace_id AND p.parent_span_id = w.parent_span_id
GROUP BY p.service
ORDER BY p.service
