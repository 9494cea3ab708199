-- Services that took no part in the last flows of a kind, in at least `$expected` of which they
-- would have been had they kept their share of the flows before. A service in every flow of a kind
-- cannot be among them, nor one with fewer flows to be missing from.
WITH kinds AS (
    SELECT
        name,
        services,
        count(*) AS flows,
        max(start_ns) AS last_ns
    FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
    GROUP BY name, services
),

heard AS (
    SELECT
        name,
        service,
        sum(flows)::BIGINT AS flows,
        max(last_ns) AS last_ns
    FROM (SELECT name, unnest(services) AS service, flows, last_ns FROM kinds)
    GROUP BY name, service
),

named AS (
    SELECT name, sum(flows)::BIGINT AS flows
    FROM kinds
    GROUP BY name
),

later AS (
    SELECT
        h.name,
        h.service,
        h.flows,
        h.last_ns,
        n.flows AS every,
        count(*) AS later
    FROM heard AS h
    INNER JOIN named AS n ON h.name = n.name
    INNER JOIN heads_within(
        $since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[]
    ) AS l ON h.name = l.name AND l.start_ns > h.last_ns
    WHERE n.flows - h.flows >= $expected::BIGINT
    GROUP BY h.name, h.service, h.flows, h.last_ns, n.flows
)

SELECT
    service,
    name AS kind,
    flows,
    every - later AS before,
    later,
    last_ns
FROM later
WHERE flows * later >= $expected::BIGINT * (every - later)
ORDER BY later DESC, service, kind
