-- Of each service the spans of a time that carry an attribute under its present name, and those
-- that carry it under an earlier name only. `$present` and `$earlier` are as long as each other.
WITH pairs AS (
    SELECT unnest($present::VARCHAR[]) AS present, unnest($earlier::VARCHAR[]) AS earlier
),

keyed AS (
    SELECT service, list_concat(json_keys(attributes), json_keys(resource)) AS names
    FROM spans
    WHERE start_ns >= $low_ns::BIGINT AND start_ns < $high_ns::BIGINT
),

counted AS (
    SELECT service, names, count(*) AS spans
    FROM keyed
    GROUP BY service, names
)

SELECT
    p.present,
    p.earlier,
    c.service,
    sum(c.spans) FILTER (WHERE list_contains(c.names, p.present))::BIGINT AS as_now,
    sum(c.spans) FILTER (WHERE NOT list_contains(c.names, p.present))::BIGINT AS as_before
FROM counted AS c
INNER JOIN pairs AS p ON list_contains(c.names, p.present) OR list_contains(c.names, p.earlier)
GROUP BY p.present, p.earlier, c.service
ORDER BY p.present, p.earlier, c.service
