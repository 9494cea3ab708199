/*
title = "Messages by destination: sent, taken, how late, how often"
params = ["grace_ns"]
columns = ["destination", "produced", "consumed", "untied", "lag_median_ns", "lag_p95_ns",
    "lag_most_ns", "redelivered", "never_consumed", "still_open", "dead_letter", "trace_id",
    "span_id"]
*/
-- A consumer belongs to a producer by parentage, by link, or by message id on one destination. The
-- lag is that of the first delivery to a service. What is taken from another destination than it
-- was sent to has been moved there, as dead letters are: it arrived, but has no lag of its own.
WITH sent AS (
    SELECT
        trace_id,
        span_id,
        coalesce(messaging_destination, 'unknown') AS destination,
        coalesce(end_ns, start_ns) AS sent_ns,
        coalesce(
            attributes ->> '/messaging.message.id', attributes ->> '/messaging.message_id'
        ) AS message_id
    FROM spans
    WHERE kind = 'producer'
),

taken AS (
    SELECT
        trace_id,
        span_id,
        parent_span_id,
        service,
        coalesce(messaging_destination, 'unknown') AS destination,
        start_ns,
        coalesce(
            attributes ->> '/messaging.message.id', attributes ->> '/messaging.message_id'
        ) AS message_id
    FROM spans
    WHERE kind = 'consumer'
),

tied AS (
    SELECT
        p.trace_id AS sent_trace,
        p.span_id AS sent_span,
        c.trace_id,
        c.span_id
    FROM taken AS c
    INNER JOIN sent AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id
    UNION
    SELECT
        p.trace_id AS sent_trace,
        p.span_id AS sent_span,
        c.trace_id,
        c.span_id
    FROM taken AS c
    INNER JOIN span_links AS l ON c.trace_id = l.trace_id AND c.span_id = l.span_id
    INNER JOIN sent AS p ON l.linked_trace_id = p.trace_id AND l.linked_span_id = p.span_id
    UNION
    SELECT
        p.trace_id AS sent_trace,
        p.span_id AS sent_span,
        c.trace_id,
        c.span_id
    FROM taken AS c
    INNER JOIN sent AS p ON c.message_id = p.message_id AND c.destination = p.destination
),

deliveries AS (
    SELECT
        p.destination,
        t.sent_trace,
        t.sent_span,
        c.service,
        count(*) AS times,
        min(greatest(c.start_ns - p.sent_ns, 0)) AS lag_ns
    FROM tied AS t
    INNER JOIN sent AS p ON t.sent_trace = p.trace_id AND t.sent_span = p.span_id
    INNER JOIN taken AS c ON t.trace_id = c.trace_id AND t.span_id = c.span_id
    WHERE p.destination = c.destination OR 'unknown' IN (p.destination, c.destination)
    GROUP BY p.destination, t.sent_trace, t.sent_span, c.service
),

lags AS (
    SELECT
        destination,
        count(*) FILTER (times > 1) AS redelivered,
        quantile_disc(lag_ns, 0.5) AS lag_median_ns,
        quantile_disc(lag_ns, 0.95) AS lag_p95_ns,
        max(lag_ns) AS lag_most_ns
    FROM deliveries
    GROUP BY destination
),

data_end AS (
    SELECT max(coalesce(end_ns, start_ns)) AS ns FROM spans
),

producers AS (
    SELECT
        p.destination,
        count(*) AS produced,
        count(*) FILTER (t.sent_span IS NULL AND p.sent_ns + $grace_ns <= d.ns) AS never_consumed,
        count(*) FILTER (t.sent_span IS NULL AND p.sent_ns + $grace_ns > d.ns) AS still_open,
        min({'t': p.trace_id, 's': p.span_id})
            FILTER (t.sent_span IS NULL AND p.sent_ns + $grace_ns <= d.ns) AS example
    FROM sent AS p
    CROSS JOIN data_end AS d
    LEFT JOIN (SELECT DISTINCT sent_trace, sent_span FROM tied) AS t
        ON p.trace_id = t.sent_trace AND p.span_id = t.sent_span
    GROUP BY p.destination
),

consumers AS (
    SELECT
        c.destination,
        count(*) AS consumed,
        count(*) FILTER (t.span_id IS NULL) AS untied
    FROM taken AS c
    LEFT JOIN (SELECT DISTINCT trace_id, span_id FROM tied) AS t
        ON c.trace_id = t.trace_id AND c.span_id = t.span_id
    GROUP BY c.destination
)

SELECT
    coalesce(p.destination, c.destination) AS destination,
    coalesce(p.produced, 0) AS produced,
    coalesce(c.consumed, 0) AS consumed,
    coalesce(c.untied, 0) AS untied,
    l.lag_median_ns,
    l.lag_p95_ns,
    l.lag_most_ns,
    coalesce(l.redelivered, 0) AS redelivered,
    coalesce(p.never_consumed, 0) AS never_consumed,
    coalesce(p.still_open, 0) AS still_open,
    regexp_matches(
        lower(coalesce(p.destination, c.destination)), 'dead.?letter|(^|[^a-z])(dead|dlq|dlt|dlx)([^a-z]|$)'
    ) AS dead_letter,
    trace_hex(p.example.t) AS trace_id,
    span_hex(p.example.s) AS span_id
FROM producers AS p
FULL JOIN consumers AS c ON p.destination = c.destination
LEFT JOIN lags AS l ON coalesce(p.destination, c.destination) = l.destination
ORDER BY destination
