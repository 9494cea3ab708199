-- When services took part in flows of each kind: flows by part of the range, in each of which a
-- flow of the kind began; the row without a service counts them all. Flows are counted by the kind
-- of their facts first, a number that tells their name and services too. A flow without a possible
-- start would stretch the range over decades: it is left out.
WITH ends AS (
    SELECT min(start_ns) AS first_ns, max(start_ns) AS last_ns
    FROM heads_within($since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[])
    WHERE start_ns > 0
),

counted AS (
    SELECT
        h.facts,
        (h.start_ns - e.first_ns) // ((e.last_ns - e.first_ns) // $parts::BIGINT + 1) AS part,
        count(*) AS flows,
        max(h.start_ns) AS last_ns,
        arg_max(h.name, h.start_ns) AS name,
        arg_max(h.services, h.start_ns) AS services
    FROM heads_within(
        $since_ns::BIGINT, $until_ns::BIGINT, $environment::VARCHAR, $services::VARCHAR[]
    ) AS h
    CROSS JOIN ends AS e
    WHERE h.start_ns > 0
    GROUP BY h.facts, part
)

SELECT
    name,
    service,
    part,
    sum(flows)::BIGINT AS flows,
    max(last_ns) AS last_ns
FROM (
    SELECT name, NULL AS service, part, flows, last_ns FROM counted
    UNION ALL
    SELECT name, unnest(services) AS service, part, flows, last_ns FROM counted
)
GROUP BY name, service, part
ORDER BY name, service NULLS FIRST, part
