-- Services with their spans, failed spans and flows, most failed spans first.
WITH member AS (
    SELECT service, count(*) AS flows
    FROM (SELECT unnest(services) AS service FROM flow_heads)
    GROUP BY service
),

counted AS (
    SELECT
        service,
        count(*) AS spans,
        count(*) FILTER (WHERE status = 'error') AS errors
    FROM spans
    GROUP BY service
)

SELECT
    c.service,
    c.spans,
    c.errors,
    coalesce(m.flows, 0)::BIGINT AS flows
FROM counted AS c
LEFT JOIN member AS m ON c.service = m.service
ORDER BY c.errors DESC, c.spans DESC, c.service
