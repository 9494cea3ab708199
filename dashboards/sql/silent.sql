-- Services that took no part in the last flows of a kind, in at least `$expected` of which they
-- would have been had they kept their share of the flows before. Who came as late as it went, say
-- to stand in for another, is not among them.
WITH kinds AS (
    SELECT
        name,
        services,
        count(*) AS flows,
        min(start_ns) AS first_ns,
        max(start_ns) AS last_ns
    FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
    GROUP BY name, services
),

heard AS (
    SELECT
        name,
        service,
        sum(flows)::BIGINT AS flows,
        min(first_ns) AS first_ns,
        max(last_ns) AS last_ns
    FROM (SELECT name, unnest(services) AS service, flows, first_ns, last_ns FROM kinds)
    GROUP BY name, service
),

named AS (
    SELECT name, sum(flows)::BIGINT AS flows
    FROM kinds
    GROUP BY name
),

beside AS (
    SELECT
        h.name,
        h.service,
        h.flows,
        h.last_ns,
        n.flows AS every,
        count(*) FILTER (WHERE o.start_ns > h.last_ns) AS later,
        count(*) FILTER (WHERE o.start_ns < h.first_ns) AS earlier
    FROM heard AS h
    INNER JOIN named AS n ON h.name = n.name
    INNER JOIN heads_within(
        $since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[]
    ) AS o ON h.name = o.name AND (o.start_ns > h.last_ns OR o.start_ns < h.first_ns)
    WHERE n.flows - h.flows >= $expected::BIGINT
    GROUP BY h.name, h.service, h.flows, h.last_ns, n.flows
)

SELECT
    service,
    name AS kind,
    flows,
    every - later - earlier AS meanwhile,
    later,
    last_ns
FROM beside
WHERE
    flows * later >= $expected::BIGINT * (every - later - earlier)
    AND flows * earlier < $expected::BIGINT * (every - later - earlier)
ORDER BY later DESC, service, kind
