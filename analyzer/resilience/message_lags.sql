/*
title = "From sending a message to working on it, per destination, consumer and time bin"
params = ["bin_ns"]
columns = ["destination", "service", "bin", "messages", "median_ns", "p95_ns", "max_ns", "sample"]
*/
WITH tied AS (
    SELECT trace_id, span_id, trace_id AS sent_trace, parent_span_id AS sent_span
    FROM spans
    WHERE kind = 'consumer' AND parent_span_id IS NOT NULL
    UNION
    SELECT trace_id, span_id, linked_trace_id, linked_span_id
    FROM span_links
),

lags AS (
    SELECT
        coalesce(c.messaging_destination, p.messaging_destination, '') AS destination,
        c.service,
        p.start_ns // $bin_ns::BIGINT AS bin,
        -- A later delivery of the same message waited for the broker's patience, not in a queue.
        min(c.start_ns) - any_value(coalesce(p.end_ns, p.start_ns)) AS lag_ns,
        arg_min(
            trace_hex(c.trace_id) || '/' || span_hex(c.span_id), (c.start_ns, c.span_id)
        ) AS span
    FROM tied AS t
    INNER JOIN spans AS c ON t.trace_id = c.trace_id AND t.span_id = c.span_id
    INNER JOIN spans AS p ON t.sent_trace = p.trace_id AND t.sent_span = p.span_id
    WHERE c.kind = 'consumer' AND p.kind = 'producer'
    GROUP BY
        coalesce(c.messaging_destination, p.messaging_destination, ''),
        c.service,
        p.trace_id,
        p.span_id,
        p.start_ns
)

SELECT
    destination,
    service,
    bin,
    count(*) AS messages,
    quantile_disc(lag_ns, 0.5) AS median_ns,
    quantile_disc(lag_ns, 0.95) AS p95_ns,
    max(lag_ns) AS max_ns,
    arg_max(span, (lag_ns, span), 2) AS sample
FROM lags
GROUP BY ALL
ORDER BY destination, service, bin
