/*
title = "Variants of flows by the environment they ran in"
params = ["production", "staging"]
columns = ["name", "variant", "in_production", "in_staging", "elsewhere", "flow_id"]
*/
WITH placed AS (
    SELECT
        f.flow_id,
        f.name,
        f.variant,
        min(coalesce(
            s.resource ->> '/deployment.environment.name',
            s.resource ->> '/deployment.environment'
        )) AS environment
    FROM flows AS f
    INNER JOIN flow_members AS m ON f.flow_id = m.flow_id
    INNER JOIN spans AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
    GROUP BY f.flow_id, f.name, f.variant
)

SELECT
    name,
    variant,
    count(*) FILTER (list_contains($production::VARCHAR[], environment)) AS in_production,
    count(*) FILTER (list_contains($staging::VARCHAR[], environment)) AS in_staging,
    count(*) FILTER (
        environment IS NULL
        OR NOT list_contains($production::VARCHAR[] || $staging::VARCHAR[], environment)
    ) AS elsewhere,
    min(flow_id) AS flow_id
FROM placed
GROUP BY name, variant
ORDER BY name, variant
