-- In which environments each flow ran, as its traces' first spans say.
SELECT
    f.flow_id,
    list(DISTINCT r.environment ORDER BY r.environment) AS environments
FROM (SELECT flow_id, unnest(trace_ids) AS trace_id FROM flows) AS f
INNER JOIN (
    SELECT DISTINCT
        trace_hex(trace_id) AS trace_id,
        coalesce(
            resource ->> '/deployment.environment.name', resource ->> '/deployment.environment'
        ) AS environment
    FROM spans
    WHERE parent_span_id IS NULL
) AS r ON f.trace_id = r.trace_id
WHERE r.environment IS NOT NULL
GROUP BY f.flow_id
ORDER BY f.flow_id
