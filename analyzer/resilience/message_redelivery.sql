/*
title = "Messages that one consumer was given more than once"
params = []
columns = [
    "destination", "service", "messages", "named", "redelivered", "done_again", "most", "sample",
]
*/
WITH links AS (
    SELECT
        trace_id,
        span_id,
        min(trace_hex(linked_trace_id) || '/' || span_hex(linked_span_id)) AS sent,
        count(*) AS links
    FROM span_links
    GROUP BY trace_id, span_id
),

deliveries AS (
    SELECT
        coalesce(c.messaging_destination, '') AS destination,
        c.service,
        coalesce(c.attributes ->> '/messaging.consumer.group.name', '') AS consumers,
        coalesce(
            c.attributes ->> '/messaging.operation.type',
            c.attributes ->> '/messaging.operation',
            ''
        ) AS operation,
        coalesce(
            c.attributes ->> '/messaging.message.id',
            c.attributes ->> '/messaging.message_id',
            l.sent,
            trace_hex(p.trace_id) || '/' || span_hex(p.span_id)
        ) AS message,
        c.status,
        trace_hex(c.trace_id) || '/' || span_hex(c.span_id) AS span
    FROM spans AS c
    LEFT JOIN links AS l ON c.trace_id = l.trace_id AND c.span_id = l.span_id AND l.links = 1
    LEFT JOIN spans AS p
        ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id AND p.kind = 'producer'
    WHERE c.kind = 'consumer' AND c.end_ns IS NOT NULL
),

messages AS (
    SELECT
        destination,
        service,
        consumers,
        operation,
        message,
        count(*) AS deliveries,
        count(*) FILTER (status <> 'error') AS done,
        min(span, 2) AS spans
    FROM deliveries
    WHERE message IS NOT NULL AND operation NOT IN ('receive', 'settle')
    GROUP BY ALL
)

SELECT
    destination,
    service,
    (SELECT count(*) FROM deliveries AS d WHERE d.destination = m.destination AND d.service = m.service)
        AS messages,
    count(*) AS named,
    count(*) FILTER (deliveries > 1) AS redelivered,
    count(*) FILTER (done > 1) AS done_again,
    max(deliveries) AS most,
    flatten(min(spans, 3) FILTER (deliveries > 1)) AS sample
FROM messages AS m
GROUP BY destination, service
ORDER BY destination, service
