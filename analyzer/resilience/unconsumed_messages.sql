/*
title = "Messages that were sent and that no recorded consumer took, per destination"
params = ["wait_ns"]
columns = [
    "destination", "service", "sent", "due", "unconsumed", "destination_heard", "sample",
    "sent_sample",
]
*/
WITH data AS (
    SELECT max(coalesce(end_ns, start_ns)) AS last_ns
    FROM spans
),

consumers AS (
    SELECT trace_id, span_id, parent_span_id, coalesce(messaging_destination, '') AS destination,
        coalesce(attributes ->> '/messaging.message.id', attributes ->> '/messaging.message_id')
            AS message
    FROM spans
    WHERE kind = 'consumer'
),

taken AS (
    SELECT trace_id, parent_span_id AS span_id
    FROM consumers
    WHERE parent_span_id IS NOT NULL
    UNION
    SELECT l.linked_trace_id, l.linked_span_id
    FROM span_links AS l
    SEMI JOIN consumers AS c ON l.trace_id = c.trace_id AND l.span_id = c.span_id
),

taken_names AS (
    SELECT DISTINCT destination, message
    FROM consumers
    WHERE message IS NOT NULL
),

heard AS (
    SELECT DISTINCT destination
    FROM consumers
),

sent AS (
    SELECT
        coalesce(p.messaging_destination, '') AS destination,
        p.service,
        coalesce(p.end_ns, p.start_ns) <= data.last_ns - $wait_ns::BIGINT AS is_due,
        t.span_id IS NULL AND n.message IS NULL AS is_unconsumed,
        h.destination IS NOT NULL AS is_heard,
        trace_hex(p.trace_id) || '/' || span_hex(p.span_id) AS span
    FROM spans AS p
    CROSS JOIN data
    LEFT JOIN taken AS t ON p.trace_id = t.trace_id AND p.span_id = t.span_id
    LEFT JOIN heard AS h ON coalesce(p.messaging_destination, '') = h.destination
    LEFT JOIN taken_names AS n
        ON coalesce(p.messaging_destination, '') = n.destination
        AND coalesce(
            p.attributes ->> '/messaging.message.id', p.attributes ->> '/messaging.message_id'
        ) = n.message
    WHERE p.kind = 'producer' AND p.status <> 'error'
)

SELECT
    destination,
    service,
    count(*) AS sent,
    count(*) FILTER (is_due) AS due,
    count(*) FILTER (is_due AND is_unconsumed) AS unconsumed,
    bool_or(is_heard) AS destination_heard,
    min(span, 5) FILTER (is_due AND is_unconsumed) AS sample,
    min(span, 5) AS sent_sample
FROM sent
GROUP BY destination, service
ORDER BY destination, service
