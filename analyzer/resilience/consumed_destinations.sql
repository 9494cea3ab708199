/*
title = "What consumers took, per destination"
params = []
columns = ["destination", "service", "deliveries", "messages", "sample"]
*/
SELECT
    coalesce(messaging_destination, '') AS destination,
    service,
    count(*) AS deliveries,
    count(
        DISTINCT coalesce(
            attributes ->> '/messaging.message.id',
            attributes ->> '/messaging.message_id',
            trace_hex(trace_id) || '/' || span_hex(span_id)
        )
    ) AS messages,
    min(trace_hex(trace_id) || '/' || span_hex(span_id), 5) AS sample
FROM spans
WHERE kind = 'consumer'
GROUP BY ALL
ORDER BY destination, service
