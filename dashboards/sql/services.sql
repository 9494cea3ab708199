-- Services with their spans, failed spans and flows, most failed spans first. Flows are counted by
-- the kind of their facts, of which there are few.
WITH member AS (
    SELECT service, sum(flows)::BIGINT AS flows
    FROM (
        SELECT unnest(from_json(k.contents -> '/services', '["VARCHAR"]')) AS service, h.flows
        FROM (SELECT facts, count(*) AS flows FROM flow_heads GROUP BY facts) AS h
        INNER JOIN flow_kinds AS k ON h.facts = k.kind
    )
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
