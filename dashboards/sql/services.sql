-- Services with their spans, failed spans and flows, most failed spans first.
WITH member AS (
    SELECT service, count(*) AS flows
    FROM (SELECT flow_id, unnest(services) AS service FROM flow_heads)
    GROUP BY service
)
SELECT
    s.service,
    count(*) AS spans,
    count(*) FILTER (WHERE s.status = 'error') AS errors,
    coalesce(max(m.flows), 0)::BIGINT AS flows
FROM spans AS s
LEFT JOIN member AS m ON s.service = m.service
GROUP BY s.service
ORDER BY errors DESC, spans DESC, s.service
